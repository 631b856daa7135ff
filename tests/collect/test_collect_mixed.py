"""The order of rows: interleaved by weight, and shuffled."""

import io
from collections import Counter
from itertools import islice
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from pairsmith.collect import BadRow, Row, read_row
from pairsmith.collect.mixed import interleaved, shuffled
from pairsmith.collect.rows import Place

WEIGHTED = st.lists(st.tuples(st.lists(st.booleans(), max_size=12), st.floats(0.1, 10)), max_size=4)


def rows(file: int, good: list[bool]) -> list[Row | BadRow]:
    """Rows of a file; some of them bad."""
    return [read_row({"prompt": "Hi" if one else ""}, Place(f"{file}", line)) for line, one in enumerate(good)]


@given(WEIGHTED)
def test_interleaving_loses_nothing_and_keeps_the_order_of_each_file(given: list[tuple[list[bool], float]]) -> None:
    files = [rows(number, good) for number, (good, _) in enumerate(given)]

    mixed = list(interleaved([iter(file) for file in files], [weight for _, weight in given]))

    for number, file in enumerate(files):
        assert [row for row in mixed if row.name == str(number)] == file
    assert len(mixed) == sum(map(len, files))


@settings(max_examples=40)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=4), st.integers(1, 30))
def test_each_file_has_its_share_of_good_rows_at_any_moment(weights: list[int], taken: int) -> None:
    files = [iter(rows(number, [True, False] * taken)) for number in range(len(weights))]

    good = list(islice((row for row in interleaved(files, weights) if isinstance(row, Row)), taken))

    counts = Counter(row.name for row in good)
    shares = {str(number): taken * weight / sum(weights) for number, weight in enumerate(weights)}
    assert all(abs(counts[name] - share) <= len(weights) for name, share in shares.items())


def test_a_file_that_has_ended_leaves_its_share_to_the_others() -> None:
    files = [iter(rows(number, [True] * count)) for number, count in enumerate((1, 4, 2))]

    assert "".join(row.name for row in interleaved(files, [2, 1, 1])) == "0121211"


@given(st.lists(st.integers() | st.text(), max_size=40), st.integers())
def test_shuffling_gives_each_item_once_and_the_same_order_for_the_same_seed(items: list[int | str], seed: int) -> None:
    orders = [list(shuffled(items, io.BytesIO(), Random(seed).shuffle)) for _ in range(2)]

    assert orders[0] == orders[1]
    assert Counter(orders[0]) == Counter(items)


def test_shuffling_changes_the_order() -> None:
    assert list(shuffled(range(50), io.BytesIO(), Random(0).shuffle)) != list(range(50))

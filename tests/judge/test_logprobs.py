import json
import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.judge.logprobs import expected_score
from pairsmith.judge.verdicts import read_score
from pairsmith.records import TokenChoice


def token(text: str, odds: Mapping[str, float] | None = None) -> TokenChoice:
    """A token with what else might have stood there, by probability."""
    odds = odds or {text: 1.0}
    alternatives = tuple((other, math.log(p)) for other, p in odds.items())
    return TokenChoice(text, math.log(odds.get(text, 0.01)), alternatives)


def verdict(
    *number: TokenChoice, before: str = '{"rationale": "Fine.", "score": ', behind: str = "}"
) -> list[TokenChoice]:
    return [token(before), *number, token(behind)]


def expected(tokens: Sequence[TokenChoice], score: float, text: str | None = None) -> float | None:
    return expected_score("".join(t.token for t in tokens) if text is None else text, tokens, score)


# --- the mean of what might have been written --------------------------------------------------------


def test_the_expected_score_is_the_mean_of_the_alternatives_by_their_probability() -> None:
    tokens = verdict(token("8", {"8": 0.6, "7": 0.3, "9": 0.1}))

    assert expected(tokens, 8) == pytest.approx(7.8)


def test_what_is_no_whole_number_from_1_to_10_has_no_share() -> None:
    tokens = verdict(token("8", {"8": 0.4, "7": 0.4, "eight": 0.1, "47": 0.05, "0": 0.03, "7.5": 0.02}))

    assert expected(tokens, 8) == pytest.approx(7.5)


def test_a_10_that_is_one_token_is_a_10_and_a_1_beside_it_a_1() -> None:
    tokens = verdict(token("10", {"10": 0.7, "9": 0.2, "1": 0.1}))

    assert expected(tokens, 10) == pytest.approx(0.7 * 10 + 0.2 * 9 + 0.1)


def test_a_10_in_two_tokens_takes_its_share_of_the_1_from_the_second() -> None:
    tokens = verdict(token("1", {"1": 0.5, "9": 0.4, "8": 0.1}), token("0", {"0": 0.9, "}": 0.1}))

    assert expected(tokens, 10) == pytest.approx(0.45 * 10 + 0.05 * 1 + 0.4 * 9 + 0.1 * 8)


def test_a_1_that_might_have_become_a_10_is_shared_out_as_well() -> None:
    tokens = [token('{"score": '), token("1", {"1": 0.8, "2": 0.2}), token("}", {"}": 0.75, "0": 0.25})]

    assert expected(tokens, 1, '{"score": 1}') == pytest.approx(0.6 * 1 + 0.2 * 10 + 0.2 * 2)


def test_a_1_that_was_not_written_is_a_10_beside_high_scores_and_a_1_beside_low_ones() -> None:
    high = verdict(token("9", {"9": 0.6, "1": 0.4}))
    low = verdict(token("2", {"2": 0.6, "1": 0.4}))

    assert expected(high, 9) == pytest.approx(0.6 * 9 + 0.4 * 10)
    assert expected(low, 2) == pytest.approx(0.6 * 2 + 0.4 * 1)


def test_spaces_and_marks_that_share_the_tokens_of_the_number_do_no_harm() -> None:
    spaced = [token('{"score":'), token(" 8", {" 8": 0.5, "8": 0.1, " 6": 0.4}), token("}")]
    marked = [token('{"score'), token('": 8}', {'": 8}': 0.5, '": 6}': 0.4, '":6': 0.1})]

    assert expected(spaced, 8) == pytest.approx(7.2)
    assert expected(marked, 8) == pytest.approx(7.0)


def test_the_written_token_counts_even_where_the_server_does_not_list_it() -> None:
    written = TokenChoice("8", math.log(0.6), (("7", math.log(0.4)),))

    assert expected(verdict(written), 8) == pytest.approx(7.6)


# --- which number it is -----------------------------------------------------------------------------


def test_the_last_verdict_counts_and_one_inside_a_string_or_an_object_does_not() -> None:
    sure, torn = token("8"), token("8", {"8": 0.5, "6": 0.5})
    tokens = [
        token('First {"score": '), sure, token('}, then {"rationale": "they wrote {\\"score\\": '), sure,
        token('}", "other": {"score": '), sure, token('}, "score": '), torn, token(', "more": {"score": '), sure,
        token("}} Done."),
    ]  # fmt: skip
    text = "".join(t.token for t in tokens)

    assert expected(tokens, 8, text) == pytest.approx(7.0)


def test_thoughts_before_the_text_and_an_end_mark_behind_it_may_be_among_the_tokens() -> None:
    thoughts = [token('<think>{"score": '), token("3"), token("}</think>\n\n")]
    tokens = [*thoughts, *verdict(token("8", {"8": 0.5, "6": 0.5})), token(""), token("<|im_end|>")]

    assert expected(tokens, 8, '{"rationale": "Fine.", "score": 8}') == pytest.approx(7.0)


def test_thinking_within_the_text_is_passed_over() -> None:
    tokens = [token('<think>{"score": '), token("8"), token("}</think>"), *verdict(token("8", {"8": 0.5, "6": 0.5}))]

    assert expected(tokens, 8) == pytest.approx(7.0)


# --- when it cannot be told --------------------------------------------------------------------------


def test_tokens_that_do_not_hold_the_text_tell_nothing() -> None:
    tokens = verdict(token("8"))

    assert expected_score('{"rationale": "Other.", "score": 8}', tokens, 8) is None
    assert expected_score('{"rationale": "Fine.", "score": 8}', [], 8) is None


def test_half_points_and_numbers_that_are_not_the_score_tell_nothing() -> None:
    assert expected(verdict(token("8.5")), 8.5) is None
    assert expected(verdict(token("8"), token(".5")), 8.5) is None
    assert expected(verdict(token("8")), 7) is None


def test_less_than_half_of_the_probability_on_numbers_tells_nothing() -> None:
    assert expected(verdict(token("8", {"8": 0.3, "7": 0.19, "high": 0.4})), 8) is None
    assert expected(verdict(token("8", {"8": 0.3, "7": 0.21, "high": 0.4})), 8) is not None


@pytest.mark.parametrize("text", ["", "Eight.", '{"points": 8}', '{"score": "8"}', '{"score": [8]}', '{"score": 8'])
def test_a_text_without_such_a_number_tells_nothing(text: str) -> None:
    assert expected_score(text, [TokenChoice(text, -0.1)], 8) is None


# --- whatever comes ----------------------------------------------------------------------------------

words = st.sampled_from(
    ["1", "0", "10", "8", " 9", "}", '{"score": ', '"', ",", "eight", "", "1}", ".5", "\ud83d", "é"]
)
logprobs = st.floats(allow_nan=True, allow_infinity=True)
choices = st.builds(TokenChoice, words, logprobs, st.lists(st.tuples(words, logprobs), max_size=4).map(tuple))


@given(st.lists(choices, max_size=8), st.floats(0, 11) | st.integers(1, 10).map(float), st.text(max_size=5))
def test_whatever_comes_the_expected_score_is_from_1_to_10_or_none(
    tokens: list[TokenChoice], score: float, more: str
) -> None:
    text = "".join(choice.token for choice in tokens)

    for said in (text, text + more, more):
        found = expected_score(said, tokens, score)
        assert found is None or 1 <= found <= 10


@given(st.text(), st.lists(choices, max_size=4))
def test_garbage_tells_nothing(text: str, tokens: list[TokenChoice]) -> None:
    if '"score"' not in text:
        assert expected_score(text, tokens, 8) is None


@given(st.dictionaries(st.integers(1, 10), st.floats(0.01, 1), min_size=1), st.text(max_size=20))
def test_a_whole_distribution_gives_its_mean_however_the_text_is_cut(odds: dict[int, float], rationale: str) -> None:
    total = sum(odds.values())
    share = {str(number): p / total for number, p in odds.items()}
    written = max(share, key=lambda number: share[number])
    before = json.dumps({"rationale": rationale})[:-1] + ', "score": '
    tokens = [
        *map(token, before),
        TokenChoice(written, math.log(share[written]), token("", share).alternatives),
        token("}"),
    ]
    verdict = read_score(before + written + "}")

    found = expected(tokens, float(written))

    assert getattr(verdict, "score", None) == float(written)
    mean = sum(int(number) * p for number, p in share.items())
    one_is_ten = "1" in share and "10" not in share and int(written) > 5
    alone = written == "1"  # then the bracket behind it says that it is no 10
    assert found == pytest.approx(mean + (9 * share["1"] if one_is_ten and not alone else 0))

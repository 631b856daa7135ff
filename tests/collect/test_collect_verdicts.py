"""Which answer a verdict means, and what must not be guessed: a wrong guess would swap chosen and rejected."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsmith.collect import BadRow, Row, read_row, unite
from pairsmith.collect.rows import Place
from pairsmith.collect.written import row_of
from pairsmith.records import Json, Preference, Prompt, candidate_id

PLACE = Place("p.jsonl", 7)


def read(row: Json) -> Prompt:
    found = read_row(row, PLACE)
    assert isinstance(found, Row), str(found)
    return found.prompt


def best(row: dict[str, Json]) -> list[str]:
    """The texts that the verdicts of a row prefer."""
    prompt = read({"prompt": "Hi", **row})
    texts = {candidate_id(prompt.id, one.content): one.content for one in prompt.candidates}
    return ["tie" if said.preferred is None else texts[said.preferred] for said in prompt.preferences]


@pytest.mark.parametrize(("place", "text"), [(0, "a"), (1, "a"), (2, "b"), ("2", "b")])
def test_places_count_the_answers_of_the_row_also_those_that_repeat(place: Json, text: str) -> None:
    assert best({"candidates": ["a", "a", "b"], "preferred": place}) == [text]


@pytest.mark.parametrize("one", [1, 1.0, "1", "1.0", " 1 "])
def test_a_place_may_be_written_as_tables_write_it(one: Json) -> None:
    assert best({"candidates": ["a", "b"], "preferred": one}) == ["b"]


def test_a_text_that_is_exactly_a_candidates_wins_over_place_and_tie() -> None:
    assert best({"candidates": ["x", "0"], "preferred": "0"}) == ["0"]
    assert best({"candidates": ["x", "tie"], "preferred": "tie"}) == ["tie"]
    assert read({"prompt": "Hi", "candidates": ["x", "tie"], "preferred": "tie"}).preferences[0].preferred is not None


def test_a_number_may_be_an_id_in_a_text_but_is_a_place_as_a_number() -> None:
    answers: Json = [{"content": "a", "id": 17}, {"content": "b", "id": 18}]

    assert best({"candidates": answers, "preferred": "18"}) == ["b"]
    assert best({"candidates": answers, "preferred": 0}) == ["a"]


def test_several_people_stand_as_json_in_a_cell_of_a_table() -> None:
    prompt = read({"prompt": "Hi", "candidates": ["a", "b"], "preferred": '[1, "tie"]', "reviewer": '["ann", "ben"]'})

    assert [said.by for said in prompt.preferences] == ["ann", "ben"]
    assert best({"candidates": ["a", "[1]"], "preferred": "[1]"}) == ["[1]"]


BY_ID: Json = [{"content": "a", "id": "1"}, {"content": "b", "id": "2"}]
MARKED: Json = [{"content": "a", "preferred": True}, {"content": "b", "preferred": True}, "c"]
TURNS: Json = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Lost?"}]


@pytest.mark.parametrize(
    ("row", "field", "problem"),
    [
        ({"candidates": BY_ID, "preferred": "1"}, "preferred", 'is "1", which names several candidates'),
        (
            {"candidates": [{"content": "a", "model": "m"}, {"content": "b", "model": "m"}], "preferred": "m"},
            "preferred",
            "names several candidates",
        ),
        ({"candidates": [{"content": "tie!", "origin": "tie"}, "b", "c"], "preferred": "4"}, "preferred", "names no"),
        ({"candidates": ["a", "b"], "preferred": 1e400}, "preferred", "names no one candidate"),
        ({"candidates": ["a", "b"], "preferred": "²"}, "preferred", "names no one candidate"),
        ({"candidates": ["a", "b"], "preferred": [[0]]}, "preferred", "is a list"),
        ({"candidates": MARKED}, "candidates", "marks 2 answers as preferred"),
        ({"candidates": [{"content": "a", "preferred": 1}, "b"]}, "candidates[0].preferred", "is a number (1)"),
        ({"candidates": [{"content": "a", "origin": "x\ny"}]}, "candidates[0].origin", "is of several lines"),
        ({"candidates": [{"content": "a", "origins": "x"}]}, "candidates[0].origins", "is a string"),
        ({"messages": TURNS, "origin": 7}, "origin", "is a number (7)"),
        ({"messages": TURNS, "original": "a", "edited": "b"}, "messages", "neither original nor edited"),
        (
            {"candidates": ["a", "b"], "preferences": [{"prefered": "a", "others": ["b"]}]},
            "preferences[0].prefered",
            "is no part of a verdict",
        ),
        (
            {"candidates": ["a", "b"], "preferences": [{"preferred": "a", "others": ["a"]}]},
            "preferences[0]",
            "does not set two texts against each other",
        ),
        (
            {"candidates": ["a", "b"], "preferences": [{"others": ["a", "a"]}]},
            "preferences[0]",
            "does not set two texts against each other",
        ),
    ],
)
def test_a_verdict_that_could_be_misread_is_a_bad_row(row: dict[str, Json], field: str, problem: str) -> None:
    found = read_row(row if "messages" in row else {"prompt": "Hi", **row}, PLACE)

    assert isinstance(found, BadRow), found
    assert found.field == field
    assert problem in found.problem


def test_a_log_may_show_the_turn_that_was_mended() -> None:
    prompt = read({"messages": TURNS, "original": "Lost?", "edited": "Here it is."})

    assert [one.content for one in prompt.candidates] == ["Lost?", "Here it is."]


def test_an_origin_of_null_counts_as_absent() -> None:
    assert read({"prompt": "Hi", "candidates": [{"content": "a", "origin": None}]}).candidates[0].content == "a"


def test_one_text_of_two_origins_is_one_answer_that_keeps_both() -> None:
    first = read({"prompt": "Hi", "candidates": [{"content": "a", "origin": "old", "model": "m"}]})
    second = read({"prompt": "Hi", "candidates": [{"content": "a", "origin": "new"}]})

    both = unite(unite(first, second), second)

    assert dict(both.candidates[0].meta) == {"origin": "old", "model": "m", "origins": ["new"]}


def test_what_one_person_said_twice_counts_once_and_what_unknown_people_said_counts_each_time() -> None:
    ann = read({"prompt": "Hi", "candidates": ["a", "b", "c"], "preferred": [0, 0], "reviewer": "ann"})
    again = read({"prompt": "Hi", "candidates": ["a", "c", "b"], "preferred": "a", "reviewer": "ann"})
    somebody = read({"prompt": "Hi", "candidates": ["a", "b", "c"], "preferred": [0, 0]})

    assert len(unite(ann, again).preferences) == 1
    assert len(unite(unite(ann, somebody), somebody).preferences) == 5


# --- what must hold of any rows of one prompt ---------------------------------------------------------------

TEXTS = st.sampled_from(["a", "b", "c", "0", "1", "tie", "[0]"])
ANSWERS = st.lists(
    st.builds(
        lambda text, origin: {"content": text, **origin}, TEXTS, st.sampled_from([{}, {"origin": "x"}, {"origin": "y"}])
    ),
    min_size=2,
    max_size=4,
)


@st.composite
def verdict_rows(draw: st.DrawFn) -> Prompt:
    answers = draw(ANSWERS)
    row: dict[str, Json] = {"prompt": "Hi", "candidates": [*answers]}
    votes: list[Json] = draw(st.lists(st.integers(0, len(answers) - 1) | st.just("tie"), max_size=3))
    if votes and len({str(one["content"]) for one in answers}) > 1:
        row |= {"preferred": votes, "reviewer": [draw(st.sampled_from(["", "ann", "ben"])) for _ in votes]}
    return read(row)


@settings(max_examples=50, deadline=None)
@given(st.lists(verdict_rows(), min_size=1, max_size=3))
def test_united_prompts_are_read_again_as_they_were_written(prompts: list[Prompt]) -> None:
    united = prompts[0]
    for further in prompts[1:]:
        united = unite(united, further)

    assert read(orjson.loads(orjson.dumps(row_of(united)))) == united


@settings(max_examples=50, deadline=None)
@given(verdict_rows(), verdict_rows(), verdict_rows())
def test_uniting_verdicts_is_associative_and_every_one_is_about_the_answers(a: Prompt, b: Prompt, c: Prompt) -> None:
    united = unite(unite(a, b), c)

    known = {candidate_id(united.id, one.content) for one in united.candidates}
    assert united == unite(a, unite(b, c))
    assert all(about(said) <= known and len(about(said)) > 1 for said in united.preferences)


def about(said: Preference) -> set[str]:
    return {*said.others, *([] if said.preferred is None else [said.preferred])}

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.collect import BadRow, Row, read_row, unite
from pairsmith.collect.rows import Place
from pairsmith.collect.written import row_of
from pairsmith.records import Candidate, Json, Preference, Prompt, candidate_id

PLACE = Place("p.jsonl", 7)


def read(row: Json) -> Prompt:
    found = read_row(row, PLACE)
    assert isinstance(found, Row), str(found)
    return found.prompt


def ids(prompt: Prompt) -> list[str]:
    return [candidate_id(prompt.id, one.content) for one in prompt.candidates]


# --- answers --------------------------------------------------------------------------------------------


def test_the_assistants_last_turn_is_an_answer_with_what_the_row_knows_of_it() -> None:
    turns: list[Json] = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]

    prompt = read({"messages": turns, "model": "m1", "origin": "shop", "channel": "mail"})

    assert prompt.messages == ({"role": "user", "content": "Hi"},)
    assert prompt.candidates == (Candidate("Hello", {"model": "m1", "origin": "shop"}),)
    assert prompt.id == read({"prompt": "Hi"}).id


def test_rows_of_one_prompt_bring_their_answers_and_verdicts_together() -> None:
    first = read({"prompt": "Hi", "candidates": ["a", "b"], "preferred": 0, "reviewer": "ann"})
    second = read({"prompt": "Hi", "candidates": ["b", "c"], "preferred": 1})

    both = unite(unite(first, second), first)

    a, b, c = ids(both)
    assert [one.content for one in both.candidates] == ["a", "b", "c"]
    assert both.preferences == (Preference(a, (b,), by="ann"), Preference(c, (b,)))


# --- verdicts -------------------------------------------------------------------------------------------

ANSWERS: list[Json] = [{"content": "one", "origin": "x", "id": "i1"}, {"content": "two", "model": "m"}, "three"]


@pytest.mark.parametrize(
    ("said", "place"),
    [(0, 0), ("2", 2), ("two", 1), ("x", 0), ("m", 1), ("i1", 0), ("three", 2), (1, 1)],
)
def test_a_verdict_names_a_candidate_by_place_text_origin_model_or_id(said: Json, place: int) -> None:
    prompt = read({"prompt": "Hi", "candidates": ANSWERS, "preferred": said})

    known = ids(prompt)
    others = tuple(ident for ident in known if ident != known[place])
    assert prompt.preferences == (Preference(known[place], others),)
    assert "preferred" not in prompt.meta


def test_a_tie_prefers_none_and_a_list_is_several_people() -> None:
    row: Json = {"prompt": "Hi", "candidates": ["a", "b"], "preferred": ["tie", 1], "reviewer": ["ann", "ben"]}
    prompt = read(row)

    a, b = ids(prompt)
    assert prompt.preferences == (Preference(None, (a, b), by="ann"), Preference(b, (a,), by="ben"))
    assert prompt.meta == {}


def test_a_candidate_may_say_so_of_itself() -> None:
    prompt = read({"prompt": "Hi", "candidates": [{"content": "a"}, {"content": "b", "preferred": True}]})

    a, b = ids(prompt)
    assert prompt.preferences == (Preference(b, (a,)),)


def test_an_edit_prefers_the_edited_text() -> None:
    prompt = read({"prompt": "Fix: teh", "original": "teh", "edited": "the", "reviewer": "ann"})

    original, edited = ids(prompt)
    assert [one.meta["origin"] for one in prompt.candidates] == ["original", "edited"]
    assert prompt.preferences == (Preference(edited, (original,), "edit", "ann"),)


def test_one_of_the_two_alone_and_a_reviewer_without_a_verdict_are_meta() -> None:
    assert read({"prompt": "Hi", "original": "x", "reviewer": "ann"}).meta == {"original": "x", "reviewer": "ann"}


@pytest.mark.parametrize(
    ("row", "field", "problem"),
    [
        ({"candidates": ["a", "b"], "preferred": 2}, "preferred", "names no one candidate"),
        ({"candidates": ["a", "b"], "preferred": "c"}, "preferred", 'is "c"'),
        ({"candidates": ["a", "b"], "preferred": True}, "preferred", "names no one candidate"),
        ({"candidates": ["a", "b"], "preferred": -1}, "preferred", "names no one candidate"),
        ({"candidates": ["a"], "preferred": 0}, "preferred", "is said of 1 different answers"),
        ({"preferred": 0}, "preferred", "is said of 0"),
        ({"candidates": ["a", "b"], "preferred": [0, 1], "reviewer": ["ann"]}, "reviewer", "names 1 for 2"),
        ({"candidates": ["a", {"content": "b", "preferred": True}], "preferred": 0}, "preferred", "stands beside"),
        ({"original": "a b", "edited": " a  b"}, "edited", "says the same"),
        ({"original": "a", "edited": " "}, "edited", "is empty"),
        ({"original": "a", "edited": "b", "candidates": ["c"]}, "candidates", "stands beside original"),
        ({"candidates": [{"content": "a", "origin": 3}]}, "candidates[0].origin", "is a number"),
        ({"candidates": ["a"], "preferences": [{"preferred": "x", "others": ["a"]}]}, "preferences[0]", "no candidate"),
        ({"candidates": ["a"], "preferences": [{"others": "a"}]}, "preferences[0].others", "is a string"),
    ],
)
def test_what_a_row_says_wrongly_is_said_with_its_place(row: dict[str, Json], field: str, problem: str) -> None:
    found = read_row({"prompt": "Hi", **row}, PLACE)

    assert isinstance(found, BadRow)
    assert (found.field, found.line) == (field, 7)
    assert problem in found.problem


# --- written and read again -----------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12).filter(str.strip)
META = st.dictionaries(
    st.sampled_from(["family", "input", "thread", "origin", "reviewer", "language"]), TEXT, max_size=3
)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Json]:
    row: dict[str, Json] = dict(draw(META))
    turns: list[Json] = [{"role": "user", "content": draw(TEXT)}]
    if draw(st.booleans()):
        turns += [{"role": "assistant", "content": draw(TEXT)}, {"role": "user", "content": draw(TEXT)}]
    if draw(st.booleans()):
        turns.append({"role": "assistant", "content": draw(TEXT)})
    row |= {"messages": turns} if len(turns) > 1 or draw(st.booleans()) else {"prompt": draw(TEXT)}
    answers = draw(st.lists(TEXT, unique=True, max_size=4))
    if "messages" not in row and draw(st.booleans()):
        return {**row, "original": "x" + draw(TEXT), "edited": "y" + draw(TEXT)}
    if answers:
        row["candidates"] = [{"content": text, "origin": "o"} if draw(st.booleans()) else text for text in answers]
    if len(answers) > 1:
        row["preferred"] = [
            draw(st.sampled_from([*range(len(answers)), *answers])) for _ in range(draw(st.integers(1, 3)))
        ]
        row.pop("reviewer", None)
    return row


@given(rows())
def test_what_is_written_reads_as_the_same_prompt(row: dict[str, Json]) -> None:
    found = read_row(row, PLACE)
    if isinstance(found, BadRow):
        return

    again = read(orjson.loads(orjson.dumps(row_of(found.prompt))))

    assert again == found.prompt

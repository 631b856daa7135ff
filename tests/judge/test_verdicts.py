import json
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pairsmith.judge.verdicts import (
    MAX_CHARS,
    DuelVerdict,
    RankVerdict,
    ScoreVerdict,
    Unreadable,
    WrittenVerdict,
    read_duel,
    read_ranking,
    read_score,
    read_written,
)

AB = ("A", "B")
ABC = ("A", "B", "C")
GOOD = '{"rationale": "clear and right", "score": 8}'


def score(text: str) -> float | str:
    verdict = read_score(text)
    return verdict.why if isinstance(verdict, Unreadable) else verdict.score


def winner(text: str) -> str:
    verdict = read_duel(text, AB)
    return verdict.why if isinstance(verdict, Unreadable) else verdict.winner


def ranking(text: str) -> str:
    verdict = read_ranking(text, ABC)
    return verdict.why if isinstance(verdict, Unreadable) else "".join(verdict.ranking)


# --- tolerant in finding ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"  {GOOD}\n",
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}\n```\nHope this helps.",
        f"Here is my verdict:\n\n{GOOD}",
        f"{GOOD}\n\nThe answer was good.",
        f'<think>\nMaybe 3? {{"score": 3}} Hmm.\n</think>\n{GOOD}',
        f'Maybe {{"score": 3}}, the template put <think> into the prompt.\n</think>\n\n{GOOD}',
        f"The code `if (x) {{ y }}` and \\frac{{a}}{{b}} are right. {GOOD}",
        f'The rubric is {{"weight": "facts"}}. {GOOD}',
        f"{GOOD} I repeat: {GOOD}",
        f"[{GOOD}]",
        f"a stray }} and then {GOOD}",
    ],
)
def test_a_verdict_is_found_whatever_stands_around_it(text: str) -> None:
    assert score(text) == 8


def test_a_raw_line_break_inside_the_rationale_is_forgiven() -> None:
    assert score('{"rationale": "first\nsecond", "score": 8}') == 8


QUOTING = '{"rationale": "it leaks </think> into the text", "score": 2}'


@pytest.mark.parametrize("text", [QUOTING, f"```json\n{QUOTING}\n```", f"So: {QUOTING}", f"<think>3?</think>{QUOTING}"])
def test_a_rationale_may_quote_a_thinking_tag(text: str) -> None:
    assert score(text) == 2


def test_a_verdict_quoted_behind_a_thinking_tag_is_not_taken_for_the_judges_own() -> None:
    text = 'So: {"rationale": "it ends in </think>{"score": 10}", "score": 2}'

    assert score(text) == "its JSON object is broken or cut off"


def test_the_rationale_is_kept_as_it_was_written() -> None:
    verdict = read_score('{"rationale": " Café \\"au lait\\" ", "score": 8}')

    assert isinstance(verdict, ScoreVerdict)
    assert verdict.rationale == ' Café "au lait" '


@pytest.mark.parametrize("text", ['{"score": 8}', '{"rationale": null, "score": 8}'])
def test_a_missing_rationale_is_an_empty_one(text: str) -> None:
    verdict = read_score(text)

    assert isinstance(verdict, ScoreVerdict)
    assert (verdict.score, verdict.rationale) == (8, "")


def test_of_verdicts_that_agree_the_last_one_speaks() -> None:
    verdict = read_score('{"rationale": "a draft", "score": 8} {"rationale": "final", "score": 8.0}')

    assert isinstance(verdict, ScoreVerdict)
    assert verdict.rationale == "final"


def test_a_lone_surrogate_in_a_rationale_is_mended_so_that_it_can_be_stored() -> None:
    verdict = read_score('{"rationale": "a\\ud800b", "score": 8}')

    assert isinstance(verdict, ScoreVerdict)
    assert verdict.rationale == "a?b"


def test_extra_keys_are_passed_over() -> None:
    assert score('{"confidence": "high", "rationale": "r", "score": 8, "\\ud800": [1]}') == 8


@pytest.mark.parametrize(("text", "points"), [('{"score": 7.5}', 7.5), ('{"score": 7.0}', 7), ('{"score": 1}', 1)])
def test_a_number_from_1_to_10_is_a_score(text: str, points: float) -> None:
    assert score(text) == points


# --- strict in taking ---------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["0", "11", "0.9", "10.01", "-3", "100", "1e400", "NaN", "Infinity", "1" + "0" * 400])
def test_incident_4_a_score_out_of_range_is_no_verdict(value: str) -> None:
    assert str(score(f'{{"score": {value}}}')).startswith('"score" must be a number from 1 to 10, not ')


@pytest.mark.parametrize("value", ['"8"', "true", "null", "[8]", '{"value": 8}', '"8/10"', '"high"'])
def test_incident_5_what_is_no_number_is_no_verdict(value: str) -> None:
    assert str(score(f'{{"rationale": "r", "score": {value}}}')).startswith('"score" must be a number')


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it was empty"),
        (" \n", "it was empty"),
        ("<think>\nstill thinking", "the thinking never came to an end"),
        ("<think>done</think>", "it was empty"),
        ("Score: 8", 'there is no JSON object with "score" in it'),
        ("8", 'there is no JSON object with "score" in it'),
        ('{"rating": 8}', 'there is no JSON object with "score" in it'),
        ('{"verdict": {"score": 8}}', 'there is no JSON object with "score" in it'),
        ('{"score": 8} or rather {"score": 7}', "it holds several verdicts that disagree"),
        ('{"score": 8, "score": 7}', "the key 'score' stands twice in one object, with different values"),
        ('{"score": 1, "score": true}', "the key 'score' stands twice in one object, with different values"),
        ('{"rationale": ["a", "b"], "score": 8}', '"rationale" must be a string'),
        ('{"rationale": "cut o', "its JSON object is broken or cut off"),
        ('{"score": ' + "1" * 5000 + "}", "its JSON object is broken or cut off"),
        ('{"a":' * 50_00 + "1", "its JSON object is broken or cut off"),
        (" " * MAX_CHARS + GOOD, f"it was longer than {MAX_CHARS} characters"),
    ],
)
def test_what_is_not_clearly_one_verdict_is_unreadable_and_says_why(text: str, why: str) -> None:
    assert score(text) == why


def test_one_invalid_verdict_beside_a_valid_one_spoils_both() -> None:
    assert str(score(f'{GOOD} {{"score": 80}}')).startswith('"score" must be')


def test_the_same_key_twice_with_the_same_value_is_no_contradiction() -> None:
    assert score('{"score": 8, "score": 8}') == 8


@pytest.mark.parametrize(
    "text",
    [
        '{"rationale": "it ends "by the way {"score": 10}" as a trick", "score": 2}',
        '{"rationale": "it ends "by the way {"score": 10}',
        "{'rationale': 'it says } and {\"score\": 10}', 'score': 2}",
        "{rationale: 'it says } and {\"score\": 10}', score: 2}",
        '{ the answer says {"score": 10} }',
    ],
)
def test_a_verdict_quoted_from_an_answer_inside_broken_json_is_not_taken(text: str) -> None:
    assert isinstance(read_score(text), Unreadable)


@pytest.mark.parametrize("label", ["A", "B", "tie"])
def test_a_duel_names_a_label_or_a_tie(label: str) -> None:
    assert winner(json.dumps({"rationale": "r", "winner": label})) == label


@pytest.mark.parametrize("label", ["C", "a", "Tie", "", " A", "A and B", "x" * 500])
def test_an_unknown_label_is_no_verdict(label: str) -> None:
    assert winner(json.dumps({"winner": label})).startswith('"winner" must be one of A, B, tie, not ')


@pytest.mark.parametrize("value", ["null", "1", "true", '["A"]'])
def test_a_winner_that_is_no_string_is_no_verdict(value: str) -> None:
    assert winner(f'{{"winner": {value}}}').startswith('"winner" must be one of A, B, tie, not ')


def test_two_winners_are_no_winner() -> None:
    assert winner('{"winner": "A"} {"winner": "B"}') == "it holds several verdicts that disagree"


@pytest.mark.parametrize("order", ["ABC", "CAB"])
def test_a_ranking_names_every_label_once(order: str) -> None:
    assert ranking(f"So: {json.dumps({'rationale': 'r', 'ranking': list(order)})}") == order


@pytest.mark.parametrize(
    "value",
    ['["A", "B"]', '["A", "B", "C", "D"]', '["A", "B", "B"]', '["A", "B", "C", "C"]', '["a", "b", "c"]', "[]",
     '"ABC"', '{"A": 1}', "null", "[1, 2, 3]", '[["A", "B", "C"]]', '["A", "B", null]', '["A>B>C"]', "true"],
)  # fmt: skip
def test_incident_5_a_ranking_that_is_not_of_these_labels_is_no_verdict(value: str) -> None:
    assert ranking(f'{{"ranking": {value}}}').startswith('"ranking" must be a list of A, B, C, each once, best first')


def test_two_rankings_are_no_ranking_unless_they_agree() -> None:
    one, other = '{"ranking": ["A", "B", "C"]}', '{"ranking": ["A", "C", "B"]}'

    assert ranking(f"{one} {other}") == "it holds several verdicts that disagree"
    assert ranking(f"{one} {one}") == "ABC"


def test_labels_of_two_letters_are_read_whole() -> None:
    verdict = read_ranking('{"ranking": ["AA", "A"]}', ["A", "AA"])

    assert isinstance(verdict, RankVerdict)
    assert verdict.ranking == ["AA", "A"]


def test_a_reference_is_the_reply_without_its_thinking() -> None:
    assert read_written("<think>Hm.</think>\n\nBecause.\n") == WrittenVerdict("Because.")


@pytest.mark.parametrize("text", ["", " \n", "<think>still thinking", "<think>done</think>"])
def test_an_empty_reference_is_none(text: str) -> None:
    assert isinstance(read_written(text), Unreadable)


def test_why_stays_short_however_long_the_reply_is() -> None:
    assert len(winner(json.dumps({"winner": "x" * 50_000}))) < 100
    assert len(ranking(json.dumps({"ranking": ["x" * 900] * 100}))) < 300


# --- properties ---------------------------------------------------------------------------------

PIECES = st.sampled_from(
    ["{", "}", "[", "]", '"', "'", ":", ",", " ", "\n", "\\", "score", "winner", "rationale", '"score"', '"winner"',
     '"score": ', "8", "7.5", "11", "true", "null", "NaN", "tie", '"A"', '"B"', "<think>", "</think>", "```json\n",
     '"ranking"', '["A", "B", "C"]', '{"ranking": ["C", "A", "B"]}', '{"ranking": ["A"', "ranking",
     '{"score": 8}', '{"score": 3', '{"winner": "A"}', '{"rationale": "r", ', "\\ud800", "\ud800"]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(), st.text(st.characters(codec=None), max_size=40), st.lists(PIECES, max_size=14).map("".join)
)
NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["score", "winner", "ranking", "rationale", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(TEXTS | JSON.map(json.dumps))
def test_no_text_makes_the_reader_raise(text: str) -> None:
    assert isinstance(read_score(text), ScoreVerdict | Unreadable)
    assert isinstance(read_duel(text, AB), DuelVerdict | Unreadable)
    assert isinstance(read_ranking(text, ABC), RankVerdict | Unreadable)
    assert isinstance(read_written(text), WrittenVerdict | Unreadable)


@given(TEXTS | JSON.map(json.dumps))
def test_no_text_gives_a_verdict_that_is_not_in_it(text: str) -> None:
    points, best = read_score(text), read_duel(text, AB)

    if isinstance(points, ScoreVerdict):
        assert points.score in [
            float(number) for number in re.findall(r'"score"\s*:\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)', text)
        ]
    if isinstance(best, DuelVerdict):
        assert best.winner in re.findall(r'"winner"\s*:\s*"(A|B|tie)"', text)


LABELS = ["A", "B", "C", "D"]
ORDERS = st.permutations(LABELS) | st.lists(st.sampled_from([*LABELS, "E", "a", ""]), max_size=6)


@given(ORDERS, st.text(), st.sampled_from(["{}", "```json\n{}\n```", "{}{}", "[{}", '{"x": {}}']))
def test_a_ranking_that_is_read_holds_every_label_once_and_stands_in_the_text(
    order: list[str], rationale: str, around: str
) -> None:
    text = around.replace("{}", json.dumps({"rationale": rationale, "ranking": order}))

    verdict = read_ranking(text, LABELS)

    if isinstance(verdict, RankVerdict):
        assert sorted(verdict.ranking) == LABELS
        assert json.dumps(verdict.ranking) in text
    assert isinstance(verdict, RankVerdict) is (sorted(order) == LABELS and around != '{"x": {}}')


@given(TEXTS | JSON.map(json.dumps))
def test_no_text_gives_a_ranking_that_is_not_in_it(text: str) -> None:
    verdict = read_ranking(text, ABC)

    if isinstance(verdict, RankVerdict):
        assert sorted(verdict.ranking) == list(ABC)
        assert "".join(verdict.ranking) in re.sub(r'[\s",]', "", text)


@given(st.floats(1, 10) | st.integers(1, 10), st.text(), st.sampled_from(["{}", "```json\n{}\n```", "So:\n{}\nDone."]))
def test_a_valid_verdict_is_always_read_back(points: float, rationale: str, around: str) -> None:
    assume("</think>" not in rationale or not around.startswith("So"))  # prose, a brace, then the tag: re-asked
    said = json.dumps({"rationale": rationale, "score": points})

    assert score(around.replace("{}", said)) == points


@given(st.integers() | st.floats(), st.text(max_size=20))
def test_incident_4_whatever_number_is_said_a_score_lies_from_1_to_10(number: float, rationale: str) -> None:
    verdict = read_score(json.dumps({"rationale": rationale, "score": number}))

    assert isinstance(verdict, ScoreVerdict) is (1 <= number <= 10)

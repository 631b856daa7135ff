import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_makers import P, completion, prompt, reply

from pairsmith.records import Candidate, Flag, Reply, Usage, candidate_id
from pairsmith.sample.screen import candidate_completion, completion_of, screen

TAGGED = st.lists(
    st.sampled_from(["<think>", "</think>", "<Reasoning>", "</reasoning>", " ", "\n", "a", "é", "`", "```", "\u2028"])
    | st.text(max_size=5),
    max_size=12,
).map("".join)
MODES = st.sampled_from(["strip", "keep", "off"])


def text_of(text: str, reasoning: str = "strip", **fields: object) -> str:
    return completion_of(reply(text, **fields), P, "T1", reasoning).text


def flags_of(text: str, reasoning: str = "strip", **fields: object) -> tuple[Flag, ...]:
    return completion_of(reply(text, **fields), P, "T1", reasoning).flags


# --- reading ------------------------------------------------------------------------------------


def test_a_completion_says_where_it_came_from() -> None:
    read = completion_of(
        Reply(reply().request_id, "Yes.", "stop", model="m-1", usage=Usage(5, 7), simulated=True), P, "T1", "strip"
    )

    assert (read.id, read.prompt_id, read.arm, read.model) == ("r", P, "T1", "m-1")
    assert (read.text, read.span, read.flags, read.usage, read.simulated) == ("Yes.", None, (), Usage(5, 7), True)


@given(TAGGED, MODES)
def test_incident_7_the_text_is_the_stored_text_or_the_recorded_span_of_it(text: str, reasoning: str) -> None:
    read = completion_of(reply(text), P, "T1", reasoning)

    start, end = read.span or (0, len(text))
    assert read.text == text[start:end]
    assert read.span is None or reasoning == "strip"


@given(TAGGED)
def test_stripping_leaves_no_white_space_in_front(text: str) -> None:
    read = completion_of(reply(text), P, "T1", "strip")

    assert read.span is None or read.text == read.text.lstrip()


@pytest.mark.parametrize(
    "text",
    [
        "<think>Hm.</think>\n\nYes. \n",
        " \n<thinking>Hm.</thinking>Yes. \n",
        "<REASONING>Hm.</Reasoning> Yes. \n",
        "<thought></thought>Yes. \n",
        "<think>a</think>\n<think>b <thought></think>Yes. \n",
        "Hm, I wonder.\n</think>\n\nYes. \n",
        'He said "so"</think>Yes. \n',
        "```\ncode\n``` hm</think>Yes. \n",
    ],
)
def test_leading_reasoning_is_cut_and_the_rest_is_left_to_the_byte(text: str) -> None:
    read = completion_of(reply(text), P, "T1", "strip")

    assert (read.text, read.flags) == ("Yes. \n", ())


@pytest.mark.parametrize("mode", ["keep", "off"])
def test_without_strip_the_text_stays_as_it_came(mode: str) -> None:
    text = "<think>Hm.</think>Yes."

    assert text_of(text, mode) == text
    assert flags_of(text, mode) == ((Flag.REASONING,) if mode == "off" else ())


@pytest.mark.parametrize("text", ["Close it with `</think>` and go on.", "```\na\n</think>\n```\nThat is all."])
def test_an_answer_that_speaks_of_the_tag_is_flagged_but_not_cut(text: str) -> None:
    assert text_of(text) == text
    assert flags_of(text) == (Flag.REASONING,)


def test_a_tag_further_on_is_left_and_flagged() -> None:
    assert text_of("<think>a</think>b <think>c</think> d") == "b <think>c</think> d"
    assert flags_of("<think>a</think>b <think>c</think> d") == (Flag.REASONING,)
    assert flags_of("Yes. <thought>Hm.") == (Flag.REASONING,)


@pytest.mark.parametrize("text", ["<think>I wonder", "<think>I wonder</think>\n", "I wonder</think>"])
def test_reasoning_without_an_answer_is_empty(text: str) -> None:
    assert text_of(text) == ""
    assert flags_of(text) == (Flag.EMPTY, Flag.REASONING)
    assert flags_of(text, finish_reason="length") == (Flag.EMPTY, Flag.CUT_OFF)
    assert flags_of(text, "keep") == (Flag.EMPTY,)


# --- flags --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "flags"),
    [
        ({}, ()),
        ({"finish_reason": "stop"}, ()),
        ({"finish_reason": None}, ()),
        ({"finish_reason": "length"}, (Flag.CUT_OFF,)),
        ({"finish_reason": "MAX_TOKENS"}, (Flag.CUT_OFF,)),
        ({"finish_reason": "abort"}, (Flag.CUT_OFF,)),
        ({"finish_reason": "content_filter"}, (Flag.REFUSAL,)),
        ({"refusal": "I can't."}, (Flag.REFUSAL,)),
        ({"finish_reason": "tool_calls"}, (Flag.TOOL_CALL,)),
        ({"tool_calls": True}, (Flag.TOOL_CALL,)),
        ({"text": ""}, (Flag.EMPTY,)),
        ({"text": " \n\t"}, (Flag.EMPTY,)),
        ({"text": "", "finish_reason": "length"}, (Flag.EMPTY, Flag.CUT_OFF)),
        ({"text": "", "refusal": "No."}, (Flag.EMPTY, Flag.REFUSAL)),
        ({"text": "", "tool_calls": True}, (Flag.EMPTY, Flag.TOOL_CALL)),
        (
            {"text": "a <think>", "finish_reason": "length", "refusal": "No.", "tool_calls": True},
            (Flag.CUT_OFF, Flag.REFUSAL, Flag.REASONING, Flag.TOOL_CALL),
        ),
    ],
)
def test_flags_say_why_and_stand_in_the_order_of_the_enum(fields: dict[str, object], flags: tuple[Flag, ...]) -> None:
    assert flags_of(**{"text": "An answer.", **fields}) == flags  # type: ignore[arg-type]


def test_a_refusal_is_found_behind_reasoning_too() -> None:
    text = "<think>Better not.</think>I'm sorry, but I can't help with that."

    assert [flags_of(text, mode) for mode in ("strip", "keep")] == [(Flag.REFUSAL,)] * 2


# --- candidates ---------------------------------------------------------------------------------


def test_a_candidate_is_read_as_a_given_completion() -> None:
    asked = prompt()

    read = candidate_completion(asked, Candidate("Yes.", {"model": "m", "simulated": True}))

    assert (read.id, read.arm, read.text) == (candidate_id(asked.id, "Yes."), "given", "Yes.")
    assert (read.model, read.simulated, read.flags, read.span) == ("m", True, (), None)


def test_a_candidate_is_screened_and_its_meta_is_not_believed() -> None:
    asked = prompt()

    assert candidate_completion(asked, Candidate(" ")).flags == (Flag.EMPTY,)
    assert candidate_completion(asked, Candidate("<think>a</think>b")).flags == (Flag.REASONING,)
    assert candidate_completion(asked, Candidate("<think>a</think>b"), "strip").text == "b"
    assert candidate_completion(asked, Candidate("b", {"model": 7, "simulated": "no"})).model is None


# --- siblings -----------------------------------------------------------------------------------

SIBLINGS = st.lists(
    st.builds(
        lambda text, flags: (text, flags),
        st.sampled_from(["a", " a\n", "b", "b  b", "b b", "é", "e\u0301", "", " "]),
        st.sampled_from([(), (Flag.CUT_OFF,), (Flag.DUPLICATE,)]),
    ),
    max_size=8,
).map(lambda rows: [completion(text, f"id{n}", flags) for n, (text, flags) in enumerate(rows)])


def normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


@given(SIBLINGS, st.randoms(use_true_random=False))
def test_incident_1_and_10_arrival_decides_nothing_about_duplicates(siblings, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(siblings)
    random.shuffle(shuffled)

    assert {one.id: one for one in screen(shuffled)} == {one.id: one for one in screen(siblings)}


@given(SIBLINGS)
def test_incident_10_of_equal_texts_exactly_one_is_not_a_duplicate(siblings) -> None:  # type: ignore[no-untyped-def]
    screened = screen(siblings)

    kept = [normal(one.text) for one in screened if Flag.DUPLICATE not in one.flags and normal(one.text)]
    assert sorted(kept) == sorted({normal(one.text) for one in siblings} - {""})
    assert [one.id for one in screened] == [one.id for one in siblings]
    assert screen(screened) == screened


@given(SIBLINGS)
def test_both_sides_of_an_equality_are_known_to_be_shared(siblings) -> None:  # type: ignore[no-untyped-def]
    texts = [normal(one.text) for one in siblings]

    assert [one.shared for one in screen(siblings)] == [bool(text) and texts.count(text) > 1 for text in texts]


def test_the_twin_without_flags_keeps_its_place() -> None:
    first, second = screen([completion("a", "1", (Flag.CUT_OFF,)), completion("a ", "2")])

    assert (first.flags, second.flags) == ((Flag.CUT_OFF, Flag.DUPLICATE), ())


def test_blank_siblings_are_empty_not_duplicates() -> None:
    assert {one.flags for one in screen([completion("", "1"), completion(" ", "2")])} == {()}


def test_one_completion_given_twice_is_returned_once() -> None:
    assert screen([completion(), completion()]) == (completion(),)

"""Anchors: what a row may hold, what is said of a bad one, and that those which ship are as they are said to be."""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import Any

import pytest

from pairsmith.assets import asset
from pairsmith.errors import InputError
from pairsmith.judge.anchors import Anchor, anchors_id, read_anchors

ROW: dict[str, Any] = {"prompt": "Is 91 a prime?", "good": "No: 7 times 13.", "bad": "Yes."}


def read(*rows: object) -> list[Anchor]:
    lines = b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)
    return read_anchors(io.BytesIO(lines), "mine.jsonl")


def shipped(name: str) -> list[Anchor]:
    with asset("data", "anchors", name).open("rb") as stream:
        return read_anchors(stream, name)


# --- what a row may hold ---------------------------------------------------------------------------


def test_a_prompt_a_good_and_a_bad_answer_are_enough() -> None:
    (anchor,) = read(ROW)

    assert anchor.prompt.messages == ({"role": "user", "content": "Is 91 a prime?"},)
    assert (anchor.good.text, anchor.bad.text) == ("No: 7 times 13.", "Yes.")
    assert (anchor.id, anchor.kind, anchor.trap, anchor.family) == ("line-1", "plain", None, "other")


def test_messages_take_the_place_of_the_prompt_and_their_system_message_is_the_prompts_own() -> None:
    turns = [
        {"role": "system", "content": "You teach."},
        {"role": "user", "content": "91?"},
        {"role": "assistant", "content": "What of it?"},
        {"role": "user", "content": "Is it a prime?"},
    ]
    (anchor,) = read({"messages": turns, "good": "No.", "bad": "Yes."})

    assert anchor.prompt.system == "You teach."
    assert [message["role"] for message in anchor.prompt.messages] == ["user", "assistant", "user"]


def test_a_trap_makes_an_anchor_adversarial() -> None:
    assert read({**ROW, "trap": "longer"})[0].kind == "adversarial"


def test_keys_that_nobody_knows_and_empty_lines_are_passed_over() -> None:
    assert len(read({**ROW, "author": "me"}, b"", b"  ")) == 1


def test_the_reference_belongs_to_the_prompt() -> None:
    with_one, without = read({**ROW, "reference": "91 = 7 x 13"})[0], read(ROW)[0]

    assert with_one.prompt.reference == "91 = 7 x 13"
    assert with_one.prompt.id != without.prompt.id


def test_the_id_of_a_set_knows_its_content_and_not_its_order() -> None:
    other = {**ROW, "prompt": "Is 97?"}

    assert anchors_id(read(ROW, other)) == anchors_id(read(other, ROW))
    assert anchors_id(read(ROW)) != anchors_id(read({**ROW, "bad": "Yes!"}))


# --- what is said of a bad one ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (b"{oops", "mine.jsonl, line 2: not JSON"),
        (b"[1]", "mine.jsonl, line 2: "),
        ({"prompt": "p", "good": "g"}, 'line 2, field "bad": it is missing'),
        ({"prompt": "p", "good": "g", "bad": "  "}, 'line 2, field "bad": it is empty'),
        ({"prompt": "p", "good": "g", "bad": 3}, 'line 2, field "bad": '),
        ({"prompt": "p", "good": "g", "bad": "g "}, 'line 2, field "bad": it is the same text as good'),
        ({"good": "g", "bad": "b"}, 'line 2, field "prompt": give prompt or messages'),
        ({"prompt": "p", "messages": [{"role": "user", "content": "p"}], "good": "g", "bad": "b"}, 'field "prompt"'),
        ({"messages": [], "good": "g", "bad": "b"}, 'field "messages"'),
        ({"messages": [{"role": "boss", "content": "p"}], "good": "g", "bad": "b"}, 'field "messages"'),
        ({"messages": [{"role": "assistant", "content": "p"}], "good": "g", "bad": "b"}, "the last message must be"),
        ({"prompt": "p", "good": "g", "bad": "b", "kind": "hard"}, 'field "kind"'),
        ({"prompt": "p", "good": "g", "bad": "b", "kind": "plain", "trap": "longer"}, 'field "trap"'),
        ({**ROW, "id": "again"}, 'line 2, field "prompt": it and both answers are those of line 1'),
        ({"prompt": "p", "good": "g", "bad": "b", "id": "line-1"}, 'line 2, field "id": it is that of line 1'),
    ],
)
def test_a_bad_row_is_named_by_file_line_and_field(row: object, said: str) -> None:
    with pytest.raises(InputError) as wrong:
        read(ROW, row)

    assert said in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_a_file_without_anchors_is_refused() -> None:
    with pytest.raises(InputError, match="no anchors in it"):
        read(b"")


# --- those that ship -------------------------------------------------------------------------------


def test_thirty_plain_anchors_ship_over_all_families() -> None:
    plain = shipped("plain.jsonl")

    assert [anchor.kind for anchor in plain] == ["plain"] * 30
    assert min(Counter(anchor.family for anchor in plain).values()) >= 3


def test_thirty_adversarial_anchors_ship_six_for_each_trap() -> None:
    adversarial = shipped("adversarial.jsonl")

    assert [anchor.kind for anchor in adversarial] == ["adversarial"] * 30
    assert Counter(anchor.trap for anchor in adversarial) == dict.fromkeys(
        ("longer", "polished", "confident", "flattering", "off_question"), 6
    )


def test_no_two_of_them_ask_the_same_and_each_says_why() -> None:
    anchors = shipped("plain.jsonl") + shipped("adversarial.jsonl")

    assert len({anchor.prompt.id for anchor in anchors}) == len({anchor.id for anchor in anchors}) == 60
    assert all(anchor.why.strip() for anchor in anchors)

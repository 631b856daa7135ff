"""Rows of public datasets, written by hand in their shapes: what each becomes, and why the others are dropped."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from converting_runs import as_lines, convert

from cli_runs import read_rows
from pairsmith.export.shapes import SHAPES, shape_of

FOLDER = Path(__file__).parents[1] / "export" / "shapes"
NAMES = sorted(path.name.removesuffix(".jsonl") for path in FOLDER.glob("*.jsonl"))


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_a_public_dataset_become_the_pairs_that_they_hold(name: str, tmp_path: Path) -> None:
    expected = json.loads((FOLDER / f"{name}.expected.json").read_text("utf-8"))
    out = tmp_path / "out.jsonl"

    ran = convert(FOLDER / f"{name}.jsonl", out)

    if expected.get("refused"):
        assert ran.code == 2 and expected["refused"] in ran.err
        return
    pairs = [(row["input"]["messages"], row["preferred_output"], row["non_preferred_output"]) for row in read_rows(out)]
    assert pairs == [(row["messages"], row["chosen"], row["rejected"]) for row in expected["rows"]]
    assert ran.json["dropped"] == expected["dropped"]
    outcomes = expected["outcome_per_line"]
    lines = {reason: [n for n, said in enumerate(outcomes, 1) if said == reason] for reason in expected["dropped"]}
    assert ran.json["first_lines"] == lines


def test_every_shape_has_rows_that_show_it() -> None:
    rows = [orjson.loads(line) for name in NAMES for line in (FOLDER / f"{name}.jsonl").read_bytes().split(b"\n")[:-1]]

    shown = {shape.name for row in rows if (shape := shape_of(row, SHAPES))}

    assert {shape.name for shape in SHAPES} - shown == {"stack_exchange_paired", "sft_strings"}


def test_the_page_names_every_shape_in_the_order_in_which_they_are_tried() -> None:
    page = (FOLDER.parents[2] / "docs" / "convert.md").read_text("utf-8")

    assert re.findall(r"^\| `(\w+)` \| .* \| .* \|$", page, re.MULTILINE) == [shape.name for shape in SHAPES]


ASKED = {"role": "user", "content": "Why?"}
SAID = [{"role": "assistant", "content": text} for text in ("Because.", "No.")]
ODD: dict[str, tuple[dict[str, Any], tuple[Any, str, str]]] = {
    "answers alone beside a text": (
        {"prompt": "Why?", "chosen": SAID[:1], "rejected": SAID[1:]},
        ([ASKED], "Because.", "No."),
    ),
    "conversations beside a prompt in messages": (
        {"prompt": [ASKED], "chosen": [ASKED, SAID[0]], "rejected": [ASKED, SAID[1]]},
        ([ASKED], "Because.", "No."),
    ),
    "from and value": (
        {
            "chosen": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "Because."}],
            "rejected": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "No."}],
        },
        ([ASKED], "Because.", "No."),
    ),
    "parts and keys of others": (
        {
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Why?"}], "id": 7}],
            "chosen": {**SAID[0], "weight": 1},
            "rejected": SAID[1],
        },
        ([ASKED], "Because.", "No."),
    ),
    "white space is not trimmed": (
        {"question": " Why?\n", "response_j": " Because.", "response_k": "No. "},
        ([{"role": "user", "content": " Why?\n"}], " Because.", "No. "),
    ),
}


@pytest.mark.parametrize("row, pair", ODD.values(), ids=ODD)
def test_a_row_in_other_words_is_the_same_pair(row: dict[str, Any], pair: Any, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(as_lines([row]))

    convert(tmp_path / "in.jsonl", tmp_path / "out.jsonl", target="trl")

    (written,) = read_rows(tmp_path / "out.jsonl")
    answers = [written[side][0]["content"] for side in ("chosen", "rejected")]
    assert (written["prompt"], *answers) == pair

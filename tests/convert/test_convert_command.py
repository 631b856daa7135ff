"""`pairsmith convert`: what it says, what it counts, columns that are named, and what a mistake leaves behind."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from converting_runs import as_cells, as_lines, convert, orca

from cli_runs import pairsmith, read_rows
from pairsmith.converting import convert as converting

ROWS = [orca(number) for number in range(12)]


def test_the_shape_the_columns_and_the_dataset_it_is_known_from_are_said(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(as_lines(ROWS))

    ran = pairsmith("convert", tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl")

    assert "detected intel_orca: question, chosen, rejected, system (known from Intel/orca_dpo_pairs)" in ran.err
    assert "check for openai: ready" in ran.err
    assert "12 rows for openai" in ran.out and "of 12 rows read" in ran.out


def test_rows_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    bad = [{**orca(1), "rejected": " "}, {**orca(2), "rejected": "Yes,  2."}, {**orca(3), "status": "tie"}, {"q": 1}]
    (tmp_path / "in.jsonl").write_bytes(as_lines([*ROWS, *bad]) + b"{no json\n" + as_lines([orca(20)]))

    ran = convert(tmp_path / "in.jsonl", tmp_path / "out.jsonl", "--limit", 17)

    assert ran.json["rows"] == 17 and ran.json["written"] == 12
    assert ran.json["dropped"] == {"empty_side": 1, "equal_sides": 1, "tie": 1, "unreadable": 2}
    assert ran.json["first_lines"] == {"empty_side": [13], "equal_sides": [14], "tie": [15], "unreadable": [16, 17]}


def test_the_reasons_of_the_target_are_counted_too(tmp_path: Path) -> None:
    asked = [{"role": role, "content": role} for role in ("user", "assistant", "user")]
    row = {"prompt": asked, "chosen": [{**asked[1], "content": "a"}], "rejected": [{**asked[1], "content": "b"}]}
    (tmp_path / "in.jsonl").write_bytes(as_lines([row, *ROWS]))

    ran = convert(tmp_path / "in.jsonl", tmp_path / "out.jsonl", target="fireworks")

    assert (ran.json["written"], ran.json["dropped"]) == (12, {"turns": 1})
    assert ran.json["shapes"] == {"trl_explicit": 1, "intel_orca": 12}
    assert "some of the first rows are trl_explicit" in ran.err


MAPS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "columns": ({"q": "Why?", "good": "A", "bad": "B"}, ("prompt=q", "chosen=good", "rejected=bad")),
    "columns of their own names": ({"q": "Why?", "chosen": "A", "rejected": "B"}, ("prompt=q",)),
    "dots": (
        {"ask": {"text": "Why?"}, "outs": [{"t": "A"}, {"t": "B"}]},
        ("prompt=ask.text", "chosen=outs.0.t", "rejected=outs.1.t"),
    ),
    "a dot in the name": ({"a.b": "Why?", "chosen": "A", "rejected": "B"}, ("prompt=a.b",)),
    "messages that end in the answer": (
        {"chat": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "A"}], "worse": "B"},
        ("messages=chat", "rejected=worse"),
    ),
    "against what would be detected": (
        {"prompt": "Why?", "chosen": "B", "rejected": "A"},
        ("chosen=rejected", "rejected=chosen"),
    ),
}


@pytest.mark.parametrize("row, words", MAPS.values(), ids=MAPS)
def test_columns_can_be_named(row: dict[str, Any], words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(as_lines([row]))

    ran = convert(tmp_path / "in.jsonl", tmp_path / "out.csv", *[f"--map={word}" for word in words], target="csv")

    assert (ran.code, ran.json["shape"]) == (0, "mapped"), ran.err
    assert (tmp_path / "out.csv").read_text().splitlines()[1] == '"","Why?","A","B"'


def test_scores_and_labels_can_be_named(tmp_path: Path) -> None:
    scored = [{"q": f"{n}?", "a": "A", "b": "B", "sa": str(n), "sb": "1"} for n in range(3)]
    (tmp_path / "scored.csv").write_bytes(as_cells(scored))
    labelled = [{"q": "Why?", "text": text, "ok": ok} for text, ok in (("A", "1"), ("B", "0"))]
    (tmp_path / "labelled.csv").write_bytes(as_cells(labelled))
    columns = ("prompt=q", "chosen=a", "rejected=b", "chosen_score=sa", "rejected_score=sb")

    one = convert(tmp_path / "scored.csv", tmp_path / "a.jsonl", *[f"--map={word}" for word in columns])
    columns = ("prompt=q", "completion=text", "label=ok")
    other = convert(tmp_path / "labelled.csv", tmp_path / "b.jsonl", *[f"--map={word}" for word in columns])

    assert (one.json["written"], one.json["dropped"]) == (2, {"tie": 1})
    assert (other.json["written"], other.json["dropped"]) == (1, {})


MISTAKES: dict[str, tuple[tuple[object, ...], str]] = {
    "no field": (("--map", "question=q"), "with a field of prompt, chosen"),
    "no column": (("--map", "prompt=q"), "no row has it; the columns are system, question, chosen, rejected"),
    "no suffix of the target": (("--target", "parquet"), "target parquet writes .parquet, not .jsonl"),
    "a split of a file": (("--split", "test"), "is one file, without configs and splits"),
}


@pytest.mark.parametrize("words, sentence", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence_and_leaves_the_file_that_was_there(
    words: tuple[object, ...], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "in.jsonl").write_bytes(as_lines(ROWS))
    (tmp_path / "out.jsonl").write_text("earlier\n")

    ran = convert(tmp_path / "in.jsonl", tmp_path / "out.jsonl", *words)

    assert (ran.code, sentence in ran.json["error"]) == (2, True), ran.err
    assert (tmp_path / "out.jsonl").read_text() == "earlier\n"


def test_where_no_pair_comes_out_nothing_is_written_and_the_counts_are_said(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(as_lines([{**row, "rejected": ""} for row in ROWS]))

    ran = convert(tmp_path / "in.jsonl", tmp_path / "out.jsonl")

    assert (ran.code, ran.json["written"], ran.json["dropped"]) == (1, 0, {"empty_side": 12})
    assert not list(tmp_path.glob("*out*"))


def test_chats_of_one_answer_become_rows_of_sft_alone(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
    (tmp_path / "in.jsonl").write_bytes(as_lines([{"messages": chat}, {"prompt": "x", "messages": chat}]))

    ran = convert(tmp_path / "in.jsonl", tmp_path / "out.jsonl", target="sft")

    assert ran.code == 0
    assert read_rows(tmp_path / "out.jsonl") == [{"messages": chat}] * 2


def test_answers_that_wait_for_a_partner_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "WAITING", 2)
    rows = [{"prompt": f"{n}?", "completion": "A", "label": True} for n in range(4)]
    rows += [{"prompt": f"{n}?", "completion": "B", "label": False} for n in (0, 3)]
    (tmp_path / "in.jsonl").write_bytes(as_lines(rows))

    ran = convert(tmp_path / "in.jsonl", tmp_path / "out.jsonl")

    assert (ran.json["written"], ran.json["dropped"]) == (1, {"one_sided": 4})


def test_rows_of_one_pair_never_stand_beside_each_other_for_kto(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(as_lines(ROWS))

    ran = convert(tmp_path / "in.jsonl", tmp_path / "out.jsonl", "--target", "kto")

    prompts = [row["prompt"] for row in read_rows(tmp_path / "out.jsonl")]
    assert (ran.json["written"], len(prompts)) == (24, 24)
    assert all(one != other for one, other in pairwise(prompts))


def test_a_file_is_never_converted_into_itself(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(as_lines(ROWS))

    ran = pairsmith("convert", path, "-o", path)

    assert (ran.code, path.read_bytes()) == (2, as_lines(ROWS))

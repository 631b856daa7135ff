"""`pairsmith collect`: what is taken, what is counted, and what a failure leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli_runs import ended, pairsmith, read_rows, started, write_rows


def test_nothing_is_written_over_a_file_when_there_is_nothing_to_write(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    out = tmp_path / "out.jsonl"
    out.write_text("earlier\n")

    ran = pairsmith("collect", tmp_path / "empty.jsonl", "-o", out)

    assert (ran.code, out.read_text()) == (2, "earlier\n")
    assert "no prompts in it" in ran.err


def test_no_row_is_read_behind_the_limit(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "a.jsonl", [{"prompt": "a"}, {"prompt": "a"}, {"prompt": "b"}, {"prompt": ""}])

    ran = pairsmith("collect", rows, "-o", tmp_path / "out.jsonl", "--limit", 2, "--json")

    assert (ran.code, ran.json["prompts"], ran.json["rows"], ran.json["duplicates"]) == (0, 2, 3, 1)


def test_an_id_of_two_prompts_is_named_by_its_file_and_line(tmp_path: Path) -> None:
    first = write_rows(tmp_path / "a.jsonl", [{"prompt": "a", "id": 1}])
    second = write_rows(tmp_path / "b.jsonl", [{"prompt": "c"}, {"prompt": "b", "id": 1}])

    stopped = pairsmith("collect", first, second, "-o", tmp_path / "out.jsonl")
    skipped = pairsmith("collect", first, second, "-o", tmp_path / "out.jsonl", "--skip-bad", "--json")

    assert stopped.code == 2
    assert f'{second}, line 2, field "id": is 1, which an earlier, different prompt has; change one' in stopped.err
    assert (skipped.json["prompts"], skipped.json["skipped"]) == (2, 1)


def test_verdicts_that_a_later_file_brings_are_kept_and_several_can_stand_in_a_csv(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "a.jsonl", [{"prompt": "Hi", "candidates": ["a", "b"]}])
    (tmp_path / "b.csv").write_text('prompt,candidates,preferred,reviewer\nHi,"[""a"",""b""]","[1,""tie""]",ann\n')

    pairsmith("collect", rows, tmp_path / "b.csv", "-o", tmp_path / "out.jsonl")

    (row,) = read_rows(tmp_path / "out.jsonl")
    assert [said["preferred"] for said in row["preferences"]] == ["b", None]
    assert {said["by"] for said in row["preferences"]} == {"ann"}


def test_a_verdict_lost_to_redaction_is_counted(tmp_path: Path) -> None:
    row = {"prompt": "Hi", "candidates": ["Mail a@example.com", "Mail b@example.com"], "preferred": 0}
    rows = write_rows(tmp_path / "a.jsonl", [row])

    said = pairsmith("collect", rows, "-o", tmp_path / "out.jsonl", "--redact", "email", "--json").json

    assert (said["redacted"], said["lost_verdicts"], said["with_verdicts"]) == ({"email": 2}, 1, 0)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["missing.jsonl", "-o", "x"], "missing.jsonl cannot be read"),
        (["a.txt", "-o", "a.txt/x"], "a.txt/x cannot be written"),
        (["a.txt", "-o", "x", "--redact", "email,name"], "not 'name'"),
        (["a.txt", "-o", "x", "--redact", "phone", "--region", "de"], "two capital letters"),
    ],
)
def test_mistakes_are_said_with_the_way_out(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("Hi\n")

    ran = pairsmith("collect", *words)

    assert ran.code == 2
    assert told in ran.err
    assert not Path("x").exists()


def test_a_dash_writes_rows_to_standard_output_and_counts_beside_them(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Hi\nHo\n")

    with started("collect", "a.txt", "-o", "-", "--json", cwd=tmp_path, fresh=True) as process:
        ran = ended(process)

    assert [json.loads(line) for line in ran.out.splitlines()] == [{"prompt": "Hi"}, {"prompt": "Ho"}]
    assert json.loads(ran.err)["prompts"] == 2


def test_every_row_is_counted_in_one_place_and_the_table_says_where(tmp_path: Path) -> None:
    first = write_rows(
        tmp_path / "a.jsonl", [{"prompt": "Hi", "n": 1}, {"prompt": "Why?", "n": 2}, {"prompt": "", "n": 9}]
    )
    second = write_rows(tmp_path / "b.jsonl", [{"prompt": "Hi", "n": 3}, {"prompt": "What is a lamp?", "n": 0}])
    words = ("collect", first, second, "--where", "n > 0", "--skip-bad")

    said, table = pairsmith(*words, "--json").json, pairsmith(*words).out

    assert (said["rows"], said["prompts"], said["duplicates"], said["skipped"], said["not_matching"]) == (5, 2, 1, 1, 1)
    assert said["sources"][str(second)] == {"rows": 2, "prompts": 0, "duplicates": 1, "bad": 0, "not_matching": 1}
    assert said["odd"]["under 10 characters"] == {"prompts": 2, "file": str(first), "line": 1}
    assert "2 prompts of 5 rows (besides 1 duplicates, 1 bad rows, 1 not matching)" in table
    assert "b.jsonl     2        0           1    0             1" in table
    assert "words         1       1     1    1" in table


def test_rows_of_others_come_out_as_ours(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "Why is that?"}, {"from": "gpt", "value": "Because."}]
    rows = write_rows(tmp_path / "a.jsonl", [{"conversations": turns}])
    (tmp_path / "b.csv").write_text("frage\nWarum?\n")
    out, other = tmp_path / "out.jsonl", tmp_path / "other.jsonl"

    pairsmith("collect", rows, "-o", out)
    pairsmith("collect", tmp_path / "b.csv", "--column", "frage", "-o", other)

    assert read_rows(out) == [{"prompt": "Why is that?", "candidates": ["Because."]}]
    assert read_rows(other) == [{"prompt": "Warum?"}]


def test_a_sample_is_the_same_on_each_run(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "a.jsonl", [{"prompt": f"Number {number}?"} for number in range(40)])
    words = ("collect", rows, "--shuffle", "--seed", 7, "--limit", 5, "-o")

    for name in ("one", "two"):
        pairsmith(*words, tmp_path / name)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert [row["prompt"] for row in read_rows(tmp_path / "one")] != [f"Number {number}?" for number in range(5)]

"""`check` beyond the rules of one row: two files of a split, lengths, tables, ids, late keys, and the mended copy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli_runs import pairsmith, read_rows, write_rows

CONVERSATION = [{"role": "user", "content": "Why?"}]


def row(number: int, **more: Any) -> dict[str, Any]:
    return {
        "input": {
            "messages": [{"role": "user", "content": f"Question {number}?"}],
            "tools": [],
            "parallel_tool_calls": True,
        },
        "preferred_output": [{"role": "assistant", "content": f"A good answer to {number}."}],
        "non_preferred_output": [{"role": "assistant", "content": "A bad answer, and a longer one."}],
        **more,
    }


def trl(number: int, **more: Any) -> dict[str, Any]:
    made = row(number)
    names = {"prompt": made["input"]["messages"], "chosen": made["preferred_output"]}
    return names | {"rejected": made["non_preferred_output"], **more}


def found(path: Path, *flags: object) -> list[tuple[int, str, str]]:
    problems = pairsmith("check", path, "--json", *flags).json["problems"]
    return [(one["line"], one["rule"], one["severity"]) for one in problems]


def test_each_problem_says_who_asks_for_it(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", [row(n, extra=1) for n in range(10)])

    said = pairsmith("check", path)

    assert "line 1: extra is no key of this format" in said.out
    assert "extra_key: OpenAI FineTunePreferenceRequestInput" in said.out


def test_a_prompt_in_both_files_of_a_split_is_an_error_of_its_line(tmp_path: Path) -> None:
    train = write_rows(tmp_path / "train.jsonl", [row(n) for n in range(12)])
    other = write_rows(tmp_path / "held.jsonl", [row(n) for n in (30, 7, 31)])

    said = pairsmith("check", train, "--validation", other, "--json")

    assert [(p["line"], p["rule"]) for p in said.json["problems"]] == [(8, "both_splits")]
    assert said.json["problems"][0]["found"].endswith("in line 2")
    assert (said.code, said.json["validation"]["rows"], said.json["validation"]["errors"]) == (1, 3, 0)


def test_the_validation_file_that_export_writes_is_found_by_its_name_and_checked(tmp_path: Path) -> None:
    train = write_rows(tmp_path / "pairs.jsonl", [row(n) for n in range(12)])
    write_rows(tmp_path / "pairs.validation.jsonl", [row(40), row(41, extra=1)])

    said = pairsmith("check", train)

    assert said.code == 1
    assert "pairs.validation.jsonl, line 2: extra is no key" in said.out


@pytest.mark.parametrize("key", ["id", "metadata"])
def test_an_id_that_names_two_rows_is_an_error(tmp_path: Path, key: str) -> None:
    ids: list[Any] = ["a", "b", "a"]
    rows = [trl(n, **{key: ident if key == "id" else {"id": ident}}) for n, ident in enumerate(ids)]

    assert (3, "same_id", "error") in found(write_rows(tmp_path / "a.jsonl", rows), "--target", "trl")


def test_rows_longer_than_max_tokens_are_errors_by_an_estimate_that_says_so(tmp_path: Path) -> None:
    long = row(3)
    long["preferred_output"][0]["content"] = "word " * 900
    path = write_rows(tmp_path / "a.jsonl", [*(row(n) for n in range(10)), long])

    said = pairsmith("check", path, "--max-tokens", 1024, "--json").json["problems"]

    assert [(p["line"], p["rule"]) for p in said if p["rule"] != "same_prompt"] == [(11, "max_tokens")]
    assert "about 4 characters a token" in next(p["found"] for p in said if p["rule"] == "max_tokens")


def test_a_tokenizer_without_a_length_is_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", [row(1)])

    assert pairsmith("check", path, "--tokenizer", "tokenizer.json").code == 2


def test_a_key_that_first_comes_after_ten_megabytes_would_end_the_load(tmp_path: Path) -> None:
    long = "word " * 500_000
    rows = [trl(n, chosen=[{"role": "assistant", "content": f"{n} {long}"}]) for n in range(5)]
    tools = json.dumps([{"type": "function", "function": {"name": "f"}}])
    path = write_rows(tmp_path / "a.jsonl", [*rows, trl(6, tools=tools), trl(7, tools=tools)])

    late = [(line, rule) for line, rule, severity in found(path, "--target", "trl") if severity == "error"]

    assert late == [(6, "late_key")]


def test_neighbours_of_one_prompt_are_a_warning_for_kto(tmp_path: Path) -> None:
    rows = [
        {"prompt": CONVERSATION, "completion": [{"role": "assistant", "content": text}], "label": label}
        for text, label in (("Because.", True), ("No.", False))
    ]

    path = write_rows(tmp_path / "a.jsonl", rows)

    assert found(path, "--target", "kto") == [(2, "neighbours", "warning")]


def test_a_file_name_that_nova_does_not_take_is_an_error_of_the_file(tmp_path: Path) -> None:
    rows = [
        {
            "messages": [
                {"role": "user", "content": [{"text": f"Question {n}?"}]},
                {
                    "role": "assistant",
                    "candidates": [
                        {"content": [{"text": text}], "preferenceLabel": label}
                        for text, label in (("Yes.", "preferred"), ("No, not at all.", "non-preferred"))
                    ],
                },
            ],
            "schemaVersion": "bedrock-conversation-2024",
        }
        for n in range(8)
    ]

    assert found(write_rows(tmp_path / "my pairs.jsonl", rows), "--target", "nova") == [(0, "file_name", "error")]
    assert found(write_rows(tmp_path / "my_pairs.jsonl", rows), "--target", "nova") == []


# --- tables --------------------------------------------------------------------------------------


def test_a_table_is_checked_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('system,prompt,chosen,rejected\n,"Why,\nand how?",Because.,No.\n,Why?,Yes.,Yes.\n')

    assert found(path, "--target", "csv") == [(2, "sides_equal", "error")]


@pytest.mark.parametrize("content", [b'prompt,chosen\n"open', b"prompt,chosen\n\xff,b\n", b"a,b\n1,2,3\n"])
def test_a_broken_table_is_a_mistake_said_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)

    ran = pairsmith("check", path, "--target", "csv", "--json")

    assert (ran.code, list(ran.json)) == (2, ["error"])


def test_a_broken_parquet_file_is_a_mistake_said_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 and nothing else")

    assert pairsmith("check", path, "--target", "parquet").code == 2


# --- --fix ---------------------------------------------------------------------------------------


def damaged(tmp_path: Path) -> Path:
    spoilt: list[Any] = [row(n) for n in range(16)]
    spoilt[0]["id"] = 1
    spoilt[1]["preferred_completion"] = spoilt[1].pop("preferred_output")
    spoilt[2]["input"]["messages"].insert(0, {"role": "developer", "content": "Be kind.", "weight": 1})
    spoilt[3]["input"]["tools"] = None
    spoilt[4]["non_preferred_output"] = spoilt[4]["preferred_output"]
    spoilt[5]["preferred_output"][0]["content"] = " "
    lines = [json.dumps(one).encode() + b"\n" for one in spoilt]
    lines[6] = lines[6].replace(b"\n", b"\r\n")
    lines[7:7] = [b"\n", b"no json\n", lines[8]]
    path = tmp_path / "spoilt.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b"".join(lines)[:-1])
    return path


def test_a_mended_copy_passes_and_says_what_was_done(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    before = path.read_bytes()

    ran = pairsmith("check", path, "--fix", "--json")

    copy = tmp_path / "spoilt.fixed.jsonl"
    fixed = ran.json["fixed"]
    assert (ran.code, fixed["out"], fixed["rows"]) == (0, str(copy), 14)
    assert fixed["changed"] == {
        "bom": 1, "extra_key": 1, "old_key": 1, "role": 1, "message_key": 1, "tools": 1, "crlf": 1, "blank_line": 1,
        "final_newline": 1,
    }  # fmt: skip
    assert fixed["dropped"] == {"sides_equal": 1, "content": 1, "json": 1, "same_row": 1}
    assert path.read_bytes() == before
    again = pairsmith("check", copy, "--json").json
    assert (again["errors"], again["rows"]) == (0, 14)


def test_no_text_is_changed_by_mending(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    pairsmith("check", path, "--fix", "-o", tmp_path / "copy.jsonl")

    texts = {one["input"]["messages"][-1]["content"] for one in read_rows(tmp_path / "copy.jsonl")}

    assert texts == {f"Question {n}?" for n in range(16)} - {"Question 4?", "Question 5?"}


def test_a_key_that_stands_twice_is_not_mended_by_taking_one_of_the_two(tmp_path: Path) -> None:
    lines = [json.dumps(row(n)).replace('"tools"', '"tools": [], "tools"') + "\n" for n in range(1)]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(lines))

    assert pairsmith("check", path, "--fix", "--json").json["fixed"]["dropped"] == {"duplicate_key": 1}


def test_the_copy_never_takes_the_place_of_the_file(tmp_path: Path) -> None:
    path = damaged(tmp_path)

    assert pairsmith("check", path, "--fix", "-o", path).code == 2


def test_people_are_told_what_was_mended_and_left_out_with_the_lines(tmp_path: Path) -> None:
    said = pairsmith("check", damaged(tmp_path), "--fix").out

    assert "spoilt.fixed.jsonl: 14 rows, mended" in said
    assert "left out     sides_equal 1 (line 5)" in said


def test_a_good_row_stays_where_an_equal_one_before_it_is_left_out(tmp_path: Path) -> None:
    bad = row(1)
    bad["input"]["parallel_tool_calls"] = "yes"
    path = write_rows(tmp_path / "a.jsonl", [bad, row(1), *(row(n) for n in range(2, 12))])

    fixed = pairsmith("check", path, "--fix", "--json").json["fixed"]

    assert (fixed["rows"], fixed["dropped"]) == (11, {"parallel_tool_calls": 1})


def test_ids_that_go_with_the_mending_leave_no_row_out(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", [row(n, id="x") for n in range(12)])

    assert pairsmith("check", path, "--fix", "--json").json["fixed"]["rows"] == 12


def test_ids_are_the_same_only_if_they_are(tmp_path: Path) -> None:
    rows = [trl(n, id=ident) for n, ident in enumerate([-1, -2, 0, 1, "1", False, True, False])]

    assert not [one for one in found(write_rows(tmp_path / "a.jsonl", rows), "--target", "trl") if one[1] == "same_id"]


def test_roles_are_mended_to_the_names_of_the_layout(tmp_path: Path) -> None:
    rows = [
        {
            "conversations": [{"from": "user", "value": f"Question {n}?"}],
            "chosen": {"from": "assistant", "value": "Yes, it is."},
            "rejected": {"from": "gpt", "value": "No, not at all."},
        }
        for n in range(3)
    ]
    path = write_rows(tmp_path / "a.jsonl", rows)

    assert pairsmith("check", path, "--target", "llama-factory", "--fix").code == 0
    assert read_rows(tmp_path / "a.fixed.jsonl")[0]["chosen"]["from"] == "gpt"


@pytest.mark.parametrize("key, value", [("weight", 0), ("reasoning_content", "Let me think."), ("prefix", True)])
def test_a_key_that_changes_what_is_learned_is_not_taken_away(tmp_path: Path, key: str, value: object) -> None:
    spoilt = row(1)
    spoilt["input"]["messages"][0][key] = value
    path = write_rows(tmp_path / "a.jsonl", [spoilt, *(row(n) for n in range(2, 12))])

    fixed = pairsmith("check", path, "--fix", "--json").json["fixed"]

    assert (fixed["rows"], fixed["dropped"]) == (10, {"message_key": 1})


def test_a_number_too_long_for_a_computer_is_never_rounded(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"maximum": 12345678901234567890123}}}
    spoilt = row(1, extra=1)
    spoilt["input"]["tools"] = [tool]
    path = write_rows(tmp_path / "a.jsonl", [spoilt, *(row(n) for n in range(2, 12))])

    pairsmith("check", path, "--fix")

    assert len(read_rows(tmp_path / "a.fixed.jsonl")) == 10


def test_a_key_of_messages_that_comes_late_ends_the_load_too(tmp_path: Path) -> None:
    long = "word " * 500_000
    rows = [trl(n, chosen=[{"role": "assistant", "content": f"{n} {long}"}]) for n in range(5)]
    late = trl(6)
    late["chosen"][0]["name"] = "Ann"
    path = write_rows(tmp_path / "a.jsonl", [*rows, late])

    assert (6, "late_key", "error") in found(path, "--target", "trl")


def test_an_answer_that_is_labelled_good_and_bad_is_named_for_kto(tmp_path: Path) -> None:
    rows = [
        {"prompt": CONVERSATION, "completion": [{"role": "assistant", "content": "Because."}], "label": label}
        for label in (True, False)
    ]

    assert (2, "same_row", "error") in found(write_rows(tmp_path / "a.jsonl", rows), "--target", "kto")


def test_an_empty_validation_file_is_an_error(tmp_path: Path) -> None:
    train = write_rows(tmp_path / "pairs.jsonl", [row(n) for n in range(12)])
    (tmp_path / "pairs.validation.jsonl").write_bytes(b"")

    assert pairsmith("check", train).code == 1


def test_a_compressed_file_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(b"")

    ran = pairsmith("check", path)

    assert (ran.code, "check reads JSON lines, CSV and Parquet" in ran.err) == (2, True)


def test_a_copy_is_named_only_where_one_is_made(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", [row(n) for n in range(12)])

    ran = pairsmith("check", path, "-o", tmp_path / "copy.jsonl")

    assert (ran.code, "say --fix too" in ran.err) == (2, True)

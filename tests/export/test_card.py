"""The dataset card: front matter that says what was meant, and foreign names that stay names."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataset_loading import loaded, needs_datasets
from pairsmith.assets import card_template
from pairsmith.export.card import Facts, Figure, Format, Part, card, cell, code, is_untouched, plain
from pairsmith.export.columns import Columns

yaml = pytest.importorskip("yaml")  # of `datasets`

EVIL = "a|b`c``d`\n# <script>alert(1)</script> [x](http://x) *y* \u2028---\u202e"


def a_format(name: str = "openai_pft", rows: int = 3, **changes: Any) -> Format:
    part = Part(
        "train", rows, f"{name}/train.jsonl", f"parquet/{name}/train.parquet" if rows else "", "provenance/x.jsonl"
    )
    return replace(Format(name, "OpenAI", (part,), False, {}), **changes)


def facts(**changes: Any) -> Facts:
    usual = Facts(
        name="Support tone",
        run="support-tone",
        license=None,
        language=None,
        synthetic=True,
        simulated=0,
        pairs=3,
        reviewed={},
        limit=None,
        asked=5,
        prompts=[("became a pair", "", 3), ("no pair", "tie", 2)],
        formats=[a_format()],
        example={"input": {"messages": [{"role": "user", "content": "long " * 100}]}},
        endpoints=[("student", "org/model", "samples", "student org/model", "")],
        arms=[("T0.6", "student", "org/model", "expert", "temperature 0.6")],
        personas=[("expert", "0" * 64)],
        judges=[("judge", "a chat model", "never asked")],
        judging={"protocol": "score", "rubric": "general"},
        pairing={"min_gap": 3.0, "language": "any"},
        exporting={"system": "strip", "validation": 0.0},
        figures=[Figure("the longer answer is chosen", "", "50 % (95 %: 20–80)", 3)],
        arm_figures=[("T0.6", "9", "8", "7.0", "–", "50 %", "50 %")],
        warnings=[],
        version="0.1.0",
    )
    return replace(usual, **changes)


def page(**changes: Any) -> str:
    return card(facts(**changes), card_template())


def front(text: str) -> Any:
    return yaml.safe_load(text.removeprefix("---\n").split("\n---\n")[0])


def test_each_config_names_its_files_and_the_first_is_the_default() -> None:
    found = front(page(formats=[a_format("trl"), a_format("openai_pft")]))["configs"]

    files = [{"split": "train", "path": "parquet/trl/train.parquet"}]
    assert found[0] == {"config_name": "trl", "data_files": files, "default": True}
    assert "default" not in found[1]


@needs_datasets
def test_datasets_gives_back_tools_of_any_form_and_texts_of_any_characters(tmp_path: Path) -> None:
    texts = ["2020-01-01", "a\u2028b\rc\x00", "- yes: 'no'\n---\n", EVIL]
    tool = {"function": {"name": "f", "parameters": {"max": 3.141592653589793, "min": 1e-12, "enum": ["a/b", 1]}}}
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    rows: list[dict[str, Any]] = [{"messages": [{"role": "user", "content": text}], "tools": []} for text in texts]
    rows += [{"messages": [call], "tools": [tool, {"function": {"name": "g", "strict": True}}]}]
    names = {"openai_pft": rows[:4], "sft": rows}
    formats = [write_columns(tmp_path, name, some) for name, some in names.items()]
    (tmp_path / "README.md").write_text(page(formats=formats, name=EVIL, license="mit"), "utf-8")

    found = loaded(tmp_path, tmp_path / "cache")

    assert [one.any_json for one in formats] == [False, True]
    assert {name: found[name]["train"] for name in names} == names


def write_columns(folder: Path, name: str, rows: list[dict[str, Any]]) -> Format:
    columns, path = Columns(), folder / "parquet" / name / "train.parquet"
    path.parent.mkdir(parents=True)
    for row in rows:
        columns.see(row)
    with path.open("wb") as file:
        columns.write(file, rows)
    return a_format(name, len(rows), any_json=columns.any_json)


def test_a_format_without_rows_is_no_config_and_its_left_out_pairs_are_told() -> None:
    text = page(formats=[a_format("trl", 0, left_out={"tool_turns": 3}), a_format()])

    assert [one["config_name"] for one in front(text)["configs"]] == ["openai_pft"]
    assert "`tool_turns` 3" in text


@pytest.mark.parametrize(("rows", "size"), [(999, "n<1K"), (1000, "1K<n<10K"), (2_000_000, "1M<n<10M")])
def test_the_size_is_a_class_of_the_hub(rows: int, size: str) -> None:
    assert front(page(formats=[a_format(rows=rows)]))["size_categories"] == [size]


def test_a_licence_that_nobody_chose_is_said_to_be_missing() -> None:
    text = page()

    assert front(text)["license"] == "other"
    assert "No licence was chosen" in text


def test_a_chosen_licence_stands_alone() -> None:
    text = page(license="cc-by-4.0")

    assert front(text)["license"] == "cc-by-4.0"
    assert "No licence was chosen" not in text


def test_simulated_pairs_are_told_before_anything_else() -> None:
    text = page(simulated=2)

    assert text.split("\n# ")[1].splitlines()[2:4] == [
        "> [!WARNING]",
        "> **Made with a simulator, for trying out, not for training.** 2 of the run's",
    ]
    assert "simulated" in front(text)["tags"]
    assert "[!WARNING]" not in page()


@pytest.mark.parametrize(
    "name", ["yes", "null", "no", "1.0", "- a: b", "2020-01-01", "'\"", "a: #b", "é 🎉 \u2028", ""]
)
def test_yaml_takes_no_name_for_anything_else(name: str) -> None:
    assert front(page(name=name))["pretty_name"] == name


def test_a_foreign_name_ends_no_cell_no_code_and_no_line() -> None:
    text = page(arms=[(EVIL, EVIL, EVIL, EVIL, EVIL)], endpoints=[(EVIL, EVIL, "judges", EVIL, EVIL)], name=EVIL)
    rows = [line for line in text.splitlines() if "script" in line and line.startswith("|")]

    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [6, 6]
    assert "\u2028" not in text
    assert "\u202e" not in text
    assert "\n# <script>" not in text


@pytest.mark.parametrize(
    ("text", "shown"), [("a", "`a`"), ("a`b", "``a`b``"), ("`a", "`` `a ``"), ("", "` `"), ("a\nb", "`a\\u000ab`")]
)
def test_code_is_fenced_by_more_backticks_than_it_has(text: str, shown: str) -> None:
    assert code(text) == shown.replace("` `", "`   `") if not text else code(text) == shown


def test_an_unknown_cell_is_said_to_be_unknown() -> None:
    assert cell("") == "unknown"


def test_the_signs_of_a_foreign_sentence_stand_for_themselves() -> None:
    assert plain("*a* <b> [c](d)") == r"\*a\* \<b\> \[c\](d)"


def test_long_texts_of_the_example_are_cut() -> None:
    assert "… (500 characters)" in page()


def test_older_versions_of_datasets_are_warned_of_json_columns() -> None:
    assert "4.7.0" not in page()
    assert "`sft` holds JSON of no one form" in page(formats=[a_format(), a_format("sft", any_json=True)])


def test_a_page_that_was_changed_by_hand_is_told_from_ours() -> None:
    text = page()

    assert is_untouched(text)
    assert not is_untouched(text.replace("other", "mit", 1))
    assert not is_untouched("# My dataset\n")

"""The documentation says what the code does: keys, commands, exit codes, recipes, links."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import click
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pairsmith.assets import asset
from pairsmith.cli import COMMANDS, main
from pairsmith.cli import pairsmith as group
from pairsmith.errors import Stopped
from pairsmith.export.check import line_findings
from pairsmith.export.targets import TARGETS
from pairsmith.pair import couples, gates
from pairsmith.pair.strategies import STRATEGIES
from pairsmith.recipe import Recipe, load_recipe, recipe_of
from pairsmith.simulator.__main__ import read_settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
RECIPE_PAGE = (ROOT / "docs" / "recipe.md").read_text("utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def section(page: str, title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section {title!r}"
    return found[1]


# --- every key of the recipe -----------------------------------------------------------------------


def inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for arg in get_args(annotation) if (model := inner_model(arg))), None)


def tables(model: type[BaseModel] = Recipe, path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Each table of a recipe and its model; "" is the top level."""
    yield path, model
    for name, field in model.model_fields.items():
        inner = inner_model(field.annotation)
        if inner is not None:
            below = f"{path}.{name}" if path else name
            yield from tables(inner, "endpoints.NAME" if below == "endpoints" else below)


def heading(table: str) -> str:
    return {"": "Top level", "sample.arms": "`[[sample.arms]]`"}.get(table, f"`[{table}]`")


def described(table: str) -> dict[str, list[str]]:
    """The rows of a table's section: key -> the other cells."""
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", section(RECIPE_PAGE, heading(table)), re.MULTILINE)
    return {key: [cell.strip() for cell in rest.split("|")] for key, rest in rows}


TABLES = dict(tables())
FROM_THE_FILE = {("", "name")}  # load_recipe fills it in


def test_the_recipe_page_has_a_section_for_every_table() -> None:
    assert set(re.findall(r"^## (.*)$", RECIPE_PAGE, re.MULTILINE)) == {heading(table) for table in TABLES}


@pytest.mark.parametrize("table", TABLES)
def test_every_key_of_a_table_stands_in_the_recipe_page_and_no_other(table: str) -> None:
    assert set(described(table)) == set(TABLES[table].model_fields)


@pytest.mark.parametrize("table", TABLES)
def test_the_recipe_page_gives_the_default_of_every_key(table: str) -> None:
    said = {key: cells[1] for key, cells in described(table).items()}
    fields = {key: field for key, field in TABLES[table].model_fields.items() if (table, key) not in FROM_THE_FILE}

    wrong = {key: said[key] for key, field in fields.items() if not tells_default(said[key], field)}

    assert wrong == {}


def tells_default(said: str, field: FieldInfo) -> bool:
    default = field.default
    if field.is_required():
        return said == "required"
    if default is None or default in ((), {}) or isinstance(default, BaseModel):
        return bool(said) and said != "required"  # said in words
    value = tomllib.loads(f"v = {said.strip('`')}")["v"]
    return bool((tuple(value) if isinstance(value, list) else value) == default)


# --- the recipes that stand in the pages -------------------------------------------------------------

BASE = """
name = "base"
prompts = { path = "prompts.jsonl" }
judge = { panel = ["teacher"] }
endpoints = { student = { model = "m" }, teacher = { model = "j" } }
"""


@pytest.mark.parametrize("block", blocks(README, "toml"))
def test_every_recipe_of_the_readme_loads(block: str, tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text(block, "utf-8")

    assert load_recipe(file).sample is not None


@pytest.mark.parametrize("block", blocks(RECIPE_PAGE, "toml"))
def test_every_toml_of_the_recipe_page_is_a_recipe_or_a_part_of_one(block: str) -> None:
    table = tomllib.loads(block)

    recipe = recipe_of({**tomllib.loads(BASE), **table}, "docs/recipe.md")

    assert recipe.model_dump(exclude_unset=True).keys() >= table.keys()


@pytest.mark.parametrize(("kind", "key"), [("system", "sample"), ("rubrics", "judge")])
def test_the_recipe_page_names_every_bundled_text(kind: str, key: str) -> None:
    names = {path.stem for path in asset("prompts", kind).glob("*.md")}

    assert names <= set(re.findall(r"`(\w+)`", section(RECIPE_PAGE, f"`[{key}]`")))


# --- commands --------------------------------------------------------------------------------------


def shell_lines() -> list[str]:
    return [line for block in blocks(README, "sh") for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("line", [line for line in shell_lines() if line.startswith("pairsmith ")])
def test_every_command_line_of_the_readme_is_one(line: str) -> None:
    _, name, *words = shlex.split(line, comments=True)

    command = group.get_command(click.Context(group), name)

    assert command is not None
    command.make_context(name, words)


@pytest.mark.parametrize("line", [line for line in shell_lines() if line.startswith("pairsmith run --")])
def test_every_run_without_a_recipe_in_the_readme_makes_one(line: str) -> None:
    from pairsmith.cli.flags import recipe_from_flags

    _, name, *words = shlex.split(line, comments=True)
    command = group.get_command(click.Context(group), name)
    assert command is not None
    flags = command.make_context(name, words).params

    recipe = recipe_from_flags(flags, flags["overrides"])

    assert recipe.endpoints.keys() == {"student", "judge"}


@pytest.mark.parametrize("line", [line for line in shell_lines() if line.startswith("make ")])
def test_every_make_target_of_the_readme_is_in_the_makefile(line: str) -> None:
    target = line.split()[1]

    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_what_is_said_to_be_missing_is_missing() -> None:
    said = set(re.findall(r"`(\w+)`", section(README, "What is not there yet")))

    assert said & COMMANDS.keys() == set()


def test_the_simulator_takes_what_its_page_lists() -> None:
    settings = read_settings(["--port", "0", "--latency", "0.1", "--fault", "429-after=0.1", "--like", "vllm"])

    assert settings.like == "vllm"


# --- exit codes ------------------------------------------------------------------------------------


def exit_code(*words: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return ended.value.code


def test_the_readme_lists_the_exit_codes_that_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{}\n", "utf-8")
    there_are = {
        exit_code("--version"),
        exit_code("check", str(broken)),
        exit_code("check", str(tmp_path / "missing.jsonl")),
        Stopped("quota", "").exit_code,
        Stopped("interrupted", "").exit_code,
    }

    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", section(README, "Exit codes"), re.MULTILINE)}

    assert listed == there_are == {0, 1, 2, 3, 130}


def test_the_readme_names_every_reason_to_abstain() -> None:
    named = set(re.findall(r"`(\w+_\w+|tie)`", section(README, "What a run prints")))
    told = f"{gates.settle.__doc__} {couples.obstacle.__doc__}"
    of_the_gates = {*re.findall(r"\((\w+_\w+|tie)\)", told), "duel_tie", "order_conflict", "judges_disagree"}

    assert named == of_the_gates | {"too_few_completions", "no_verdict", "too_long_to_rank", "human_tie"}


def rows_of(title: str) -> set[str]:
    """What stands first in the rows of a section of the page on pairing."""
    page = (ROOT / "docs" / "pairing.md").read_text("utf-8")
    return set(re.findall(r"^\| `([\w-]+)` \|", section(page, title).split("\n### ")[0], re.MULTILINE))


def test_the_page_on_pairing_has_every_strategy_and_every_reason_of_a_gate() -> None:
    told = f"{gates.settle.__doc__} {couples.obstacle.__doc__}"

    assert rows_of("Strategies") == set(STRATEGIES)
    assert rows_of("Gates") == {
        *re.findall(r"\((\w+_\w+|tie)\)", told),
        "duel_tie",
        "order_conflict",
        "judges_disagree",
    }


# --- the pair on the first screen ---------------------------------------------------------------------


def test_the_pair_of_the_readme_is_a_right_row_with_the_better_answer_chosen() -> None:
    given, row = (json.loads(block) for block in blocks(README, "json"))
    prompts = [json.loads(line) for line in book_lines()]
    entry = next(prompt for prompt in prompts if prompt["prompt"] == given["prompt"])
    quality = {answer["text"]: answer["quality"] for answer in entry["answers"]}

    *_, findings = line_findings(json.dumps(row, ensure_ascii=False).encode() + b"\n", TARGETS["openai"])

    assert list(findings) == []
    assert row["input"]["messages"] == [{"role": "user", "content": given["prompt"]}]
    assert quality[row["preferred_output"][0]["content"]] > quality[row["non_preferred_output"][0]["content"]]


def test_the_book_has_as_many_prompts_and_answers_as_the_readme_says() -> None:
    answers = [len(json.loads(line)["answers"]) for line in book_lines()]

    assert f"{len(answers)} prompts with {sum(answers)} answers" in " ".join(README.split())


def book_lines() -> list[bytes]:
    return [
        line
        for path in sorted(asset("data", "demo", "book").glob("*.jsonl"))
        for line in path.read_bytes().split(b"\n")
        if line
    ]


# --- pages -----------------------------------------------------------------------------------------


def cli_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_cli", ROOT / "docs" / "generate_cli.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_cli_page_is_what_the_commands_say_now() -> None:
    written = (ROOT / "docs" / "cli.md").read_text("utf-8")

    assert cli_generator().page() == written, "write it anew: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")) if "://" not in link]

    broken = [link for link in links if not leads_somewhere(page, link)]

    assert broken == []


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}

"""`import pairsmith`: its public names, runs from Python, streams of pairs, and run folders as tables."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tomllib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import pairsmith
from cli_runs import SOURCES, Server, everyday, read_rows, serving, sides  # fmt: skip
from cli_runs import pairsmith as command
from pairsmith.library import frames
from pairsmith.library.options import RunOptions

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "library.md").read_text("utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
ASKED = everyday(8)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Server]:
    with serving() as started:
        yield started


def recipe_at(server: Server, **tables: Any) -> dict[str, Any]:
    models = {"student": "sim-student", "judge": "sim-judge"}
    return {
        "endpoints": {name: {"model": model, "base_url": server.url} for name, model in models.items()},
        "sample": {"endpoints": ["student"], "completions": 4, "temperature": [0.6, 1.0]},
        "judge": {"panel": ["judge"]},
        **tables,
    }


@dataclass(frozen=True)
class Ran:
    """A run of ASKED, and what its callbacks were told."""

    result: pairsmith.Run
    pairs: list[pairsmith.Pair]
    progress: list[pairsmith.Progress]
    messages: list[str]
    printed: str


@pytest.fixture(scope="module")
def ran(simulator: Server, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    pairs, progress, messages, printed = list[pairsmith.Pair](), list[pairsmith.Progress](), list[str](), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        result = pairsmith.run(
            recipe_at(simulator),
            ASKED,
            run_dir=tmp_path_factory.mktemp("library") / "run",
            on_pair=pairs.append,
            on_progress=progress.append,
            on_message=messages.append,
        )
    return Ran(result, pairs, progress, messages, printed.getvalue())


# --- the public names --------------------------------------------------------------------------------


def test_there_are_at_most_15_public_names_and_dir_lists_just_these() -> None:
    assert len(pairsmith.__all__) <= 15
    assert dir(pairsmith) == sorted(pairsmith.__all__)


@pytest.mark.parametrize("name", [name for name in pairsmith.__all__ if name != "__version__"])
def test_every_public_name_is_documented_in_the_code_and_on_the_page(name: str) -> None:
    assert len(inspect.getdoc(getattr(pairsmith, name)) or "") > 20
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("name", ["load_recipe", "open_run", "read_prompts", "run", "run_async", "stream_pairs"])
def test_every_public_function_is_typed(name: str) -> None:
    function = getattr(pairsmith, name)

    annotated = {*inspect.signature(function).parameters, "return"}

    assert annotated == set(function.__annotations__)


def test_the_package_says_that_it_is_typed_and_mypy_checks_the_programs_strictly() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mypy"]

    assert (SOURCES / "pairsmith" / "py.typed").exists()
    assert settings["strict"]
    assert "docs/programs" in settings["files"]


def test_importing_it_loads_nothing_heavy_and_running_it_needs_no_command_line() -> None:
    script = """
import sys, pairsmith
print([m for m in ("openai", "pandas", "pydantic", "orjson", "asyncio") if m in sys.modules])
pairsmith.run, pairsmith.open_run
print([m for m in ("pandas", "click", "tqdm", "pairsmith.cli") if m in sys.modules])
"""
    env = {**os.environ, "PYTHONPATH": str(SOURCES)}

    said = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)

    assert said.stdout.split("\n") == ["[]", "[]", ""], said.stdout


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'stream_pears'"):
        pairsmith.stream_pears  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("keyword", typing.get_type_hints(RunOptions, {"Pair": pairsmith.Pair}, vars(pairsmith)))
def test_every_keyword_of_a_run_stands_on_the_page(keyword: str) -> None:
    assert f"`{keyword}`" in PAGE


@pytest.mark.parametrize("columns", [frames.COMPLETIONS, frames.VERDICTS, frames.PAIRS])
def test_every_column_of_the_tables_stands_on_the_page(columns: Mapping[str, str]) -> None:
    assert {name for name in columns if f"`{name}`" not in PAGE} == set()


# --- the three programs ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def said(simulator: Server, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the programs of the page print, one after the other in one folder."""
    printed = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("programs"))
        patch.setenv("OPENAI_BASE_URL", simulator.url)
        patch.setenv("OPENAI_API_KEY", "none")
        for place, program in enumerate(PROGRAMS):
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(program, f"program {place} of docs/library.md", "exec"), {"__name__": "__main__"})
            printed.append(out.getvalue())
    return printed


def test_the_programs_of_the_page_are_those_that_mypy_checks() -> None:
    files = [ROOT / "docs" / "programs" / f"{name}.py" for name in ("pairs", "stream", "tables")]

    assert [file.read_text("utf-8") for file in files] == PROGRAMS


def test_the_first_program_makes_pairs_of_prompts(said: list[str]) -> None:
    assert re.search(r"^[123] pairs in runs/tone/pairs.jsonl$", said[0], re.MULTILINE)
    assert "stopped early" not in said[0]


def test_the_second_program_shows_pairs_as_they_settle(said: list[str]) -> None:
    assert 1 <= len(re.findall(r"^Explain \w+ to a child\. → T[\d.]+ over T[\d.]+$", said[1], re.MULTILINE)) <= 6
    assert said[1].endswith("} None\n")


def test_the_third_program_looks_at_the_folder_of_the_first(said: list[str]) -> None:
    assert "of 3 prompts gave a pair" in said[2]
    assert "the longer answer is the chosen one in" in said[2]


# --- a run -------------------------------------------------------------------------------------------


def test_a_result_says_what_the_command_line_says_of_the_folder(ran: Ran) -> None:
    status = command("status", ran.result.run_dir, "--json").json

    counts, spent = ran.result.counts, ran.result.spent
    assert (counts.prompts, counts.settled, counts.abstained) == (8, status["settled"], status["abstained"])
    assert (counts.completions, counts.verdicts) == (status["completions"], status["verdicts"])
    assert (spent.calls, spent.input_tokens) == (status["total"]["calls"], status["total"]["tokens"]["input"])
    assert sum(ran.result.paid.calls.values()) == spent.calls
    assert ran.result.arms.keys() == status["arms"].keys()
    assert ran.result.bias.chosen_longer.n == status["bias"]["chosen_longer"]["n"]
    assert ran.result.stopped is None


def test_the_dataset_is_written_and_holds_the_pairs_that_the_callback_got(ran: Ran) -> None:
    assert ran.result.out == ran.result.run_dir / "pairs.jsonl"
    written = {sides(row) for row in read_rows(ran.result.out)}

    assert {(pair.chosen.text, pair.rejected.text) for pair in ran.pairs} == written
    assert [(pair.chosen.text, pair.rejected.text) for pair in ran.result.each_pair()] == [
        sides(row) for row in read_rows(ran.result.out)
    ]
    assert ran.result.exported is not None
    assert ran.result.exported.rows == len(written) > 4


def test_progress_ends_with_every_prompt_settled(ran: Ran) -> None:
    last = ran.progress[-1]

    assert (last.prompts, last.settled, last.pairs) == (8, 8, len(ran.pairs))
    assert last.calls == ran.result.spent.attempts


def test_nothing_is_printed_and_sentences_go_to_the_callback(ran: Ran) -> None:
    assert ran.printed == ""
    assert any("never asked what is known" in message for message in ran.messages)
    assert set(ran.result.notes) <= set(ran.messages)


def test_the_folder_is_its_own_recipe_and_its_own_input(ran: Ran, simulator: Server) -> None:
    before = simulator.calls

    again = pairsmith.run(ran.result.run_dir)

    assert simulator.calls == before
    assert again.counts == ran.result.counts
    assert again.paid.calls == {}


def test_the_command_line_goes_on_where_python_began(ran: Ran) -> None:
    said = command("run", ran.result.run_dir, "--json", "--quiet").json

    assert (said["prompts"], said["calls"], said["stopped"]) == (8, {}, None)


def test_a_cap_that_is_reached_is_no_error_and_the_next_run_goes_on(simulator: Server, tmp_path: Path) -> None:
    recipe, options = recipe_at(simulator), RunOptions(run_dir=tmp_path / "run")

    capped = pairsmith.run(recipe, ASKED, max_calls=10, **options)
    whole = pairsmith.run(recipe, ASKED, **options)

    assert capped.stopped is not None
    assert capped.stopped.reason == "max_calls"
    assert capped.paid.attempts["student"] <= 10
    assert capped.counts.not_reached > 0
    assert whole.stopped is None
    assert whole.counts.not_reached == 0


def test_overrides_and_limit_reach_the_run(simulator: Server, tmp_path: Path) -> None:
    fields = {"pair": {"min_gap": 9.0, "verify_gap": 9.0}, "sample.completions": 2}

    result = pairsmith.run(recipe_at(simulator), ASKED, run_dir=tmp_path / "run", limit=2, overrides=fields)

    assert (result.counts.prompts, result.counts.completions) == (2, 4)
    assert result.recipe.pair.min_gap == 9.0
    assert tomllib.loads((tmp_path / "run" / "recipe.toml").read_text())["pair"]["min_gap"] == 9.0


def test_the_report_of_a_result_is_one_file(ran: Ran, tmp_path: Path) -> None:
    assert ran.result.report(tmp_path / "report.html").read_bytes().startswith(b"<!doctype html>")


def test_another_target_can_be_exported_of_a_result(ran: Ran, tmp_path: Path) -> None:
    exported = ran.result.export(tmp_path / "trl.jsonl", target="trl", limit=3)

    assert exported.rows == 3
    assert set(read_rows(tmp_path / "trl.jsonl")[0]) >= {"prompt", "chosen", "rejected"}


# --- mistakes ----------------------------------------------------------------------------------------


def test_a_mistake_is_a_user_error_with_the_way_out(simulator: Server, tmp_path: Path) -> None:
    recipe = recipe_at(simulator)

    with pytest.raises(pairsmith.UserError, match='prompts, row 2, field "prompt": is empty'):
        pairsmith.run(recipe, ["Why?", " "], run_dir=tmp_path / "run")
    with pytest.raises(pairsmith.UserError, match="did you mean min_gap"):
        pairsmith.load_recipe(recipe, {"pair.min_gpa": 2})
    with pytest.raises(pairsmith.UserError, match="put it into a list"):
        pairsmith.run(recipe, {"prompt": "Why?"}, run_dir=tmp_path / "run")
    with pytest.raises(pairsmith.UserError, match="give some to run"):
        pairsmith.run(recipe, run_dir=tmp_path / "new")
    with pytest.raises(pairsmith.UserError, match="no recipe or run folder"):
        pairsmith.open_run(tmp_path / "nowhere")
    with pytest.raises(TypeError, match="did you mean max_cost"):
        pairsmith.run(recipe, ["Why?"], max_costs=1)  # type: ignore[call-arg]


def test_what_a_callback_raises_ends_the_run_and_is_raised(simulator: Server, tmp_path: Path) -> None:
    def refuse(pair: pairsmith.Pair) -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        pairsmith.run(recipe_at(simulator), ASKED, run_dir=tmp_path / "run", on_pair=refuse)

    assert pairsmith.open_run(tmp_path / "run").counts.not_reached > 0


def test_run_in_a_running_loop_names_run_async() -> None:
    async def notebook() -> None:
        pairsmith.run("recipe.toml")

    with pytest.raises(pairsmith.UserError, match=r"await pairsmith\.run_async"):
        asyncio.run(notebook())


# --- being stopped -----------------------------------------------------------------------------------


def bought_once(server: Server) -> bool:
    return set(server.keys.values()) == {1}


def test_ctrl_c_lets_the_calls_in_flight_end_and_the_run_can_be_continued(server: Server, tmp_path: Path) -> None:
    before, loop = signal.getsignal(signal.SIGINT), asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    pairs: list[pairsmith.Pair] = []

    def interrupt(pair: pairsmith.Pair) -> None:
        pairs.append(pair)
        if len(pairs) == 1:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        pairsmith.run(recipe_at(server), everyday(24), run_dir=tmp_path / "run", on_pair=interrupt)
    stopped = pairsmith.open_run(tmp_path / "run")
    whole = pairsmith.run(tmp_path / "run", everyday(24))

    assert len(read_rows(tmp_path / "run" / "pairs.jsonl")) >= 1
    assert stopped.counts.not_reached > 0
    assert whole.counts.not_reached == 0
    assert bought_once(server)
    assert signal.getsignal(signal.SIGINT) is before
    assert asyncio.get_event_loop() is loop
    asyncio.set_event_loop(None)
    loop.close()


def test_a_stream_that_is_left_early_stops_the_run_and_the_next_one_is_complete(server: Server, tmp_path: Path) -> None:
    async def first() -> pairsmith.Pair:
        async with contextlib.aclosing(stream()) as pairs:
            async for pair in pairs:
                return pair
        raise AssertionError("no pair")

    async def all_of_them() -> tuple[list[pairsmith.Pair], pairsmith.Run | None]:
        pairs = stream()
        return [pair async for pair in pairs], pairs.result

    def stream() -> Any:
        return pairsmith.stream_pairs(recipe_at(server), everyday(24), run_dir=tmp_path / "run")

    early = asyncio.run(first())
    left = pairsmith.open_run(tmp_path / "run").counts
    pairs, result = asyncio.run(all_of_them())

    assert left.not_reached > 0
    assert result is not None
    assert early.prompt.id in {pair.prompt.id for pair in pairs}
    assert len({pair.prompt.id for pair in pairs}) == len(pairs) == result.counts.pairs
    assert bought_once(server)


def test_a_cancelled_run_is_stopped_and_its_folder_free_again(simulator: Server, tmp_path: Path) -> None:
    async def cancelled() -> None:
        def cancel(pair: pairsmith.Pair) -> None:
            task.cancel()

        running = pairsmith.run_async(recipe_at(simulator), everyday(24), run_dir=tmp_path / "run", on_pair=cancel)
        task = asyncio.create_task(running)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert (await pairsmith.run_async(tmp_path / "run", limit=1)).counts.prompts

    asyncio.run(cancelled())


# --- prompts -----------------------------------------------------------------------------------------


def test_prompts_are_read_alike_from_a_file_from_objects_and_from_a_table(tmp_path: Path) -> None:
    rows = [{"id": "a", "prompt": "Why?", "n": 1.5}, {"id": "b", "prompt": "How?", "system": "Be brief."}]
    file = tmp_path / "asked.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    of_file = list(pairsmith.read_prompts(file))
    table = pd.DataFrame(rows)

    assert list(pairsmith.read_prompts(rows)) == of_file
    assert [prompt.id for prompt in pairsmith.read_prompts(table)] == [prompt.id for prompt in of_file]
    assert list(pairsmith.read_prompts(of_file)) == of_file
    assert next(pairsmith.read_prompts(["Why?"])).id == of_file[0].id


def test_a_bad_row_is_an_error_or_passed_over() -> None:
    rows = ["Why?", 7, {"messages": ({"role": "user", "content": "How?"},)}]

    with pytest.raises(pairsmith.UserError, match="prompts, row 2: is a number"):
        list(pairsmith.read_prompts(rows))  # type: ignore[arg-type]
    assert [p.messages[0]["content"] for p in pairsmith.read_prompts(rows, skip_bad=True)] == ["Why?", "How?"]  # type: ignore[arg-type]


# --- tables ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def opened(ran: Ran, tmp_path_factory: pytest.TempPathFactory) -> pairsmith.Run:
    """The folder of the run, moved elsewhere."""
    return pairsmith.open_run(shutil.copytree(ran.result.run_dir, tmp_path_factory.mktemp("moved") / "run"))


def test_tables_have_explicit_types_whatever_they_hold(opened: pairsmith.Run) -> None:
    for table, columns in (
        (opened.completions(), frames.COMPLETIONS),
        (opened.verdicts(), frames.VERDICTS),
        (opened.pairs(), frames.PAIRS),
    ):
        assert {name: str(kind) for name, kind in table.dtypes.items()} == columns


def test_there_is_a_row_for_every_completion_with_its_text_and_flags(opened: pairsmith.Run) -> None:
    table = opened.completions()

    assert len(table) == opened.counts.completions == 32
    assert table["completion"].is_unique
    assert (table["text"].str.len() == table["chars"]).all()
    assert (table["tokens_out"] > 0).all()
    assert set(table["arm"]) == {"T0.6", "T1"}
    repeated = table[table["flags"].str.contains("duplicate")]
    assert repeated["shared"].all()


def test_there_is_a_row_for_every_verdict_with_what_the_judge_wrote(opened: pairsmith.Run) -> None:
    table = opened.verdicts()
    scores = table[table["kind"] == "score"]

    assert len(table) == opened.counts.verdicts
    assert table["rationale"].str.len().gt(10).all()
    assert scores["value"].between(1, 10).all()
    assert set(scores["completion"]) <= set(opened.completions()["completion"])
    assert table.loc[table["kind"] == "duel", "completion"].isna().all()


def test_the_pairs_of_the_table_are_those_of_the_dataset(opened: pairsmith.Run, ran: Ran) -> None:
    table = opened.pairs()

    assert ran.result.out is not None
    assert list(zip(table["chosen"], table["rejected"], strict=True)) == list(map(sides, read_rows(ran.result.out)))
    assert set(table["rule"]) <= {"gap", "duels"}
    assert table["gap"].notna().all()
    assert table["simulated"].all()


def test_rankings_and_tournaments_have_a_table_too(simulator: Server, tmp_path: Path) -> None:
    ranked = pairsmith.run(
        recipe_at(simulator, judge={"panel": ["judge"], "protocol": "rank"}), ASKED[:3], run_dir=tmp_path / "run"
    )
    table = ranked.verdicts()
    rankings = table[table["kind"] == "ranking"]

    assert len(rankings) == 6
    assert (rankings["order"].str.split().str[0] == rankings["winner"]).all()
    assert rankings["rationale"].notna().all()
    assert ranked.pairs()["gap"].isna().all()


def test_an_outcome_of_an_earlier_version_has_its_rows_and_no_text_that_is_not_sure(ran: Ran, tmp_path: Path) -> None:
    folder = shutil.copytree(ran.result.run_dir, tmp_path / "run")
    with contextlib.closing(sqlite3.connect(folder / "ledger.sqlite3")) as db, db:
        for prompt, body in db.execute("SELECT prompt, body FROM outcomes").fetchall():
            old = json.loads(body)
            old["completions"] = [row[:4] for row in old["completions"]]
            old["arms"] = [row[:6] for row in old["arms"]]
            db.execute("UPDATE outcomes SET body = ? WHERE prompt = ?", (json.dumps(old).encode(), prompt))

    run = pairsmith.open_run(folder)
    table = run.completions()

    known = table[table["text"].notna()]
    assert len(table) == run.counts.completions
    assert set(known["completion"]) == {*run.pairs()["chosen_completion"], *run.pairs()["rejected_completion"]}
    assert len(run.verdicts()) == run.counts.verdicts

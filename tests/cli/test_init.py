import contextlib
import itertools
import tomllib
from pathlib import Path

import orjson
import pytest

from cli_runs import Ran
from cli_runs import pairsmith as command
from pairsmith.assets import asset
from pairsmith.cli.init import PLATFORMS, recipe_text
from pairsmith.recipe import endpoints, load_recipe
from pairsmith.simulator import Settings, running

SERVERS_OF_ONES_OWN = ("vllm", "ollama", "llama-cpp", "simulator")


def pairsmith(*words: str, at: Path) -> Ran:
    with contextlib.chdir(at):
        return command(*words)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_recipe_loads_and_refers_to_the_copies_beside_it(platform: str, tmp_path: Path) -> None:
    done = pairsmith("init", "mine", "--for", platform, at=tmp_path)
    recipe = load_recipe(tmp_path / "mine" / "recipe.toml")
    assert recipe.sample is not None
    named = [*recipe.prompts.paths, recipe.judge.rubric, *recipe.sample.system_names]

    assert done.code == 0
    assert recipe.name == "mine"
    assert all(Path(path).is_file() and Path(path).is_relative_to(tmp_path / "mine") for path in named)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_top_k_makes_arms_only_where_it_has_an_effect(platform: str, tmp_path: Path) -> None:
    pairsmith("init", "mine", "--for", platform, at=tmp_path)
    recipe = load_recipe(tmp_path / "mine" / "recipe.toml")
    assert recipe.sample is not None

    assert bool(recipe.sample.top_k) == (platform not in ("openai", "ollama"))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_hosted_models_need_a_named_key_and_servers_of_ones_own_none(platform: str, tmp_path: Path) -> None:
    pairsmith("init", "mine", "--for", platform, at=tmp_path)
    found = endpoints(load_recipe(tmp_path / "mine" / "recipe.toml"), {}).values()
    has_no_key = [endpoint.api_key_env is None for endpoint in found]

    assert has_no_key == [platform in SERVERS_OF_ONES_OWN] * 2


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_commented_key_may_be_uncommented(platform: str, tmp_path: Path) -> None:
    text = recipe_text("mine", platform)
    keys = [line for line in text.splitlines() if line.startswith("# ") and " = " in line.split("#")[1]]
    settings = [line for line in keys if line[2:].split(" = ")[0].isidentifier()]
    # A judge at OpenAI and the arms written out replace lines that stand there: not to be combined with them.
    alternatives = ('# model = "gpt-5.4"', '# api_key_env = "OPENAI', "# name", "# temperature", '# system = "system/')
    for line in settings:
        if not line.startswith(alternatives):
            text = text.replace(f"\n{line}\n", f"\n{line[2:]}\n")
    (tmp_path / "recipe.toml").write_text(text)

    assert len(settings) > 12
    assert load_recipe(tmp_path / "recipe.toml").prompts.limit == 100


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_recipe_is_readable_in_an_editor(platform: str) -> None:
    lines = recipe_text("mine", platform).splitlines()

    assert max(map(len, lines)) <= 120
    assert all(line == line.rstrip() for line in lines)
    assert not any(a == b == "" for a, b in itertools.pairwise(lines))


def test_a_recipe_may_have_prompts_grown_from_those_beside_it(tmp_path: Path) -> None:
    said = pairsmith("init", "mine", "--for", "simulator", "--grow", "30", at=tmp_path)
    expand = load_recipe(tmp_path / "mine" / "recipe.toml").prompts.expand

    assert expand is not None
    assert (expand.n, expand.seeds, expand.endpoint) == (30, (str(tmp_path / "mine" / "prompts.jsonl"),), "judge")
    assert "pairsmith expand mine/recipe.toml -o grown.jsonl\n" in said.out


def test_the_sample_prompts_are_twelve_over_all_families(tmp_path: Path) -> None:
    pairsmith("init", at=tmp_path)
    rows = [orjson.loads(line) for line in (tmp_path / "prompts.jsonl").read_bytes().splitlines()]
    bundled = {path.stem for path in asset("data", "demo", "book").glob("*.jsonl")}

    assert len({row["prompt"] for row in rows}) == 12
    assert {row["family"] for row in rows} == bundled


def test_files_that_are_there_are_kept_unless_force_is_said(tmp_path: Path) -> None:
    (tmp_path / "rubric.md").write_text("mine\n")
    refused = pairsmith("init", at=tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    forced = pairsmith("init", "--force", at=tmp_path)

    assert refused.code == 2
    assert refused.err == ("pairsmith: rubric.md is already there: name another folder, or say --force\n")
    assert left == ["rubric.md"]
    assert forced.code == 0
    assert (tmp_path / "rubric.md").read_bytes() == asset("prompts", "rubrics", "general.md").read_bytes()


def test_it_ends_with_the_commands_to_type(tmp_path: Path) -> None:
    said = pairsmith("init", "my pairs", "--for", "together", at=tmp_path).out

    assert "export TOGETHER_API_KEY=" in said
    assert "pairsmith run 'my pairs/recipe.toml'\n" in said
    assert "pairsmith status 'runs/my pairs'\n" in said


def test_a_folder_with_an_odd_name_still_gets_a_recipe_that_loads(tmp_path: Path) -> None:
    pairsmith("init", '.we"ird\\', at=tmp_path)

    assert load_recipe(tmp_path / '.we"ird\\' / "recipe.toml").name == "we-ird-"


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = pairsmith("init", "file", "--json", at=tmp_path)

    assert done.code == 2
    assert orjson.loads(done.out)["error"].endswith("name another folder")
    assert "Traceback" not in done.err


def test_json_names_what_was_written(tmp_path: Path) -> None:
    said = orjson.loads(pairsmith("init", "mine", "--for", "ollama", "--json", at=tmp_path).out)

    assert (said["dir"], said["for"], said["name"]) == ("mine", "ollama", "mine")
    assert all((tmp_path / path).is_file() for path in said["files"])
    assert "mine/recipe.toml" in said["files"]


def test_the_recipe_for_vllm_runs_against_a_server_as_it_stands(tmp_path: Path) -> None:
    pairsmith("init", "mine", at=tmp_path)
    with running(Settings(like="vllm")) as simulator:
        changes = [
            f"endpoints.{name}.{key}={value}"
            for name, model in (("student", "sim-student"), ("judge", "sim-judge"))
            for key, value in (("base_url", simulator.base_url), ("model", model))
        ]
        sets = [word for change in changes for word in ("--set", change)]
        done = pairsmith("run", "mine/recipe.toml", "--json", *sets, at=tmp_path)
    said = orjson.loads(done.out)

    assert done.code == 0, done.err
    assert said["run_dir"] == "runs/mine"
    assert said["prompts"] == 12
    assert said["completions"] == 72
    assert said["pairs"] > 0
    assert said["cost_usd"] == 0


def test_a_recipe_is_toml_whatever_the_platform() -> None:
    tables = [tomllib.loads(recipe_text("x", platform)) for platform in PLATFORMS]

    assert all(list(table) == ["name", "prompts", "endpoints", "sample", "judge", "pair", "export"] for table in tables)

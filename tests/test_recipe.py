"""The recipe: defaults, overrides, relative paths, and endpoints with all that was left out filled in."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from pairsmith.errors import RecipeError
from pairsmith.recipe import Recipe, api_key, endpoints, load_recipe, to_toml
from pairsmith.records import Endpoint, EndpointName

WHOLE = """
name = "support-tone"
[prompts]
path = "prompts.jsonl"
[endpoints.student]
base_url = "http://localhost:8000/v1/"
model = "Qwen/Qwen3-8B"
api_key_env = "STUDENT_KEY"
identity = "our-qwen"
reasoning = "strip"
concurrency = 64
requests_per_minute = 3000
tokens_per_minute = 2_000_000
price = { input = 0.20, output = 0.60, cached_input = 0.05 }
[endpoints.teacher]
model = "gpt-6"
api_key_env = "OPENAI_API_KEY"
[sample]
endpoints = ["student"]
completions = 5
max_tokens = 1024
temperature = [0.6, 0.9, 1.1]
top_k = [20, 50]
system = ["plain", "expert.md"]
[judge]
panel = ["teacher"]
rubric = "general"
protocol = "score"
escalate_within = [2, 1]
[pair]
strategy = "best-worst"
min_gap = 3.0
verify_gap = 1.0
chosen_floor = 6.0
[export]
target = "openai"
path = "pairs.jsonl"
system = "strip"
"""
LEAST = """
[prompts]
path = "p.txt"
[endpoints.judge]
model = "m"
[judge]
panel = ["judge"]
"""


def recipe(folder: Path, text: str = LEAST, *overrides: str, name: str = "recipe.toml") -> Recipe:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return load_recipe(folder / name, overrides)


def only(made: Recipe, name: str, **environ: str) -> Endpoint:
    return endpoints(made, environ)[EndpointName(name)]


def test_every_key_of_the_contract_is_taken(tmp_path: Path) -> None:
    made = recipe(tmp_path, WHOLE)
    student = only(made, "student")

    assert student.base_urls == ("http://localhost:8000/v1",)
    assert (student.identity, student.api_key_env, student.price is not None) == ("our-qwen", "STUDENT_KEY", True)
    assert made.sample is not None
    assert made.sample.temperature == (0.6, 0.9, 1.1)


def test_paths_of_a_recipe_start_at_its_folder_and_bundled_names_stay(tmp_path: Path) -> None:
    made = recipe(tmp_path, WHOLE)

    assert made.prompts.paths == (str(tmp_path / "prompts.jsonl"),)
    assert made.sample is not None
    assert made.sample.system == ("plain", str(tmp_path / "expert.md"))
    assert made.judge.rubric == "general"
    assert made.export.path == str(tmp_path / "pairs.jsonl")
    assert made.export.system == "strip"


def test_paths_of_overrides_start_at_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")

    assert recipe(tmp_path, WHOLE, "prompts.path=mine.txt").prompts.paths == ("/mine.txt",)


@pytest.mark.parametrize("name", ["-", "hf://owner/name@main"])
def test_standard_input_and_a_dataset_of_the_hub_are_no_paths(tmp_path: Path, name: str) -> None:
    assert recipe(tmp_path, LEAST, f"prompts.path={name}").prompts.paths == (name,)


def test_a_glob_is_none_where_the_recipe_stands(tmp_path: Path) -> None:
    folder = tmp_path / "runs [old]"
    folder.mkdir()

    made = recipe(folder, LEAST.replace("p.txt", "logs/*.jsonl"))

    assert made.prompts.paths == (f"{tmp_path}/runs [[]old]/logs/*.jsonl",)


def test_a_condition_and_weights_are_checked_with_the_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"\[prompts\] where: is no condition .*\(found 'x = 1'\)"):
        recipe(tmp_path, LEAST, "prompts.where=x = 1")
    with pytest.raises(RecipeError, match="there are 2 for 1 paths"):
        recipe(tmp_path, LEAST, "prompts.weights=3,1")


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("sample.temperature=0.5", (0.5,)),
        ("sample.temperature=0.5,0.9", (0.5, 0.9)),
        ("sample.temperature=[0.5, 0.9]", (0.5, 0.9)),
        (" sample.temperature = 0.5 ", (0.5,)),
    ],
)
def test_overrides_are_written_as_toml_or_with_commas(tmp_path: Path, override: str, value: tuple[float, ...]) -> None:
    made = recipe(tmp_path, WHOLE, override)

    assert made.sample is not None
    assert made.sample.temperature == value


def test_an_override_of_one_field_leaves_the_others_of_its_table(tmp_path: Path) -> None:
    made = recipe(tmp_path, WHOLE, "pair.min_gap=2", "endpoints.student.price.input=7")

    assert (made.pair.min_gap, made.pair.chosen_floor) == (2, 6)
    student = only(made, "student")
    assert student.price is not None
    assert (student.price.input, student.price.output) == (7, 0.6)


@pytest.mark.parametrize(
    ("file", "name"),
    [("recipe.toml", "tone"), ("support.toml", "support"), ("a+b.toml", "a-b"), (".x.toml", "x"), ("-.toml", "run")],
)
def test_a_recipe_without_a_name_is_named_after_its_file_or_folder(tmp_path: Path, file: str, name: str) -> None:
    assert recipe(tmp_path / "tone", LEAST, name=file).name == name


def test_what_is_stored_is_read_back_as_the_same_recipe(tmp_path: Path) -> None:
    made = recipe(tmp_path, WHOLE, "pair.min_gap=2")
    stored = to_toml(made)

    assert recipe(tmp_path / "run", stored) == made
    assert "verify_gap" in tomllib.loads(stored)["pair"]


def test_what_was_left_out_is_left_out_of_what_is_stored(tmp_path: Path) -> None:
    stored: dict[str, Any] = tomllib.loads(to_toml(recipe(tmp_path, LEAST)))

    assert "sample" not in stored
    assert "pair" not in stored


def test_without_a_sample_table_nothing_is_sampled(tmp_path: Path) -> None:
    made = recipe(tmp_path, LEAST)

    assert made.sample is None
    assert made.sampled_endpoints == ()
    assert set(endpoints(made, {})) == {"judge"}


def test_whoever_does_not_judge_samples_unless_named(tmp_path: Path) -> None:
    extra = LEAST + '[endpoints.student]\nmodel = "s"\n[sample]\ncompletions = 2\n'

    assert recipe(tmp_path, extra).sampled_endpoints == ("student",)
    assert recipe(tmp_path, extra, 'sample.endpoints=["judge"]').sampled_endpoints == ("judge",)


@pytest.mark.parametrize(
    ("extra", "environ", "url", "key"),
    [
        ("", {}, "https://api.openai.com/v1", "OPENAI_API_KEY"),
        ("", {"OPENAI_BASE_URL": "http://proxy/v1/"}, "http://proxy/v1", "OPENAI_API_KEY"),
        ('base_url = "http://h/v1"', {"OPENAI_BASE_URL": "http://proxy/v1"}, "http://h/v1", None),
        ('base_url = "http://h/v1"\napi_key_env = "K"', {}, "http://h/v1", "K"),
        ('api_key_env = "K"', {}, "https://api.openai.com/v1", "K"),
        ('base_url = ["http://h/v1"]', {}, "http://h/v1", None),
    ],
)
def test_url_and_key_of_an_endpoint_have_these_defaults(
    tmp_path: Path, extra: str, environ: dict[str, str], url: str, key: str | None
) -> None:
    text = LEAST.replace('model = "m"', f'model = "m"\n{extra}')
    judge = only(recipe(tmp_path, text), "judge", **environ)

    assert (judge.base_urls, judge.api_key_env) == ((url,), key)
    assert judge.identity == "judge m"


@pytest.mark.parametrize(
    ("url", "length", "seed"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens", True),
        ("http://localhost:8000/v1", "max_tokens", True),
        ("https://api.mistral.ai/v1", "max_tokens", True),
        ("https://openai.com.evil.example/v1", "max_tokens", True),
    ],
)
def test_the_dialect_of_a_host_is_known(tmp_path: Path, url: str, length: str, seed: bool) -> None:
    judge = only(recipe(tmp_path, LEAST, f"endpoints.judge.base_url={url}"), "judge")

    assert (judge.length_parameter, judge.seed) == (length, seed)


def test_a_host_whose_name_only_ends_like_openais_is_another(tmp_path: Path) -> None:
    judge = only(recipe(tmp_path, LEAST, "endpoints.judge.base_url=https://notopenai.com/v1"), "judge")

    assert judge.length_parameter == "max_tokens"


def test_a_key_is_read_from_its_variable_and_one_that_is_not_set_is_named(tmp_path: Path) -> None:
    judge = only(recipe(tmp_path, LEAST), "judge")

    assert api_key(judge, {"OPENAI_API_KEY": " k \n"}) == "k"
    for environ in ({}, {"OPENAI_API_KEY": "  "}):
        with pytest.raises(RecipeError, match=r"needs a key in \$OPENAI_API_KEY"):
            api_key(judge, environ)


def test_an_endpoint_without_a_variable_takes_no_key(tmp_path: Path) -> None:
    judge = only(recipe(tmp_path, LEAST, "endpoints.judge.base_url=http://h/v1"), "judge")

    assert api_key(judge, {"OPENAI_API_KEY": "k"}) is None


def test_a_list_of_urls_names_replicas(tmp_path: Path) -> None:
    made = endpoints(recipe(tmp_path, LEAST, 'endpoints.judge.base_url=["http://a/v1/", "http://b/v1"]'), {})

    assert next(e for e in made.values() if e.name == "judge").base_urls == ("http://a/v1", "http://b/v1")


@pytest.mark.parametrize("urls", ['["http://a/v1", "http://a/v1/"]', "[]", '["http://a/v1", "here"]'])
def test_replicas_are_different_urls(tmp_path: Path, urls: str) -> None:
    with pytest.raises(RecipeError, match=r"base_url: (give each replica's URL once|'here' is no URL)"):
        recipe(tmp_path, LEAST, f"endpoints.judge.base_url={urls}")


@pytest.mark.parametrize("more", [[], ['endpoints.judge.base_url="http://a/v1"', "endpoints.judge.api_key_env=KEY"]])
def test_whoever_signs_in_otherwise_needs_a_url_and_takes_no_key(tmp_path: Path, more: list[str]) -> None:
    with pytest.raises(RecipeError, match='auth = "azure" needs base_url, and takes no api_key_env'):
        recipe(tmp_path, LEAST, "endpoints.judge.auth=azure", *more)


def test_a_tier_has_a_key_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="service_tier has a key of its own"):
        recipe(tmp_path, LEAST, 'endpoints.judge.extra={service_tier="flex"}')


def test_one_model_at_some_of_the_same_urls_is_refused(tmp_path: Path) -> None:
    lists = ('endpoints.judge.base_url=["http://a/v1", "http://b/v1"]', "endpoints.other.base_url=http://a/v1")

    with pytest.raises(RecipeError, match="one model at some of the same URLs: give both all"):
        recipe(tmp_path, LEAST, *lists, "endpoints.judge.model=m", "endpoints.other.model=m")


def test_several_things_wrong_are_counted_and_one_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"\[pair\] has no key 'min_gpa'; did you mean min_gap\? \(and 1 more\)"):
        recipe(tmp_path, LEAST, "pair.min_gpa=1", "pair.chosen_floor=x")

"""`pairsmith doctor` against the simulator's presets: what it finds out, what it costs, what it says and keeps."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Project, Ran, everyday, pairsmith, serving

KEY = "sk-secret-4711-abcdefgh"
PRICE = {"input": 2.0, "output": 8.0}


def asked(project: Project, *more: object) -> Ran:
    words = ["doctor", project.recipe, "--run-dir", project.run_dir, "--quiet", "--endpoint", "student", *more]
    return pairsmith(*words)


def student(project: Project, **settings: Any) -> None:
    """The recipe's student, with further settings."""
    endpoints = project.table["endpoints"]
    project.save(endpoints={**endpoints, "student": {**endpoints["student"], **settings}})


def kept(project: Project) -> dict[str, Any]:
    """What doctor.json says, by endpoint."""
    endpoints: dict[str, Any] = json.loads((project.run_dir / "doctor.json").read_bytes())["endpoints"]
    return endpoints


def found(project: Project, *more: object) -> dict[str, Any]:
    """What `--json` says of the student, and beside it the whole."""
    said = asked(project, "--json", *more).json
    return {**said["endpoints"]["student"], "said": said}


# --- what each platform does --------------------------------------------------------------------------

# As presets.py plays them: h(onoured), a(ccepted), i(gnored), r(efused). A developer message that is dropped, and a
# penalty or a word of effort without effect, are only `accepted`: a few answers do not tell that from a small effect.
# In the order of NAMES.
NAMES = (
    "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty", "seed",
    "n", "json_schema", "json_object", "logprobs", "max_tokens", "max_completion_tokens", "system", "developer",
    "reasoning_effort", "verbosity",
)  # fmt: skip
PLATFORMS = {
    "openai":           "h h r r r h h h h h h h h h a a r r",
    "openai-reasoning": "a r r r r r r h h h h r r h a a a a",
    "vllm":             "h h h h h h h h h h h h h h a r a a",
    "sglang":           "h h h h h h h h h h h h h h a r a a",
    "ollama":           "h h i i a h h h i h h h h i a a a a",
    "llama-cpp":        "h h h h h h h h i r h h h i a r a a",
    "llama-server":     "h h h h h h h h h h h h h h a a a a",
    "groq":             "h h r r r a a h r h h r h h a a a r",
    "mistral":          "h h h r r h h h h h h r h r a r a r",
    "transformers":     "h h h h h a h h i i i i h i a r a a",
    "silent":           "h i i i a a a i i i i i h h a a a a",
}  # fmt: skip
SERVERS = {"vllm": "vllm", "ollama": "ollama", "llama-cpp": "llama-cpp-python", "llama-server": "llama.cpp",
           "sglang": "sglang", "transformers": "transformers"}  # fmt: skip
TAKES_WINDOW = ("vllm", "sglang", "llama-server", "groq", "mistral")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_it_says_of_each_platform_exactly_what_that_does(tmp_path: Path, platform: str) -> None:
    with serving(like=platform) as server:
        project = Project(tmp_path, server).prompts(everyday(1))
        if platform == "mistral":  # in the simulator its host does not tell
            student(project, server="mistral")

        one = found(project)

        findings = {name: one["findings"][name]["support"] for name in NAMES}
        assert " ".join(support[0] for support in findings.values()) == PLATFORMS[platform]
        assert one["server"] == SERVERS.get(platform, "mistral" if platform == "mistral" else "")
        assert one["context_tokens"] == (131_072 if platform in TAKES_WINDOW else None)
        assert one["answers_as"] == "sim-student"
        assert one["calls"] == server.calls < 50
        assert project.sql("SELECT count(*) FROM attempts WHERE purpose = 'probe'") == [(server.calls,)]


@pytest.mark.parametrize(
    ("platform", "lowest", "highest"), [("mistral", None, 1.5), ("anthropic", None, 1.0), ("openai-reasoning", 1, 1)]
)
def test_it_finds_between_which_temperatures_an_endpoint_takes_those_of_the_recipe(
    tmp_path: Path, platform: str, lowest: float | None, highest: float
) -> None:
    with serving(like=platform) as server:
        temperature = found(Project(tmp_path, server).prompts(everyday(1)))["findings"]["temperature"]

        assert (temperature["lowest"], temperature["highest"]) == (lowest, highest)


@pytest.mark.parametrize("platform", ["vllm", "silent"])
def test_a_model_that_thinks_until_the_limit_is_never_said_to_ignore(tmp_path: Path, platform: str) -> None:
    with serving(like=platform) as server:
        project = Project(tmp_path, server).prompts(everyday(1))
        student(project, model="sim-thinker-rc")

        one = found(project)

        honours = platform == "vllm"
        ignored = {name for name, finding in one["findings"].items() if finding["support"] == "ignored"}
        assert not (honours and ignored)
        assert one["calls"] == server.calls < 50


# --- what it says and keeps -----------------------------------------------------------------------------


def test_the_cost_is_said_first_and_is_no_less_than_what_it_comes_to(project: Project) -> None:
    student(project, price=PRICE)
    ran = asked(project)

    line = ran.err.splitlines()[0]
    said = re.search(r"about 32 short calls each, 48 at most; about \$([0-9.]+), \$([0-9.]+) at most", line)
    spent, booked = project.sql("SELECT sum(cost_usd), sum(most_usd) FROM attempts")[0]
    assert said is not None
    assert spent <= 2 * float(said[1])
    assert booked <= float(said[2])
    assert f"cost ${spent:.4f}" in ran.out


def test_a_cap_that_asking_could_exceed_is_a_mistake_and_nothing_is_asked(project: Project) -> None:
    student(project, price=PRICE)
    ran = asked(project, "--max-cost", "0.001")

    assert ran.code == 2
    assert "--max-cost 0.001: asking could cost up to" in ran.err
    assert project.server.calls == 0


def test_a_cap_without_a_price_is_a_mistake(project: Project) -> None:
    ran = asked(project, "--max-cost", "1")

    assert (ran.code, project.server.calls) == (2, 0)
    assert "--max-cost needs the price of student" in ran.err


def test_an_endpoint_that_is_not_used_cannot_be_named(project: Project) -> None:
    ran = pairsmith("doctor", project.recipe, "--run-dir", project.run_dir, "--endpoint", "nobody")

    assert (ran.code, project.server.calls) == (2, 0)
    assert "name one of student, judge" in ran.err


def test_what_was_found_is_merged_into_the_folder_by_endpoint(project: Project) -> None:
    asked(project)
    alone = kept(project)
    project.run()
    ran = pairsmith("doctor", project.run_dir, "--quiet", "--endpoint", "judge")
    both = kept(project)

    assert ran.code == 0, ran.err
    assert list(alone) == ["student"]
    assert both == {**alone, "judge": both["judge"]}


def test_what_the_recipe_asks_for_in_vain_is_a_problem_with_the_arms_and_the_ways_out(tmp_path: Path) -> None:
    with serving(like="ollama") as server:
        project = Project(tmp_path, server).prompts(everyday(4))
        project.save(sample={**project.table["sample"], "temperature": 0.8, "top_k": [5, 50]})
        ran = asked(project)

        assert ran.code == 1
        assert "student ignores top_k without a word: 3 answers at temperature 1.5 with top_k = 1 differ" in ran.out
        assert "problem: endpoint student ignores top_k" in ran.out
        assert "and arms T0.8 k5, T0.8 k50 of 2 ask for it: take top_k out of the recipe, set" in ran.out

        before = server.calls
        assert "endpoint student ignores top_k" in project.fails()  # a run knows it, and asks nobody
        assert server.calls == before

        project.save(sample={**project.table["sample"], "on_unsupported": "omit"})
        ran = asked(project)
        assert ran.code == 0
        assert "2 arms become 1" in ran.out


def test_a_run_speaks_the_dialect_that_only_a_refusal_told(tmp_path: Path) -> None:
    with serving(like="transformers") as server:
        project = Project(tmp_path, server).prompts(everyday(2))
        project.save(sample={**project.table["sample"], "temperature": 0.8, "top_k": [20, 80]})
        assert asked(project).code == 0

        assert project.run()["stopped"] is None


def test_a_reward_model_is_asked_once(project: Project) -> None:
    endpoints = {
        **project.table["endpoints"],
        "reward": {"model": "sim-reward", "base_url": project.server.url, "kind": "reward"},
    }
    project.save(endpoints=endpoints, judge={"panel": ["reward"]})
    ran = pairsmith("doctor", project.recipe, "--run-dir", project.run_dir, "--endpoint", "reward", "--json")

    assert (ran.code, project.server.calls) == (0, 1)
    assert ran.json["endpoints"]["reward"]["problem"] == ""


# --- when it cannot be asked ----------------------------------------------------------------------------


def test_a_refused_key_ends_it_after_one_call_and_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDENT_KEY", KEY)
    with serving(require_key="another") as server:
        project = Project(tmp_path, server).prompts(everyday(1))
        student(project, api_key_env="STUDENT_KEY")
        ran = asked(project)

        assert (ran.code, server.calls) == (1, 1)
        assert "problem: endpoint student (sim-student)" in ran.out
        written = (project.run_dir / "doctor.json").read_text("utf-8")
        shown = ran.out + ran.err + written  # the server says "sk-se********efgh"
        assert "refused the key in $STUDENT_KEY with 401" in shown
        assert KEY[:5] not in shown
        assert KEY[-4:] not in shown


def test_an_unknown_model_is_told_with_those_that_are_there(project: Project) -> None:
    student(project, model="sim-studentt")
    ran = asked(project, "--json")

    assert (ran.code, ran.json["calls"], project.server.calls) == (1, {"student": 1}, 1)
    assert ran.json["cost_usd"] is None
    assert len(ran.json["problems"]) == 1
    assert "it lists sim-student" in ran.json["problems"][0]


def test_a_dead_port_is_told(project: Project) -> None:
    student(project, base_url="http://127.0.0.1:9/v1")
    ran = asked(project)

    assert ran.code == 1
    assert "does not answer at http://127.0.0.1:9/v1" in ran.out


def test_what_was_known_of_a_server_stays_while_it_is_down(project: Project) -> None:
    asked(project)
    before = kept(project)["student"]
    project.server.faults(f500=1.0)
    ran = asked(project)

    assert ran.code == 1
    assert "gave no answer to the plainest request" in ran.out
    assert kept(project)["student"]["findings"] == before["findings"]


def test_a_server_that_is_throttled_now_and_then_is_asked_again(tmp_path: Path) -> None:
    with serving(faults={"429": 0.05}, seed=3) as server:
        project = Project(tmp_path, server).prompts(everyday(1))
        one = found(project)

        assert server.stats()["by_fault"]["429"] > 0
        assert one["problem"] == ""
        assert one["findings"]["top_k"]["support"] in ("honoured", "unknown")
        assert one["calls"] == server.calls < 50

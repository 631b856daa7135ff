"""What a change of the recipe owes: nothing that was bought before, and everything that asks something new."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_runs import Project, accounted, bought, everyday, pairsmith, serving

PROMPTS = 6
COMPLETIONS = 4
SAMPLES = PROMPTS * COMPLETIONS


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with serving() as server:
        project = Project(tmp_path_factory.mktemp("finished"), server).prompts(everyday(PROMPTS))
        project.run()
        yield project


@pytest.fixture
def project(project: Project) -> Project:
    return project.prompts(everyday(PROMPTS))


@pytest.fixture
def done(finished: Project, tmp_path: Path) -> Project:
    """A project whose run is complete, and a server that counts from zero."""
    shutil.copytree(finished.folder, tmp_path, dirs_exist_ok=True)
    finished.server.forget()
    return Project(tmp_path, finished.server)


def scores(project: Project) -> int:
    """How many score requests the run has made: one a text, and drafts that came twice share theirs."""
    ((many,),) = project.sql("SELECT COUNT(DISTINCT request) FROM attempts WHERE purpose = 'score'")
    return int(many)


def test_a_second_run_makes_no_call_and_writes_the_same_bytes(done: Project) -> None:
    before = done.dataset

    said = done.run()

    assert (done.server.calls, said["calls"]) == (0, {})
    assert done.dataset == before


def test_another_min_gap_makes_no_call(done: Project) -> None:
    said = done.run("--set", "pair.min_gap=1")

    assert done.server.calls == 0
    assert accounted(said) == PROMPTS


def test_a_min_gap_that_owes_duels_buys_nothing_but_them(done: Project) -> None:
    said = done.run("--set", "pair.min_gap=8")

    assert bought(said, "student") == 0
    assert {purpose for (purpose,) in done.sql("SELECT DISTINCT purpose FROM attempts WHERE id > 0")} == {
        "sample",
        "score",
        "duel",
    }
    assert done.server.calls == bought(said, "judge") <= 2 * PROMPTS


def test_another_floor_makes_no_call(done: Project) -> None:
    done.run("--set", "pair.chosen_floor=1", "--set", "pair.verify_gap=3")

    assert done.server.calls == 0


def test_another_target_makes_no_call(done: Project) -> None:
    done.run("--set", "export.target=trl")

    assert done.server.calls == 0


def test_another_rubric_judges_anew_and_samples_nothing(done: Project) -> None:
    before = scores(done)
    said = done.run("--set", "judge.rubric=support")

    assert bought(said, "student") == 0
    assert bought(said, "judge") >= before
    assert max(done.server.keys.values()) == 1


def test_going_back_to_the_first_rubric_makes_no_call(done: Project) -> None:
    before = done.dataset
    done.run("--set", "judge.rubric=support")
    done.server.forget()

    done.run()

    assert done.server.calls == 0
    assert done.dataset == before


def test_another_judge_samples_nothing(done: Project) -> None:
    before = scores(done)
    said = done.run("--set", "endpoints.judge.model=sim-judge-middle")

    assert bought(said, "student") == 0
    assert bought(said, "judge") >= before


def test_another_temperature_list_buys_only_the_new_arms_and_what_follows_from_them(done: Project) -> None:
    """[0.6, 1.0, 1.4] becomes [0.6, 1.0, 0.3]: two arms keep their draws; the fourth draw may go to another arm."""
    before = {request for (request,) in done.sql("SELECT request FROM attempts")}

    said = done.run("--set", "sample.temperature=[0.6, 1.0, 0.3]")

    assert PROMPTS <= bought(said, "student") <= 2 * PROMPTS
    assert bought(said, "judge") <= bought(said, "student") + 2 * PROMPTS
    assert not before & set(done.server.keys)
    assert accounted(said) == PROMPTS


def test_a_further_temperature_takes_draws_from_the_others_only(project: Project) -> None:
    """One draw an arm: a fourth arm adds a call a prompt, and the three others keep every draw of theirs."""
    project.run("--set", "sample.completions=3")
    project.server.forget()

    said = project.run("--set", "sample.completions=4", "--set", "sample.temperature=[0.6, 1.0, 1.4, 0.3]")

    assert bought(said, "student") == PROMPTS
    assert bought(said, "judge") <= PROMPTS + 2 * PROMPTS


def test_one_more_completion_buys_one_a_prompt(done: Project) -> None:
    said = done.run("--set", "sample.completions=5")

    assert bought(said, "student") == PROMPTS


def test_fewer_completions_make_no_sample_call(done: Project) -> None:
    said = done.run("--set", "sample.completions=3")

    assert bought(said, "student") == 0


def test_a_new_prompt_buys_its_own_calls_alone(done: Project) -> None:
    done.prompts(everyday(PROMPTS + 1))

    said = done.run()

    assert bought(said, "student") == COMPLETIONS
    assert bought(said, "judge") <= COMPLETIONS + 2
    assert said["prompts"] == PROMPTS + 1


def test_a_new_prompt_in_front_of_all_others_buys_its_own_calls_alone(done: Project) -> None:
    done.prompts([{"prompt": "How do I fold a fitted sheet?"}, *everyday(PROMPTS)])

    said = done.run()

    assert bought(said, "student") == COMPLETIONS
    assert said["prompts"] == PROMPTS + 1


def test_prompts_in_another_order_make_no_call_and_are_written_in_it(done: Project) -> None:
    before = [proof["id"] for proof in done.proofs]

    done.prompts(reversed(everyday(PROMPTS))).run()

    assert done.server.calls == 0
    assert [proof["id"] for proof in done.proofs] == before[::-1]


def test_a_prompt_that_left_the_file_is_not_exported_and_costs_nothing(done: Project) -> None:
    gone = done.proofs[0]["id"]
    rows = [row for row in everyday(PROMPTS) if row["id"] != gone]

    said = done.prompts(rows).run()

    assert done.server.calls == 0
    assert said["prompts"] == PROMPTS - 1 == accounted(said)
    assert gone not in [proof["id"] for proof in done.proofs]


def test_a_prompt_that_comes_back_makes_no_call(done: Project) -> None:
    before = done.dataset
    done.prompts(everyday(PROMPTS - 3)).run()

    done.prompts(everyday(PROMPTS)).run()

    assert done.server.calls == 0
    assert done.dataset == before


def test_another_id_of_the_same_prompt_makes_no_call(done: Project) -> None:
    done.prompts({**row, "id": f"new {row['id']}"} for row in everyday(PROMPTS)).run()

    assert done.server.calls == 0
    assert all(proof["id"].startswith("new ") for proof in done.proofs)


@pytest.mark.parametrize(
    "change",
    [
        "sample.max_tokens=900",
        "sample.temperature=[0.5, 0.9, 1.3]",
        "sample.top_k=[7]",
        "sample.top_p=[0.7]",
        "sample.system=expert",
        "sample.seed=5",
        "endpoints.student.model=sim-weak",
        "endpoints.student.identity=another",
        "endpoints.student.reasoning=off",
        "endpoints.student.length_parameter=max_completion_tokens",
        "endpoints.student.seed=false",
        "endpoints.student.extra.min_p=0.1",
    ],
)
def test_a_change_of_this_field_samples_anew(done: Project, change: str) -> None:
    said = done.run("--set", change)

    assert bought(said, "student") == SAMPLES
    assert max(done.server.keys.values()) == 1


@pytest.mark.parametrize(
    "change",
    [
        "judge.max_tokens=900",
        "judge.temperature=0.5",
        "judge.rubric=advice",
        "endpoints.judge.model=sim-judge-middle",
        "endpoints.judge.identity=another",
        "endpoints.judge.reasoning=off",
        "endpoints.judge.json_mode=object",
        "endpoints.judge.length_parameter=max_completion_tokens",
        "endpoints.judge.extra.top_p=0.9",
    ],
)
def test_a_change_of_this_field_judges_anew_and_samples_nothing(done: Project, change: str) -> None:
    before = scores(done)
    said = done.run("--set", change)

    assert bought(said, "student") == 0
    assert bought(said, "judge") >= before


@pytest.mark.parametrize(
    "change",
    [
        "endpoints.student.concurrency=3",
        "endpoints.student.requests_per_minute=600000",
        "endpoints.student.tokens_per_minute=600000000",
        "endpoints.student.price={input=1, output=2}",
        "endpoints.student.timeout_s=60",
        "endpoints.student.reasoning=keep",
        "sample.max_screened=1",
        "name=other",
    ],
)
def test_a_change_of_what_no_request_holds_makes_no_call(done: Project, change: str) -> None:
    done.run("--set", change)

    assert done.server.calls == 0


def test_another_text_in_a_system_file_samples_anew(done: Project) -> None:
    persona = done.folder / "persona.md"
    persona.write_text("You are terse.")
    done.save(sample={**done.table["sample"], "system": ["persona.md"]})
    done.run()
    done.server.forget()
    persona.write_text("You are kind.")

    assert bought(done.run(), "student") == SAMPLES


def test_another_system_message_of_a_prompt_samples_that_prompt_anew(done: Project) -> None:
    rows = everyday(PROMPTS)
    place = next(place for place, row in enumerate(rows) if "prompt" in row)
    rows[place] = {**rows[place], "system": "Answer in two sentences."}

    assert bought(done.prompts(rows).run(), "student") == COMPLETIONS


# --- an endpoint that moved ----------------------------------------------------------------------


@pytest.fixture
def moved(done: Project) -> Project:
    """The student answers under another URL (of the same server)."""
    table = done.table["endpoints"]
    done.save(endpoints={**table, "student": {**table["student"], "base_url": done.server.url.removesuffix("/v1")}})
    return done


def test_a_known_endpoint_under_another_url_is_a_question_and_not_a_purchase(moved: Project) -> None:
    sentence = moved.fails()

    assert "--same-endpoint student" in sentence
    assert "--new-endpoint student" in sentence
    assert moved.server.calls == 0


def test_the_same_endpoint_at_another_url_goes_on_with_what_is_stored(moved: Project) -> None:
    before = moved.dataset

    moved.run("--same-endpoint", "student")
    moved.run()

    assert moved.server.calls == 0
    assert moved.dataset == before


def test_a_new_endpoint_at_another_url_is_bought_anew_once(moved: Project) -> None:
    said = moved.run("--new-endpoint", "student")
    again = moved.run()

    assert bought(said, "student") == SAMPLES
    assert again["calls"] == {}
    assert max(moved.server.keys.values()) == 1


def test_the_old_url_of_an_endpoint_is_still_known_after_a_new_one(moved: Project) -> None:
    moved.run("--new-endpoint", "student")
    moved.server.forget()
    table = moved.table["endpoints"]
    moved.save(endpoints={**table, "student": {**table["student"], "base_url": moved.server.url}})

    moved.run()

    assert moved.server.calls == 0


def test_an_endpoint_with_an_identity_of_its_own_may_move(project: Project) -> None:
    table = project.table["endpoints"]
    project.save(endpoints={**table, "student": {**table["student"], "identity": "ours"}})
    project.run()
    project.server.forget()

    project.run("--set", f"endpoints.student.base_url={project.server.url.removesuffix('/v1')}")

    assert project.server.calls == 0


def test_a_flag_for_an_endpoint_that_is_not_there_is_a_mistake(project: Project) -> None:
    assert "there is no such endpoint" in project.fails("--same-endpoint", "studnet")


# --- the folder of a run in the recipe's place ---------------------------------------------------


def test_the_folder_of_a_run_runs_again_with_its_stored_recipe_from_anywhere(
    done: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")

    ran = pairsmith("run", done.run_dir, "--json", "-q")

    assert ran.json["calls"] == {}
    assert ran.json["pairs"] == len(done.pairs)


def test_a_limit_takes_the_first_prompts_and_more_later_buys_only_the_rest(project: Project) -> None:
    first = project.run("--limit", 5)
    rest = project.run()

    assert (first["prompts"], rest["prompts"]) == (5, PROMPTS)
    assert bought(first, "student") == 5 * COMPLETIONS
    assert bought(rest, "student") == (PROMPTS - 5) * COMPLETIONS

"""Which task family a prompt is of, and the words that go by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fake_judge import a_prompt, reply

from pairsmith.judge import Panel, family_asked, with_family
from pairsmith.judge.case import Case
from pairsmith.judge.duel import both_orders, duel_request
from pairsmith.judge.rank import both_lists, rank_request
from pairsmith.judge.reference import reference_request
from pairsmith.judge.score import score_request
from pairsmith.judge.verdicts import FamilyVerdict, Unreadable, read_family
from pairsmith.outcomes import family_in, family_row, placed_as
from pairsmith.recipe import endpoints, recipe_of
from pairsmith.records import (
    Completion,
    CompletionId,
    Failure,
    FailureKind,
    Outcome,
    Prompt,
    RequestId,
)
from pairsmith.work import Work, make_work

NAMES = ("code", "creative", "other")


def work(**judge: object) -> Work:
    models = {name: {"model": name[0], "base_url": f"http://{name}/v1"} for name in ("student", "teacher", "small")}
    table = {
        "name": "stable",
        "prompts": {"path": "p.jsonl"},
        "endpoints": models,
        "sample": {"endpoints": ["student"], "completions": 4},
        "judge": {"panel": ["teacher"], "reference": "write", **judge},
    }
    recipe = recipe_of(table, "a test")
    return make_work(recipe, endpoints(recipe, {}))


def requests(prompt: Prompt, panel: Panel) -> list[str]:
    """The ids of the requests for a score, a duel, a ranking and a reference."""
    answers = [Completion(CompletionId(f"c{n}"), prompt.id, f"Answer {n}.", "arm") for n in range(2)]
    judge = panel.judges[0]
    how = panel.words, panel.settings, panel.structured[judge.name]
    order = both_orders(prompt.id, answers[0], answers[1], panel.chat_judges, panel.seed)[0]
    case = Case(prompt, {answer.id: answer for answer in answers}, {}, panel, {})
    return [
        score_request(prompt, answers[0], judge, *how).id,
        duel_request(prompt, order, *how).id,
        rank_request(prompt, both_lists(case)[0], *how).id,
        reference_request(prompt, panel).id,
    ]


# --- nothing is bought twice ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "ids"),
    [
        (
            "code",
            [
                "c0cae8cb2e50da8bf2c642bf7100c906",
                "8c28901d4a94cd1a9c49f2fdde27f0c3",
                "4771940b4e4ca33ce33f355ee21cccef",
                "a282d01b89edc0d9d92b3a43393cd9fe",
            ],
        ),
        (
            None,
            [
                "74d36fd8d32c26643550b46170d95899",
                "0e05f50c4479f36378e3e4836625d9b7",
                "4de6250c4fb30c042d4cff7109d7d7b6",
                "a282d01b89edc0d9d92b3a43393cd9fe",
            ],
        ),
    ],
)
def test_one_rubric_for_all_asks_what_it_asked_before_there_were_others(family: str | None, ids: list[str]) -> None:
    """Who changes a bundled word changes these on purpose: every run with it judges anew, so the changelog says so."""
    prompt = a_prompt("Sort a list.", meta={"family": family} if family else {})

    assert requests(prompt, work().panel) == ids


def test_families_at_their_default_leave_settled_prompts_settled() -> None:
    assert work(families="meta").digest == work().digest


def test_asking_for_families_and_their_rubrics_settle_anew() -> None:
    asked = {work(**judge).digest for judge in ({}, {"families": "ask"}, {"rubric": "family"})}

    assert len(asked) == 3


def test_a_family_without_a_rubric_is_judged_as_before() -> None:
    prompt = a_prompt("Good day.", meta={"family": "other"})

    assert requests(prompt, work(rubric="family").panel) == requests(prompt, work().panel)


def test_a_family_with_a_rubric_is_judged_by_it_whatever_is_asked() -> None:
    prompt = a_prompt("Sort a list.", meta={"family": "code"})
    by_family, general = requests(prompt, work(rubric="family").panel), requests(prompt, work().panel)

    assert by_family == requests(prompt, work(rubric="code").panel)
    assert not set(by_family) & set(general)


def test_a_folder_is_read_by_the_names_of_its_files(tmp_path: Path) -> None:
    for name in ("general", "code", "Readme"):
        (tmp_path / f"{name}.md").write_text(f"The rubric {name}.")
    words = work(rubric=str(tmp_path)).panel.words

    assert (words.rubric, words.rubrics) == ("The rubric general.", {"code": "The rubric code."})


# --- the question ---------------------------------------------------------------------------------


def follow(prompt: Prompt, panel: Panel, said: Sequence[str | FailureKind]) -> tuple[Prompt, list[str]]:
    """The prompt after these answers, and which endpoints were asked."""
    outcomes: dict[RequestId, Outcome] = {}
    asked = []
    for one in said:
        stands = family_asked(prompt, panel, outcomes)
        assert stands is not None and stands.owed is not None
        asked.append(str(stands.owed.endpoint))
        ident = stands.owed.id
        outcomes[ident] = Failure(ident, one, "no") if isinstance(one, FailureKind) else reply(stands.owed, one)
    return with_family(prompt, family_asked(prompt, panel, outcomes)), asked


def test_the_first_judge_that_is_a_chat_model_is_asked_or_whoever_is_named() -> None:
    prompt, said = a_prompt(), ['{"family": "code"}']

    assert follow(prompt, work(families="ask").panel, said)[1] == ["teacher"]
    assert follow(prompt, work(families="ask", family_judge="small").panel, said)[1] == ["small"]


def test_the_endpoint_that_is_named_for_families_samples_nothing_by_itself() -> None:
    recipe = work(families="ask", family_judge="small").recipe
    assert recipe.sample is not None
    free = recipe.model_copy(update={"sample": recipe.sample.model_copy(update={"endpoints": ()})})

    assert free.sampled_endpoints == ("student",)


def test_its_answer_is_the_prompts_family_and_its_id_stays() -> None:
    prompt = a_prompt(meta={"language": "en"})
    placed, _ = follow(prompt, work(families="ask").panel, ['{"family": "creative"}'])

    assert (placed.family, placed.id, placed.meta["language"]) == ("creative", prompt.id, "en")


def test_what_cannot_be_read_is_asked_once_more_with_what_was_wrong() -> None:
    panel = work(families="ask").panel
    first = family_asked(a_prompt(), panel, {})
    assert first is not None and first.owed is not None
    again = family_asked(a_prompt(), panel, {first.owed.id: reply(first.owed, '{"family": "poetry"}')})
    assert again is not None and again.owed is not None
    messages = again.owed.body["messages"]
    assert isinstance(messages, list)

    assert again.reasked
    assert isinstance(complaint := messages[-1], dict)
    assert "not 'poetry'" in str(complaint["content"])
    assert "rationale" not in str(complaint["content"])


@pytest.mark.parametrize("said", [["code", "?"], [FailureKind.PERMANENT], ["", FailureKind.PERMANENT]])
def test_without_an_answer_there_is_no_family_and_none_is_assumed(said: list[str | FailureKind]) -> None:
    assert follow(a_prompt(), work(families="ask").panel, said)[0].family == ""


@pytest.mark.parametrize("family", ["code", "knitting", 7])
def test_a_row_that_names_any_family_is_asked_nothing(family: object) -> None:
    assert family_asked(a_prompt(meta={"family": family}), work(families="ask").panel, {}) is None


@pytest.mark.parametrize("family", [None, "", "  "])
def test_a_row_whose_family_is_blank_names_none(family: object) -> None:
    assert family_asked(a_prompt(meta={"family": family}), work(families="ask").panel, {}) is not None


def test_unless_it_is_wanted_nothing_is_asked() -> None:
    assert family_asked(a_prompt(), work().panel, {}) is None


def test_neither_the_answers_nor_a_reference_nor_a_rubric_stand_in_the_question() -> None:
    prompt = a_prompt("Which one?", reference="The reference.")
    one, other = (work(families="ask", rubric=rubric).panel for rubric in ("general", "code"))
    asked, same = (family_asked(prompt, panel, {}) for panel in (one, other))
    bare = family_asked(replace(prompt, reference=None), one, {})
    assert asked is not None and same is not None and bare is not None

    assert asked.request_id == same.request_id == bare.request_id


def test_names_of_the_recipe_may_be_chosen_too() -> None:
    panel = work(families="ask", criteria={"legal": "the right clause."}).panel

    assert follow(a_prompt(), panel, ['{"family": "legal"}'])[0].family == "legal"


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ['{"family": "code"}', '```json\n{"family": "code", "why": "it runs"}\n```'])
def test_a_name_that_was_offered_is_read(said: str) -> None:
    assert read_family(said, NAMES) == FamilyVerdict(family="code")


@pytest.mark.parametrize(
    "said",
    ["code", '{"family": "Code"}', '{"family": ["code"]}', '{"family": "code"} or {"family": "other"}', "{}", ""],
)
def test_nothing_else_is_a_family(said: str) -> None:
    assert isinstance(read_family(said, NAMES), Unreadable)


# --- what an outcome keeps ------------------------------------------------------------------------


def test_an_outcome_gives_back_the_family_that_was_asked_for_and_who_said_so() -> None:
    prompt, call = a_prompt(), RequestId("a call")
    body = family_row(replace(prompt, meta={"family": "translation"}), call)

    assert family_in(prompt, body) == ("translation", call)
    assert placed_as(prompt, body).family == "translation"


def test_without_a_call_the_row_says_it() -> None:
    prompt = a_prompt(meta={"family": "code"})

    assert family_in(prompt, family_row(prompt, None)) == family_in(prompt, {}) == ("code", None)
    assert placed_as(prompt, {}) is prompt


def test_a_family_that_was_asked_for_in_vain_is_none() -> None:
    prompt, call = a_prompt(), RequestId("a call")

    assert family_in(prompt, family_row(prompt, call)) == (None, call)
    assert placed_as(prompt, family_row(prompt, call)).family == ""

"""Every fault of the simulator through the real command line: what the server saw, what the ledger holds, what is said.

Faults meet the student only, or the judge only, so that each has its one place; request ids do not depend on the
port, so which requests meet a fault is the same in every run of these tests.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from cli_runs import Project, Ran, Server, accounted, bought, everyday, pairsmith, serving, sides
from pairsmith.simulator.faults import FAULTS
from pairsmith.wire import gate, online

MAX_ATTEMPTS = 6
SHARE = 0.3
DRAWS = 4  # completions a prompt

# What each fault is called in the ledger. Each class gets a section below.
FATAL = {
    "401": "refused_key", "402": "quota", "403": "refused_key", "quota": "quota", "404-model": "no_such_model",
}  # fmt: skip
PERMANENT = {"400-context": "context_length", "content-filter": "content_filter", "413": "too_large"}
REFUSED_PARAMETER = {"400-parameter": "Unsupported parameter: 'top_k'.", "422": "value_error"}
THROTTLED = {
    "429": "http_429", "429-after": "http_429", "429-after-date": "http_429", "429-after-ms": "http_429",
    "429-after-litellm": "http_429", "503-after": "http_503", "529": "http_529",
}  # fmt: skip
TRANSIENT = {
    "408": "http_408", "409": "http_409", "500": "http_500", "500-close": "http_500", "502": "http_502",
    "503": "http_503", "429-flex": "resource_unavailable", "html": "html", "empty-body": "not_json",
    "cut-json": "not_json", "bad-utf8": "bad_utf8", "error-200": "error_in_200", "error-list": "http_503",
    "error-message": "http_500", "error-detail": "http_500", "reset": "reset", "hang": "timeout", "drip": "timeout",
    "no-choices": "no_choices", "empty-choices": "no_choices",
}  # fmt: skip
FLAGGED = {
    "length": "cut_off", "think-leak": "reasoning_left", "blank": "empty", "null-content": "empty",
    "filtered": "refusal", "refusal": "refusal", "tool-call": "tool_call", "surrogate": "mended",
}  # fmt: skip
HARMLESS = ("no-finish", "no-usage", "other-model")
JUDGES = ("unreadable", "fenced", "out-of-range", "unknown-label")


def test_every_fault_of_the_simulator_has_its_place_here() -> None:
    places = [*FATAL, *PERMANENT, *REFUSED_PARAMETER, *THROTTLED, *TRANSIENT, *FLAGGED, *HARMLESS, *JUDGES]

    assert sorted(places) == sorted(FAULTS)


# --- a run whose student or judge fails ----------------------------------------------------------

# Where a constant of wire/ stands may change; that it exists may not. SILENT_S is raised: what is refused here is
# refused by chance, and no rate is to be learnt from it.
PAUSES_S = {"BACKOFF_S": 0.002, "MAX_PROBE_S": 0.01, "PROBE_S": 0.005, "SILENT_S": 60.0}
SEED = 1  # of the simulators: no fault meets the first three requests in a row, which would stop the run


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoffs and pauses of milliseconds."""
    assert gate and online  # loaded, so that they are found
    wire = [module for name, module in sys.modules.items() if name.startswith("pairsmith.wire.")]
    for constant, seconds in PAUSES_S.items():
        homes = [module for module in wire if hasattr(module, constant)]
        assert homes, f"pairsmith.wire has no {constant} any more"
        for home in homes:
            monkeypatch.setattr(home, constant, seconds)


@dataclass(frozen=True)
class Trial:
    """A project whose student and judge are two servers, each with faults of its own."""

    project: Project
    student: Server
    judge: Server

    def run(self, *more: object) -> Ran:
        """Run the recipe; afterwards both servers and the ledger must tell the same story."""
        ran = pairsmith(*self.project.words(*more))
        assert accounted(ran.json) == ran.json["prompts"]
        self._agree(ran.json["total"]["attempts"])
        self._exported_texts_are_answers()
        return ran

    def mend(self) -> None:
        """No faults any more."""
        self.student.faults()
        self.judge.faults()

    @property
    def keys(self) -> Counter[str]:
        """How often the servers saw each request."""
        return self.student.keys + self.judge.keys

    @property
    def outcomes(self) -> Counter[str]:
        """How many attempts at the student came to what."""
        return self.outcomes_of("student")

    def outcomes_of(self, endpoint: str) -> Counter[str]:
        rows = self.project.sql(f"SELECT outcome FROM attempts WHERE endpoint = '{endpoint}'")
        return Counter(outcome for (outcome,) in rows)

    @property
    def replies(self) -> dict[str, Any]:
        """The stored answers of the student, parsed, by request; requests that failed for good are left out."""
        rows = self.project.sql(
            "SELECT request, raw FROM replies WHERE raw IS NOT NULL AND request IN"
            " (SELECT request FROM attempts WHERE endpoint = 'student')"
        )
        return {request: lenient(raw) for request, raw in rows}

    @property
    def stored(self) -> int:
        """How many requests have come to something final."""
        ((count,),) = self.project.sql("SELECT count(*) FROM replies")
        return int(count)

    @property
    def evidence(self) -> list[Any]:
        """What is stored behind each prompt's outcome."""
        return [orjson.loads(body) for (body,) in self.project.sql("SELECT body FROM outcomes")]

    @property
    def flags(self) -> Counter[str]:
        """The flags of all completions, as the outcomes count them."""
        return Counter(flag for body in self.evidence for flag, count in body["flags"].items() for _ in range(count))

    @property
    def unreadable(self) -> int:
        """Replies of the judge that were no verdict; the simulated one forgets the form of its own accord, too."""
        return sum(body.get("unreadable", 0) for body in self.evidence)

    @property
    def paired(self) -> set[str]:
        """The completions that stand in pairs."""
        return {proof[side]["completion"] for proof in self.project.proofs for side in ("chosen", "rejected")}

    def _agree(self, attempts: int) -> None:
        sent = self.project.sql("SELECT request, count(*) FROM attempts WHERE outcome <> 'not_sent' GROUP BY request")
        assert dict(sent) == self.keys
        assert self.student.calls + self.judge.calls == self.keys.total() == attempts
        assert self.project.sql("SELECT count(*) FROM attempts WHERE outcome IS NULL") == [(0,)]
        # What was answered is never asked again, not in this run and not in the next.
        assert not self.project.sql(
            "SELECT request FROM attempts a JOIN attempts b USING (request) WHERE a.outcome = 'ok' AND b.id > a.id"
        )
        assert self.project.sql("SELECT count(*) FROM attempts WHERE outcome = 'ok'") == self.project.sql(
            "SELECT count(*) FROM replies WHERE raw IS NOT NULL"
        )

    def _exported_texts_are_answers(self) -> None:
        """Nothing that failed is ever text: each is the answer it is said to be, and one that the simulator knows."""
        texts = [text for row in self.project.pairs for text in sides(row)]
        if not texts:
            return
        replies = self.replies
        named = [proof[side]["completion"] for proof in self.project.proofs for side in ("chosen", "rejected")]
        contents = [replies[ident]["choices"][0]["message"]["content"] for ident in named]
        assert [content.endswith(text) for content, text in zip(contents, texts, strict=True)] == [True] * len(texts)
        assert None not in self.student.truth(texts)
        said = [message for (message,) in self.project.sql("SELECT DISTINCT message FROM attempts") if message]
        assert not [text for text in texts for message in said if message in text or text in message]


def lenient(raw: bytes) -> Any:
    """A stored body; orjson takes no lone surrogates."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return json.loads(raw)


Start = Callable[..., Trial]


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Start]:
    """Makes a trial: faults of the student and of the judge by their rates, and the student's other settings."""
    with ExitStack() as servers:

        def start(
            student: Mapping[str, float] | None = None,
            judge: Mapping[str, float] | None = None,
            prompts: int = 4,
            retry_after_s: float = 0.01,
            concurrency: int = 1,
            **more: Any,
        ) -> Trial:
            one, other = (
                servers.enter_context(serving(seed=SEED, faults=dict(faults or {}), retry_after_s=retry_after_s))
                for faults in (student, judge)
            )
            project = Project(tmp_path, one).prompts(everyday(prompts))
            shared = {"concurrency": concurrency, "timeout_s": 30.0}
            endpoints = {
                "student": {"model": "sim-student", "identity": "s", "base_url": one.url, **shared, **more},
                "judge": {"model": "sim-judge", "identity": "j", "base_url": other.url, **shared},
            }
            project.save(endpoints=endpoints)
            return Trial(project, one, other)

        yield start


def fault_count(server: Server, fault: str) -> int:
    return int(server.stats()["by_fault"].get(fault, 0))


def patience(fault: str) -> dict[str, float]:
    """Where nothing ever comes: a short timeout, and two that wait at a time."""
    return {"timeout_s": 0.3, "concurrency": 2} if fault in ("hang", "drip") else {}


# --- fatal ---------------------------------------------------------------------------------------

REMEDIES = {
    "401": "set a valid key", "402": "top up", "403": "set a valid key", "quota": "top up",
    "404-model": "mend model, or base_url",
}  # fmt: skip


@pytest.mark.parametrize("fault", FATAL)
def test_a_fatal_fault_stops_the_run_at_once_and_names_the_remedy(trial: Start, fault: str) -> None:
    tried = trial(student={fault: 1.0}, concurrency=3)
    ran = tried.run()

    assert (ran.code, ran.json["stopped"]) == (3, FATAL[fault])
    assert "pairsmith: endpoint student (sim-student) " in ran.err
    assert REMEDIES[fault] in ran.err
    assert ran.json["not_reached"] == ran.json["prompts"]
    assert 1 <= tried.student.calls <= 3
    assert set(tried.keys.values()) == {1}
    assert tried.outcomes - Counter(not_sent=99) == {FATAL[fault]: tried.student.calls}
    assert (tried.judge.calls, tried.stored) == (0, 0)

    tried.mend()
    ran = tried.run()

    assert (ran.code, ran.json["not_reached"], ran.json["failed"]) == (0, 0, {})


@pytest.mark.parametrize("fault", FATAL)
def test_a_fatal_fault_of_the_judge_loses_no_answer_of_the_student(trial: Start, fault: str) -> None:
    tried = trial(judge={fault: 1.0}, concurrency=3)
    ran = tried.run()
    answers = tried.outcomes["ok"]
    first = tried.student.keys

    assert (ran.code, ran.json["stopped"]) == (3, FATAL[fault])
    assert "pairsmith: endpoint judge (sim-judge) " in ran.err
    assert REMEDIES[fault] in ran.err
    assert 1 <= tried.judge.calls <= 3
    assert answers == tried.stored == len(first) >= DRAWS

    tried.mend()
    ran = tried.run()

    assert (ran.code, ran.json["not_reached"]) == (0, 0)
    assert set(tried.student.keys.values()) == {1}


@pytest.mark.parametrize("fault", FATAL)
def test_a_fatal_fault_in_the_middle_keeps_what_was_answered_before_and_beside_it(trial: Start, fault: str) -> None:
    tried = trial(student={fault: 0.1}, prompts=12, concurrency=3)
    ran = tried.run()
    refused, answered = tried.outcomes[FATAL[fault]], tried.outcomes["ok"]

    assert (ran.code, ran.json["stopped"]) == (3, FATAL[fault])
    assert 1 <= refused <= 3
    assert 0 < answered < 12 * DRAWS
    assert answered == len(tried.replies)
    assert ran.json["failed"] == {}

    tried.mend()
    ran = tried.run()

    assert (ran.code, ran.json["not_reached"], ran.json["failed"]) == (0, 0, {})
    assert Counter(tried.student.keys.values()) == {1: 12 * DRAWS - refused, 2: refused}


# --- permanent for one request -------------------------------------------------------------------


@pytest.mark.parametrize("fault", PERMANENT)
def test_a_request_that_fails_for_good_is_not_tried_again_and_its_prompt_goes_on_without_it(
    trial: Start, fault: str
) -> None:
    tried = trial(student={fault: SHARE}, prompts=6)
    ran = tried.run()
    failed, said = fault_count(tried.student, fault), ran.json

    assert (ran.code, said["stopped"], said["not_reached"]) == (0, None, 0)
    assert 0 < failed < 6 * DRAWS
    assert set(tried.keys.values()) == {1}
    assert tried.outcomes == {"ok": 6 * DRAWS - failed, PERMANENT[fault]: failed}
    assert tried.stored == len(tried.keys)
    assert said["completions"] == 6 * DRAWS - failed
    assert set(said["failed"]) <= {PERMANENT[fault]}
    assert said["pairs"] > 0

    again = tried.run()

    assert again.json["calls"] == {}


@pytest.mark.parametrize("fault", PERMANENT)
def test_where_every_request_fails_for_good_no_prompt_succeeds_and_none_is_asked_again(
    trial: Start, fault: str
) -> None:
    tried = trial(student={fault: 1.0}, prompts=3)
    ran = tried.run()

    assert (ran.code, ran.json["stopped"]) == (3, "no_prompt_succeeded")
    assert "no prompt succeeded" in ran.err
    assert ran.json["failed"] == {PERMANENT[fault]: 3}
    assert tried.outcomes == {PERMANENT[fault]: 3 * DRAWS}
    assert set(tried.keys.values()) == {1}

    again = tried.run()

    assert (again.json["calls"], again.json["failed"]) == ({}, {PERMANENT[fault]: 3})


@pytest.mark.parametrize("fault", PERMANENT)
def test_a_verdict_that_fails_for_good_is_missing_and_nothing_else_is(trial: Start, fault: str) -> None:
    tried = trial(judge={fault: SHARE}, prompts=6)
    ran = tried.run()
    failed, said = fault_count(tried.judge, fault), ran.json

    assert (ran.code, said["stopped"], said["failed"], said["not_reached"]) == (0, None, {}, 0)
    assert failed > 0
    assert set(tried.keys.values()) == {1}
    assert tried.outcomes_of("judge") == {"ok": said["verdicts"] + tried.unreadable, PERMANENT[fault]: failed}
    assert said["completions"] == 6 * DRAWS


@pytest.mark.parametrize("fault", REFUSED_PARAMETER)
def test_a_parameter_that_every_request_is_refused_for_stops_the_run_after_three(trial: Start, fault: str) -> None:
    tried = trial(student={fault: 1.0})
    ran = tried.run()

    assert (ran.code, ran.json["stopped"]) == (3, "parameter_refused")
    assert "pairsmith: endpoint student (sim-student) refuses every request with" in ran.err
    assert REFUSED_PARAMETER[fault] in ran.err
    assert "take the parameter it names out of the recipe" in ran.err
    assert tried.outcomes - Counter(not_sent=99) == {"bad_request": 3}
    assert (len(tried.keys), tried.keys.total(), tried.stored) == (3, 3, 0)

    tried.mend()
    ran = tried.run()

    assert (ran.code, ran.json["not_reached"], ran.json["failed"]) == (0, 0, {})


@pytest.mark.parametrize("fault", REFUSED_PARAMETER)
def test_a_refusal_that_only_some_requests_meet_costs_each_one_attempt(trial: Start, fault: str) -> None:
    tried = trial(student={fault: SHARE}, prompts=6)
    ran = tried.run()
    failed, said = fault_count(tried.student, fault), ran.json

    assert (ran.code, said["stopped"], said["not_reached"]) == (0, None, 0)
    assert 0 < failed < 6 * DRAWS
    assert set(tried.keys.values()) == {1}
    assert tried.outcomes == {"ok": 6 * DRAWS - failed, "bad_request": failed}
    assert said["completions"] == 6 * DRAWS - failed
    assert set(said["failed"]) <= {"bad_request"}


# --- throttled -----------------------------------------------------------------------------------


# How long each refusal asks to wait, at least: a date's second may be nearly over. A plain 429 does not say.
ASKED_S = {"429": 0.0, "429-after-date": 0.5}


@pytest.mark.parametrize("fault", THROTTLED)
def test_throttled_requests_are_all_answered_in_the_end_and_not_before_the_pause_asked_for(
    trial: Start, fault: str
) -> None:
    tried = trial(student={fault: SHARE}, prompts=2, retry_after_s=0.0 if fault == "429-after-date" else 0.15)
    ran = tried.run()
    refused = fault_count(tried.student, fault)

    assert (ran.code, ran.json["stopped"], ran.json["failed"], ran.json["not_reached"]) == (0, None, {}, 0)
    assert refused > 1
    assert tried.outcomes == {"ok": 2 * DRAWS, THROTTLED[fault]: refused}
    assert tried.stored == len(tried.keys)
    assert ran.json["completions"] == 2 * DRAWS == bought(ran.json, "student")
    assert ran.json["attempts"]["student"] == 2 * DRAWS + refused
    assert ran.json["wall_s"] >= (refused - 1) * ASKED_S.get(fault, 0.15)


@pytest.mark.parametrize("fault", ["429", "429-after-ms"])
def test_being_throttled_uses_up_no_attempts(trial: Start, fault: str) -> None:
    tried = trial(student={fault: 0.85}, prompts=1)
    ran = tried.run()

    assert (ran.code, ran.json["failed"], ran.json["completions"]) == (0, {}, DRAWS)
    assert max(tried.student.keys.values()) > MAX_ATTEMPTS


# --- transient -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", TRANSIENT)
def test_what_fails_for_now_is_tried_again_under_the_same_key(trial: Start, fault: str) -> None:
    tried = trial(student={fault: SHARE}, **patience(fault))
    ran = tried.run()
    failed = fault_count(tried.student, fault)

    assert (ran.code, ran.json["stopped"], ran.json["failed"], ran.json["not_reached"]) == (0, None, {}, 0)
    assert failed > 0
    assert tried.outcomes == {"ok": 4 * DRAWS, TRANSIENT[fault]: failed}
    assert len(tried.student.keys) == 4 * DRAWS
    assert max(tried.student.keys.values()) <= MAX_ATTEMPTS
    assert tried.stored == len(tried.keys)
    assert bought(ran.json, "student") == 4 * DRAWS


@pytest.mark.parametrize("fault", TRANSIENT)
def test_what_fails_six_times_has_failed_and_is_owed_again_on_the_next_run(trial: Start, fault: str) -> None:
    tried = trial(student={fault: 1.0}, prompts=1, **patience(fault))
    tried.project.save(sample={**tried.project.table["sample"], "completions": 2})
    ran = tried.run()

    assert (ran.code, ran.json["stopped"]) == (3, "no_prompt_succeeded")
    assert ran.json["failed"] == {TRANSIENT[fault]: 1}
    assert sorted(tried.student.keys.values()) == [MAX_ATTEMPTS] * 2
    assert tried.outcomes == {TRANSIENT[fault]: 2 * MAX_ATTEMPTS}
    assert (tried.stored, tried.judge.calls, tried.project.pairs) == (0, 0, [])

    tried.mend()
    ran = tried.run()

    assert (ran.code, ran.json["failed"], ran.json["completions"]) == (0, {}, 2)
    assert sorted(tried.student.keys.values()) == [MAX_ATTEMPTS + 1] * 2


# --- bad content in a good envelope --------------------------------------------------------------


def is_spoiled(reply: Any) -> bool:
    """Whether a reply of the student carries a fault that a flag stands for."""
    choice = reply["choices"][0]
    content = choice["message"]["content"] or ""
    return (
        choice["finish_reason"] != "stop" or not content.strip() or "</think>" in content or content.endswith("\ud83d")
    )


@pytest.mark.parametrize("fault", FLAGGED)
def test_bad_content_is_stored_and_flagged_and_in_no_pair(trial: Start, fault: str) -> None:
    tried = trial(student={fault: SHARE}, reasoning="off")
    ran = tried.run()
    spoiled = {request for request, reply in tried.replies.items() if is_spoiled(reply)}

    assert (ran.code, ran.json["stopped"], ran.json["failed"], ran.json["not_reached"]) == (0, None, {}, 0)
    assert len(spoiled) == fault_count(tried.student, fault) > 0
    assert tried.flags[FLAGGED[fault]] == len(spoiled)
    assert set(tried.keys.values()) == {1}
    assert tried.stored == len(tried.keys)
    assert ran.json["completions"] == 4 * DRAWS
    assert ran.json["pairs"] > 0
    assert tried.paired.isdisjoint(spoiled)


def test_thoughts_that_are_stripped_leave_the_answer_behind_them(trial: Start) -> None:
    tried = trial(student={"think-leak": 0.7})
    ran = tried.run()
    spoiled = {request for request, reply in tried.replies.items() if is_spoiled(reply)}

    assert (ran.code, ran.json["pairs"] > 0) == (0, True)
    assert tried.flags["reasoning_left"] == 0
    assert tried.paired & spoiled
    texts = [text for row in tried.project.pairs for text in sides(row)]
    assert not [text for text in texts if "think>" in text or "what the user really wants" in text]


CAUSES = {
    "length": "cut off by max_tokens = 1024", "think-leak": 'reasoning = "strip"', "blank": "are empty",
    "null-content": "are empty", "filtered": "are refusals", "refusal": "are refusals", "tool-call": "call a tool",
    "surrogate": "broken characters",
}  # fmt: skip


@pytest.mark.parametrize("fault", FLAGGED)
def test_a_student_whose_every_answer_is_bad_stops_the_run_and_the_cause_is_named(trial: Start, fault: str) -> None:
    tried = trial(student={fault: 1.0}, prompts=8, reasoning="off")
    ran = tried.run()

    assert (ran.code, ran.json["stopped"], ran.json["pairs"]) == (3, "screened", 0)
    assert "20 of the first 20 completions cannot be used" in ran.err
    assert CAUSES[fault] in ran.err
    assert tried.judge.calls == 0
    assert set(tried.keys.values()) == {1}
    assert tried.outcomes - Counter(not_sent=99) == {"ok": tried.stored}


@pytest.mark.parametrize("fault", HARMLESS)
def test_an_answer_that_lacks_only_a_field_is_an_answer(trial: Start, fault: str) -> None:
    tried = trial(student={fault: 1.0}, judge={fault: 1.0})
    ran = tried.run()

    assert (ran.code, ran.json["stopped"], ran.json["failed"], ran.json["not_reached"]) == (0, None, {}, 0)
    assert set(tried.keys.values()) == {1}
    assert tried.outcomes == {"ok": 4 * DRAWS}
    assert set(tried.flags) <= {"duplicate"}
    assert ran.json["pairs"] > 0


def test_the_model_that_really_answered_is_named_beside_every_pair(trial: Start) -> None:
    tried = trial(student={"other-model": 1.0})
    tried.run()

    models = {proof[side]["model"] for proof in tried.project.proofs for side in ("chosen", "rejected")}
    assert models == {"sim-student-2026-11-01"}


def test_without_a_token_count_the_cost_is_unknown_and_not_zero(trial: Start) -> None:
    tried = trial(student={"no-usage": SHARE}, price={"input": 1.0, "output": 10.0})
    table = tried.project.table["endpoints"]
    table["judge"]["price"] = table["student"]["price"]
    tried.project.save()
    ran = tried.run()

    assert (ran.code, ran.json["cost_usd"], ran.json["total"]["cost_usd"]) == (0, None, None)


# --- what judges reply ---------------------------------------------------------------------------


def test_a_verdict_in_a_fence_is_a_verdict(trial: Start) -> None:
    tried = trial(judge={"fenced": 1.0})
    ran = tried.run()

    assert (ran.code, ran.json["failed"]) == (0, {})
    assert tried.outcomes_of("judge") == {"ok": ran.json["verdicts"] + tried.unreadable}
    assert tried.unreadable < 4
    assert set(tried.keys.values()) == {1}
    assert ran.json["pairs"] > 0


@pytest.mark.parametrize("fault", ["unreadable", "out-of-range"])
def test_a_judge_that_is_never_readable_is_asked_twice_and_gives_no_verdict(trial: Start, fault: str) -> None:
    tried = trial(judge={fault: 1.0})
    ran = tried.run()
    replies = 2 * (4 * DRAWS - tried.flags["duplicate"])

    assert (ran.code, ran.json["stopped"]) == (0, None)
    assert (ran.json["verdicts"], ran.json["pairs"]) == (0, 0)
    assert ran.json["abstained"] == {"too_few_scored": 4}
    assert tried.outcomes_of("judge") == {"ok": replies}
    assert set(tried.keys.values()) == {1}
    assert f"{replies} replies of judges could not be read as verdicts" in ran.err


@pytest.mark.parametrize("fault", ["unreadable", "out-of-range"])
def test_a_judge_that_is_sometimes_unreadable_is_asked_again_for_that_verdict(trial: Start, fault: str) -> None:
    tried = trial(judge={fault: SHARE})
    ran = tried.run()
    spoiled, said = fault_count(tried.judge, fault), ran.json

    assert (ran.code, said["failed"], said["not_reached"]) == (0, {}, 0)
    assert tried.unreadable >= spoiled > 0
    assert tried.outcomes_of("judge") == {"ok": said["verdicts"] + tried.unreadable}
    assert set(tried.keys.values()) == {1}
    assert f"{tried.unreadable} replies of judges could not be read as verdicts" in ran.err
    assert said["pairs"] > 0


def test_a_judge_that_names_a_label_nobody_has_is_asked_again_and_then_there_is_no_pair(trial: Start) -> None:
    tried = trial(judge={"unknown-label": 1.0}, prompts=6)
    tried.project.save(pair={"min_gap": 9.0, "verify_gap": 0.5, "chosen_floor": 1.0})
    ran = tried.run()
    lost = ran.json["abstained"]["no_verdict"]
    duels = tried.project.sql("SELECT count(DISTINCT request) FROM attempts WHERE purpose = 'duel'")[0][0]

    assert ran.code == 0
    assert lost > 2
    assert all(proof["gap"] >= 9 for proof in tried.project.proofs)  # so clear that nobody was asked to compare
    assert duels == lost * 2 * 2  # in both orders, and each asked again
    assert set(tried.keys.values()) == {1}
    assert tried.outcomes_of("judge") == {"ok": ran.json["verdicts"] + tried.unreadable}
    assert tried.unreadable >= duels
    assert f"{tried.unreadable} replies of judges could not be read as verdicts" in ran.err


# --- all at once ---------------------------------------------------------------------------------


def test_a_run_that_meets_everything_that_is_not_fatal_gets_to_its_end_and_buys_nothing_twice(trial: Start) -> None:
    everything = [fault for fault in FAULTS if fault not in FATAL]
    rates = dict.fromkeys(everything, 0.2 / len(everything))
    tried = trial(rates, rates, prompts=60, retry_after_s=0.0, concurrency=8, timeout_s=1.0)
    tried.project.table["endpoints"]["judge"]["timeout_s"] = 1.0
    tried.project.save()
    ran = tried.run()

    assert (ran.code, ran.json["stopped"], ran.json["prompts"]) == (0, None, 60)
    assert ran.json["not_reached"] == 0
    assert ran.json["pairs"] > 20
    assert len(tried.student.stats()["by_fault"]) > 15

    tried.mend()
    before, answered = tried.keys, tried.project.sql("SELECT request FROM replies")
    ran = tried.run()
    done = tried.run()

    assert (ran.code, ran.json["not_reached"]) == (0, 0)
    assert set(ran.json["failed"]) <= {*PERMANENT.values(), "bad_request"}
    assert all(tried.keys[request] == before[request] for (request,) in answered)
    assert (done.code, done.json["calls"]) == (0, {})

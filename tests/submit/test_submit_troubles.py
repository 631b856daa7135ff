"""What goes wrong at a platform, and before: the exit code, the platform's words, and that nothing is made."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from submit_desk import KEY, PLATFORMS, PLAYS, Desk

from cli_runs import pairsmith, write_rows
from pairsmith.submitting import following
from pairsmith.submitting.limits import LAST_NEW_JOB, Span, closing, flag
from pairsmith.submitting.limits import PLATFORMS as TABLE
from pairsmith.training import Training

ASKED_FIRST = {"openai": "upload", "azure": "upload", "together": "limits", "fireworks": "upload"}
FAILED = {"openai": "failed", "together": "error", "fireworks": "JOB_STATE_FAILED"}
CANCELLED = {"openai": "cancelled", "together": "cancelled", "fireworks": "JOB_STATE_CANCELLED"}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_failed_job_exits_1_with_the_platforms_words(desk: Desk, platform: str) -> None:
    desk.server.script.states[PLAYS[platform]][-1] = FAILED[PLAYS[platform]]
    desk.server.script.reason = f"{KEY}: the loss went to the moon"

    ran = desk.submit(platform, "--watch", "--json")

    assert ran.code == 1
    assert "the loss went to the moon" in ran.json["reason"]
    assert ran.json["model"] is None


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_cancelled_job_exits_1(desk: Desk, platform: str) -> None:
    desk.server.script.states[PLAYS[platform]][-1] = CANCELLED[PLAYS[platform]]

    assert desk.submit(platform, "--watch").code == 1


@pytest.mark.parametrize("state", ["user_error"])
def test_a_state_that_the_clients_types_do_not_know_is_an_end_too(desk: Desk, state: str) -> None:
    desk.server.script.states["together"] = ["pending", state]

    assert desk.submit("together", "--watch").code == 1


REJECTED = {
    "openai": ["error"],
    "azure": ["uploaded", "error"],
    "together": ["PENDING", "QUEUED", "INVALID_FORMAT"],
    "fireworks": ["BAD"],
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_file_that_the_platform_rejects_exits_1_with_its_words(desk: Desk, platform: str) -> None:
    desk.server.script.file_states = REJECTED[platform]
    desk.server.script.report = "Line 7: `messages[1]` must contain a `role` field"

    ran = desk.submit(platform, "--json")

    assert ran.code == 1
    assert "must contain a `role` field" in ran.json["reason"]
    assert ran.json["stopped"] == "rejected"
    assert desk.server.world.jobs == {}


def test_an_upload_that_is_too_large_for_the_platform_exits_1(desk: Desk) -> None:
    desk.server.script.trouble["upload"] = [(413, {"error": {"message": "over the storage limit"}})]

    ran = desk.submit("openai", "--json")

    assert (ran.code, desk.server.world.jobs) == (1, {})
    assert "over the storage limit" in ran.json["reason"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_refused_key_exits_3_and_names_the_variable(desk: Desk, platform: str) -> None:
    desk.server.script.trouble[ASKED_FIRST[platform]] = [(401, {"error": {"message": f"bad key {KEY}"}})]

    ran = desk.submit(platform, "--json")

    assert (ran.code, ran.json["stopped"]) == (3, "refused_key")
    assert "_API_KEY" in ran.err
    assert "[key]" in ran.err


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_empty_account_exits_3_and_makes_nothing(desk: Desk, platform: str) -> None:
    said = {"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}}
    desk.server.script.trouble["create"] = [(429, said)]

    ran = desk.submit(platform, "--json")

    assert (ran.code, ran.json["stopped"], ran.json["job"]) == (3, "quota", None)
    assert "credit" in ran.err
    assert desk.submit(platform).code == 0


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_few_polls_that_fail_do_not_end_the_watching(desk: Desk, platform: str) -> None:
    desk.server.script.trouble |= {"job": [500, 429, "reset", "html", 503], "events": [500, "html"]}

    ran = desk.submit(platform, "--watch", "--json")

    assert ran.code == 0, ran.err


def test_a_platform_that_is_away_for_long_ends_the_watching_and_not_the_job(desk: Desk) -> None:
    desk.server.script.trouble["job"] = [500] * 40

    ran = desk.submit("together", "--watch", "--json")

    assert (ran.code, ran.json["stopped"], ran.json["job"]) == (3, "unreachable", "ft-1")
    assert desk.submit("together", "--watch").code == 0


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_order_that_the_platform_refuses_exits_2_with_its_words(desk: Desk, platform: str) -> None:
    desk.server.script.trouble["create"] = [(400, {"error": {"message": "no such model: m"}})]

    ran = desk.submit(platform)

    assert ran.code == 2
    assert "no such model: m" in ran.err


def test_a_platform_that_is_not_there_exits_3(desk: Desk, unused_url: str) -> None:
    ran = desk.submit("openai", "--base-url", unused_url, "--json")

    assert (ran.code, ran.json["stopped"]) == (3, "unreachable")


@pytest.fixture
def unused_url() -> str:
    return "http://127.0.0.1:9/v1"  # the port of discard, which nobody serves


def test_a_job_that_the_platform_does_not_know_is_said_to_be_another_accounts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "SETTLES_S", 0.05)  # half a minute of asking, passed by quickly
    desk.submit("together")
    desk.server.world.jobs.clear()

    ran = desk.submit("together")

    assert ran.code == 2
    assert "--again" in ran.err


# --- before anything is sent ------------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
def test_of_a_file_with_problems_nothing_is_sent(desk: Desk, platform: str) -> None:
    write_rows(desk.file, [{"input": {"messages": []}}] * 12)

    ran = desk.submit(platform, "--json")

    assert (ran.code, ran.json["stopped"]) == (1, "problems")
    assert desk.server.seen == []
    assert f"pairsmith check {desk.file} --target {platform}" in ran.err
    assert "line 1: " in ran.err


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_job_that_is_not_known_everywhere_yet_is_asked_for_again(desk: Desk, platform: str) -> None:
    desk.server.script.trouble["job"] = [404, 404]

    ran = desk.submit(platform, "--watch")

    assert ran.code == 0, ran.err


def test_events_that_cannot_be_had_end_no_watching(desk: Desk) -> None:
    desk.server.script.trouble["events"] = [404] * 3 + [500] * 3

    assert desk.submit("together", "--watch").code == 0


def test_what_goes_wrong_after_the_job_was_made_names_it(desk: Desk) -> None:
    desk.server.script.trouble["job"] = [400]

    ran = desk.submit("together", "--json")

    assert ran.code == 2
    assert "ft-1" in ran.json["error"]
    assert "nothing was trained" not in ran.json["error"]


def test_a_name_that_is_taken_there_is_said_in_the_platforms_words(desk: Desk) -> None:
    said = {"code": 6, "message": "model taken already exists"}
    desk.server.script.trouble["create"] = [(409, said)]

    ran = desk.submit("fireworks", "--suffix", "taken")

    assert (ran.code, desk.server.world.jobs) == (2, {})
    assert "model taken already exists" in ran.err


@pytest.mark.parametrize(
    "url",
    [
        "http://user:s3cretpass@127.0.0.1:1",
        "http://127.0.0.1:nope",
        "http://[bad",
        "nonsense",
        "ftp://x",
        "http://x/?a=b",
    ],
)
def test_what_is_no_address_or_more_than_one_is_refused_and_written_nowhere(desk: Desk, url: str) -> None:
    ran = desk.submit("openai", "--base-url", url, "--json")

    assert (ran.code, list(ran.json)) == (2, ["error"])
    assert not list((desk.folder / "home").rglob("*.json"))


def test_azures_address_may_end_in_openai(desk: Desk) -> None:
    ran = desk.submit("azure", "--base-url", f"{desk.server.url}/openai", "--dry-run")

    assert f"{desk.server.url}/openai/v1/files" in ran.out


def test_of_a_good_file_with_a_bad_validation_file_nothing_is_sent(desk: Desk) -> None:
    desk.validation.write_text("{}\n")

    ran = desk.submit("together", "--validation", desk.validation)

    assert (ran.code, desk.server.seen) == (1, [])


def test_warnings_are_said_and_stop_nothing(desk: Desk) -> None:
    desk.file.write_bytes(desk.file.read_bytes().rstrip(b"\n"))

    ran = desk.submit("together")

    assert ran.code == 0
    assert "warning: the file does not end in a line feed" in ran.err


BEYOND = [
    ("openai", ("--beta", 2.1), "above 0 up to 2"),
    ("openai", ("--beta", "nan"), "above 0 up to 2"),
    ("azure", ("--epochs", 51), "from 1 up to 50"),
    ("openai", ("--batch-size", 257), "from 1 up to 256"),
    ("openai", ("--learning-rate-multiplier", 0), "above 0"),
    ("openai", ("--suffix", "s" * 65), "64 characters"),
    ("azure", ("--suffix", "a b"), "40 of a-z"),
    ("together", ("--beta", -3), "above 0"),
    ("together", ("--epochs", 21), "from 1 up to 20"),
    ("together", ("--suffix", "s" * 41), "40 characters"),
    ("fireworks", ("--beta", 0.5), "above 0 and below 0.5"),
    ("fireworks", ("--suffix", "Upper"), "a-z"),
    ("fireworks", ("--lora-rank", 0), "1 or more"),
]


@pytest.mark.parametrize(("platform", "flags", "range_"), BEYOND)
def test_a_value_beyond_the_platforms_range_exits_2_and_says_the_range(
    desk: Desk, platform: str, flags: tuple[str, object], range_: str
) -> None:
    ran = desk.submit(platform, *flags)

    assert ran.code == 2
    assert range_ in ran.err
    assert flags[0] in ran.err
    assert desk.server.seen == []


FOREIGN = [
    ("openai", ("--learning-rate", 0.1), "--learning-rate-multiplier"),
    ("openai", ("--training-type", "GlobalStandard"), "OpenAI has no --training-type"),
    ("azure", ("--lora-rank", 8), "Azure has no --lora-rank"),
    ("together", ("--learning-rate-multiplier", 1), "absolute"),
    ("together", ("--account", "acct"), "--account is for fireworks"),
    ("openai", ("--from-checkpoint", "ft-1"), "name the fine-tuned model with --model"),
]


@pytest.mark.parametrize(("platform", "flags", "said"), FOREIGN)
def test_a_flag_that_the_platform_has_not_is_refused_by_name(
    desk: Desk, platform: str, flags: tuple[str, object], said: str
) -> None:
    ran = desk.submit(platform, *flags)

    assert (ran.code, desk.server.seen) == (2, [])
    assert said in ran.err


def test_fireworks_takes_no_validation_file(desk: Desk) -> None:
    ran = desk.submit("fireworks", "--validation", desk.validation)

    assert (ran.code, desk.server.seen) == (2, [])
    assert "takes no validation file" in ran.err


def test_fireworks_models_have_whole_names(desk: Desk) -> None:
    ran = desk.submit("fireworks", "--model", "qwen3-8b")

    assert ran.code == 2
    assert "accounts/ACCOUNT/models/NAME" in ran.err


@pytest.mark.parametrize(
    ("flags", "said"), [((), "--model or --from-checkpoint"), (("--model", "m"), "one of the two")]
)
def test_one_thing_is_trained(desk: Desk, flags: tuple[str, ...], said: str) -> None:
    both = [*flags, "--from-checkpoint", "ft-1"] if flags else []

    ran = pairsmith("submit", desk.file, "--platform", "together", *both)

    assert ran.code == 2
    assert said in ran.err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--batch-size", 64), "8 to 48"),
        (("--batch-size", 4), "8 to 48"),
        (("--epochs", 16), "1 to 15"),
        (("--learning-rate", 0.5), "1e-08 to 0.1"),
        (("--lora-rank", 128), "1 to 64"),
    ],
)
def test_together_is_asked_what_it_takes_for_this_model(desk: Desk, flags: tuple[str, object], said: str) -> None:
    ran = desk.submit("together", *flags)

    assert ran.code == 2
    assert said in ran.err
    assert desk.server.kinds() == {"limits": 1}


def test_of_files_that_share_a_prompt_nothing_is_sent(desk: Desk) -> None:
    rows = desk.validation.read_bytes() + desk.file.read_bytes().splitlines(keepends=True)[0]
    desk.validation.write_bytes(rows)

    ran = desk.submit("together", "--validation", desk.validation)

    assert (ran.code, desk.server.seen) == (1, [])
    assert "is a prompt of the validation file too" in ran.err


def test_the_training_rows_are_no_validation_rows(desk: Desk) -> None:
    desk.validation.write_bytes(desk.file.read_bytes())

    ran = desk.submit("together", "--validation", desk.validation)

    assert (ran.code, desk.server.seen) == (2, [])


@pytest.mark.parametrize("platform", ["together", "fireworks"])
def test_a_name_that_the_platform_would_not_take_is_refused(desk: Desk, platform: str) -> None:
    desk.file = desk.file.rename(desk.folder / "pairs.txt")

    ran = desk.submit(platform)

    assert (ran.code, desk.server.seen) == (2, [])
    assert "end in .jsonl" in ran.err


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_missing_key_is_named_before_the_file_is_read(
    desk: Desk, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "TOGETHER_API_KEY", "FIREWORKS_API_KEY"):
        monkeypatch.delenv(name)
    desk.file.write_text("no dataset")

    ran = desk.submit(platform)

    assert ran.code == 2
    assert "API_KEY is not set" in ran.err


def test_another_variable_may_hold_the_key(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "sk-another-0123456789")

    desk.submit("together", "--api-key-env", "MINE")

    assert desk.server.seen[0].headers["authorization"] == "Bearer sk-another-0123456789"


def test_azure_and_fireworks_need_to_know_where(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIREWORKS_ACCOUNT_ID")
    monkeypatch.delenv("AZURE_OPENAI_ENDPOINT", raising=False)

    azure = pairsmith("submit", desk.file, "--platform", "azure", "--model", "m")
    fireworks = desk.submit("fireworks")

    assert (azure.code, fireworks.code) == (2, 2)
    assert "AZURE_OPENAI_ENDPOINT" in azure.err
    assert "FIREWORKS_ACCOUNT_ID" in fireworks.err


# --- OpenAI's last days -------------------------------------------------------------------------------


def test_what_is_said_of_openai_names_both_dates() -> None:
    said = closing(date(2026, 11, 20))

    assert "2026-05-07" in said
    assert "2027-01-06" in said
    assert "2027-01-06" in closing(date(2027, 1, 7))


def test_after_openais_last_day_only_force_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    after_s = 86_400.0 * (LAST_NEW_JOB - date(1970, 1, 1)).days + 90_000
    made = desk.submit("openai", "--epochs", 2)
    before = len(desk.server.seen)
    clock = SimpleNamespace(time=lambda: after_s, monotonic=lambda: 0.0, sleep=lambda s: None)
    monkeypatch.setattr("pairsmith.cli.submit.time", clock)

    refused = desk.submit("openai")

    assert (made.code, refused.code, len(desk.server.seen)) == (0, 2, before)
    assert desk.submit("openai", "--epochs", 2, "--watch").code == 0  # a job that was made is told of
    assert "--force" in refused.err
    assert desk.submit("openai", "--dry-run").code == 0
    assert desk.submit("openai", "--force").code == 0
    assert desk.submit("azure").code == 0


def test_every_limit_names_its_source_and_the_month() -> None:
    sources = {limit.source for takes in TABLE.values() for limit in takes.values.values()}

    assert all("read 2026-11" in source for source in sources)


@pytest.mark.parametrize(
    ("span", "inside", "outside"),
    [
        (Span("", 0, 2, open_low=True), (0.001, 2), (0, 2.001, float("nan"), float("inf"))),
        (Span("", 0, 0.5, open_low=True, open_high=True), (0.1, 0.499), (0, 0.5)),
        (Span("", 1), (1, 10**9), (0, float("inf"))),
    ],
)
def test_a_span_holds_what_it_says(span: Span, inside: tuple[float, ...], outside: tuple[float, ...]) -> None:
    assert all(span.holds(value) for value in inside)
    assert not any(span.holds(value) for value in outside)


def test_the_page_on_submit_has_the_table_of_limits() -> None:
    page = (Path(__file__).parents[2] / "docs" / "submit.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(--[\w-]+)` \|(.*)\|$", page, re.MULTILINE))
    in_words = {"model", "from_checkpoint", "training_type"}
    flags = {field.name: flag(field.name) for field in fields(Training)}

    told = {
        (name, platform): cell.strip()
        for name, row in flags.items()
        for platform, cell in zip(PLATFORMS, rows[row].split("|"), strict=True)
    }

    for (name, platform), said in told.items():
        there_is = TABLE[platform].values.get(name)
        assert said == "–" if there_is is None else name in in_words or said == str(there_is)

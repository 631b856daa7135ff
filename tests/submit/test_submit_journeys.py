"""A dataset from the file to the trained model, on each platform, through its real client over a real port."""

from __future__ import annotations

import json
import re
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from platform_server import PlatformServer, Sent, kind_of
from submit_desk import KEY, MODELS, PLATFORMS, PLAYS, Desk

WITH_VALIDATION = [platform for platform in PLATFORMS if platform != "fireworks"]
TRAINED = {
    "openai": f"ft:{MODELS['openai']}",
    "azure": f"ft:{MODELS['azure']}",
    "together": "someone/mine",
    "fireworks": "accounts/acct/models/mine",
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_watched_job_ends_with_the_name_of_the_model(desk: Desk, platform: str) -> None:
    ran = desk.submit(platform, "--watch", "--json", "--suffix", "mine")

    assert ran.code == 0, ran.err
    assert ran.json["model"] == TRAINED[platform]
    assert ran.json["job"] in desk.server.world.jobs
    assert (ran.json["rows"], ran.json["stopped"], ran.json["reason"]) == (12, None, None)
    assert ran.json["file_id"] in desk.server.world.files


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_change_of_state_is_a_line_on_stderr(desk: Desk, platform: str) -> None:
    ran = desk.submit(platform, "--watch", "--json")

    states = re.findall(rf"^pairsmith: \d\d:\d\d:\d\d {ran.json['job']}: (\w+)$", ran.err, re.MULTILINE)
    # The answer that makes the job is the first look at it.
    assert states == [state.removeprefix("JOB_STATE_") for state in desk.server.script.states[PLAYS[platform]][1:]]


@pytest.mark.parametrize("platform", ["openai", "together"])
def test_what_the_platform_writes_about_a_job_is_said_once(desk: Desk, platform: str) -> None:
    said = desk.submit(platform, "--watch").err

    assert said.count("Job started" if platform == "together" else "It learns") == 1
    assert "Step 7" not in said


@pytest.mark.parametrize("platform", PLATFORMS)
def test_without_watch_the_command_ends_once_there_is_a_job(desk: Desk, platform: str) -> None:
    ran = desk.submit(platform)

    assert ran.code == 0
    assert next(iter(desk.server.world.jobs)) in ran.out
    assert "--watch" in ran.out
    assert desk.server.kinds()["job"] == 1


@pytest.mark.parametrize("platform", WITH_VALIDATION)
def test_a_validation_file_is_uploaded_and_named(desk: Desk, platform: str) -> None:
    ran = desk.submit(platform, "--validation", desk.validation, "--json")

    (job,) = desk.server.world.jobs.values()
    assert ran.code == 0, ran.err
    assert job["validation_file"] == ran.json["validation_file_id"] != ran.json["file_id"]
    assert ran.json["validation"] == str(desk.validation)


def test_together_is_told_to_evaluate_when_there_is_a_validation_file(desk: Desk) -> None:
    desk.submit("together", "--validation", desk.validation)

    assert desk.server.created()[0].body["n_evals"] == 5


@pytest.mark.parametrize("platform", PLATFORMS)
def test_only_what_was_given_is_in_the_request(desk: Desk, platform: str) -> None:
    desk.submit(platform)

    (sent,) = desk.server.created()
    (file,) = desk.server.world.files
    model = MODELS[platform]
    expected = {
        "together": {"training_file": file, "model": model, "training_method": {"method": "dpo"}},
        "fireworks": {
            "dataset": f"accounts/acct/datasets/{file}",
            "lossConfig": {"method": "DPO"},
            "trainingConfig": {"baseModel": model},
        },
    }
    openai = {"training_file": file, "model": model, "method": {"type": "dpo"}, "metadata": sent.body.get("metadata")}
    assert sent.body == expected.get(platform, openai)


GIVEN = {
    "openai": {"--beta": 0.2, "--epochs": 3, "--batch-size": 8, "--learning-rate-multiplier": 0.5},
    "azure": {"--beta": 0.2, "--epochs": 3, "--batch-size": 8, "--learning-rate-multiplier": 0.5},
    "together": {"--beta": 0.2, "--epochs": 3, "--batch-size": 8, "--learning-rate": 0.001, "--lora-rank": 16},
    "fireworks": {"--beta": 0.2, "--epochs": 3, "--batch-size": 8, "--learning-rate": 0.001, "--lora-rank": 16},
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_given_value_is_in_the_request(desk: Desk, platform: str) -> None:
    flags = [word for pair in GIVEN[platform].items() for word in pair]

    ran = desk.submit(platform, *flags, "--suffix", "mine", *(["--training-type", "G"] if platform == "azure" else []))

    body = desk.server.created()[0].body
    openai = {"beta": 0.2, "n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 0.5}
    assert ran.code == 0, ran.err
    if platform in ("openai", "azure"):
        assert body["method"] == {"type": "dpo", "dpo": {"hyperparameters": openai}}
        assert body["suffix"] == "mine"
        assert body.get("trainingType") == ("G" if platform == "azure" else None)
    elif platform == "together":
        assert body["training_method"] == {"method": "dpo", "dpo_beta": 0.2}
        assert body["training_type"] == {"type": "Lora", "lora_r": 16, "lora_alpha": 32}
        assert (body["n_epochs"], body["batch_size"], body["learning_rate"], body["suffix"]) == (3, 8, 0.001, "mine")
    else:
        config = {"epochs": 3, "batchSizeSamples": 8, "learningRate": 0.001, "loraRank": 16, "outputModel": "mine"}
        assert body["lossConfig"] == {"method": "DPO", "dpo": {"beta": 0.2}}
        assert body["trainingConfig"] == {"baseModel": MODELS[platform], **config}


@pytest.mark.parametrize(
    ("platform", "checkpoint"), [("together", "ft-sft:10"), ("fireworks", "accounts/acct/models/sft")]
)
def test_a_job_goes_on_from_an_earlier_one(desk: Desk, platform: str, checkpoint: str) -> None:
    ran = desk.submit(platform, "--from-checkpoint", checkpoint)

    body = desk.server.created()[0].body
    assert ran.code == 0, ran.err
    assert checkpoint == (
        body["from_checkpoint"] if platform == "together" else body["trainingConfig"]["warmStartFrom"]
    )
    assert "model" not in body
    assert "baseModel" not in body.get("trainingConfig", {})


def test_together_uploads_a_file_that_it_has_already_only_by_its_checksum(desk: Desk) -> None:
    desk.submit("together", "--beta", 0.1)

    desk.submit("together", "--beta", 0.2)

    assert desk.server.kinds()["put"] == 1
    assert len(desk.server.world.jobs) == 2


def test_fireworks_keeps_a_dataset_for_every_job_of_the_same_file(desk: Desk) -> None:
    desk.submit("fireworks", "--beta", 0.1)

    ran = desk.submit("fireworks", "--beta", 0.2)

    assert ran.code == 0, ran.err
    assert desk.server.kinds()["put"] == 1
    assert len(desk.server.world.jobs) == 2


def test_the_key_goes_to_the_platform_and_not_to_a_signed_url(desk: Desk) -> None:
    desk.submit("together")

    authorized = {kind_of(sent.method, sent.path): sent.headers.get("authorization") for sent in desk.server.seen}
    assert authorized.pop("put") is None
    assert set(authorized.values()) == {f"Bearer {KEY}"}


@pytest.mark.parametrize("name", ["OPENAI_ORG_ID", "OPENAI_PROJECT_ID"])
def test_azure_is_not_told_what_is_meant_for_openai(desk: Desk, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "only-openais")

    ran = desk.submit("azure")

    assert ran.code == 0, ran.err
    assert all("only-openais" not in sent.headers.values() for sent in desk.server.seen)


# --- the dry run -----------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_dry_run_sends_nothing_and_needs_no_key(desk: Desk, platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "TOGETHER_API_KEY", "FIREWORKS_API_KEY"):
        monkeypatch.delenv(name)

    ran = desk.submit(platform, "--dry-run")

    assert ran.code == 0, ran.err
    assert "POST" in ran.out
    assert desk.server.seen == []
    assert not (desk.folder / "home" / "submit").exists()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_dry_run_prints_what_is_then_sent(desk: Desk, platform: str) -> None:
    flags = ["--beta", 0.1, "--suffix", "mine"]
    flags += ["--validation", desk.validation] if platform != "fireworks" else []
    printed = desk.submit(platform, "--dry-run", "--json", *flags).json["requests"]

    ran = desk.submit(platform, *flags, "--json")

    sent = [one for one in desk.server.seen if kind_of(one.method, one.path) not in ("job", "events")]
    ids = {ran.json["file_id"]: "FILE_ID", ran.json["validation_file_id"]: "VALIDATION_FILE_ID"}
    ids = {} if platform == "fireworks" else ids
    assert [_comparable_dry(one) for one in printed] == [_comparable_sent(one, ids) for one in sent]


def _comparable_dry(printed: dict[str, Any]) -> tuple[str, str, Any, Any]:
    url = urlsplit(printed["url"])
    query = {key: values[0] for key, values in parse_qs(url.query).items()}
    return printed["method"], url.path, query, None if url.path == "SIGNED_URL" else printed["body"]


def _comparable_sent(sent: Sent, ids: dict[str, str]) -> tuple[str, str, Any, Any]:
    words = json.dumps([sent.path, sent.body])
    for file_id, name in ids.items():
        words = words.replace(f'"{file_id}"', f'"{name}"').replace(f"/{file_id}", f"/{name}")
    path, body = json.loads(words)
    if path.startswith("/signed/"):
        return sent.method, "SIGNED_URL", sent.query, None
    if isinstance(body.get("file"), dict):
        body["file"] = f"{body['file']['name']} ({body['file']['size']:,} bytes)"
    return sent.method, path, sent.query, {} if body == {"bytes": 0} else body


@pytest.mark.parametrize(("platform", "module"), [("together", "together"), ("fireworks", "fireworks")])
def test_a_missing_client_is_named_with_its_extra(
    desk: Desk, platform: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    ran = desk.submit(platform)

    assert ran.code == 2
    assert f'pip install "pairsmith[{platform}]"' in ran.err
    assert desk.submit(platform, "--dry-run").code == 0


def test_the_server_of_these_tests_names_every_request(played: PlatformServer) -> None:
    assert kind_of("POST", "/v1/accounts/a/datasets/d:upload") == "put"
    assert kind_of("GET", "/v1/fine-tunes/ft-1") == "job"

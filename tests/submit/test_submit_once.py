"""Nothing is submitted twice: not by running again, not after a reset, not after a kill."""

from __future__ import annotations

import json
import os
import signal
import threading
from typing import Any

import pytest
from platform_server import PlatformServer
from submit_desk import KEY, PLATFORMS, Desk, row

from cli_runs import ended, started, until, write_rows
from pairsmith.errors import InputError, Stopped, UserError
from pairsmith.submitting.asking import Means
from pairsmith.submitting.checking import checked
from pairsmith.submitting.journal import Entry, Journal, locked
from pairsmith.submitting.places import Place, connected
from pairsmith.submitting.sending import unchanged
from pairsmith.submitting.submit import Submission, submit
from pairsmith.training import Job, Training


def journal_of(desk: Desk) -> dict[str, object]:
    (path,) = (desk.folder / "home" / "submit").glob("*.json")
    found: dict[str, object] = json.loads(path.read_bytes())
    return found


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_same_command_again_makes_and_uploads_nothing(desk: Desk, platform: str) -> None:
    first = desk.submit(platform, "--json")

    again = desk.submit(platform, "--watch", "--json")

    kinds = desk.server.kinds()
    assert (again.code, again.json["job"]) == (0, first.json["job"])
    assert (kinds["create"], kinds["upload"]) == (1, 1)
    assert again.json["model"] is not None


@pytest.mark.parametrize("platform", PLATFORMS)
def test_again_makes_another_job_of_the_same_files(desk: Desk, platform: str) -> None:
    first = desk.submit(platform, "--json")

    second = desk.submit(platform, "--again", "--json")

    assert second.code == 0, second.err
    assert second.json["job"] != first.json["job"]
    assert len(desk.server.world.jobs) == 2
    assert second.json["file_id"] == first.json["file_id"]
    assert journal_of(desk)["earlier"] == [first.json["job"]]


def test_another_file_or_another_setting_is_another_submission(desk: Desk) -> None:
    desk.submit("together")
    desk.submit("together", "--epochs", 2)
    write_rows(desk.file, map(row, range(13)))
    desk.submit("together")

    assert len(desk.server.world.jobs) == 3


def test_the_same_file_elsewhere_and_another_key_are_the_same_submission(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.submit("together")
    desk.file = desk.file.rename(desk.folder / "moved.jsonl")
    monkeypatch.setenv("TOGETHER_API_KEY", "another-key-0123456789")

    desk.submit("together")

    assert len(desk.server.world.jobs) == 1


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_job_that_was_made_without_an_answer_is_found_and_not_made_again(desk: Desk, platform: str) -> None:
    desk.server.script.trouble["create"] = ["reset-after"]

    ran = desk.submit(platform, "--watch", "--json")

    assert ran.code == 0, ran.err
    assert desk.server.kinds()["create"] == 1
    assert list(desk.server.world.jobs) == [ran.json["job"]]
    assert "looking for it" in ran.err


def test_a_server_that_keeps_no_metadata_is_searched_for_the_file(desk: Desk) -> None:
    desk.server.script.keeps_metadata = False
    desk.submit("azure")
    desk.server.script.trouble["create"] = ["reset-after"]

    ran = desk.submit("azure", "--again", "--json")

    assert ran.code == 0, ran.err
    assert ran.json["job"] == "ftjob-2"
    assert desk.server.kinds()["create"] == 2


@pytest.mark.parametrize("platform", ["openai", "together"])
def test_a_kill_while_the_job_is_made_makes_no_second_one(desk: Desk, platform: str) -> None:
    desk.server.script.hold = threading.Event()
    with started(*desk.words(platform)) as process:
        until(lambda: bool(desk.server.world.jobs), "the job")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    desk.server.script.hold.set()
    assert journal_of(desk)["job"] is None

    ran = desk.submit(platform, "--json")

    assert ran.code == 0, ran.err
    assert f"job {ran.json['job']} was there already" in ran.err
    assert list(desk.server.world.jobs) == [ran.json["job"]]
    assert desk.server.kinds()["create"] == 1


def test_an_interrupt_leaves_the_job_alone_and_says_how_to_look_again(desk: Desk) -> None:
    desk.server.script.states["openai"] = ["queued", "running"]
    with started(*desk.words("openai", "--watch", "--json")) as process:
        until(lambda: desk.server.kinds()["job"] > 2, "the job being watched")
        process.send_signal(signal.SIGINT)
        ran = ended(process)

    assert ran.code == 130
    assert (ran.json["job"], ran.json["state"], ran.json["stopped"]) == ("ftjob-1", "running", "interrupted")
    assert "--watch" in ran.err
    assert "Traceback" not in ran.err


def test_a_file_that_the_platform_no_longer_has_is_sent_again(desk: Desk) -> None:
    desk.server.script.trouble["create"] = [400]
    assert desk.submit("openai").code == 2
    desk.server.world.files.clear()

    ran = desk.submit("openai", "--json")

    assert ran.code == 0, ran.err
    assert desk.server.kinds()["upload"] == 2


def test_a_file_that_was_sent_is_not_sent_again_when_the_job_was_refused(desk: Desk) -> None:
    desk.server.script.trouble["create"] = [400]
    desk.submit("openai")

    desk.submit("openai")

    assert desk.server.kinds()["upload"] == 1


def test_the_same_submission_is_not_made_by_two_processes(desk: Desk) -> None:
    desk.submit("together")
    folder = desk.folder / "home" / "submit"
    (path,) = folder.glob("*.json")

    with locked(folder, path.stem):
        ran = desk.submit("together")

    assert ran.code == 2
    assert "another process" in ran.err


def test_a_journal_that_cannot_be_read_stops_everything(desk: Desk) -> None:
    desk.submit("together")
    (path,) = (desk.folder / "home" / "submit").glob("*.json")
    path.write_text("{}")

    ran = desk.submit("together")

    assert ran.code == 2
    assert len(desk.server.world.jobs) == 1


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_journal_holds_no_key_and_no_text(desk: Desk, platform: str) -> None:
    desk.submit(platform, "--watch")

    (path,) = (desk.folder / "home" / "submit").glob("*.json")
    assert KEY not in path.read_text()
    assert "Question" not in path.read_text()


# --- with a clock driven by hand --------------------------------------------------------------------


class Hands:
    """A clock that moves when somebody sleeps."""

    def __init__(self, interval_s: float = 10.0) -> None:
        self.interval_s = interval_s
        self.now_s = 1_700_000_000.0
        self.ahead_s = 0.0  # by which the time of day is wrong
        self.said: list[str] = []

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    @property
    def means(self) -> Means:
        return Means(
            "Together", "TOGETHER_API_KEY", self.interval_s, self.said.append, lambda: self.now_s + self.ahead_s,
            lambda: self.now_s, self.sleep,
        )  # fmt: skip


def carried_out(desk: Desk, hands: Hands, platform: str = "together", **settings: Any) -> Job:
    model = {"together": "m", "openai": "m", "fireworks": "accounts/fireworks/models/m"}[platform]
    place = Place(platform, desk.server.url, "acct", "KEY")
    training = Training(**{"model": model, **settings})
    submission = Submission(place, training, checked(desk.file, platform).data, None)
    folder = desk.folder / "home" / "submit"
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(folder, submission.digest, Entry(platform, desk.server.url, str(desk.file)))
    return submit(submission, connected(place, {"KEY": KEY}), journal, hands.means, watch=False)


@pytest.mark.parametrize(
    ("platform", "trouble"),
    [("openai", "reset"), ("together", "reset"), ("fireworks", "reset"), ("together", 500), ("together", "html")],
)
def test_a_job_that_is_nowhere_is_not_made_before_it_was_looked_for_again(
    desk: Desk, platform: str, trouble: object
) -> None:
    desk.server.script.trouble["create"] = [trouble]
    hands = Hands()
    with pytest.raises(Stopped) as stopped:
        carried_out(desk, hands, platform)
    looks = desk.server.kinds()

    job = carried_out(desk, hands, platform)

    assert (stopped.value.reason, stopped.value.exit_code) == ("unknown", 3)
    assert desk.server.kinds()["create"] == 2
    assert (desk.server.kinds() - looks)["job" if platform == "fireworks" else "jobs"] > 0
    assert list(desk.server.world.jobs) == [job.id]


@pytest.mark.parametrize("platform", ["openai", "together"])
def test_a_job_that_comes_late_into_the_list_is_waited_for(desk: Desk, platform: str) -> None:
    desk.server.script.trouble |= {"create": ["reset-after"], "jobs": [(200, {"data": []}), 500, "html", 429]}

    job = carried_out(desk, Hands(interval_s=5.0), platform)

    assert [job.id] == list(desk.server.world.jobs)
    assert desk.server.kinds()["create"] == 1


def test_no_job_is_made_while_it_cannot_be_told_whether_there_is_one(desk: Desk) -> None:
    desk.server.script.trouble |= {"create": ["reset-after"], "jobs": [(200, {"data": []}), *[500] * 100]}
    hands = Hands()

    for _ in range(2):
        with pytest.raises(Stopped):
            carried_out(desk, hands)

    assert desk.server.kinds()["create"] == 1


@pytest.mark.parametrize("platform", ["openai", "together"])
def test_an_answer_without_a_job_is_no_job(desk: Desk, platform: str) -> None:
    desk.server.script.trouble["create"] = [(200, {})]

    with pytest.raises(Stopped) as stopped:
        carried_out(desk, Hands(), platform)

    assert stopped.value.reason == "unknown"


def test_a_job_whose_model_has_another_name_now_is_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = PlatformServer._together_job
    monkeypatch.setattr(
        PlatformServer, "_together_job", lambda self, job, look=True: {**renamed(self, job, look), "model": "canonical"}
    )
    desk.server.script.trouble["create"] = ["reset-after"]

    assert carried_out(desk, Hands()).id == "ft-1"


def test_a_job_that_was_there_before_is_not_taken_for_a_new_one(desk: Desk) -> None:
    carried_out(desk, Hands())
    for path in (desk.folder / "home" / "submit").glob("*.json"):
        path.unlink()  # made by hand, or from another machine
    desk.server.script.trouble["create"] = ["reset"]

    with pytest.raises(Stopped) as stopped:
        carried_out(desk, Hands())

    assert stopped.value.reason == "unknown"


def test_a_job_of_another_submission_is_not_taken_for_this_one(desk: Desk) -> None:
    desk.submit("together", "--epochs", 2)
    desk.server.script.trouble["create"] = ["reset"]

    with pytest.raises(Stopped) as stopped:
        carried_out(desk, Hands())

    assert stopped.value.reason == "unknown"


def test_a_file_that_is_looked_at_for_ever_is_not_waited_for_that_long(desk: Desk) -> None:
    desk.server.script.file_states = ["PENDING"] * 1000

    with pytest.raises(Stopped) as stopped:
        carried_out(desk, Hands(interval_s=300.0))

    assert "PENDING" in stopped.value.sentence
    assert desk.server.world.jobs == {}


def test_of_two_models_each_submission_gets_the_job_of_its_own(desk: Desk) -> None:
    desk.server.script.trouble["create"] = ["reset-after"]
    desk.server.script.trouble["jobs"] = [(200, {"data": []}), *[500] * 40]
    with pytest.raises(Stopped):
        carried_out(desk, Hands(), model="m/one")  # made, and not heard of
    desk.server.script.trouble.clear()
    with pytest.raises(Stopped) as busy:
        carried_out(desk, Hands(), model="m/two")

    one, two = (carried_out(desk, Hands(), model=model) for model in ("m/one", "m/two"))

    assert "run that submission again first" in busy.value.sentence
    jobs = desk.server.world.jobs
    assert (jobs[one.id]["model"], jobs[two.id]["model"], len(jobs)) == ("m/one", "m/two", 2)


def test_while_a_job_of_a_file_is_being_made_no_other_of_it_is(desk: Desk) -> None:
    desk.submit("together")
    folder = desk.folder / "home" / "submit"
    (path,) = folder.glob("*.json")
    journal = Journal(folder, path.stem, Entry("together", desk.server.url, ""))

    with journal.alone(), pytest.raises(UserError, match="another job of the same file is being made"):
        carried_out(desk, Hands(), model="other")

    assert len(desk.server.world.jobs) == 1


def test_where_several_jobs_may_be_it_none_is_taken_and_none_is_made(desk: Desk) -> None:
    desk.server.script.trouble |= {"create": ["reset-after"], "jobs": [(200, {"data": []}), *[500] * 40]}
    with pytest.raises(Stopped):
        carried_out(desk, Hands())
    desk.server.world.jobs["ft-hand"] = {**desk.server.world.jobs["ft-1"], "id": "ft-hand"}
    desk.server.script.trouble["jobs"] = []

    with pytest.raises(Stopped) as stopped:
        carried_out(desk, Hands())

    assert "ft-1, ft-hand" in stopped.value.sentence
    assert desk.server.kinds()["create"] == 1


@pytest.mark.parametrize("ahead_s", [3600.0, -3600.0])
def test_a_clock_that_is_wrong_makes_no_second_job(desk: Desk, ahead_s: float) -> None:
    desk.server.script.trouble |= {"create": ["reset-after"], "jobs": [(200, {"data": []}), *[500] * 40]}
    hands = Hands()
    hands.ahead_s = ahead_s
    with pytest.raises(Stopped):
        carried_out(desk, hands)
    hands.ahead_s = 0.0
    desk.server.script.trouble["jobs"] = []

    job = carried_out(desk, hands)

    assert [job.id] == list(desk.server.world.jobs)


@pytest.mark.parametrize("platform", ["openai", "together", "fireworks"])
def test_the_job_is_looked_for_before_a_file_that_is_gone_is_sent_again(desk: Desk, platform: str) -> None:
    desk.server.script.trouble |= {
        "create": ["reset-after"],
        "jobs": [(200, {"data": []}), *[500] * 40],
        "job": [500] * 40,
    }
    with pytest.raises(Stopped):
        carried_out(desk, Hands(), platform)
    desk.server.world.files.clear()
    desk.server.script.trouble.clear()
    uploads = desk.server.kinds()["upload"]

    job = carried_out(desk, Hands(), platform)

    assert (list(desk.server.world.jobs), desk.server.kinds()["upload"]) == ([job.id], uploads)


def test_after_again_the_way_on_is_without_it(desk: Desk) -> None:
    desk.submit("together")
    desk.server.script.trouble["job"] = [500] * 40

    ran = desk.submit("together", "--again", "--watch")

    assert ran.code == 3
    assert "without --again again" in ran.err
    assert desk.submit("together", "--watch").code == 0
    assert len(desk.server.world.jobs) == 2


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_file_that_changes_while_it_is_sent_becomes_no_job(desk: Desk, platform: str) -> None:
    good = desk.file.read_bytes()
    desk.server.script.on_request = lambda: desk.file.write_bytes(b'{"not": "checked"}\n')

    ran = desk.submit(platform)

    assert (ran.code, desk.server.world.jobs) == (2, {})
    assert "is not what was checked" in ran.err
    desk.file.write_bytes(good)
    sizes = {file["bytes"] for file in desk.server.world.files.values() if file.get("there")}
    assert sizes <= {len(good)}  # on Fireworks its name is made of the good file's hash


def test_half_an_upload_is_no_file(desk: Desk) -> None:
    desk.server.script.trouble["put"] = ["reset"]
    desk.submit("together")

    ran = desk.submit("together", "--json")

    assert (ran.code, desk.server.world.jobs) == (1, {})
    assert "it holds 0 bytes" in ran.json["reason"]


def test_files_that_change_after_the_check_are_named(desk: Desk) -> None:
    data = checked(desk.file, "together").data
    desk.file.write_bytes(b"")

    with pytest.raises(InputError, match="is not what was checked"):
        unchanged(data)

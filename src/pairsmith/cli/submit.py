"""`pairsmith submit`: a dataset checked, uploaded, and a DPO job made of it, once; then followed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from pairsmith.cli.common import environment, json_option, relative, say, show
from pairsmith.errors import Stopped, UserError

if TYPE_CHECKING:
    from pairsmith.submitting.asking import Means
    from pairsmith.submitting.checking import Checked
    from pairsmith.submitting.journal import Entry
    from pairsmith.submitting.submit import Platform, Submission
    from pairsmith.training import Request

PLATFORMS = ("openai", "azure", "together", "fireworks")


@click.command("submit")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--platform", type=click.Choice(PLATFORMS), required=True, help="Who trains.")
@click.option("--model", metavar="M", help="What is trained; openai, azure: or a fine-tuned model.")
@click.option("--from-checkpoint", metavar="JOB", help="Go on from an earlier job or its model: together, fireworks.")
@click.option("--validation", type=click.Path(path_type=Path), metavar="FILE", help="Not for fireworks.")
@click.option("--beta", type=float, metavar="B", help="How much the model is held back: 0.1.")
@click.option("--epochs", type=int, metavar="N", help="Times through the file.")
@click.option("--batch-size", type=int, metavar="N", help="Pairs a step.")
@click.option("--learning-rate", type=float, metavar="R", help="Absolute: together, fireworks.")
@click.option("--learning-rate-multiplier", type=float, metavar="X", help="Of the platform's own: openai, azure.")
@click.option("--lora-rank", type=int, metavar="R", help="together, fireworks.")
@click.option("--suffix", metavar="NAME", help="In the new model's name; fireworks: its name.")
@click.option("--training-type", metavar="TYPE", help="azure: such as GlobalStandard.")
@click.option("--account", metavar="ID", help="fireworks.  [default: $FIREWORKS_ACCOUNT_ID]")
@click.option("--base-url", metavar="U", help="Another address of the platform.")
@click.option("--api-key-env", "key_env", metavar="V", help="The NAME of the variable that holds the key.")
@click.option("--watch", is_flag=True, help="Follow the job to its end.")
@click.option(
    "--poll", "interval_s", type=click.FloatRange(min=0.001), default=10.0, show_default=True, metavar="S",
    help="Seconds between two questions.",
)  # fmt: skip
@click.option("--again", is_flag=True, help="Make another job of the same, on purpose.")
@click.option("--dry-run", is_flag=True, help="Print the requests; send nothing, need no key.")
@click.option("--force", is_flag=True, help="Try openai after its last day.")
@json_option
def command(file: Path, platform: str, **flags: Any) -> int:
    """Check FILE, upload it, and have a DPO job made of it, once.

    The same command again makes nothing twice: it goes on, or tells how the job is. Exits 1 when the file is no good or
    the job has failed, and 3 when the same command can go on later. Nothing is sent of a file that check finds
    problems in.
    """
    from pairsmith.submitting.checking import checked
    from pairsmith.submitting.limits import hold
    from pairsmith.submitting.places import connected, place
    from pairsmith.submitting.submit import Submission
    from pairsmith.training import Training

    training = Training(**{field.name: flags[field.name] for field in fields(Training)})
    validation, dry_run = flags["validation"], flags["dry_run"]
    hold(platform, training, validation is not None)
    where = place(platform, flags["base_url"], flags["account"], flags["key_env"], environment(), sends=not dry_run)
    speaker = None if dry_run else connected(where, environment())
    files = [checked(file, platform, validation)]
    files += [checked(validation, platform, alone=False)] if validation else []
    datasets = [one.data for one in files]
    if len({data.sha256 for data in datasets}) < len(datasets):
        raise UserError(
            f"--validation {validation} holds what {file} holds: validate with rows that are not trained on"
        )
    submission = Submission(where, training, datasets[0], datasets[1] if validation else None)
    if not _good(files, platform):
        return _told(_result(submission), flags["as_json"], code=1, stopped="problems")
    if speaker is None:
        _say_if_closing(platform, go_on=True)
        return _show_requests(submission, flags["as_json"])
    return _carry_out(submission, speaker, flags)


def _say_if_closing(platform: str, go_on: bool) -> None:
    """Tell of OpenAI's last day.

    Raises:
        UserError: it is over.
    """
    from pairsmith.submitting.limits import LAST_NEW_JOB, closing

    if platform == "openai":
        today = datetime.fromtimestamp(time.time(), UTC).date()
        if today > LAST_NEW_JOB and not go_on:
            raise UserError(closing(today))
        say(closing(today))


def _good(files: Sequence[Checked], platform: str) -> bool:
    """Say what was found in the files; whether they may be sent."""
    for one in files:
        name, found = relative(one.data.path), one.summary
        for problem in one.problems:
            say(f"{name}: {problem}")
        for warning in one.warnings:
            say(f"{name}: warning: {warning}")
        if found.errors:
            see = f"pairsmith check {name} --target {platform}"
            say(f"nothing was sent: {found.errors:,} problems in {name}; all of them: {see} --all")
        elif found.warnings > len(one.warnings):
            say(f"{name}: {found.warnings:,} warnings in all")
    return not any(one.summary.errors for one in files)


def _show_requests(submission: Submission, as_json: bool) -> int:
    from pairsmith.submitting.journal import marker_of
    from pairsmith.submitting.places import requests

    marker = marker_of(submission.digest, 1)
    place, training, data, validation = submission.place, submission.training, submission.data, submission.validation
    found = list(requests(place, training, data, validation, marker))

    def text() -> str:
        blocks = [f"{one.method} {one.url}\n{_body(one)}" for one in found]
        return "\n".join(
            [*blocks, f"{len(found)} requests, the GETs repeated while something is waited for; none was sent"]
        )

    show({**_result(submission), "requests": [asdict(one) for one in found]}, as_json, text)
    return 0


def _body(request: Request) -> str:
    indented = orjson.dumps(request.body, option=orjson.OPT_INDENT_2).decode()
    return f"{indented}\n" if request.body else ""


def _carry_out(submission: Submission, platform: Platform, flags: Mapping[str, Any]) -> int:
    """Do it; returns the exit code."""
    from pairsmith.qualified import home
    from pairsmith.submitting.asking import Means, Rejected
    from pairsmith.submitting.journal import Entry, Journal, locked
    from pairsmith.submitting.limits import TITLES
    from pairsmith.submitting.submit import submit

    place = submission.place
    means = Means(
        TITLES[place.platform], place.key_env, flags["interval_s"], say, time.time, time.monotonic, time.sleep
    )
    folder = home(environment()) / "submit"
    with locked(folder, submission.digest):
        first = Entry(place.platform, place.base_url, str(submission.data.path))
        journal = Journal(folder, submission.digest, first)
        if flags["again"]:
            journal.again()
            means = replace(means, same="the same command without --again")  # which would make one more
        _say_if_closing(place.platform, flags["force"] or journal.entry.job is not None)
        try:
            job = submit(submission, platform, journal, means, flags["watch"])
        except Stopped as exc:
            say(exc.sentence)
            return _told(_result(submission, journal.entry), flags["as_json"], exc.exit_code, stopped=exc.reason)
        except Rejected as exc:
            result = _result(submission, journal.entry) | {"reason": str(exc)}
            return _told(result, flags["as_json"], code=1, stopped="rejected")
        except UserError as exc:
            raise UserError(f"{exc}{_left(journal.entry, means)}") from exc
    result = _result(submission, journal.entry) | {"reason": job.reason}
    return _told(result, flags["as_json"], code=1 if job.end in ("failed", "cancelled") else 0, same=means.same)


def _left(entry: Entry, means: Means) -> str:
    """What there is of a job, when something else went wrong."""
    if entry.job is not None:
        return f" (job {entry.job} is there, whatever becomes of this command)"
    if entry.asked_s is not None:
        return f" (a job was asked for: run {means.same} again, it looks for the job first)"
    return ""


def _result(submission: Submission, entry: Entry | None = None) -> dict[str, Any]:
    """What `--json` says of a submission, as far as it came."""
    from pairsmith.submitting.places import dashboard

    job = entry.job if entry else None
    return {
        "platform": submission.place.platform,
        "file": str(submission.data.path),
        "rows": submission.data.rows,
        "validation": str(submission.validation.path) if submission.validation else None,
        "file_id": entry.training_file if entry else None,
        "validation_file_id": entry.validation_file if entry else None,
        "job": job,
        "state": entry.state if entry else None,
        "model": entry.model if entry else None,
        "dashboard": dashboard(submission.place, job) if job else None,
        "reason": None,
        "stopped": None,
    }


def _told(
    result: dict[str, Any], as_json: bool, code: int, stopped: str | None = None, same: str = "the same command"
) -> int:
    """Say how far it came; returns the code."""

    def text() -> str:
        lines = [f"job    {result['job']}: {result['state']}"] if result["job"] else ["no job was made"]
        lines += [f"{name:<6} {result[name]}" for name in ("model", "reason", "dashboard") if result[name]]
        if code == 0 and not result["model"]:
            lines.append(f"run {same} with --watch to follow it")
        if code == 1 and result["job"] and not stopped:
            lines.append("the same command with --again makes another job of it")
        return "\n".join(lines)

    show({**result, "stopped": stopped}, as_json, text)
    return code

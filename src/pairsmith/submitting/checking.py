"""A file held against the platform's rules before anything of it is sent."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from pairsmith.errors import InputError
from pairsmith.export.check import Options, check
from pairsmith.export.problems import Problem, Summary
from pairsmith.submitting.limits import PLATFORMS, TITLES
from pairsmith.training import Dataset

SHOWN = 10  # problems that are kept: enough to see what is wrong, `pairsmith check` has them all


@dataclass(frozen=True, slots=True)
class Checked:
    """A file and what was found in it: all counts, the first problems and the first warnings."""

    data: Dataset
    summary: Summary
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def checked(path: Path, platform: str, validation: Path | None = None, *, alone: bool = True) -> Checked:
    """Read a file to its end, against the rules of the platform.

    Args:
        path: of the file.
        platform: whose rules.
        validation: the other file of the split, none of whose prompts may be in this one.
        alone: whether it needs as many rows as a file to train on.

    Raises:
        InputError: it cannot be read, or its name will not do.
    """
    if PLATFORMS[platform].jsonl_only and path.suffix != ".jsonl":
        raise InputError(f"{path}: {TITLES[platform]} takes files by names that end in .jsonl")
    summary = Summary()
    problems: list[Problem] = []
    warnings: list[Problem] = []
    try:
        with path.open("rb") as stream, validation.open("rb") if validation else nullcontext() as other:
            for problem in check(stream, platform, summary, Options(path.name, alone, other)):
                kept = problems if problem.severity == "error" else warnings
                if len(kept) < SHOWN:
                    kept.append(problem)
            size = stream.tell()
            stream.seek(0)
            digest = file_digest(stream, "sha256").hexdigest()
    except OSError as exc:
        name = exc.filename or path
        raise InputError(f"{name} cannot be read ({exc.strerror}): name a JSONL file") from None
    return Checked(Dataset(path, summary.rows, size, digest), summary, tuple(problems), tuple(warnings))

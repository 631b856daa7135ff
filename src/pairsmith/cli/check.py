"""`pairsmith check`: every problem of a dataset file, with line, field, what was found and how to mend it."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import click
import orjson

from pairsmith.cli.common import TARGETS, json_option, relative, validation_path
from pairsmith.errors import InputError, UserError

if TYPE_CHECKING:
    from pairsmith.export.check import Length
    from pairsmith.export.mending import Mended
    from pairsmith.export.problems import Problem, Summary

SHOWN = 50  # problems printed unless --all
BUFFER = 1024 * 1024
ABOUT_FOUR = 4.0  # characters a token, where no tokenizer is named


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--target", type=click.Choice(TARGETS), default="openai", show_default=True, help="Whose rules.")
@click.option(
    "--validation",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The other file of a split, checked too.  [default: NAME.validation.jsonl beside FILE, if it is there]",
)
@click.option("--max-tokens", type=click.IntRange(min=1), metavar="N", help="Rows longer than that are problems.")
@click.option("--tokenizer", type=click.Path(path_type=Path), metavar="FILE", help="A tokenizer.json to count with.")
@click.option("--fix", is_flag=True, help="Write a mended copy, and say what was changed and left out.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="The copy.  [default: NAME.fixed.jsonl]"
)
@click.option("--all", "all_problems", is_flag=True, help=f"Print every problem, not the first {SHOWN}.")
@json_option
def command(
    file: Path,
    target: str,
    validation: Path | None,
    max_tokens: int | None,
    tokenizer: Path | None,
    fix: bool,
    out: Path | None,
    all_problems: bool,
    as_json: bool,
) -> int:
    """Find every problem of FILE. Exits 0 if there is none (warnings do not count), else 1.

    With --fix it exits 0 if the copy has none. Texts are never changed: a row whose text is wrong is left out of it.
    """
    if out is not None and not fix:
        raise UserError("-o names the mended copy: say --fix too")
    beside = validation or _beside(file)
    length = _length(max_tokens, tokenizer)
    with contextlib.closing(_Printer(as_json, None if as_json or all_problems else SHOWN)) as printer:
        checked = [_Checked(file, target, length, beside)]
        if beside is not None:
            checked.append(_Checked(beside, target, length, None, alone=False))
        for one in checked:
            for problem in one.problems():
                printer.problem(problem, one)
        mended, left = _mended(checked[0], out or file.with_stem(f"{file.stem}.fixed")) if fix else (None, None)
        printer.end(checked, mended)
    first, *others = [one.summary.errors for one in checked]
    return 1 if sum([first if left is None else left, *others]) else 0


class _Checked:
    """One file, and what was found in it."""

    def __init__(
        self, path: Path, target: str, length: Length | None, beside: Path | None, *, alone: bool = True
    ) -> None:
        from pairsmith.export.problems import Summary

        self.path, self.target, self.length, self.beside, self.alone = path, target, length, beside, alone
        self.summary = Summary()
        self.repeated: dict[int, str] = {}  # by line: the rule by which it is one too many
        self.rules: dict[str, str] = {}  # broken ones: who says so

    def problems(self) -> Iterator[Problem]:
        from pairsmith.export.check import Options, check

        with contextlib.ExitStack() as files:
            other = None if self.beside is None else files.enter_context(_lines(self.beside))
            options = Options(self.path.name, self.alone, other, self.length)
            lines = files.enter_context(_lines(self.path))
            for problem in check(lines, self.target, self.summary, options):
                if problem.rule in ("both_splits", "max_tokens"):
                    self.repeated[problem.line] = problem.rule
                self.rules.setdefault(problem.rule, problem.source)
                yield problem


@contextlib.contextmanager
def _lines(path: Path) -> Iterator[Iterator[bytes]]:
    from pairsmith.export.containers import container_of, lines_of

    if path.suffix in (".tsv", ".gz", ".zst", ".bz2", ".arrow"):
        raise InputError(f"{path}: check reads JSON lines, CSV and Parquet: convert it first, or unpack it")
    try:
        with path.open("rb", buffering=BUFFER) as stream:
            container = container_of(stream.read(4), path.suffix)
            stream.seek(0)
            yield lines_of(stream, container, str(path))
    except OSError as exc:
        raise InputError(f"{path} cannot be read ({exc.strerror}): name a dataset file") from None


def _beside(file: Path) -> Path | None:
    """The validation file that `export` writes beside a training file."""
    path = validation_path(file)
    return path if path.exists() and not file.stem.endswith(".validation") else None


def _length(most: int | None, tokenizer: Path | None) -> Length | None:
    from pairsmith.export.check import Length
    from pairsmith.wordings import tokenizer as loaded

    if most is None:
        if tokenizer is not None:
            raise UserError("--tokenizer counts for --max-tokens: say how many tokens a row may have")
        return None
    if tokenizer is None:
        return Length(most, lambda text: len(text) / ABOUT_FOUR, "about 4 characters a token")
    return Length(most, loaded(tokenizer)[0], f"by {tokenizer.name}")


def _mended(checked: _Checked, out: Path) -> tuple[tuple[Path, Mended], int]:
    """Write the copy, and count the problems that it still has."""
    from pairsmith.export.check import Options, check
    from pairsmith.export.containers import container_of
    from pairsmith.export.mending import mend
    from pairsmith.export.problems import Summary
    from pairsmith.export.targets import target_named
    from pairsmith.folder import written_whole

    target = target_named(checked.target)
    with checked.path.open("rb") as stream:
        if container_of(stream.read(4), checked.path.suffix) != "jsonl":
            raise UserError("--fix mends JSON lines: write the table again from its source")
    if out.resolve() == checked.path.resolve():
        raise UserError(f"{out} is the file itself: name another one for the copy, with -o")
    try:
        with _lines(checked.path) as lines, written_whole(out) as copy:
            mended = mend(lines, target, checked.repeated, copy)
    except OSError as exc:
        raise UserError(f"{out} cannot be written ({exc.strerror}): name another file with -o") from exc
    left = Summary()
    with _lines(out) as lines:
        for _ in check(lines, checked.target, left, Options(out.name)):
            pass
    return (out, mended), left.errors


class _Printer:
    """Problems as they are found: for people the first `most` of them; for programs one JSON object at the end.

    A file that cannot be read to its end leaves no half of an object so; they wait in a temporary file, as there may be
    many.
    """

    def __init__(self, as_json: bool, most: int | None) -> None:
        self.most, self.shown = most, 0
        self.pieces = TemporaryFile("w+", encoding="utf-8") if as_json else None  # noqa: SIM115 — close() does

    def close(self) -> None:
        if self.pieces is not None:
            self.pieces.close()

    def problem(self, problem: Problem, of: _Checked) -> None:
        if self.pieces is not None:
            told = {"file": str(of.path), **asdict(problem)}
            self.pieces.write(("," if self.shown else "") + orjson.dumps(told).decode())
        elif self.most is None or self.shown < self.most:
            name = "" if of.alone else f"{relative(of.path)}, "
            print(f"{'' if problem.severity == 'error' else 'warning: '}{name}{problem} [{problem.rule}]")
        self.shown += 1

    def end(self, checked: list[_Checked], mended: tuple[Path, Mended] | None) -> None:
        if self.pieces is not None:
            first, *others = checked
            told = _counts(first.summary)
            told["validation"] = {"file": str(others[0].path), **_counts(others[0].summary)} if others else None
            told["fixed"] = None if mended is None else _mended_json(*mended)
            head = orjson.dumps({"file": str(first.path), "target": first.target}).decode()
            print(f'{head[:-1]},"problems":[', end="")
            self.pieces.seek(0)
            shutil.copyfileobj(self.pieces, sys.stdout)
            print(f"],{orjson.dumps(told).decode()[1:]}")
            return
        hidden = 0 if self.most is None else self.shown - self.most
        if hidden > 0:
            print(f"… and {hidden:,} more (--all prints them)")
        sources = {rule: source for one in checked for rule, source in one.rules.items()}
        if sources:
            print("rules broken, and who says so:")
        for rule, source in sources.items():
            print(f"  {rule}: {source}")
        for one in checked:
            print(_verdict(one))
        if mended is not None:
            print("\n".join(_mended_text(*mended)))


def _counts(summary: Summary) -> dict[str, Any]:
    return {
        "rows": summary.rows,
        "errors": summary.errors,
        "warnings": summary.warnings,
        "by_rule": dict(summary.by_rule),
    }


def _verdict(checked: _Checked) -> str:
    summary = checked.summary
    verdict = "ready" if not summary.errors else _counted(summary.errors, "problem")
    warned = f", {_counted(summary.warnings, 'warning')}" if summary.warnings else ""
    return f"{relative(checked.path)}: {summary.rows:,} rows for {checked.target}: {verdict}{warned}"


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _mended_json(out: Path, mended: Mended) -> dict[str, Any]:
    return {
        "out": str(out),
        "rows": mended.rows,
        "changed": dict(mended.changed),
        "dropped": dict(mended.dropped),
        "lines": mended.lines,
    }


def _mended_text(out: Path, mended: Mended) -> Iterator[str]:
    yield f"{relative(out)}: {mended.rows:,} rows, mended"
    for rule, count in mended.changed.most_common():
        yield f"  mended       {rule} {count:,}"
    for rule, count in mended.dropped.most_common():
        more = ", …" if count > len(mended.lines[rule]) else ""
        yield f"  left out     {rule} {count:,} (line {', '.join(map(str, mended.lines[rule]))}{more})"

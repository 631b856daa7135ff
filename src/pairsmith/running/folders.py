"""Writes a dataset folder: the pairs of a run in several formats, their provenance, the recipe, and the dataset card.

FORMAT/train.jsonl holds the rows as the target takes them, parquet/FORMAT/train.parquet the same rows for `datasets`,
and provenance/FORMAT/train.jsonl at each line what proves that line. No file takes its place before all are complete.
Called by the command line.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import orjson

from pairsmith.dataset import Sink, Texts, write_pairs
from pairsmith.errors import UserError
from pairsmith.export.card import Format, Part, card, is_untouched
from pairsmith.export.columns import Columns
from pairsmith.export.containers import SUFFIXES, WRITERS, RowWriter, lines_of
from pairsmith.export.split import TRAIN, VALIDATION
from pairsmith.export.targets import TARGETS
from pairsmith.folder import RunFolder, written_whole
from pairsmith.running.shareable import shareable_proof, shareable_toml
from pairsmith.running.written import PROVENANCE, projection_of, without_folders

if TYPE_CHECKING:
    from pairsmith.dataset import Projection
    from pairsmith.export.card import Facts
    from pairsmith.export.reading import JsonObject
    from pairsmith.export.split import Part as Split
    from pairsmith.ledger import Ledger, Settled
    from pairsmith.qualified import Qualification
    from pairsmith.recipe import Recipe
    from pairsmith.records import Endpoint, EndpointName, Prompt
    from pairsmith.running.carded import Known, Wanted

CARD, RECIPE, COLUMNS = "README.md", "recipe.toml", "parquet"
OPENAI = "openai_pft"  # the name of OpenAI's rows as a config; other targets go by their own
USUAL = (OPENAI, "trl")
# The target `parquet` is left out: every format is written as Parquet too.
FORMATS: Mapping[str, str] = {OPENAI: "openai"} | {name: name for name in TARGETS if name not in ("openai", "parquet")}
SPLITS: tuple[Split, ...] = (TRAIN, VALIDATION)


@dataclass(frozen=True, slots=True)
class Written:
    """What was written. files: by their paths in the folder. stale: those of an earlier export that no card names."""

    formats: tuple[Format, ...]
    files: tuple[str, ...]
    stale: tuple[str, ...]
    simulated: int
    warnings: tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    """Passes rows on, and remembers the first, and what columns they have."""

    below: RowWriter
    columns: Columns
    first: JsonObject | None = None

    def write(self, row: JsonObject) -> None:
        self.first = self.first or row
        self.columns.see(row)
        self.below.write(row)

    def close(self) -> None:
        self.below.close()


@dataclass(slots=True)
class _Open:
    """The folder while it is written."""

    root: Path
    files: contextlib.ExitStack
    written: dict[str, BinaryIO] = field(default_factory=dict)  # by their paths in the folder

    def file(self, path: str) -> BinaryIO:
        stream = self.files.enter_context(written_whole(self.root / path))
        self.written[path] = stream
        return stream

    def complete(self) -> None:
        """Have all of it on the disk, before the first file takes its place: there may be no room for the last."""
        for stream in self.written.values():
            stream.flush()
            os.fsync(stream.fileno())


def write_folder(
    wanted: Wanted,
    run: RunFolder,
    recipe: Recipe,
    ledger: Ledger,
    digest: str,
    models: Mapping[EndpointName, Endpoint],
    judges: Mapping[EndpointName, Qualification | None],
) -> Written:
    """Write all of it, or nothing.

    Args:
        wanted: the folder, and what goes into it.
        run: the run folder.
        recipe: as the folder was last run, with the [export] table that is asked for.
        ledger: of the run folder.
        digest: of the work whose outcomes are written.
        models: the recipe's endpoints.
        judges: how they did when they were asked what is known.

    Raises:
        UserError: there is no pair, the folder holds something else, or it cannot be written.
    """
    from pairsmith.running.carded import Known

    _check(wanted, run)
    base = projection_of(recipe, ledger, digest, judges)
    try:
        with contextlib.ExitStack() as files:
            into = _Open(wanted.folder, files)
            formats, example = [], None
            for name in wanted.formats:
                aimed, outcomes = _aimed(base, FORMATS[name]), ledger.outcomes(digest)
                one, first = _write_format(into, name, aimed, Texts(ledger), outcomes, wanted.limit)
                formats.append(one)
                example = example or first
            if example is None:
                raise UserError(f"{run.path} has no pair that can be written: there is no dataset to make")
            facts = _page(into, Known(recipe, ledger, digest, models, judges), formats, example, wanted)
            into.complete()
    except OSError as exc:
        raise UserError(f"{wanted.folder} cannot be written ({exc.strerror}): name another folder") from exc
    stale = [path for path in _ever_written() if path not in into.written and (wanted.folder / path).exists()]
    return Written(tuple(formats), tuple(into.written), tuple(stale), facts.simulated, tuple(facts.warnings))


def _page(into: _Open, known: Known, formats: Sequence[Format], example: JsonObject, wanted: Wanted) -> Facts:
    """The recipe and the card of these files; what the card says."""
    from pairsmith.assets import card_template
    from pairsmith.running.carded import facts_of

    facts = facts_of(known, formats, example, wanted)
    into.file(RECIPE).write(shareable_toml(known.recipe).encode())
    into.file(CARD).write(card(facts, card_template()).encode())  # last here, so first to take its place
    return facts


def _check(wanted: Wanted, run: RunFolder) -> None:
    """Nothing that somebody else wrote, or changed, is written over."""
    folder = wanted.folder
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: name a folder for the dataset")
    if RunFolder(folder).ledger.exists():
        raise UserError(f"{folder} is the folder of a run: name another one for the dataset")
    page = folder / CARD
    if page.is_dir():
        raise UserError(f"{page} is a folder: name another one for the dataset")
    if page.exists():
        if not is_untouched(page.read_text(encoding="utf-8", errors="replace")):
            raise UserError(f"{page} is not as pairsmith wrote it: move it away, or name another folder")
        return
    there = next((path for path in (RECIPE, *_ever_written()) if (folder / path).exists()), None)
    if there is not None:
        raise UserError(f"{folder / there} is there without a card of ours: move it away, or name another folder")


def _aimed(base: Projection, target: str) -> Projection:
    """The projection for another target; which prompts go where stays as it is."""
    settings = base.settings.model_copy(update={"target": target})
    table = settings.model_dump(mode="json", exclude_defaults=True, exclude={"path"})
    return replace(base, settings=settings, export=without_folders(table))


def _write_format(
    into: _Open,
    name: str,
    projection: Projection,
    texts: Texts,
    outcomes: Iterable[tuple[Prompt, Settled]],
    limit: int | None,
) -> tuple[Format, JsonObject | None]:
    """The files of one format, and its first row."""
    target = TARGETS[FORMATS[name]]
    container, columns = target.layout.container, Columns()
    splits = SPLITS[:1] if projection.parts is None else SPLITS
    streams = {split: into.file(_path(name, split)) for split in splits}
    seen = {split: _Seen(WRITERS[container](stream), columns) for split, stream in streams.items()}
    sinks = {split: Sink(one, into.file(_proofs(name, split)), shareable_proof) for split, one in seen.items()}
    exported = write_pairs(texts, outcomes, projection, sinks, limit)
    parts = []
    for split, stream in streams.items():
        loaded = _columns(name, split) if sinks[split].rows else ""
        if loaded:
            stream.seek(0)
            columns.write(into.file(loaded), map(orjson.loads, lines_of(stream, container)))
            stream.seek(0, os.SEEK_END)
        parts.append(Part(split, sinks[split].rows, _path(name, split), loaded, _proofs(name, split)))
    made = Format(name, target.title, tuple(parts), columns.any_json, exported.left_out)
    return made, next((one.first for one in seen.values() if one.first), None)


def _path(name: str, split: Split) -> str:
    return f"{name}/{split}{SUFFIXES[TARGETS[FORMATS[name]].layout.container]}"


def _proofs(name: str, split: Split) -> str:
    return f"{PROVENANCE}/{name}/{split}.jsonl"


def _columns(name: str, split: Split) -> str:
    return f"{COLUMNS}/{name}/{split}.parquet"


def _ever_written() -> Iterator[str]:
    """Every path that some export may have written, but for the card and the recipe."""
    for name in FORMATS:
        for split in SPLITS:
            yield from (_path(name, split), _columns(name, split), _proofs(name, split))

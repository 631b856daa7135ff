"""Opens the prompts of a run: its files, standard input where the caller has one, or what the ledger has already.

Files are named by path, by glob, as a folder, or as a dataset of the Hugging Face Hub; each is opened when its turn
comes. How their rows are ordered, and which of them are wanted, is the recipe's [prompts].
"""

from __future__ import annotations

import glob
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from pairsmith.collect.settings import HUB, PromptSettings
from pairsmith.errors import InputError
from pairsmith.recipe import STANDARD_INPUT
from pairsmith.running.named import Named

if TYPE_CHECKING:
    from pairsmith.collect import BadRow, Found, Row
    from pairsmith.ledger import Ledger

Say = Callable[[str], object]


def stored_input(what: Named, ledger: Ledger, say: Say) -> bool:
    """Whether the input is the one that the ledger has: standard input cannot be read a second time."""
    if not what.resumed or what.recipe.prompts.paths != (STANDARD_INPUT,) or ledger.generation == 0:
        return False
    if not ledger.input_whole():
        say(
            f"standard input was cut after {ledger.input_size():,} prompts: going on with these; to add the rest, "
            f"pipe it again: pairsmith run RECIPE --run-dir {what.folder.path}"
        )
    return True


def prompt_settings(**fields: Any) -> PromptSettings:
    """The [prompts] of what was named on a command line; what is None is left out.

    Raises:
        InputError: a field is not as it must be.
    """
    from pydantic import ValidationError

    try:
        return PromptSettings(**{key: value for key, value in fields.items() if value is not None})
    except ValidationError as exc:
        error = exc.errors()[0]
        message = error["msg"].removeprefix("Value error, ")
        where, found = (f"{error['loc'][0]}: ", f" (found {error['input']!r})") if error["loc"] else ("", "")
        raise InputError(f"{where}{message}{found}") from None


@dataclass(frozen=True, slots=True)
class File:
    """One file: its name as the user knows it, how it is opened, and where it is (None: not on this machine)."""

    name: str
    open: Callable[[], BinaryIO]
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """The rows of all files of an input, in the order that the recipe asks for. They are read once."""

    settings: PromptSettings
    groups: tuple[tuple[File, ...], ...]  # of each path
    not_matching: Counter[str] = field(default_factory=Counter)  # rows that `where` passed over, by file

    @property
    def name(self) -> str:
        """As the user wrote it."""
        return ", ".join("standard input" if path == STANDARD_INPUT else path for path in self.settings.paths)

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files."""
        return tuple(file.name for group in self.groups for file in group)

    def rows(self) -> Iterator[Row | BadRow]:
        """The good and the bad ones, as they are wanted; shuffled ones when all were read.

        Raises:
            InputError: a file cannot be read.
        """
        from pairsmith.collect import rows_of
        from pairsmith.collect.mixed import interleaved

        settings = self.settings
        with ExitStack() as spools:
            found: list[Iterator[Found]] = [chain.from_iterable(map(self._found, group)) for group in self.groups]
            if settings.weights is None:
                found = [chain.from_iterable(found)]
            if settings.shuffle:
                found = [self._shuffled(one, place, spools) for place, one in enumerate(found)]
            rows = [rows_of(one, settings.column) for one in found]
            row = None
            for row in rows[0] if settings.weights is None else interleaved(rows, settings.weights):
                yield row
            if row is None and (passed := self.not_matching.total()):
                raise InputError(f"{self.name}: none of the {passed:,} rows match {settings.where}; mend the condition")

    def _shuffled(self, found: Iterator[Found], place: int, spools: ExitStack) -> Iterator[Found]:
        """Through a temporary file; each path has an order of its own where they are interleaved."""
        from pairsmith.collect.mixed import shuffled

        spool = cast(BinaryIO, spools.enter_context(tempfile.TemporaryFile()))  # noqa: SIM115
        return shuffled(found, spool, Random(f"{self.settings.seed} {place}").shuffle)

    def _found(self, file: File) -> Iterator[Found]:
        from pairsmith.collect import detect_format, found_in
        from pairsmith.collect.sources import SEEKING
        from pairsmith.streams import unpacked

        def passed_over(count: int) -> None:
            self.not_matching[file.name] += count

        with ExitStack() as opened:
            try:
                stream = file.open()
                if file.name != STANDARD_INPUT:
                    opened.callback(stream.close)
                stream, head, _ = unpacked(stream)
                format = self.settings.format or detect_format(file.name, head)
                if format in SEEKING and not stream.seekable():
                    stream = _whole(stream, opened)
                settings = self.settings
                yield from found_in(stream, file.name, format, settings.column, settings.condition, passed_over)
            except (OSError, EOFError) as exc:
                raise _unreadable(file.name, exc) from exc


def _whole(stream: BinaryIO, opened: ExitStack) -> Any:
    """A copy that can seek: some formats are read from their end."""
    copy = opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    shutil.copyfileobj(stream, copy)
    copy.seek(0)
    return copy


def input_of(
    settings: PromptSettings, standard_input: Callable[[], BinaryIO], say: Say = lambda sentence: None
) -> Input:
    """The files of an input, found and seen to be there.

    Args:
        settings: which they are.
        standard_input: opens it; called when its turn comes.
        say: told which part of a dataset is read.

    Raises:
        InputError: one cannot be opened, or is no prompt file.
    """
    groups = tuple(tuple(_files(path, settings, standard_input, say)) for path in settings.paths)
    if (settings.config or settings.split) and not any(map(_may_be_dataset, settings.paths)):
        raise InputError(f"{settings.paths[0]} is no dataset, without configs and splits: leave config and split out")
    for file in chain.from_iterable(groups):
        _look(file, settings)
    return Input(settings, groups)


def _may_be_dataset(path: str) -> bool:
    return path != STANDARD_INPUT and not Path(path).is_file() and not glob.has_magic(path)


def _files(path: str, settings: PromptSettings, standard_input: Callable[[], BinaryIO], say: Say) -> Iterator[File]:
    """The files behind one path: itself; those that a glob matches, by name; those of a folder or a dataset."""
    if path == STANDARD_INPUT:
        yield File(path, standard_input)
    elif Path(path).is_dir():
        yield from _in_folder(Path(path), settings, say)
    elif glob.has_magic(path) and not Path(path).exists():
        matched = sorted(one for one in glob.glob(path, recursive=True) if not Path(one).is_dir())  # noqa: PTH207
        if not matched:
            raise InputError(f"{path} matches no file: mend the pattern, or look where it starts")
        yield from map(_file, matched)
    else:
        yield from _of_hub(path, settings, say) or [_file(path)]


def _file(path: str) -> File:
    return File(path, lambda: Path(path).open("rb"), Path(path))


def _in_folder(folder: Path, settings: PromptSettings, say: Say) -> Iterator[File]:
    """A dataset's files, or all prompt files that stand directly in it."""
    from pairsmith.collect.sources import SUFFIXES
    from pairsmith.converting.folders import is_dataset
    from pairsmith.converting.opened import dataset
    from pairsmith.streams import without_packing

    plain = sorted(
        str(one)
        for one in folder.iterdir()
        if one.is_file() and one.name[0] not in "._" and Path(without_packing(one.name)).suffix.lower() in SUFFIXES
    )
    if plain and settings.config is None and settings.split is None and not is_dataset(folder):
        say(f"{folder}: {_counted(plain)}")
        yield from map(_file, plain)
        return
    found = dataset(str(folder), settings.config, settings.split)
    if found is not None and found.part is not None:
        say(f"{folder}: {_part(found.part.config, found.part.split)}{_counted(found.sources)}")
        yield from (_file(str(folder / one.name)) for one in found.sources)


def _of_hub(path: str, settings: PromptSettings, say: Say) -> list[File]:
    """The files of a dataset on the hub; none: it is not the name of one."""
    from pairsmith.collect.sources import SUFFIXES
    from pairsmith.converting.opened import dataset
    from pairsmith.streams import without_packing

    if Path(without_packing(path)).suffix.lower() in SUFFIXES and not path.startswith(HUB):
        return []
    found = dataset(path, settings.config, settings.split)
    if found is None or found.part is None:
        return []
    say(f"{path}: {_part(found.part.config, found.part.split)}{_counted(found.sources)}")
    return [File(one.name, one.open) for one in found.sources]


def _part(config: str, split: str) -> str:
    return "".join(f"{word} {name}, " for word, name in (("config", config), ("split", split)) if name)


def _counted(files: Sequence[object]) -> str:
    return f"{len(files):,} file{'' if len(files) == 1 else 's'}"


def _look(file: File, settings: PromptSettings) -> None:
    """Whether a file can be read, and is of a format that is: told before anything is done with others.

    A pipe is let be: whoever writes into it waits for one reader.
    """
    from pairsmith.collect import detect_format

    if file.name == STANDARD_INPUT:
        return
    if file.path is not None and not file.path.is_fifo():
        try:
            file.open().close()
        except OSError as exc:
            raise _unreadable(file.name, exc) from None
    if settings.format is None:
        detect_format(file.name, b"")


def _unreadable(name: str, exc: Exception) -> InputError:
    reason = (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
    return InputError(f"{name} cannot be read ({reason}): mend [prompts] path, or the name that was given")

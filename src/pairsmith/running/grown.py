"""Prompts that are grown from seeds: what a recipe's [prompts.expand] names is opened, and what came of it is rows."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from pairsmith import assets
from pairsmith.collect import BadRow, Row, read_row
from pairsmith.collect.expand.gates import unquoted
from pairsmith.collect.expand.growth import Means
from pairsmith.collect.expand.methods import Stock
from pairsmith.collect.expand.records import Grown, Harvest, Judgement, Origin
from pairsmith.collect.expand.words import TEMPLATES, Words
from pairsmith.collect.rows import Place
from pairsmith.errors import InputError, Stopped
from pairsmith.expanding import Expansion, expand, modes_of
from pairsmith.judge.verdicts import objects_in
from pairsmith.records import EndpointName, Json
from pairsmith.running.paying import watched
from pairsmith.running.sources import input_of, prompt_settings
from pairsmith.sample.refusals import is_refusal
from pairsmith.wordings import detector, is_foreign, language_names
from pairsmith.work import MODES

if TYPE_CHECKING:
    from pairsmith.collect.expand.settings import ExpandSettings
    from pairsmith.ledger import Ledger
    from pairsmith.recipe import Recipe
    from pairsmith.records import Endpoint
    from pairsmith.running.carried import Growing
    from pairsmith.wire.online import Engine

Languages: TypeAlias = Callable[[str], str | None]

PASSAGE_CHARS = 3000  # about 750 tokens: a page and a half, of which a handful of questions can be asked
LEAST_PASSAGE_CHARS = 200
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\ufffd]")
TEXT_SUFFIXES = (".txt", ".md", ".markdown", ".rst")
GROWN = "grown from seeds"  # the name of this input in messages


def expansion_of(
    recipe: Recipe, models: Mapping[EndpointName, Endpoint], ledger: Ledger | None, most: int | None = None
) -> Expansion:
    """All that decides what will be asked.

    Args:
        recipe: one with [prompts.expand].
        models: its endpoints, under their identities.
        ledger: what it knows of them; None: there is none yet.
        most: prompts that are needed at most; None: all of them.

    Raises:
        InputError: seeds or documents cannot be read, or there are none.
    """
    settings = recipe.prompts.expand
    assert settings is not None
    language = lru_cache(maxsize=None)(detector(settings.language, "[prompts.expand] language"))
    for code in settings.languages:
        detector(code, "[prompts.expand] languages")
    writer = models[EndpointName(recipe.writer)]
    judge = models[EndpointName(settings.judge)] if settings.judge else None
    modes = modes_of(writer, judge, MODES, ledger)
    stock = Stock(
        settings=settings,
        seeds=seeds_of(settings, language),
        persons=_lines("persons"),
        situations=_lines("situations"),
        passages=passages_of(Path(settings.docs), language) if settings.docs else (),
    )
    words = Words({name: assets.template("expand", f"{name}.md.j2") for name in TEMPLATES}, language_names())
    means = Means(words, Judgement(objects_in, is_refusal, language, is_foreign), _dice)
    return Expansion(settings, stock, means, writer, judge, modes, Harvest(min(settings.n, most or settings.n)))


async def grown(expansion: Expansion, ledger: Ledger, engine: Engine, watch: Growing) -> Stopped | None:
    """Grow what is wanted, and have it followed; why it ended early, if it did. The engine is left open."""
    engine.say = watch.say
    try:
        async with watched(watch, engine, ledger):
            await expand(expansion, ledger, engine, watch.kept)
    except Stopped as exc:
        return exc
    return None


def _dice(name: str) -> random.Random:
    return random.Random(int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:8]))


def _lines(name: str) -> tuple[str, ...]:
    text = assets.asset("data", "expand", f"{name}.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.split("\n") if line.strip())


# --- seeds ------------------------------------------------------------------------------------------


def seeds_of(settings: ExpandSettings, language: Languages) -> list[Origin]:
    """The seeds of all files, each once.

    Raises:
        InputError: a row is bad or of several turns, or there is none.
    """
    found: dict[tuple[str, str | None], Origin] = {}
    try:
        for row in input_of(prompt_settings(path=list(settings.seeds)), _no_standard_input).rows():
            if isinstance(row, BadRow):
                raise InputError(str(row))
            one = _seed(row, language)
            found.setdefault((one.text, one.system), one)
    except InputError as exc:
        raise InputError(str(exc).replace("[prompts] path", "[prompts.expand] seeds")) from None
    if not found:
        raise InputError(f"{', '.join(settings.seeds)}: no prompts in it; write one a line")
    ids = Counter(seed.id for seed in found.values())
    twice = next((ident for ident, times in ids.items() if times > 1), None)
    if twice is not None:
        raise InputError(f'two different seeds have the id "{twice}": change one of them')
    return list(found.values())


def _seed(row: Row, language: Languages) -> Origin:
    prompt = row.prompt
    if len(prompt.messages) > 1 or not isinstance(prompt.messages[0]["content"], str):
        raise InputError(f"{row.name}, line {row.line}: has several turns, and a seed is one message; leave it out")
    text, ident = prompt.messages[0]["content"], prompt.source_id or str(prompt.id)
    family = prompt.meta.get("family")
    return Origin(
        id=ident,
        text=text,
        family=family if isinstance(family, str) else None,
        system=prompt.system,
        language=language(unquoted(text)),
        roots=(ident,),
    )


def _no_standard_input() -> NoReturn:
    raise InputError("seeds are read again on every run, which standard input cannot be: put them in a file")


# --- documents --------------------------------------------------------------------------------------


def passages_of(folder: Path, language: Languages) -> list[Origin]:
    """The text files of a folder and of those in it, by name, cut into passages between paragraphs.

    Raises:
        InputError: there is no text in it, or a file cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: name one with text files ({', '.join(TEXT_SUFFIXES)})")
    passages = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in TEXT_SUFFIXES and path.is_file()):
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as exc:
            raise InputError(
                f"{path} cannot be read ({exc.strerror}): mend that, or take it out of the folder"
            ) from exc
        except UnicodeDecodeError as exc:
            raise InputError(f"{path} is not UTF-8 (byte {exc.start + 1}): save it as UTF-8") from exc
        if len(_CONTROL.findall(text)) > 0.01 * len(text):
            raise InputError(f"{path} holds no text: take it out of the folder")
        for number, passage in enumerate(_cut(text), start=1):
            ident = f"{path.relative_to(folder)}#{number}"
            passages.append(Origin(ident, passage, language=language(passage), roots=(ident,)))
    if not passages:
        raise InputError(
            f"{folder}: no text in it; put files there ({', '.join(TEXT_SUFFIXES)}) of at least {LEAST_PASSAGE_CHARS} "
            "characters"
        )
    return passages


def _cut(text: str) -> Iterator[str]:
    """Passages of whole paragraphs; a paragraph that is longer than a passage is cut at white space."""
    passage = ""
    for piece in _pieces(text):
        if len(passage) >= LEAST_PASSAGE_CHARS and len(passage) + len(piece) > PASSAGE_CHARS:
            yield passage
            passage = ""
        passage = f"{passage}\n\n{piece}" if passage else piece
    if len(passage) >= LEAST_PASSAGE_CHARS:
        yield passage


def _pieces(text: str) -> Iterator[str]:
    """Paragraphs; one that is longer than a passage in parts, cut behind a sentence if it can be."""
    for paragraph in text.replace("\r\n", "\n").replace("\0", "").split("\n\n"):
        rest = paragraph.strip("\n")
        while len(rest) > PASSAGE_CHARS:
            ends = [
                rest.rfind(end, PASSAGE_CHARS // 2, PASSAGE_CHARS) + 1 for end in (". ", "? ", "! ", "。", "\n", " ")
            ]
            at = next((end for end in (max(ends[:4]), *ends[4:]) if end > 0), PASSAGE_CHARS)
            yield rest[:at].rstrip()
            rest = rest[at:].lstrip()
        if rest.strip():
            yield rest


# --- rows -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GrownRows:
    """The kept prompts as an input of a run."""

    kept: Sequence[Grown]

    @property
    def name(self) -> str:
        """As it is called in messages."""
        return GROWN

    def rows(self) -> Iterator[Row | BadRow]:
        """In the order in which they were kept."""
        for number, grown in enumerate(self.kept, start=1):
            yield read_row(row_of(grown), Place(GROWN, number, "row"))


def stand_ins(expansion: Expansion) -> Iterator[Row | BadRow]:
    """What was grown so far, and the seeds again and again for what is still to come: as many rows as are wanted."""
    kept, seeds = expansion.harvest.kept, expansion.stock.seeds
    yield from GrownRows(kept).rows()
    for number in range(len(kept), expansion.harvest.wanted):
        seed = seeds[number % len(seeds)]
        row: dict[str, Json] = {"prompt": f"{seed.text} ({number})", "system": seed.system, "family": seed.family}
        yield read_row({key: value for key, value in row.items() if value}, Place(GROWN, number, "row"))


def row_of(grown: Grown) -> dict[str, Json]:
    """A kept prompt as a row of a prompt file, with where it comes from; what is not known is left out."""
    origin, slot, source = grown.origin, grown.slot, grown.slot.source
    seeds: list[Json] = [root for root in origin.roots if root != grown.id]
    examples: list[Json] = [one.id for one in slot.shown]
    row: dict[str, Json] = {
        "id": grown.id,
        "prompt": grown.text,
        "system": origin.system,
        "family": origin.family,
        "language": grown.language,
        "seeds": seeds,
        "parent": source.id if source and origin.roots != (source.id,) else None,
        "examples": examples,
        "method": slot.method,
        **dict(slot.about),
        "round": slot.round,
        "model": grown.said.model,
        "quality": grown.quality,
        "difficulty": grown.difficulty,
        "simulated": grown.said.simulated or None,
    }
    return {key: value for key, value in row.items() if value not in (None, [])}

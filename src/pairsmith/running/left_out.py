"""Lists what an input left out, each beside what it was held against: in a run folder, or beside collected prompts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from pairsmith.folder import RunFolder, written_whole
from pairsmith.running.named import relative

if TYPE_CHECKING:
    from pairsmith.ledger import Counts, Ledger, NearDuplicate
    from pairsmith.records import Json, Prompt


def list_left_out(ledger: Ledger, folder: RunFolder, counts: Counts) -> list[str]:
    """Write the lists of a run folder, and say where they are; a list of an earlier input that is empty now goes."""
    said = []
    if counts.contaminated:
        write_lines(folder.contaminated, ledger.contaminated())
        what = "1 row holds" if counts.contaminated == 1 else f"{counts.contaminated:,} rows hold"
        said.append(f"{what} an item of an evaluation set and left the input: {relative(folder.contaminated)}")
    else:
        folder.contaminated.unlink(missing_ok=True)
    if counts.near_duplicates:
        write_lines(folder.near_duplicates, near_rows(ledger.near_duplicates()))
        what = f"{counts.near_duplicates:,} prompt{' is' if counts.near_duplicates == 1 else 's are'}"
        said.append(f"{what} nearly the same as an earlier one and left the input: {relative(folder.near_duplicates)}")
    else:
        folder.near_duplicates.unlink(missing_ok=True)
    return said


def near_rows(found: Iterable[NearDuplicate]) -> Iterator[dict[str, Json]]:
    """Prompts that were left out as they are listed, each with the one that stands in its place."""
    for one in found:
        yield {**_named(one.prompt), "instead": _named(one.stands)}


def write_lines(path: Path, rows: Iterable[Mapping[str, Json]]) -> None:
    """Write rows as JSON lines, all at once."""
    with written_whole(path) as file:
        for row in rows:
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def _named(prompt: Prompt) -> dict[str, Json]:
    texts = [text for turn in prompt.messages if isinstance(text := turn.get("content"), str)]
    return {"id": prompt.source_id or prompt.id, "text": "\n\n".join(texts)}

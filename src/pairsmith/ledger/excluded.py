"""Which prompts became a pair in other run folders: an input leaves them out. Called by book.py.

Those ledgers are only read. They are opened and asked chunk by chunk, so that nothing of them stays in memory, and a
run may go on there meanwhile.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pairsmith.errors import LedgerError
from pairsmith.ledger.schema import VERSION
from pairsmith.records import PromptId

_NONE: Mapping[PromptId, str | None] = {}
_BECAME_A_PAIR = (
    "SELECT 1 FROM prompts p JOIN outcomes o ON o.prompt = p.id"
    " WHERE p.hash = ? AND o.kind = 'pair' AND o.digest = (SELECT value FROM facts WHERE key = 'digest')"
)
# The same of a prompt that is equal to this one; ledgers that an earlier version made last do not know it.
_AN_EQUAL_ONE_DID = (
    "SELECT 1 FROM generations g CROSS JOIN inputs i INDEXED BY inputs_equal ON i.generation = g.id"
    " JOIN outcomes o ON o.prompt = i.prompt WHERE i.equal = ? AND o.kind = 'pair'"
    " AND o.digest = (SELECT value FROM facts WHERE key = 'digest')"
)
_KNOWS_EQUAL = "SELECT 1 FROM pragma_table_info('inputs') WHERE name = 'equal'"


@dataclass(frozen=True, slots=True)
class Excluded:
    """The ledgers of other runs, each by the recipe that it was last run with."""

    ledgers: tuple[Path, ...] = ()

    def among(self, prompts: Collection[PromptId], equal: Mapping[PromptId, str | None] = _NONE) -> set[PromptId]:
        """Those of these prompts that became a pair in any of them, they themselves or one that is equal.

        Args:
            prompts: their ids.
            equal: of each what it has in common with all that are equal to it, where these count.
        """
        found: set[PromptId] = set()
        for path in self.ledgers:
            with _reading(path) as db:
                found |= {ident for ident in prompts if db.execute(_BECAME_A_PAIR, (ident,)).fetchone()}
                if equal and db.execute(_KNOWS_EQUAL).fetchone():
                    left = [(ident, key) for ident, key in equal.items() if key is not None and ident not in found]
                    found |= {ident for ident, key in left if db.execute(_AN_EQUAL_ONE_DID, (key,)).fetchone()}
        return found


def excluded(ledgers: Sequence[Path], own: Path) -> Excluded:
    """What an input leaves out.

    Args:
        ledgers: the files of other runs.
        own: this run's, which cannot be one of them.

    Raises:
        LedgerError: one of them is this run's own, is no ledger, or nothing was run there.
    """
    for path in ledgers:
        if path.resolve() == own.resolve():
            raise LedgerError(f"{path.parent} cannot be excluded: it is this run's own folder; name an earlier run's")
        if not path.is_file():
            raise LedgerError(f"{path.parent} cannot be excluded: it is no run folder; name one that holds a ledger")
        with _reading(path) as db:
            known = dict(db.execute("SELECT 'version', value FROM meta WHERE key = 'version'").fetchall())
            if int(known.get("version", VERSION + 1)) > VERSION:
                raise LedgerError(f"{path.parent} cannot be excluded: a newer pairsmith made it; upgrade pairsmith")
            if db.execute("SELECT 1 FROM facts WHERE key = 'digest'").fetchone() is None:
                raise LedgerError(f"{path.parent} cannot be excluded: nothing was run there; name an earlier run's")
    return Excluded(tuple(ledgers))


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that changes nothing, and where nobody writes leaves no file beside the ledger either.

    Raises:
        LedgerError: it cannot be read.
    """
    in_use = path.with_name(f"{path.name}-wal").exists()
    uri = f"{path.absolute().as_uri()}?mode=ro{'' if in_use else '&immutable=1'}"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=30)) as db:
            yield db
    except sqlite3.Error as exc:
        raise LedgerError(f"{path} cannot be read as a ledger ({exc}); name another folder to exclude") from exc

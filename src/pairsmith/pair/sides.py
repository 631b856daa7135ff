"""Where the two sides of a pair may come from: the `sides` of a recipe, read, and held against two completions.

The settings know how it is written; which names are there is known to whoever knows endpoints and arms (work.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pairsmith.records import Completion, Flag

ANY = "any"
ONE, CHOSEN, REJECTED = "one-from", "chosen-from", "rejected-from"
_PART = re.compile(rf"({ONE}|{CHOSEN}|{REJECTED}):(.+)")


def read_sides(written: str) -> dict[str, tuple[str, ...]]:
    """The names behind each of one-from, chosen-from and rejected-from; "any": none of them.

    Raises:
        ValueError: it is not written so.
    """
    found: dict[str, tuple[str, ...]] = {}
    for part in () if written.strip() == ANY else written.split(","):
        read = _PART.fullmatch(part.strip())
        names = tuple(name.strip() for name in read[2].split("|")) if read else ()
        if read is None or not all(names) or read[1] in found:
            raise ValueError(
                f'sides = "{written}" is not known: take "{ANY}", "{ONE}:NAME", or "{CHOSEN}:NAME, {REJECTED}:NAME" '
                "(or one half of it); NAME is an endpoint or an arm, and several stand as NAME|NAME"
            )
        found[read[1]] = names
    return found


@dataclass(frozen=True, slots=True)
class Sides:
    """The rule for ONE pair. Each part names endpoints and arms; a part that is left out allows everything.

    `never_chosen`, `never_rejected`: marks with which a completion may not stand on that side.
    """

    parts: Mapping[str, tuple[str, ...]]
    endpoints: Collection[str] = ()  # the names that mean an endpoint; all others mean an arm
    never_chosen: frozenset[Flag] = frozenset()
    never_rejected: frozenset[Flag] = frozenset()

    def allow(self, chosen: Completion, rejected: Completion) -> bool:
        """Whether the first of the two may be preferred to the second in a pair."""
        if not self.never_chosen.isdisjoint(chosen.marks) or not self.never_rejected.isdisjoint(rejected.marks):
            return False
        if not self.parts:
            return True
        tried = {ONE: (chosen, rejected), CHOSEN: (chosen,), REJECTED: (rejected,)}
        return all(any(self._is_from(one, names) for one in tried[part]) for part, names in self.parts.items())

    def _is_from(self, completion: Completion, names: Collection[str]) -> bool:
        return any(
            completion.endpoint == name if name in self.endpoints else _is_of(completion, name) for name in names
        )


def _is_of(completion: Completion, arm: str) -> bool:
    """Whether it is of this arm; "given" means given answers of any origin, whose arms are "given:ORIGIN"."""
    return completion.arm == arm or (completion.endpoint is None and completion.arm.startswith(f"{arm}:"))


ALL = Sides({})

"""The records of growing prompts: what they grow from, what is asked, what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, TypeVar

from pairsmith.collect.expand.settings import TRANSLATE

T = TypeVar("T")
Key: TypeAlias = "tuple[str | int, ...]"
Kind = Literal["prompts", "topics", "assess"]


class Dice(Protocol):
    """What is drawn by, such as `random.Random`."""

    def sample(self, population: Sequence[T], k: int) -> list[T]:
        """So many of them, in a random order."""

    def random(self) -> float:
        """From 0 up to 1."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A prompt that others may grow from: a seed, or one that was kept.

    `roots` are the ids of the seeds that it goes back to, its own where there are none. `depth` counts the prompts
    between it and these.
    """

    id: str
    text: str
    family: str | None = None
    system: str | None = None
    language: str | None = None
    roots: tuple[str, ...] = ()
    depth: int = 0
    translated: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """One call: what is asked for, in which words, and by which key it goes (the same key, the same question)."""

    key: Key
    kind: Kind
    rules: str
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """A reply to an ask: its text; None: there is none, and there will be none."""

    text: str | None
    model: str | None = None
    simulated: bool = False


NOTHING = Said(None)


@dataclass(frozen=True, slots=True)
class Slot:
    """One call of a method: everything that was drawn for it.

    `source` is what each prompt of it grows from, if it grows from one; `shown` are the examples that it is given.
    `about` is the step, person, situation or topic. `languages`: those that its prompts may be in, none: any; `told`:
    whether the writer is told so.
    """

    method: str
    round: int
    number: int  # in its round
    template: str
    count: int
    source: Origin | None = None
    shown: tuple[Origin, ...] = ()
    about: tuple[tuple[str, str], ...] = ()
    languages: tuple[str, ...] = ()
    told: bool = False

    @property
    def language(self) -> str | None:
        """The one that its prompts are to be in; None: it is not known, or there are several."""
        return self.languages[0] if len(self.languages) == 1 else None


@dataclass(frozen=True, slots=True)
class Grown:
    """A prompt that was kept."""

    id: str
    text: str
    slot: Slot
    said: Said
    language: str | None = None
    quality: float | None = None
    difficulty: float | None = None

    @property
    def origin(self) -> Origin:
        """The prompt as one that others may grow from."""
        slot, one = self.slot, self.slot.source
        alike = [one] if one else list(slot.shown)
        return Origin(
            id=self.id,
            text=self.text,
            family=_common([origin.family for origin in alike]),
            system=_common([origin.system for origin in alike]),
            language=self.language,
            roots=one.roots if one else (self.id,),
            depth=one.depth + 1 if one else 0,
            translated=slot.method == TRANSLATE,
        )


def _common(values: Sequence[str | None]) -> str | None:
    """What all of them have; None: they differ."""
    return values[0] if len(set(values)) == 1 else None


@dataclass(slots=True)
class Tally:
    """What one method came to: calls, prompts that came, kept ones, and why the others were not.

    `over`: good ones beyond the number that was wanted.
    """

    calls: int = 0
    came: int = 0
    kept: int = 0
    over: int = 0
    fell: Counter[str] = field(default_factory=Counter)

    @property
    def waiting(self) -> int:
        """Those of which it is not decided yet."""
        return self.came - self.kept - self.over - self.fell.total()

    @property
    def good(self) -> int:
        """Those that were worth keeping."""
        return self.kept + self.over


@dataclass(slots=True)
class Harvest:
    """Where the growing stands; whoever pays reads it meanwhile.

    `novelty`: for each round, how many prompts were well formed, and how many of these were new.
    `leaves`: kept prompts of each leaf of the topic tree. `passages`: used ones, and how many there are. `dried`:
    methods that were given up, each by its last yield; None: it has been through everything that there is.
    """

    wanted: int
    kept: list[Grown] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)
    novelty: list[tuple[int, int]] = field(default_factory=list)
    leaves: dict[str, int] = field(default_factory=dict)
    passages: tuple[int, int] = (0, 0)
    dried: dict[str, float | None] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether there are as many as are wanted."""
        return len(self.kept) >= self.wanted


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is known of texts elsewhere: readers of replies, of refusals, of languages."""

    objects: Callable[[str], Sequence[dict[str, object]] | None]  # the JSON objects of a reply; None: it is broken
    refuses: Callable[[str], bool]
    language: Callable[[str], str | None]  # by its code; None: it cannot be told
    is_foreign: Callable[[str, str], bool]  # whether a text is hardly in the language of this code

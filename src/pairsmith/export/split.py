"""Who goes into the validation file: decided by groups of prompts, and by a hash, so that growth moves nobody.

Near-duplicates, turns of one conversation and prompts grown from one seed are one group, and one side. The side is the
hash of the group's earliest prompt: prompts that come later change it only where they join two groups. Called by
running/written.py and dataset.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal, TypeAlias

from pairsmith.likeness import said
from pairsmith.neighbours import Groups, NearDuplicates
from pairsmith.records import Json, Prompt, PromptId, content_id

Part: TypeAlias = Literal["train", "validation"]
TRAIN: Part = "train"
VALIDATION: Part = "validation"
OWN_WORDS = 16  # "Now say the same in three sentences, please" asks nothing without what came before it
SEEDS = ("seeds", "seed_id")  # meta keys of prompts that were grown from others: the ids of those


@dataclass(frozen=True, slots=True)
class Parts:
    """The part of each prompt of a run, and the group that it shares it with."""

    share: float
    groups: Mapping[PromptId, PromptId]  # by prompt: the earliest one of its group

    def of(self, prompt: PromptId) -> Part:
        """Where the prompt's pairs go."""
        return VALIDATION if _drawn(self.groups[prompt]) < self.share else TRAIN

    @property
    def counts(self) -> Counter[Part]:
        """How many prompts each part has."""
        return Counter(self.of(prompt) for prompt in self.groups)


def parts(
    prompts: Iterable[Prompt], share: float, together: Sequence[str] = (), left_out: Iterable[Prompt] = ()
) -> Parts:
    """Divide the prompts of a run.

    Args:
        prompts: all of them, also those without a pair, in the order of the input.
        share: of the prompts that are to be in the validation file, about; from 0 to 1.
        together: meta keys; prompts with an equal value under one of them are kept together.
        left_out: near-duplicates that the input left out; what they are nearly the same as is one group with them.
    """
    groups, near = Groups(), NearDuplicates()
    owners: list[PromptId] = []  # by place of a text: whose it is
    first: dict[str, PromptId] = {}  # by what keeps prompts together: the first one that has it
    grown: dict[str, PromptId] = {}  # by seed: the first one that grew from it
    named: dict[str, PromptId] = {}  # by a row's own id: the first one that has it
    size = 0
    for prompt, stays in chain(((one, 1) for one in prompts), ((one, 0) for one in left_out)):
        groups.add(prompt.id)
        size += stays
        for mark in _marks(prompt, together):
            groups.join(first.setdefault(mark, prompt.id), prompt.id)
        for seed in _seeds(prompt):
            groups.join(grown.setdefault(seed, prompt.id), prompt.id)
        if prompt.source_id is not None:
            named.setdefault(prompt.source_id, prompt.id)
        for text in _asked(prompt):
            near.add(text)
            owners.append(prompt.id)
    for seed, offspring in grown.items():
        groups.join(named.get(seed, PromptId(seed) if seed in groups else offspring), offspring)
    for one, other in near.couples():
        groups.join(owners[one], owners[other])
    return Parts(share, {PromptId(ident): PromptId(groups.of(ident)) for ident in islice(groups, size)})


def _drawn(group: PromptId) -> float:
    """A number from 0 to 1 that the group's earliest prompt decides, and nothing else."""
    return int(content_id("split", group)[:13], 16) / 16**13


def _marks(prompt: Prompt, together: Sequence[str]) -> Iterator[str]:
    """What keeps a prompt together with others that have it too."""
    for key in together:
        if (value := prompt.meta.get(key)) not in (None, "", []):  # an empty cell says nothing
            yield content_id("together", key, value)


def _seeds(prompt: Prompt) -> Iterator[str]:
    """The ids of what it was grown from."""
    for key in SEEDS:
        yield from map(str, _listed(prompt.meta.get(key)))


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _asked(prompt: Prompt) -> Iterator[str]:
    """What is compared, without the system message, which many prompts share.

    The words of the user; of several turns the whole conversation, and the last words of the user by themselves, where
    they are long enough to be asked by themselves.
    """
    texts = [text for turn in prompt.messages if isinstance(text := turn.get("content"), str)]
    yield "\n".join(texts)
    last = next((turn.get("content") for turn in reversed(prompt.messages) if turn.get("role") == "user"), None)
    if len(texts) > 1 and isinstance(last, str) and len(said(last).words) >= OWN_WORDS:
        yield last

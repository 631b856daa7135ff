"""Which prompts are left out as they are nearly the same as an earlier one, and which of them stay whatever they say.

Compared are the turns, and that by likeness.py; prompts with other system messages, tools, references or roles are
never alike. A prompt with people's verdicts stays; one that brings answers is left out in favour of one that does too.
Called by intake.py and cli/collect.py, by way of the ledger's input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pairsmith.collect.equal import is_code, normal_text
from pairsmith.likeness import NEAR, SHORT_WORDS, Said, said
from pairsmith.neighbours import KEPT, NearDuplicates
from pairsmith.records import Json, Prompt, content_id

ONE_MOULD_WORDS = 15  # below so many words another word is mostly another object in the same mould
BRINGS_ANSWERS = 1  # its rank, against 0


class NearPrompts:
    """Prompts, in the order of the input; then those that are left out.

    Args:
        near: the least Jaccard index of near-duplicates.
    """

    def __init__(self, near: float = NEAR) -> None:
        self._found = NearDuplicates(near, ONE_MOULD_WORDS)

    def add(self, prompts: Iterable[Prompt]) -> None:
        """Take the next ones."""
        for prompt in prompts:
            read = _said(prompt)
            self._found.add_said(read, _kind(prompt, len(read.words) < SHORT_WORDS), _rank(prompt))

    def left_out(self) -> Iterator[tuple[int, int]]:
        """The places (0-based) of those left out, in order, each with the place of the prompt that stays instead."""
        return self._found.left_out()


def _said(prompt: Prompt) -> Said:
    """What is compared: the last turn by itself, and with all before it."""
    *before, last = (text for turn in prompt.messages if isinstance(text := turn.get("content"), str))
    if not before:
        return said(last)
    words = [word for text in before for word in said(text).words]
    return Said([*words, *said(last).words], len(words))


def _kind(prompt: Prompt, short: bool) -> int:
    """32 bits of everything of a prompt but the words of its turns; 0 for a question alone.

    Of short code more than its words counts: no other is nearly the same.
    """
    asked: list[Json] = [{key: value for key, value in turn.items() if key != "content"} for turn in prompt.messages]
    code = [normal_text(text) for turn in prompt.messages if short and is_code(text := str(turn.get("content") or ""))]
    if asked == [{"role": "user"}] and not (code or prompt.tools or prompt.reference or prompt.system):
        return 0
    system = None if prompt.system is None else normal_text(prompt.system)
    return int(content_id("kind", asked, list(prompt.tools), prompt.reference, system, [*code])[:8], 16)


def _rank(prompt: Prompt) -> int:
    return KEPT if prompt.preferences else BRINGS_ANSWERS if prompt.candidates else 0

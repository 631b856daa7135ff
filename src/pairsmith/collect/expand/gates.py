"""Which texts are no prompts: answers, refusals, templates with blanks, remarks about prompts. By their looks alone.

Precise rather than complete: what looks like a prompt that people send passes, and a judge, if one is asked, decides
on the rest. answering.py and lacking.py look; what they find was tried on the prompts and answers that ship with
pairsmith.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pairsmith.collect.expand.answering import any_of, is_answer, tells_to_work
from pairsmith.collect.expand.lacking import breaks_off, has_blanks, speaks_of_a_text
from pairsmith.likeness import SPACELESS

TOO_SHORT, TOO_LONG, REFUSAL, ANSWER = "too short", "too long", "a refusal", "an answer"
BLANKS, ABOUT, DANGLING = "blanks left in it", "about a prompt or a text", "breaks off"
LEAST_LETTERS = 6
SPACELESS_LETTERS = 3  # that a character of a script without spaces stands for
KNOWN = ("en", "de", "fr", "es")  # languages in which it is told whether a text asks for anything
INSTRUCTION_WORDS = 12  # before a colon, behind which the text proper stands

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_SPACELESS = re.compile(rf"[{SPACELESS}]")
_QUOTED = re.compile(
    r"\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|»[^«]*«|‹[^›]*›|「[^」]*」|『[^』]*』"
    # Of several words, as an apostrophe is no quotation mark.
    r"|(?<!\w)['‘’‚](?=\w)(?:[^'‘’\n]|(?<=\w)['’](?=\w))* (?:[^'‘’\n]|(?<=\w)['’](?=\w))*['’‘](?!\w)"
)
_INSTRUCTION = re.compile(r"(?:\A|(?<=[.!?\n]))\s*([^.!?:\n]{1,120}):\s+\S")
_ASKS_FOR_WORDS = any_of(
    r"\bhow (?:do|would) (?:you|i) say\b|\bwhat does\b|\bwas (?:heißt|bedeutet)\b|\bwie sagt man\b"
)
_PROMPT = r"(?:prompt|task|instruction|question|aufgabe|frage|consigne|tarea|pregunta)"
_ABOUT = any_of(
    rf"\A\W*(?:new|rewritten|evolved|created|generated|given) {_PROMPT}s?\s*(?:#?\d+)?\W{{0,3}}:",
    r"\A\W*rewritten\W{0,3}:",
    r"\A\W*(?:(?:example|sample|user)\s+)?prompts?\s*(?:#?\d+)?\W{0,3}:",
    r"\bthe (?:rewritten|created|evolved) prompt\b|#\s*(?:given|rewritten|created) prompt\b|\bthe prompt above\b",
    r"\bas an ai(?: language)?(?: model| assistant)?, i\b|\A\W*in this prompt\b",
    r"\bprompts? (?:in which|where) (?:an?|the) (?:user|customer|person)\b",
    r"\A\W*here(?:'s| is) (?:an?|another|the|your) (?:\w+ )?prompt(?: (?:about|on|for) [^:\n]*)?:",
    r"\A\W*the user (?:wants|asks|is asking)\b[^?]*\Z",
    r"\bas i (?:said|wrote|mentioned|asked) (?:above|earlier|in my (?:last|previous|earlier) message)\b",
    r"\A\W*here is an answer\b",
    r"\A\W*(?:an? )?(?:variation|variant|version|rewording) (?:on|of) the (?:example|prompt)",
)


def no_prompt(text: str, language: str | None, max_chars: int, refuses: Callable[[str], bool]) -> str | None:
    """Why a text is no prompt that could be sent; None: nothing speaks against it.

    Args:
        text: as it came.
        language: that it is written in, where that is known.
        max_chars: the most that a prompt may have.
        refuses: whether a text declines.
    """
    if _letters(text) < LEAST_LETTERS:
        return TOO_SHORT
    if len(text) > max_chars:
        return TOO_LONG
    if refuses(text):
        return REFUSAL
    prose = _CODE.sub(" ", text)
    if has_blanks(prose):
        return BLANKS
    if _ABOUT.search(prose) or speaks_of_a_text(text):
        return ABOUT
    if (language or "en") in KNOWN and is_answer(_QUOTED.sub(" ", prose)):
        return ANSWER
    return DANGLING if breaks_off(text, language) else None


def unquoted(text: str) -> str:
    """A text without code and without what it quotes, or has behind an order: what to translate is in any language."""
    prose = _QUOTED.sub(" ", _CODE.sub(" ", text))
    for found in _INSTRUCTION.finditer(prose):
        order = found[1]
        if len(order.split()) <= INSTRUCTION_WORDS and (tells_to_work(order) or _ASKS_FOR_WORDS.search(order)):
            return prose[: found.end(1)]
    return prose


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text)) + (SPACELESS_LETTERS - 1) * len(_SPACELESS.findall(text))

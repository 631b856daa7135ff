"""Which prompts are equal though their bytes differ: by case, spaces, line ends and spellings of Unicode.

What could mean another thing stays apart: code, quoted words, abbreviations, indentation, and everything of a prompt
that is no text of a turn. What is equal is written down in docs/dedupe.md. Called by whoever takes an input in.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from pairsmith.collect.rows import unite
from pairsmith.records import CompletionId, Json, Message, Prompt, PromptId, candidate_id, content_id

SHOUTED_WORDS = 3  # from so many words on, a text in capitals alone is one whose case says nothing

# Signs that prose does without: of code, sums, identifiers and tables, calls, indentation. Then case and spaces count.
_CODE_SIGNS = frozenset("`{}<>=\\_#|^~")
_CALL = re.compile(r"[(\[](?<=\w.)")
_INDENTED = re.compile(r"\n(?:\t| {2,})\S")
_QUOTED = r"""(?:(?<=")[^"\n]*"|(?<=“)[^”\n]*”|(?<=„)[^“”\n]*[“”]|(?<=«)[^»\n]*»)"""
_QUOTES = '"“„«'
_SPACES = re.compile(
    rf"[{_QUOTES}]{_QUOTED}|(?P<end>[^\S\n]+$)|(?P<run>(?<=\S)(?:[^\S\n ][^\S\n]*| [^\S\n]+))", re.MULTILINE
)
# Capitals inside of words, and single ones: such a word is not what it is in lower case.
_ODD = re.compile(r"[A-Z](?:(?<=[A-Za-z].)|(?<=[B-HJ-Z])(?![a-z']))")
_CAPITALS = "".join(filter(str.isupper, map(chr, range(0x2000))))
_LETTER, _SMALL = r"[^\W\d_]", rf"[^\W\d_{_CAPITALS}]"
# Each begins with one class of characters, which `re` looks for quickly.
_CAPITALISED = re.compile(
    rf"[{_CAPITALS}{_QUOTES}](?:{_QUOTED}|(?P<word>(?<=\w)(?<!{_LETTER}.)(?:{_SMALL}|['’](?={_SMALL}))*(?!{_LETTER})))"
)
_SHOUTED = re.compile(rf"[{_QUOTES}]{_QUOTED}|(?P<word>{_LETTER}+)")


def equal_id(prompt: Prompt) -> str:
    """The content id of what prompts have in common that are equal: the same of two prompts, and they are one."""
    messages: list[Json] = [_normal_message(message) for message in prompt.messages]
    system = None if prompt.system is None else normal_text(prompt.system)
    return content_id("equal", messages, list(prompt.tools), prompt.reference, system)


def unite_equal(first: Prompt, second: Prompt) -> Prompt:
    """One prompt of two that are equal: the first one's text, the answers and verdicts of both.

    Raises:
        ValueError: they are not equal.
    """
    if first.id != second.id and equal_id(first) != equal_id(second):
        raise ValueError(f"prompts {first.id} and {second.id} differ")
    return unite(first, second if first.id == second.id else _rehomed(second, first.id))


def normal_text(text: str) -> str:
    """A text as it is compared. Leading white space of its lines stays, but for the first one's."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if is_code(text):
        return text
    if any(quote in text for quote in _QUOTES):
        text = _SPACES.sub(_spaced, text)
    else:
        text = "\n".join(map(_joined, text.split("\n")))
        if text.isascii() and not _ODD.search(text):
            return text.lower()
    shouted = text.isupper() and len(text.split()) >= SHOUTED_WORDS
    words = _SHOUTED if shouted else _CAPITALISED
    while (folded := words.sub(_folded, text)) != text:  # a word that is folded may lay its neighbour open
        text = folded
    return text


def is_code(text: str) -> bool:
    """Whether it holds signs of code, so that case and spaces may mean something in it."""
    return not _CODE_SIGNS.isdisjoint(text) or _CALL.search(text) is not None or _INDENTED.search(text) is not None


def _joined(line: str) -> str:
    """A line with single spaces between its words; what it begins with stays."""
    start = line[: len(line) - len(line.lstrip())]
    return start + " ".join(line.split()) if len(start) < len(line) else ""


def _spaced(found: re.Match[str]) -> str:
    if found["end"] is not None:
        return ""
    return found[0] if found["run"] is None else " "


def _folded(found: re.Match[str]) -> str:
    """A word in lower case, where its capital is one of grammar: of single letters only I and A."""
    word = found[0]
    return word if found["word"] is None or (len(word) == 1 and word not in "IA") else word.lower()


def _normal_message(message: Message) -> dict[str, Json]:
    content = message.get("content")
    return {**message, "content": normal_text(content)} if isinstance(content, str) else dict(message)


def _rehomed(prompt: Prompt, home: PromptId) -> Prompt:
    """The prompt under another id: what verdicts say of its answers, they say of the same texts there."""
    moved: dict[CompletionId, CompletionId] = {
        candidate_id(prompt.id, one.content): candidate_id(home, one.content) for one in prompt.candidates
    }
    return replace(
        prompt,
        id=home,
        preferences=tuple(
            replace(
                one,
                preferred=None if one.preferred is None else moved[one.preferred],
                others=tuple(moved[other] for other in one.others),
            )
            for one in prompt.preferences
        ),
    )

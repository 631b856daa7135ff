"""Where the answer begins in a text that a model thought aloud in.

Only finds offsets: what is cut, kept or flagged is screen.py's to decide.
"""

from __future__ import annotations

import re

# <think>: DeepSeek-R1, Qwen3, QwQ and most others; <thinking>, <reasoning>, <thought>: tuned and merged models.
_NAMES = "think|thinking|reasoning|thought"
_OPENING = re.compile(rf"\s*<({_NAMES})>", re.IGNORECASE)
_TAG = re.compile(rf"<(/?)(?:{_NAMES})>", re.IGNORECASE)
_CLOSING = {name: re.compile(f"</{name}>", re.IGNORECASE) for name in _NAMES.split("|")}

_QUOTES = frozenset("`'\"")
_FENCE = "```"


def answer_start(text: str) -> int:
    """Offset of the answer's first character, after leading reasoning and the white space behind it.

    0 when there is no reasoning to skip; len(text) when the reasoning never ends. A template may have put the
    opening tag into the prompt: then the text begins within the reasoning, and a closing tag comes first.
    """
    end = _end_of_blocks(text) or _end_of_headless_block(text)
    return len(text) - len(text[end:].lstrip()) if end else 0


def has_tag(text: str) -> bool:
    """Whether an opening or closing reasoning tag stands anywhere in a text."""
    return _TAG.search(text) is not None


def _end_of_blocks(text: str) -> int:
    end = 0
    while opening := _OPENING.match(text, end):
        closing = _CLOSING[opening[1].lower()].search(text, opening.end())
        if closing is None:
            return len(text)
        end = closing.end()
    return end


def _end_of_headless_block(text: str) -> int:
    """End of a closing tag that nothing opened; 0 where the text merely speaks of the tag, in quotes or code."""
    tag = _TAG.search(text)
    if tag is None or not tag[1]:
        return 0
    start, end = tag.span()
    quoted = start > 0 and text[start - 1] in _QUOTES and text[end : end + 1] in _QUOTES
    in_code = text.count(_FENCE, 0, start) % 2 == 1
    return 0 if quoted or in_code else end

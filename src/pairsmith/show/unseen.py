"""Makes visible in a text what a browser would hide, act on, or turn the direction of what follows with. Pure."""

from __future__ import annotations

import re

PICTURES = 0x2400  # where Unicode has a picture of each control character
DELETE = "\x7f"
# Not line ends and tabs, which are layout, and not the two characters that join letters and emoji.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f\ufffe\uffff]"
)


def visible(text: str) -> str:
    """The text with every such character as its picture (␛) or its number (⟨U+202E⟩)."""
    return _UNSEEN.sub(_shown, text.replace("\r\n", "\n"))


def name(text: str, most: int = 60) -> str:
    """The same of a name that stands in a line: of an arm, a model, a file; shortened where it is long."""
    line = " ".join(visible(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _shown(found: re.Match[str]) -> str:
    if found[0] == DELETE:
        return "\u2421"
    number = ord(found[0])
    return chr(PICTURES + number) if number < 0x20 else f"⟨U+{number:04X}⟩"

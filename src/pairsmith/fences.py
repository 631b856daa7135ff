"""Borders that no text can forge: the suffix of the block names in what a model is shown. Called by stages that ask."""

from __future__ import annotations

import re

from pairsmith.records import content_id


def border(*names: str) -> re.Pattern[str]:
    """What a tag of one of these names begins with."""
    return re.compile(rf"</?\s*(?:{'|'.join(names)})", re.IGNORECASE)


def fence(tags: re.Pattern[str], *texts: str) -> str:
    """What follows every block name: "" or, when a text holds such a tag, a suffix that no text holds."""
    if not any(tags.search(text) for text in texts):
        return ""
    tries = 0
    while True:
        suffix = "-" + content_id("fence", tries, *texts)[: 4 + tries]
        if not any(suffix in text for text in texts):
            return suffix
        tries += 1

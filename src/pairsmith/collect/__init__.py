"""PROMPTS IN: prompt files, row by row, become `Prompt` records or sentences that say what is wrong.

Pure: it reads streams that others opened, and the caller decides what a bad row means (stop, or skip and
count). The recipe's [prompts] table stands apart in `collect.settings`: nobody else pays for pydantic.
"""

from pairsmith.collect.equal import equal_id, unite_equal
from pairsmith.collect.rows import BadRow, Row, read_row, unite
from pairsmith.collect.sources import Found, detect_format, found_in, read_prompts, rows_of

__all__ = [
    "BadRow",
    "Found",
    "Row",
    "detect_format",
    "equal_id",
    "found_in",
    "read_prompts",
    "read_row",
    "rows_of",
    "unite",
    "unite_equal",
]

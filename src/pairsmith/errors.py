"""The errors of pairsmith: one class per boundary, and what the command line does with each.

PairsmithError
├── UserError            the user's mistake: one sentence with the way out, exit 2
│   ├── RecipeError      a recipe that cannot be run as it stands
│   ├── InputError       a prompt file, or a row of it
│   └── LedgerError      a run folder that cannot be used as asked
└── Stopped              the run ended early and can be resumed: exit 3 (130 when interrupted)
"""

from __future__ import annotations


class PairsmithError(Exception):
    """Any error that pairsmith raises on purpose."""


class UserError(PairsmithError):
    """The user's mistake, said in one sentence that names the way out; exit code 2."""


class RecipeError(UserError):
    """A recipe, or a flag that overrides a field of it, that cannot be run as it stands."""


class InputError(UserError):
    """A prompt file that cannot be read, or a row of it; the message names file, line and field."""


class LedgerError(UserError):
    """A run folder that is in use, was made by a newer version, or does not hold what was asked for."""


class Stopped(PairsmithError):  # noqa: N818 — not an error: a run that can go on
    """The run ended early and is resumable.

    Args:
        reason: a stable word for programs ("quota", "refused_key", "interrupted", …).
        sentence: one sentence for people: what happened and the way out.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence

    @property
    def exit_code(self) -> int:
        """130 when the user interrupted, else 3."""
        return 130 if self.reason == "interrupted" else 3

"""A user's own Python functions, named FILE.py:FUNCTION in a recipe: checks, screens and pair strategies.

Loads the file, calls the function with plain values, and takes strictly what comes back. Called by work.py.
"""

from __future__ import annotations

import copy
import hashlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any

from pairsmith.errors import UserError
from pairsmith.records import Completion, CompletionId, Json, Prompt

WORST, BEST = 1.0, 10.0  # points


@dataclass(frozen=True, slots=True)
class Function:
    """A loaded function. `digest` names the file's content: a change of it changes what a run decides by."""

    name: str  # rules.py:score
    digest: str
    call: Callable[..., Any]

    @property
    def parameters(self) -> int:
        """How many values it needs."""
        known = inspect.signature(self.call).parameters.values()
        return sum(one.default is one.empty and one.kind <= one.POSITIONAL_OR_KEYWORD for one in known)

    def __call__(self, *values: object) -> Any:
        """Call it.

        Raises:
            UserError: it raised.
        """
        try:
            return self.call(*values)
        except (Exception, SystemExit) as exc:
            raise UserError(f"{self.name} raised {type(exc).__name__}: {exc}; mend it and run again") from exc


def load(spec: str) -> Function:
    """The function that FILE.py:FUNCTION names.

    Raises:
        UserError: there is no such file or function, or the file cannot be imported.
    """
    file, _, name = spec.rpartition(":")
    path = Path(file)
    try:
        source = path.read_bytes()
    except OSError as exc:
        raise UserError(f"{path} cannot be read ({exc.strerror}); write it as FILE.py:FUNCTION") from None
    digest = hashlib.sha256(source).hexdigest()
    module = ModuleType(f"pairsmith_user_{path.stem}_{digest[:8]}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses look their module up there
    try:
        # Not by an importer, which may take what it compiled before: what the digest names is what runs.
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as exc:
        raise UserError(f"{path} cannot be imported ({type(exc).__name__}: {exc})") from exc
    call = getattr(module, name, None)
    if not callable(call):
        raise UserError(f"{path} has no function {name!r}")
    return Function(f"{path.name}:{name}", digest, call)


def shown(prompt: Prompt) -> dict[str, Json]:
    """A prompt as users' functions get it: a copy of their own, so that nothing they do to it reaches a request."""
    known: dict[str, Json] = {
        "id": prompt.source_id or prompt.id,
        "messages": list(prompt.messages),
        "system": prompt.system,
        "tools": list(prompt.tools),
        "reference": prompt.reference,
        "meta": dict(prompt.meta),
    }
    return copy.deepcopy(known)


# --- checks -------------------------------------------------------------------------------------


def points(function: Function, prompt: Prompt, completions: Sequence[Completion]) -> Mapping[CompletionId, float]:
    """What a check gives each completion of ONE prompt: points from 1 to 10; nothing where it says None.

    A function of (prompt, answer) returns points, or True and False for 10 and 1. A function of
    (prompt, first, second) returns "first", "second", "tie" or None; the points are the share of its comparisons that
    a completion wins, a tie counting half.

    Raises:
        UserError: it raised, or returned something else.
    """
    if function.parameters == 3:
        return _compared(function, prompt, completions)
    asked = {one.id: function(shown(prompt), one.text) for one in completions}
    return {ident: _point(function, value) for ident, value in asked.items() if value is not None}


def _point(function: Function, value: object) -> float:
    if isinstance(value, bool):
        return BEST if value else WORST
    if isinstance(value, int | float) and WORST <= value <= BEST:
        return float(value)
    raise UserError(f"{function.name} returned {value!r}: a check gives points from 1 to 10, True, False or None")


def _compared(function: Function, prompt: Prompt, completions: Sequence[Completion]) -> dict[CompletionId, float]:
    wins = {one.id: 0.0 for one in completions}
    games = {one.id: 0 for one in completions}
    shares = {"first": 1.0, "second": 0.0, "tie": 0.5}
    for one, other in combinations(completions, 2):
        said = function(shown(prompt), one.text, other.text)
        if said is None:
            continue
        if not isinstance(said, str) or said not in shares:
            raise UserError(f'{function.name} returned {said!r}: a comparison gives "first", "second", "tie" or None')
        wins[one.id] += shares[said]
        wins[other.id] += 1 - shares[said]
        games[one.id] += 1
        games[other.id] += 1
    return {ident: WORST + (BEST - WORST) * wins[ident] / games[ident] for ident in wins if games[ident]}


# --- screens ------------------------------------------------------------------------------------


def refuses(function: Function, prompt: Prompt, completion: Completion) -> bool:
    """Whether a screen of (prompt, answer) refuses a completion: it returns True or a reason.

    Raises:
        UserError: it raised, or returned something else.
    """
    said = function(shown(prompt), completion.text)
    if said is None or isinstance(said, bool | str):
        return bool(said)
    raise UserError(f"{function.name} returned {said!r}: a screen gives None or False, or True or a reason to refuse")


# --- strategies ---------------------------------------------------------------------------------


def picked(function: Function, prompt: Prompt, answers: Sequence[Mapping[str, Json]]) -> tuple[int, int] | None:
    """The places of the chosen and the rejected answer that a strategy of (prompt, answers) picks, or None.

    Args:
        function: the strategy.
        prompt: the prompt.
        answers: best first, each with `text`, `score`, `arm`, `endpoint` (None: it was given) and `model`.

    Raises:
        UserError: it raised, returned something else, or prefers an answer that does not score higher.
    """
    said = function(shown(prompt), [dict(answer) for answer in answers])
    if said is None:
        return None
    places = range(len(answers))
    whole = isinstance(said, tuple | list) and len(said) == 2 and all(type(place) is int for place in said)
    if not (whole and all(place in places for place in said)):
        raise UserError(f"{function.name} returned {said!r}: a strategy gives two places in the list, or None")
    chosen, rejected = said
    if not float(str(answers[chosen]["score"])) > float(str(answers[rejected]["score"])):
        raise UserError(f"{function.name} picked {said!r}: the chosen answer has to score higher than the rejected one")
    return chosen, rejected

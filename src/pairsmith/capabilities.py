"""What an endpoint was found to do with what it is sent: the records, and how they are stored.

Found out by asking (probing.py), kept as doctor.json in the run folder, used before anything is sampled. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from pairsmith.records import Arm, EndpointName, Json


class Support(StrEnum):
    """What became of a parameter that was sent."""

    HONOURED = "honoured"  # it had the effect that it must have
    ACCEPTED = "accepted"  # taken; no effect of it can be seen in a few answers
    IGNORED = "ignored"  # taken without a word, and without the effect that it must have
    REFUSED = "refused"
    UNKNOWN = "unknown"  # it was not asked, or what came back says nothing


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one parameter: `said` is what was seen, or the server's own words.

    Where some values are taken and others not: `highest` and `lowest` are the outermost numbers that were taken, where
    one beyond them was refused; `refuses` are words and tables that were.
    """

    support: Support
    said: str = ""
    highest: float | None = None
    lowest: float | None = None
    refuses: tuple[Json, ...] = ()

    def excludes(self, value: Json) -> bool:
        """Whether this value was refused, or lies beyond those that were taken."""
        if isinstance(value, int | float):
            too_high = self.highest is not None and value > self.highest
            return too_high or (self.lowest is not None and value < self.lowest)
        return value in self.refuses

    @property
    def bounds(self) -> str:
        """Such as "up to 1.5"; "" where no single value was refused."""
        if self.highest is not None and self.highest == self.lowest:
            return f"only {self.highest:g}"
        parts = [f"from {self.lowest:g}"] if self.lowest is not None else []
        parts += [f"up to {self.highest:g}"] if self.highest is not None else []
        parts += [f"not {', '.join(map(str, self.refuses))}"] if self.refuses else []
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What was found out about one endpoint. `problem`: why it could not be asked; "" when it could.

    `findings` by our names of the parameters, and n, json_schema, json_object, logprobs, max_tokens,
    max_completion_tokens, system, developer, together (all of an arm's at once). `limits`: announced ones, a minute.
    `at`: seconds since 1970. `latency_s`: the median of its short answers.
    """

    endpoint: EndpointName
    model: str
    base_url: str
    at: float
    server: str = ""  # a name of dialects.py; "": not known
    problem: str = ""
    answers_as: str | None = None
    latency_s: float | None = None
    context_tokens: int | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    findings: Mapping[str, Finding] = field(default_factory=dict)
    calls: int = 0
    cost_usd: float | None = None

    def lacks(self, parameter: str, value: Json) -> Finding | None:
        """What speaks against sending this value; None when nothing is known to."""
        found = self.findings.get(parameter)
        if found is None:
            return None
        if found.support in (Support.REFUSED, Support.IGNORED):
            return found
        return replace(found, support=Support.REFUSED) if found.excludes(value) else None


Known = Mapping[EndpointName, Capabilities]


def unsupported(arm: Arm, known: Known) -> dict[str, Finding]:
    """The parameters of an arm that its endpoint is known to refuse or to ignore."""
    capabilities = known.get(arm.endpoint)
    if capabilities is None:
        return {}
    lacking = {name: capabilities.lacks(name, value) for name, value in arm.params.items()}
    return {name: finding for name, finding in lacking.items() if finding is not None}


# --- as it is stored --------------------------------------------------------------------------------


def as_json(known: Sequence[Capabilities]) -> dict[str, Any]:
    """For doctor.json, and for programs."""
    return {"endpoints": {one.endpoint: asdict(one) for one in known}}


def of_json(stored: Mapping[str, Any]) -> dict[EndpointName, Capabilities]:
    """What doctor.json holds.

    Raises:
        KeyError, TypeError, ValueError: it is no such file.
    """
    return {EndpointName(name): _one(fields) for name, fields in stored["endpoints"].items()}


def _one(fields: Mapping[str, Any]) -> Capabilities:
    findings = {
        name: Finding(**{**found, "support": Support(found["support"]), "refuses": tuple(found.get("refuses", ()))})
        for name, found in fields["findings"].items()
    }
    return Capabilities(**{**fields, "endpoint": EndpointName(fields["endpoint"]), "findings": findings})

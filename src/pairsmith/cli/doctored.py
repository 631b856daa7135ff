"""What `pairsmith doctor` says: the cost before, a table, and sentences on what was refused and what was ignored.

What speaks against the recipe is found here too. Asks nobody. Called by doctor.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pairsmith.capabilities import Capabilities, Finding, Support
from pairsmith.cli.common import relative, usd
from pairsmith.folder import RunFolder
from pairsmith.probing import LENGTHS, TYPICAL_CALLS, Want, most_cost_usd, typical_cost_usd, wants
from pairsmith.recipe import Recipe
from pairsmith.records import Arm, Endpoint, EndpointName, Json
from pairsmith.running.known import lacking, omitted
from pairsmith.sample.settings import PARAMETERS
from pairsmith.wire.probe import MOST_CALLS
from pairsmith.work import arms_of

SIDE_BY_SIDE = 3  # endpoints; more of them go below each other
ROWS = (
    *PARAMETERS, "seed", "n", "json_schema", "json_object", "logprobs", *LENGTHS, "system", "developer", "extra",
    "together",
)  # fmt: skip
SHAPES = {"schema": "json_schema", "object": "json_object"}  # json_mode -> what has to be taken


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A recipe, all endpoints that it uses, and those of them that are asked."""

    recipe: Recipe
    models: Mapping[EndpointName, Endpoint]
    endpoints: Mapping[EndpointName, Endpoint]

    @property
    def arms(self) -> tuple[Arm, ...]:
        """As the recipe asks for them, nothing left out."""
        return arms_of(self.recipe, self.models)

    @property
    def wanted(self) -> dict[EndpointName, list[Want]]:
        """What each endpoint would be sent together, by arms and as a judge."""
        return {
            name: [*wants(self.arms, endpoint), *([judged] if (judged := self._judged(name)) else [])]
            for name, endpoint in self.endpoints.items()
        }

    def _judged(self, name: EndpointName) -> dict[str, tuple[Json, ...]]:
        judge = self.recipe.judge
        asked: dict[str, Json] = {"temperature": judge.temperature, "reasoning_effort": judge.reasoning_effort}
        if name not in self.recipe.asked_to_judge or self.endpoints[name].kind != "chat":
            return {}
        return {key: (value,) for key, value in asked.items() if value is not None}

    # --- before ------------------------------------------------------------------------------------

    @property
    def most_usd(self) -> float | None:
        """The most that asking can cost; None where a price is unknown."""
        wanted = self.wanted
        return _sum([most_cost_usd(endpoint, wanted[name]) for name, endpoint in self.endpoints.items()])

    def before(self) -> str:
        """What will be asked and paid, before it is."""
        names = ", ".join(self.endpoints)
        most, likely = self.most_usd, _sum([typical_cost_usd(endpoint) for endpoint in self.endpoints.values()])
        paid = f"about {usd(likely)}, {usd(most)} at most" if most is not None else f"cost {usd(None)}"
        return f"asking {names}: about {TYPICAL_CALLS} short calls each, {MOST_CALLS} at most; {paid}"

    # --- what speaks against the recipe --------------------------------------------------------------

    def problems(self, known: Mapping[EndpointName, Capabilities]) -> tuple[list[str], list[str]]:
        """Why a run with this recipe cannot do what it says; and what it does otherwise, as the recipe allows."""
        problems = [one.problem for one in known.values() if one.problem]
        for name, one in known.items():
            problems += self._settings(self.endpoints[name], one)
        arms = self.arms
        if self.recipe.sample is not None and self.recipe.sample.on_unsupported == "omit":
            return problems, omitted(arms, arms_of(self.recipe, self.models, known), known)
        return problems + lacking(arms, known), []

    def _settings(self, endpoint: Endpoint, one: Capabilities) -> list[str]:
        """What is sent with every request of an endpoint, or of a judge, and not taken."""
        name, findings = endpoint.name, one.findings
        said = []
        length, other = endpoint.length_parameter, next(n for n in LENGTHS if n != endpoint.length_parameter)
        if _lost(findings.get(length)) and not _lost(findings.get(other)):
            said.append(_settled(name, length, findings[length], f'set endpoints.{name}.length_parameter = "{other}"'))
        sampled = [arm for arm in self.arms if arm.endpoint == name]
        if sampled and endpoint.seed and _refused(findings.get("seed")):
            said.append(_settled(name, "seed", findings["seed"], f"set endpoints.{name}.seed = false"))
        if any(arm.system for arm in sampled) and _refused(findings.get("system")):
            said.append(_settled(name, "a system message", findings["system"], "take system out of [sample]"))
        if "together" in findings:
            said.append(
                f"endpoint {name} refuses what is sent together, though none of it alone ({findings['together'].said}):"
                " take one of the parameters out of the recipe"
            )
        return said + self._of_judge(endpoint, one)

    def _of_judge(self, endpoint: Endpoint, one: Capabilities) -> list[str]:
        name = endpoint.name
        missing = {key: one.lacks(key, value) for key, (value,) in self._judged(name).items()}
        said = [_settled(name, key, found, f"take {key} out of [judge]") for key, found in missing.items() if found]
        shape = SHAPES.get(endpoint.json_mode, "")
        if name in self.recipe.asked_to_judge and _lost(one.findings.get(shape)):
            said.append(_settled(name, shape, one.findings[shape], f'set endpoints.{name}.json_mode = "auto"'))
        return said

    # --- after -------------------------------------------------------------------------------------

    def text(self, known: Mapping[EndpointName, Capabilities], result: Mapping[str, Any], folder: RunFolder) -> str:
        """The table, what was refused and ignored, and what that means for the recipe."""
        answering = [one for one in known.values() if one.findings or not one.problem]
        wide = [answering] if len(answering) <= SIDE_BY_SIDE else [[one] for one in answering]
        parts = [_table(columns) for columns in wide if columns]
        parts += ["\n".join(lines) for one in answering if (lines := _sentences(one))]
        parts += [f"problem: {sentence}" for sentence in result["problems"]]
        parts += list(result["notes"])
        calls = ", ".join(f"{name} {n}" for name, n in result["calls"].items())
        verdict = [] if result["problems"] else ["nothing that was asked speaks against the recipe"]
        ending = [
            *verdict,
            f"asked: {calls} calls; cost {usd(result['cost_usd'])}",
            f"kept in {relative(folder.doctor)}",
        ]
        return "\n\n".join([*parts, "\n".join(ending)])


def _sum(costs: Sequence[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def _refused(found: Finding | None) -> bool:
    return found is not None and found.support is Support.REFUSED


def _lost(found: Finding | None) -> bool:
    return found is not None and found.support in (Support.REFUSED, Support.IGNORED)


# --- sentences --------------------------------------------------------------------------------------


def _does(found: Finding) -> str:
    return "ignores without a word" if found.support is Support.IGNORED else "refuses"


def _settled(endpoint: EndpointName, what: str, found: Finding, way_out: str) -> str:
    return f"endpoint {endpoint} {_does(found)} {what} ({found.said}): {way_out}"


def _sentences(one: Capabilities) -> list[str]:
    """What was refused, in the server's words; what was ignored, as it was seen; what cannot be told."""
    said = []
    for name in sorted(one.findings, key=_place):
        found = one.findings[name]
        if found.support is Support.REFUSED:
            said.append(f"{one.endpoint} refuses {name}: {found.said}")
        elif found.support is Support.IGNORED:
            said.append(f"{one.endpoint} ignores {name} without a word: {found.said}")
        elif found.support is Support.UNKNOWN:
            said.append(f"{one.endpoint}: nothing can be told of {name}: {found.said}")
        elif found.bounds:
            said.append(f"{one.endpoint} takes {name} {found.bounds}: {found.said}")
        elif found.said and found.support is Support.ACCEPTED:
            said.append(f"{one.endpoint} takes {name}, and whether it has an effect cannot be told: {found.said}")
    return said


def _place(name: str) -> int:
    return ROWS.index(name) if name in ROWS else len(ROWS)


# --- the table --------------------------------------------------------------------------------------


def _table(columns: Sequence[Capabilities]) -> str:
    """A row a parameter, a column an endpoint."""
    heads = [[one.endpoint for one in columns]]
    rows = [
        ("", [f"{one.endpoint} ({one.model})" for one in columns]),
        ("server", [one.server or "not told" for one in columns]),
        ("answers as", [one.answers_as or "not told" for one in columns]),
        ("latency", ["" if one.latency_s is None else f"{one.latency_s:.2f} s" for one in columns]),
        ("context", ["not told" if one.context_tokens is None else f"{one.context_tokens:,}" for one in columns]),
        ("limits a minute", [_limits(one) for one in columns]),
    ]
    names = sorted({name for one in columns for name in one.findings}, key=_place)
    rows += [(name, [_cell(one.findings.get(name)) for one in columns]) for name in names]
    label = max(len(name) for name, _ in rows) + 2
    widths = [max(len(cells[at]) for _, cells in rows) + 2 for at in range(len(heads[0]))]
    lines = [
        name.ljust(label) + "".join(cell.ljust(w) for cell, w in zip(cells, widths, strict=True))
        for name, cells in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def _limits(one: Capabilities) -> str:
    return ", ".join(f"{value:,.0f} {name}" for name, value in one.limits.items()) or "not told"


def _cell(found: Finding | None) -> str:
    if found is None:
        return ""
    return f"{found.support.value}, {found.bounds}" if found.bounds else found.support.value

"""Runs that only judge: prompts that bring answers of planted quality along, and the judges of the simulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cli_runs import Project, Server, everyday
from pairsmith.simulator.composing import compose


def planted(count: int, answers: int = 4) -> list[dict[str, Any]]:
    """Prompts, each with so many different answers as the simulator's student would give, from poor to excellent."""
    rows = [row for row in everyday(240) if "prompt" in row][:count]
    assert len(rows) == count
    return [{**row, "candidates": [draft.text() for draft in compose(0, row["prompt"])[:answers]]} for row in rows]


def judging(
    folder: Path,
    server: Server,
    rows: Sequence[Mapping[str, Any]],
    models: Sequence[str] = ("sim-judge",),
    **judge: Any,
) -> Project:
    """A project in which nothing is sampled; the judges are called first, second, third, in the panel's order."""
    project = Project(folder, server).prompts(rows)
    names = ("first", "second", "third")[: len(models)]
    endpoints = {name: {"model": model, "base_url": server.url} for name, model in zip(names, models, strict=True)}
    project.save(sample=None, endpoints=endpoints, judge={"panel": list(names), **judge})
    return project


def asked(project: Project, purpose: str) -> Counter[str]:
    """How many requests of a purpose were answered, by prompt."""
    rows = project.sql(
        f"SELECT r.prompt FROM replies r WHERE r.request IN (SELECT request FROM attempts WHERE purpose = '{purpose}')"
    )
    return Counter(prompt for (prompt,) in rows)


def purposes(project: Project) -> dict[str, int]:
    """How many requests were made, by purpose."""
    return dict(project.sql("SELECT purpose, count(DISTINCT request) FROM attempts GROUP BY purpose"))

"""The page itself: what stands on it in which order, in one file that loads nothing and runs only our script.

Every text of others is escaped by the template, and what cannot be seen is made visible before. The same ledger gives
the same bytes, but for the date. Called by the command line.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pairsmith.judge.rates import told
from pairsmith.running.shareable import public_name, shareable_toml
from pairsmith.show.report import arms, families, funnel, judging, lengths, people, scores, timing
from pairsmith.show.report.samples import samples
from pairsmith.show.report.telling import lasted, moment, points, share, so_many, usd
from pairsmith.show.unseen import name, visible

if TYPE_CHECKING:
    from jinja2 import Environment

    from pairsmith.ledger import Ledger
    from pairsmith.show.report.drawing import Panel
    from pairsmith.show.report.gather import Run
    from pairsmith.show.report.samples import Sample

SAMPLE_BYTES = 3_000_000  # of the pairs that are shown, so that the file stays below 5 MB
MOST_ROWS = 120  # of a table
OPENED = 3  # of the pairs
WORDS = {"warn": "Warning.", "open": "Open.", "good": "Good."}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the head."""

    label: str
    value: str
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page."""

    ident: str
    title: str
    panels: Sequence[Panel] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """What stands on top. simulated: a sentence, "" where nothing was; notes: what else should not be overlooked."""

    name: str
    said: str
    when: str
    simulated: str
    notes: Sequence[str]
    figures: Sequence[Figure]


def report_page(run: Run, ledger: Ledger, version: str, date: str) -> bytes:
    """The whole page of one run.

    Args:
        run: what is known of it.
        ledger: it is read from, for the texts of the pairs.
        version: of pairsmith.
        date: when the page is made, as it is told.
    """
    shown = list(samples(run, ledger))
    kept = fitting(shown, SAMPLE_BYTES)
    return rendered(
        "report.html.j2",
        version,
        date,
        head=head(run),
        sections=sections(run),
        findings=judging.findings(run),
        words=WORDS,
        judges=judging.qualified_table(run),
        pairs=[markup for _, markup in kept],
        sampled=_sampled(run, [one for one, _ in kept]),
        **choices([one for one, _ in kept]),
        recipe=visible(shareable_toml(run.recipe)),
        made=list(_made(run, version, date)),
    )


# --- what stands on it --------------------------------------------------------------------------------


def sections(run: Run) -> list[Section]:
    """In order."""
    return [
        Section("funnel", "From prompts to pairs", funnel.shown(run)),
        Section("scores", "Scores and gaps", scores.shown(run)),
        Section("arms", "Arms", arms.shown(run)),
        Section("length", "Length", lengths.shown(run)),
        Section("judges", "Judges", judging.shown(run)),
        Section("people", "People", people.shown(run)),
        Section("time", "Time and money", timing.shown(run)),
        Section("families", "Task families", families.shown(run)),
        Section("pairs", "Pairs"),
        Section("recipe", "The recipe"),
        Section("made", "How it was made"),
    ]


def head(run: Run) -> Head:
    """Name, models, counts, spend."""
    recipe = run.recipe
    sampled = [name(public_name(model.model)) for one, model in run.models.items() if one in recipe.sampled_endpoints]
    judged = [name(public_name(run.models[one].model if one in run.models else str(one))) for one in recipe.judge.panel]
    by = f"answered by {', '.join(dict.fromkeys(sampled))}" if sampled else "with the answers that came with them"
    who = f"judged by {', '.join(dict.fromkeys(judged))}" if judged else "judged by nobody"
    sessions = run.timeline.sessions
    when = f"Run {moment(sessions[0].began)} to {moment(sessions[-1].ended)}" if sessions else "No call was made"
    return Head(
        name=name(run.name, 120),
        said=f"{so_many(run.counts.prompts, 'prompt')}, {by}, {who}.",
        when=f"{when}; {lasted(run.ran_s or run.timeline.step_s * run.timeline.steps)} of running time.",
        simulated=_simulated(run),
        notes=list(_notes(run)),
        figures=list(_figures(run)),
    )


def _simulated(run: Run) -> str:
    if not run.simulated:
        return ""
    part = f"{share(run.simulated, run.settled)} of {so_many(run.settled, 'settled prompt')} rest"
    if run.simulated == run.settled:
        part = "The settled prompt rests" if run.settled == 1 else f"All {run.settled:,} settled prompts rest"
    return (
        f"{part} on answers of a simulator: no model said them, "
        "the money is made up, and nothing here tells how good a real model or judge is."
    )


def _notes(run: Run) -> Iterator[str]:
    counts = run.counts
    if counts.not_reached > 0:
        yield (
            f"{counts.not_reached:,} of {so_many(counts.prompts, 'prompt')} were not reached: a run that goes on takes "
            "them, unless it has as many pairs as were asked for. Rates are of those that were reached."
        )
    if failed := sum(counts.failed.values()):
        yield f"Calls for {failed:,} of {so_many(counts.prompts, 'prompt')} failed: a run that goes on tries again."
    named = {"duplicate": counts.duplicates, "near-duplicate": counts.near_duplicates, "bad row": counts.skipped}
    said = [so_many(n, word) for word, n in named.items() if n]
    said += [f"{counts.excluded:,} excluded"] if counts.excluded else []
    said += [f"{counts.contaminated:,} contaminated"] if counts.contaminated else []
    if said:
        yield f"Besides these prompts the input held {', '.join(said)}, which were left out."


def _figures(run: Run) -> Iterator[Figure]:
    counts, pairs = run.counts, run.tables.pairs
    several = f"of {so_many(counts.settled, 'prompt')}" if counts.pairs != counts.settled else ""
    yield Figure("pairs", f"{counts.pairs:,}", several)
    yield Figure(
        "prompts with a pair",
        share(counts.settled, run.reached),
        f"{counts.settled:,} of {run.reached:,}" + (" reached" if counts.not_reached > 0 else ""),
    )
    gap = pairs["gap"].median()
    yield Figure(
        "gap of the median pair", points(float(gap)), f"min_gap {run.gates.least_gap:g}" if gap == gap else "no points"
    )
    longer = run.bias.chosen_longer
    yield Figure(
        "longer answer chosen",
        share(longer.rate or 0, 1) if longer.n else "–",
        told(longer).partition(" (")[2].rstrip(")"),
    )
    conflicts = run.bias.conflicts
    yield Figure(
        "order conflicts",
        share(conflicts.rate or 0, 1) if conflicts.n else "–",
        f"of {conflicts.n:,}" if conflicts.n else "nothing was compared",
    )
    known = sum(spent.cost_usd or 0.0 for spent in run.spent_on.values())
    least = f"{usd(known)} of it known, " if run.spent.cost_usd is None and known else ""
    yield Figure("spent", usd(run.spent.cost_usd), f"{least}{run.spent.calls:,} calls")
    yield Figure("a pair cost", usd(run.cost_per_pair_usd) if counts.pairs else "–")


def _sampled(run: Run, shown: Sequence[Sample]) -> str:
    pairs = sum(one.pair for one in shown)
    close = len(shown) - pairs
    besides = (
        f", and {so_many(close, 'prompt')} that came close and {'is' if close == 1 else 'are'} no pair" if close else ""
    )
    return (
        f"{so_many(pairs, 'pair')} of {run.counts.pairs:,}{besides}: some of every family, arm and gap, by a hash. "
        "Words that only one of the two has are marked."
    )


def _made(run: Run, version: str, date: str) -> Iterator[tuple[str, str]]:
    yield "made", f"{date}, by pairsmith {version}"
    yield "run folder", name(run.path.resolve().name)
    yield "digest of the work", run.digest
    yield "recipe", hashlib.sha256(shareable_toml(run.recipe).encode()).hexdigest()[:32] + " (of what stands above)"
    yield (
        "ledger",
        f"{run.spent.attempts:,} attempts, {run.counts.completions:,} completions, {run.counts.verdicts:,} verdicts",
    )
    yield (
        "every pair can be proved",
        "pairsmith audit RUN_DIR FILE; one prompt's evidence: pairsmith explain RUN_DIR PROMPT_ID",
    )


# --- rendering ----------------------------------------------------------------------------------------


def fitting(shown: Iterable[Sample], budget: int) -> list[tuple[Sample, Markup]]:
    """The pairs as they are written, as many as the budget of bytes holds; one that is too large is passed over."""
    template, used = environment().get_template("pair.html.j2"), 0
    kept: list[tuple[Sample, Markup]] = []
    for one in shown:
        written = template.render(one=one, opened=len(kept) < OPENED)
        size = len(written.encode("utf-8", "replace"))
        if used + size <= budget:
            kept.append((one, Markup(written)))  # the template has escaped it
            used += size
    return kept


def choices(shown: Sequence[Sample]) -> dict[str, Any]:
    """What the filter offers."""
    return {
        "families": sorted({one.family for one in shown}),
        "arms": sorted({side.arm for one in shown for side in one.sides}),
        "kinds": list(dict.fromkeys(one.kind for one in shown)),
    }


def rendered(template: str, version: str, date: str, **parts: Any) -> bytes:
    """A whole page: its style and its script stand in it, and its policy lets nothing else load or run."""
    script, style = text_of("report.js"), text_of("base.css") + text_of("report.css")
    page = environment().get_template(template).render(
        policy=policy(script),
        style=Markup(style),  # both are ours
        script=Markup(script),
        version=version,
        date=date,
        most_rows=MOST_ROWS,
        **parts,
    )  # fmt: skip
    return page.encode("utf-8", "replace")


def policy(script: str) -> str:
    """The Content-Security-Policy of a page that holds this script and no other."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    rules: Mapping[str, str] = {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "script-src": f"'sha256-{digest}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{rule} {value}" for rule, value in rules.items())


@cache
def environment() -> Environment:
    """Templates that escape whatever they are given, and refuse what is not there."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(text_of), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    made.filters["tight"] = _tight
    return made


def _tight(sentence: str) -> str:
    """Of ours: a figure and its sign stay in one line."""
    return sentence.replace(" %", "\u00a0%").replace(" ×", "\u00a0×")


def text_of(file: str) -> str:
    """A template, or what stands beside it."""
    return (files("pairsmith.show") / "templates" / file).read_text("utf-8")

"""What a run decides by, made once from the recipe: words, arms, judges, gates, and the digest that names them.

With `measured`, what this run found out about its judges comes in. No ledger, no network. Called by pipeline.py and
the command line; steps.py decides by it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pairsmith import assets, judge, pairing, seams
from pairsmith.capabilities import Known
from pairsmith.errors import UserError
from pairsmith.judge import Gates, JudgeWords, Panel, Structured
from pairsmith.judge.asking import TaskWords
from pairsmith.judge.escalate import holds
from pairsmith.judge.noise import PROMPTS
from pairsmith.judge.settings import BY_FAMILY, CHECK, JudgeSettings
from pairsmith.pair.settings import SEAM, PairSettings
from pairsmith.pairing import ACCURATE, Pairing, named, pairing_of
from pairsmith.recipe import Recipe
from pairsmith.records import (
    Arm,
    Endpoint,
    EndpointName,
    Json,
    Noise,
    content_id,
)
from pairsmith.sample.plan import build_arms

RULES = 4  # goes up when the same evidence would come to something else than before: stored outcomes are then redone

JUDGE_TEMPLATES = (
    "score_system",
    "score_user",
    "duel_system",
    "duel_user",
    "rank_system",
    "rank_user",
    "reference_system",
    "reference_user",
    "reask",
)
TASK_TEMPLATES = ("family_system", "family_user", "family_reask")
GENERAL = "general"  # the rubric of whatever has none of its own
NO_FAMILY = "other"
NEW_KEYS = ("families", "family_judge")  # say nothing at their defaults: what was settled before them stays settled
MODES: dict[str, Structured] = {"auto": "json_schema", "schema": "json_schema", "object": "json_object", "text": "text"}


@dataclass(frozen=True, slots=True)
class Work:
    """Everything that decides what is asked and what it comes to. `digest` names all of it but the noise measured.

    `judges_digest` names what the noise of the judges depends on: it is measured once for it.
    """

    recipe: Recipe
    endpoints: Mapping[EndpointName, Endpoint]
    arms: tuple[Arm, ...]
    panel: Panel
    digest: str
    judges_digest: str
    pairing: Pairing
    screens: tuple[seams.Function, ...] = ()

    @property
    def pair(self) -> PairSettings:
        """The [pair] table with "auto" replaced by a number."""
        return self.pairing.settings


def make_work(recipe: Recipe, endpoints: Mapping[EndpointName, Endpoint], known: Known | None = None) -> Work:
    """Read the words that the recipe names, build the arms, and name the whole by its digest.

    `known`: what endpoints were found to take.

    Raises:
        UserError: a rubric, a system prompt or an endpoint that is named is not there.
    """
    arms = arms_of(recipe, endpoints, known)
    words = _words(recipe)
    functions = _functions(recipe)
    modes = {name: MODES[endpoint.json_mode] for name, endpoint in endpoints.items()}
    seed = recipe.sample.seed if recipe.sample else 0
    panel = Panel(endpoints, words, recipe.judge, modes, seed, checks=_checks(functions))
    settles = pairing_of(recipe, {arm.name: arm.endpoint for arm in arms}, functions.get(recipe.pair.strategy))
    judged = _judged(recipe, endpoints, arms, words, functions)
    decides: Json = [judged, named(settles.settings)]
    work = Work(
        recipe=recipe,
        endpoints=endpoints,
        arms=arms,
        panel=panel,
        digest=content_id("work", RULES, decides),
        judges_digest=content_id("judges", RULES, judged),
        pairing=settles,
        screens=tuple(functions[name] for name in (recipe.sample.screens if recipe.sample else ())),
    )
    return measured(work, None if wants_noise(work) else Noise())


def arms_of(recipe: Recipe, endpoints: Mapping[EndpointName, Endpoint], known: Known | None = None) -> tuple[Arm, ...]:
    """The arms of a recipe; without what is known of the endpoints, as the recipe has them."""
    settings = recipe.sample
    if settings is None:
        return ()
    sampled = {EndpointName(name): endpoints[EndpointName(name)] for name in recipe.sampled_endpoints}
    systems = {name: assets.words("system", name, Path()) for name in settings.system_names}
    if not settings.arms:
        settings = settings.model_copy(update={"endpoints": recipe.sampled_endpoints})
    return build_arms(settings, sampled, systems, known)


def _words(recipe: Recipe) -> JudgeWords:
    templates = {name: assets.template("judge", f"{name}.md.j2") for name in JUDGE_TEMPLATES}
    families = {name: assets.words("families", name, Path()) for name in assets.bundled("families")}
    rubric, rubrics = _rubrics(recipe.judge.rubric)
    criteria = families | recipe.judge.criteria
    tasks = _tasks({*criteria, *rubrics}) if recipe.judge.families == "ask" else None
    return JudgeWords(rubric=rubric, rubrics=rubrics, criteria=criteria, tasks=tasks, **templates)


def _rubrics(named: str) -> tuple[str, dict[str, str]]:
    """The rubric of every prompt, and those of task families, where the recipe goes by them.

    Raises:
        UserError: it is neither a bundled name, nor a file, nor a folder that holds general.md.
    """
    if named == BY_FAMILY:
        found = {name: assets.words("rubrics", name, Path()) for name in assets.bundled("rubrics")}
    elif Path(named).is_dir():
        files = sorted(path for path in Path(named).glob("*.md") if path.stem.upper() != "README")
        found = {path.stem: assets.words("rubrics", str(path), Path()) for path in files}
    else:
        return assets.words("rubrics", named, Path()), {}
    if GENERAL not in found:
        raise UserError(
            f"the rubrics in {named} are one a task family, and {GENERAL}.md for every other prompt is missing: "
            "put it there, or name one rubric"
        )
    return found.pop(GENERAL), found


def _tasks(families: Collection[str]) -> TaskWords:
    """How a judge is asked which of these it is; what is none of the others stands last."""
    system, user, reask = (assets.template("judge", f"{name}.md.j2") for name in TASK_TEMPLATES)
    names = sorted({*families, NO_FAMILY}, key=lambda name: (name == NO_FAMILY, name))
    return TaskWords(system, user, reask, tuple(names))


def _functions(recipe: Recipe) -> dict[str, seams.Function]:
    """The user's own functions, by the names that the recipe has for them."""
    checks = [str(name) for name in recipe.judge.panel if name.startswith(CHECK)]
    screens = recipe.sample.screens if recipe.sample else ()
    strategies = [recipe.pair.strategy] if SEAM.fullmatch(recipe.pair.strategy) else []
    specs = (*checks, *screens, *strategies)
    known = {name: seams.load(name.removeprefix(CHECK)) for name in specs}
    if len({known[name].name for name in checks}) < len(checks):
        raise UserError(f"two checks of {', '.join(checks)} go by one name: give file or function another one")
    return known


def _checks(functions: Mapping[str, seams.Function]) -> dict[EndpointName, judge.Check]:
    return {
        EndpointName(f"{CHECK}{function.name}"): partial(seams.points, function)
        for name, function in functions.items()
        if name.startswith(CHECK)
    }


def _judged(
    recipe: Recipe,
    endpoints: Mapping[EndpointName, Endpoint],
    arms: Sequence[Arm],
    words: JudgeWords,
    functions: Mapping[str, seams.Function],
) -> Json:
    """All that verdicts depend on. Of an endpoint whatever its requests are rendered from."""
    who: list[Json] = [
        [e.identity, e.model, e.kind, e.reasoning, dict(e.extra), e.length_parameter, e.seed, e.json_mode]
        for e in endpoints.values()
    ]
    who += [[dict[str, Json](e.names), dict(e.neutral)] for e in endpoints.values()]
    how: Json = [[arm.name, arm.endpoint, dict(arm.params), arm.system, arm.weight] for arm in arms]
    templates = (*JUDGE_TEMPLATES, *(TASK_TEMPLATES if words.tasks else ()))
    said: Json = [assets.asset("prompts", "judge", f"{name}.md.j2").read_text("utf-8") for name in templates]
    written: Json = [[function.name, function.digest] for function in functions.values()]
    settings: Json = [
        recipe.sample.model_dump(mode="json", exclude={"max_screened"}) if recipe.sample else None,
        recipe.judge.model_dump(mode="json", exclude={"service_tier", *_unsaid(recipe.judge)}),
        recipe.judge.by_value,
        list[Json](sorted(recipe.pair.tolerated)),
    ]
    decided: list[Json] = [who, how, said, words.rubric, dict(words.criteria), settings, written]
    return [*decided, dict[str, Json](words.rubrics)] if words.rubrics else decided


def _unsaid(settings: JudgeSettings) -> set[str]:
    """Keys of [judge] that stand at their defaults, among those that an earlier version did not have."""
    return {key for key in NEW_KEYS if getattr(settings, key) == JudgeSettings.model_fields[key].default}


# --- how much the judges err ------------------------------------------------------------------------


def wants_noise(work: Work) -> bool:
    """Whether decisions of this run depend on how much its judges err, so that this has to be measured first."""
    settings, judges = work.recipe.judge, work.panel.judges
    if settings.protocol != "score":
        return False
    by_value = settings.by_value and len(judges) > 1
    return by_value or work.recipe.pair.min_gap == "auto" or any(one.kind == "reward" for one in judges)


def measured(work: Work, noise: Noise | None) -> Work:
    """The same, once it is known how much the judges err; a Noise of no judge: too little is known, and stays so."""
    settles = pairing.measured(work.pairing, work.recipe, noise)
    gates = Gates(settles.settings.verify_gap, settles.settings.chosen_floor)
    return replace(work, pairing=settles, panel=replace(work.panel, noise=noise, gates=gates))


def said_of_noise(work: Work) -> str:
    """What was found about the judges, and what follows from it, in one sentence; "" when nothing was to be found."""
    noise = work.panel.noise
    if noise is None or not wants_noise(work):
        return ""
    auto = work.recipe.pair.min_gap == "auto"
    rewards = [one.name for one in work.panel.judges if one.kind == "reward"]
    if not noise.judges and len(rewards) == len(work.panel.judges):
        return f"too few verdicts to know what {rewards[0]}'s numbers mean: no pair is made ({PROMPTS} prompts suffice)"
    if not noise.judges:
        stands = f", and min_gap is {work.pair.least_gap:g}" if auto else ""
        return f"too few verdicts to measure how much the judges err: {PROMPTS} prompts suffice{stands}"
    errs = ", ".join(
        f"{name} {known.variance**0.5:.2f}" for name, known in noise.judges.items() if not name.startswith(CHECK)
    )
    unlike = ""
    ladder = work.recipe.judge.by_value and len(work.panel.judges) > 1
    if ladder and not holds([one.name for one in work.panel.chat_judges], noise):
        unlike = "; too unlike each other, or too unsure of these answers, to ask by value: the ladder goes by distance"
    rests = f"from the first {noise.prompts} prompts, {noise.verdicts} verdicts"
    gap = f"; min_gap = auto is {work.pair.least_gap:g}: {ACCURATE:.0%} right from there up" if auto else ""
    return f"judges err by so many points a verdict: {errs} ({rests}){gap}{unlike}"

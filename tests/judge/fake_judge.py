"""A judge as a pure function: it knows what each answer is worth and reads only what the request shows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pairsmith.judge import Asked, Check, Gates, JudgeSettings, JudgeState, JudgeWords, Panel, Settle, owed
from pairsmith.judge.settings import CHECK
from pairsmith.pair.orders import settle_orders
from pairsmith.records import (
    Abstention,
    ChatRequest,
    Completion,
    CompletionId,
    Duel,
    Endpoint,
    EndpointName,
    JudgeNoise,
    Message,
    Noise,
    Outcome,
    Pair,
    Prompt,
    Purpose,
    Reply,
    RequestId,
    Score,
    Settlement,
    Undecided,
    content_id,
    prompt_id,
)

TEMPLATES = Path(__file__).parents[2] / "prompts" / "judge"
RUBRIC = "# General\n\nHow well does the answer help?\n\n10: could not be better\n1: useless"
ANSWER = re.compile(r'<answer([\w-]*)(?: label="(\w+)")?>\n(.*?)\n</answer\1>', re.DOTALL)
REFERENCE = "An answer of the judge's own."
Judge = Callable[[ChatRequest], Outcome]


def environment(**options: bool) -> Environment:
    trimming = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True} | options
    loader = FileSystemLoader(TEMPLATES)
    return Environment(loader=loader, undefined=StrictUndefined, autoescape=False, **trimming)  # type: ignore[arg-type]


def judge_words(rubric: str = RUBRIC, **options: bool) -> JudgeWords:
    get = environment(**options).get_template
    return JudgeWords(
        score_system=get("score_system.md.j2"),
        score_user=get("score_user.md.j2"),
        duel_system=get("duel_system.md.j2"),
        duel_user=get("duel_user.md.j2"),
        rank_system=get("rank_system.md.j2"),
        rank_user=get("rank_user.md.j2"),
        reference_system=get("reference_system.md.j2"),
        reference_user=get("reference_user.md.j2"),
        reask=get("reask.md.j2"),
        rubric=rubric,
    )


WORDS = judge_words()


def endpoint(name: str, **known: object) -> Endpoint:
    return Endpoint(EndpointName(name), f"{name}-1", ("http://judge",), identity=name, **known)  # type: ignore[arg-type]


def settings(*judges: str, **known: object) -> JudgeSettings:
    return JudgeSettings.model_validate({"panel": judges or ("teacher",), **known})


def panel(
    *judges: str,
    seed: int = 0,
    words: JudgeWords = WORDS,
    checks: Mapping[str, Check] | None = None,
    noise: Noise | None = Noise(),  # noqa: B008  frozen, so shared safely
    gates: Gates = Gates(1.0, 6.0),  # noqa: B008
    **known: object,
) -> Panel:
    """A judge whose name begins with rm is a reward model; one of `checks` is named check:NAME."""
    chosen = settings(*judges, **known)
    models = [name for name in chosen.panel if not name.startswith(CHECK)]
    return Panel(
        endpoints={name: endpoint(name, kind="reward" if name.startswith("rm") else "chat") for name in models},
        words=words,
        settings=chosen,
        structured=dict.fromkeys(chosen.panel, "json_schema"),
        seed=seed,
        checks={EndpointName(name): check for name, check in (checks or {}).items()},
        gates=gates,
        noise=noise,
    )


def noise_of(spread: float = 2.0, **variances: float) -> Noise:
    """What is known of judges without offsets: the variance of each."""
    return Noise({EndpointName(name): JudgeNoise(one) for name, one in variances.items()}, spread, 32, 400)


def a_prompt(text: str = "Why is the sky blue?", **known: object) -> Prompt:
    messages: list[Message] = [{"role": "user", "content": text}]
    return Prompt(**{"id": prompt_id(messages, [], None, None), "messages": tuple(messages), **known})  # type: ignore[arg-type]


PROMPT = a_prompt()


def completion(text: str, prompt: Prompt = PROMPT, **known: object) -> Completion:
    ident = CompletionId(content_id("completion", prompt.id, text))
    return Completion(ident, prompt.id, text, "arm", **known)  # type: ignore[arg-type]


def completions(*texts: str) -> list[Completion]:
    return [completion(text) for text in texts]


# --- judges -------------------------------------------------------------------------------------


def shown(request: ChatRequest) -> list[str]:
    """The answers a request shows, in order, as a judge reads them in the first user message."""
    messages = request.body["messages"]
    assert isinstance(messages, list)
    if "use_activation" in request.body:  # a reward model is shown the conversation, the answer last
        return [str(messages[-1]["content"])]  # type: ignore[call-overload,index]
    user = next(m["content"] for m in messages if isinstance(m, dict) and m["role"] == "user")
    return [match[3] for match in ANSWER.finditer(str(user))]


def labels(request: ChatRequest) -> list[str]:
    """The labels of the answers that a request shows, in order."""
    messages = request.body["messages"]
    assert isinstance(messages, list)
    return [match[2] for match in ANSWER.finditer(str(messages[1]["content"]))]  # type: ignore[call-overload,index]


def reply(request: ChatRequest, said: str | Mapping[str, object], **known: object) -> Reply:
    text = said if isinstance(said, str) else orjson.dumps(said).decode()
    return Reply(request.id, text, finish_reason=str(known.pop("finish_reason", "stop")), **known)  # type: ignore[arg-type]


def knowing(worth: Callable[[str], float]) -> Judge:
    """Gives every answer the points (or the reward) it is worth, and the duel to the better one, wherever it stands.

    It ranks by the same, equals by their text, and writes one and the same reference.
    """

    def judge(request: ChatRequest) -> Outcome:
        if request.purpose is Purpose.REFERENCE:
            return reply(request, REFERENCE)
        points = [worth(text) for text in shown(request)]
        if "use_activation" in request.body:
            return reply(request, {"reward": float(points[0])})
        if request.purpose is Purpose.RANK:
            placed = sorted(zip(labels(request), shown(request), strict=True), key=lambda one: (-worth(one[1]), one[1]))
            return reply(request, {"rationale": "so it is", "ranking": [label for label, _ in placed]})
        if len(points) == 1:
            return reply(request, {"rationale": "so it is", "score": points[0]})
        winner = "tie" if points[0] == points[1] else "A" if points[0] > points[1] else "B"
        return reply(request, {"rationale": "so it is", "winner": winner})

    return judge


def erring(worth: Callable[[str], float], spoils: Callable[[ChatRequest], bool], spoilt: str) -> Judge:
    """A knowing judge that says `spoilt` instead where `spoils` is true."""
    good = knowing(worth)
    return lambda request: reply(request, spoilt) if spoils(request) else good(request)


def says_first(request: ChatRequest) -> Outcome:
    """A judge that always prefers what it is shown first."""
    if request.purpose is Purpose.RANK:
        return reply(request, {"rationale": "as they stand", "ranking": labels(request)})
    return reply(request, {"rationale": "the first", "winner": "A"})


def by_name(judges: Mapping[str, Judge]) -> Judge:
    return lambda request: judges[request.endpoint](request)


def hashed(text: str, upto: int) -> int:
    return int(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), 16) % upto


# --- a settle, and the loop of pipeline ---------------------------------------------------------


def best_worst(min_gap: float = 3.0, verify_gap: float = 1.0) -> Settle:
    """A stand-in for pair's settle: best against worst by mean, duels between the two gaps."""

    def settle(scores: Sequence[Score], duels: Sequence[Duel]) -> Settlement:
        prompt = PROMPT.id
        by_id: dict[CompletionId, list[float]] = {}
        for score in scores:
            by_id.setdefault(score.completion, []).append(score.value)
        means = sorted((sum(values) / len(values), ident) for ident, values in by_id.items())
        if len(means) < 2:
            return Abstention(prompt, "too_few")
        (low, worst), (high, best) = means[0], means[-1]
        pair = Pair(prompt, best, worst, high - low, ())
        if high - low >= min_gap:
            return pair
        if high - low < verify_gap:
            return Abstention(prompt, "gap")
        if not duels:
            return Undecided(best, worst)
        return pair if all(duel.winner == best for duel in duels) else Abstention(prompt, "order")

    return settle


def play(
    judge: Judge,
    answers: Iterable[Completion],
    asked: Panel,
    settle: Settle | None = None,
    prompt: Prompt = PROMPT,
    rounds: int = 20,
    measuring: bool = False,
) -> tuple[JudgeState, dict[RequestId, Outcome], list[ChatRequest]]:
    """Pay what is owed until nothing is; the last state, all outcomes, and every request paid, in order."""
    outcomes: dict[RequestId, Outcome] = {}
    paid: list[ChatRequest] = []
    answers = list(answers)
    rendered: Asked = {}
    orders = partial(settle_orders, prompt.id, answers)
    for _ in range(rounds):
        state = owed(prompt, answers, outcomes, settle or best_worst(), asked, rendered, orders, measuring)
        if not state.owed:
            return state, outcomes, paid
        paid += state.owed
        outcomes |= {request.id: judge(request) for request in state.owed}
    raise AssertionError("the judge is asked for ever")

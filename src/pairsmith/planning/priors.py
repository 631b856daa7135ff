"""What is assumed of models while a run has shown nothing: how long they answer, how far their answers lie apart.

The one place for such numbers, each with its source and date. Called by worlds.py and forecast.py; whatever the run
so far shows takes their place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pairsmith.judge.families import family_of

# Mean length in characters of the answers to AlpacaEval's 805 instructions, by the models in brackets: `avg_length` of
# github.com/tatsu-lab/alpaca_eval, weighted_alpaca_eval_gpt4_turbo_leaderboard.csv (2024, read in November 2026).
ANSWER_CHARS = {
    "GPT": 1850.0,  # gpt-4o 1873, gpt-4o-mini 1861, gpt-4-turbo 1802
    "Claude": 1430.0,  # 3.5 Sonnet 1488, 3 Opus 1388, 3 Sonnet 1420
    "Gemini": 1460.0,  # gemini-pro 1456
    "Llama": 2070.0,  # 3.1 of 8B 2181, of 70B 2044, of 405B 1988
    "Qwen": 1600.0,  # 2-72B 1626, 1.5-110B 1631, 1.5-72B 1549
    "Mistral": 1460.0,  # Large 1362, 7B v0.3 1581, Mixtral 8x22B 1445
}
USUAL_ANSWER_CHARS = 1700.0  # an assumption: the middle of those
# Names in common use (November 2026) of models that think before they answer, unless they are told not to.
THINKS = re.compile(r"(^|[^a-z])o[134](-|$)|gpt-[56]|gpt-oss|qwen3|qwq|-r1|thinking|magistral|grok-[34]", re.IGNORECASE)
# An assumption: hundreds of tokens for an everyday question, many thousands for a hard one.
THINKING_TOKENS = 800.0
VERDICT_CHARS = 330.0  # an assumption: one to three sentences, as the templates ask, and the JSON around them
# A word of English is about 1.3 tokens: OpenAI's rule of thumb, "one token is about 4 characters" (November 2026).
CHARS_A_TOKEN = 4.0
# Share of replies without a verdict: up to 1 % of good judges', 3 to 6 % of weak ones' (docs/judging-simulated.md).
UNREADABLE, UNREADABLE_AT_MOST = 0.01, 0.06
LENGTH_SPREAD = 0.5  # deviation of the logarithm of an answer's length, as in docs/judging-simulated.md
# Quality in judge points, as in docs/judging-simulated.md: the prompts' means, and the spread within a prompt.
QUALITY_MEAN, MEANS_SPREAD = 6.5, 1.2
SPREAD_OF_ONE_MODEL, SPREAD_OF_SEVERAL = 0.8, 1.4
NOISE_SHARE = 0.15  # of the variance of scores within a prompt: 13 to 16 % on the replay set (docs/judging.md)
# Assumptions, where no call of an endpoint has been timed: until the first token, and from there on.
FIRST_TOKEN_S, TOKENS_A_SECOND = 1.0, 50.0


@dataclass(frozen=True, slots=True)
class Typical:
    """What is assumed of one model, and what that rests on.

    `answers`: how many different answers it has for a prompt; None: it hardly ever gives one twice. `quality_mean` and
    `means_spread`: of the prompts' means, in judge points. `spread`: of the quality of its answers within a prompt;
    None: not known of this one. `noise`: deviation of its own scores; None: a share of the spread. `seconds`: of one
    call; None: by its tokens.
    """

    rests: str
    answer_chars: float = USUAL_ANSWER_CHARS
    length_spread: float = LENGTH_SPREAD
    verdict_chars: float = VERDICT_CHARS
    thinking_tokens: float = 0.0
    chars_a_token: float | None = None
    answers: int | None = None
    quality_mean: float = QUALITY_MEAN
    means_spread: float = MEANS_SPREAD
    spread: float | None = None
    noise: float | None = None
    unreadable: float = UNREADABLE
    seconds: float | None = None


# The simulator's models, measured with it on data/prompts/everyday.jsonl, 4 draws a prompt at T = 0.6 to 1.4, November
# 2026. Of the demo's own prompts they have six answers each, 15 % shorter. It counts 4 characters as a token.
_SIMULATED = Typical(
    "the simulator's models, measured",
    answer_chars=410.0,
    length_spread=0.36,
    verdict_chars=85.0,
    chars_a_token=4.0,
    answers=14,
    quality_mean=5.9,
    means_spread=0.4,
    spread=2.2,
    noise=0.5,
    unreadable=0.001,
    seconds=0.01,
)
_SIMULATED_AS = {
    "sim-weak": {"quality_mean": 4.4},
    "sim-strong": {"quality_mean": 6.9},
    "sim-thinker": {"quality_mean": 6.4, "thinking_tokens": 62.0},
    "sim-judge-middle": {"noise": 0.9, "unreadable": 0.01},
    "sim-judge-noisy": {"noise": 1.7, "unreadable": 0.05},
    "sim-judge-broken": {"noise": 0.8, "unreadable": 0.5},
}


def typical(model: str) -> Typical:
    """What is assumed of a model by its name."""
    if model.startswith("sim-"):
        kinds = [changes for name, changes in _SIMULATED_AS.items() if model.startswith(name)]
        return replace(_SIMULATED, **kinds[0]) if kinds else _SIMULATED  # type: ignore[arg-type]  # all are floats
    family = family_of(model)
    thinking = THINKING_TOKENS if THINKS.search(model.rsplit("/", 1)[-1]) else 0.0
    if family not in ANSWER_CHARS:
        return Typical("an assumption", thinking_tokens=thinking)
    return Typical(f"a typical length of {family}", ANSWER_CHARS[family], thinking_tokens=thinking)

"""The judges against the table in JUDGING.md: fixed seeds, so every number here is always the same."""

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from statistics import mean
from typing import Any

import pytest
from simulator_client import Client

from pairsmith.simulator import Settings, running
from pairsmith.simulator.asking import read_question
from pairsmith.simulator.composing import compose

LONG = "This goes on. " * 80
UNKNOWN = ["An answer that nobody planted.", "Another one of unknown worth."]


@pytest.fixture(scope="module")
def judging() -> Iterator[Client]:
    with running(Settings()) as simulator, Client(simulator.base_url) as client:
        yield client


@lru_cache
def pairs(many: int = 250) -> list[tuple[tuple[float, str], tuple[float, str]]]:
    """Two composed answers each, of one prompt, with their planted qualities, in no order."""
    drafts = (compose(0, f"How do I mend bicycle number {i} of my neighbour?")[:2] for i in range(many))
    return [((a.quality, a.text()), (b.quality, b.text())) for a, b in drafts]


def read(text: str) -> dict[str, Any]:
    with suppress(ValueError):
        reply = json.loads(text)
        return reply if isinstance(reply, dict) else {}
    return {}


def duels(client: Client, model: str) -> list[tuple[float, str, str]]:
    """Per pair: quality of the first minus that of the second, and the winner in either order."""
    return [
        (
            qa - qb,
            read(client.judge("winner", [a, b], model=model, key=f"{i}ab").text).get("winner", ""),
            read(client.judge("winner", [b, a], model=model, key=f"{i}ba").text).get("winner", ""),
        )
        for i, ((qa, a), (qb, b)) in enumerate(pairs())
    ]


def says_first(seen: list[tuple[float, str, str]]) -> float:
    decided = [winner for _, one, two in seen for winner in (one, two) if winner in ("A", "B")]
    return mean(winner == "A" for winner in decided)


def conflict(seen: list[tuple[float, str, str]]) -> float:
    other = {"A": "B", "B": "A", "tie": "tie"}
    return mean(other[one] != two for _, one, two in seen if one in other and two in other)


def test_sim_judge_orders_nearly_all_that_differ_by_a_point(judging: Client) -> None:
    right = []
    for i, (a, b) in enumerate(pairs()):
        one, two = (
            read(judging.judge("score", [t], key=f"{i}{n}").text).get("score")
            for n, (_, t) in zip("ab", (a, b), strict=True)
        )
        if abs(a[0] - b[0]) >= 1 and one is not None and two is not None and one != two:
            right.append((one > two) == (a[0] > b[0]))

    assert len(right) > 150
    assert mean(right) >= 0.99


def test_sim_judge_is_right_in_duels_of_a_point_or_more_when_both_orders_agree(judging: Client) -> None:
    seen = [(gap, one) for gap, one, two in duels(judging, "sim-judge") if {one, two} == {"A", "B"} and abs(gap) >= 1]

    assert len(seen) > 150
    assert mean((one == "A") == (gap > 0) for gap, one in seen) >= 0.99


@pytest.mark.parametrize(
    ("model", "first", "disagree"),
    [
        ("sim-judge", (0.48, 0.55), (0.05, 0.20)),
        ("sim-judge-middle", (0.40, 0.55), (0.10, 0.22)),
        ("sim-judge-noisy", (0.65, 0.78), (0.30, 0.60)),
        ("sim-judge-first", (0.90, 1.0), (0.80, 1.0)),
    ],
)
def test_order_matters_to_each_judge_as_it_should(
    judging: Client, model: str, first: tuple[float, float], disagree: tuple[float, float]
) -> None:
    seen = duels(judging, model)

    assert first[0] <= says_first(seen) <= first[1]
    assert disagree[0] <= conflict(seen) <= disagree[1]


@pytest.mark.parametrize(
    ("model", "share"),
    [("sim-judge", (0.02, 0.08)), ("sim-judge-middle", (0.06, 0.15)), ("sim-judge-noisy", (0.24, 0.42))],
)
def test_asked_twice_a_judge_differs_from_itself_by_its_call_noise(
    judging: Client, model: str, share: tuple[float, float]
) -> None:
    noise, spread = [], []
    for i, ((_, a), (_, b)) in enumerate(pairs()):
        scores = [
            read(judging.judge("score", [t], model=model, key=f"{i}/{t[:9]}/{n}").text) for t in (a, b) for n in "12"
        ]
        a1, a2, b1, b2 = (s["score"] if s.get("score", 99) <= 10 else None for s in scores)
        if None not in (a1, a2, b1, b2):
            noise += [(a1 - a2) ** 2 / 2, (b1 - b2) ** 2 / 2]
            spread.append((a1 - b1) ** 2 / 2)

    assert share[0] <= mean(noise) / mean(spread) <= share[1]


def test_sim_judge_long_prefers_the_longer_one(judging: Client) -> None:
    good, poor = "It depends; measure it first, then decide.", LONG
    winners = [read(judging.judge("winner", [good, poor], model="sim-judge-long", key=str(i)).text) for i in range(30)]

    assert mean(reply.get("winner") == "B" for reply in winners) > 0.9


@pytest.mark.parametrize(
    ("model", "low", "high"), [("sim-judge", 0, 0.01), ("sim-judge-noisy", 0.02, 0.09), ("sim-judge-broken", 0.4, 0.6)]
)
def test_unreadable_replies_come_at_each_judges_rate(judging: Client, model: str, low: float, high: float) -> None:
    asked = {"response_format": {"type": "json_object"}}
    replies = [judging.judge("score", UNKNOWN[:1], model=model, key=str(i), **asked).text for i in range(300)]

    broken = mean(not 1 <= read(text).get("score", 0) <= 10 for text in replies)
    assert low <= broken <= high


def test_broken_replies_are_broken_in_many_ways(judging: Client) -> None:
    replies = [judging.judge("score", UNKNOWN[:1], model="sim-judge-broken", key=str(i)).text for i in range(100)]

    assert "" in replies
    assert any(text.startswith("```json") and '"rating"' in text for text in replies)
    assert any(read(text).get("score") == 47 for text in replies)
    assert any(text.startswith("{") and not text.endswith("}") for text in replies)
    assert any(text and "{" not in text for text in replies)


def test_a_noisy_judge_fences_its_json_unless_a_format_is_asked_for(judging: Client) -> None:
    def fenced(**asked: object) -> int:
        texts = [
            judging.judge("score", UNKNOWN[:1], model="sim-judge-noisy", key=str(i), **asked).text for i in range(60)
        ]
        return sum(text.startswith("```json") and '"score"' in text for text in texts)

    assert fenced() > 10
    assert fenced(response_format={"type": "json_object"}) == 0


def test_a_ranking_puts_the_best_first_and_names_every_label_once(judging: Client) -> None:
    drafts = sorted(compose(0, "How do I mend my gate?"), key=lambda draft: draft.quality)
    poor, middle, good = (drafts[i].text() for i in (0, 8, 15))

    reply = read(judging.judge("ranking", [poor, good, middle]).text)

    assert reply["ranking"] == ["B", "C", "A"]
    assert isinstance(reply["rationale"], str)


def test_sim_judge_first_ranks_as_shown(judging: Client) -> None:
    reply = read(judging.judge("ranking", [*UNKNOWN, "A third one."], model="sim-judge-first", key="r").text)

    assert reply["ranking"][0] == "A"


def test_rationales_vary_and_speak_of_length(judging: Client) -> None:
    replies = [read(judging.judge("score", [text], key=str(i)).text) for i, (_, (_, text)) in enumerate(pairs()[:40])]
    long = read(judging.judge("score", [LONG]).text)["rationale"]

    assert len({reply["rationale"] for reply in replies}) >= 10
    assert "long" in long


def schema_of(**properties: object) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"rationale": {"type": "string"}, **properties}}
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "verdict", "schema": schema}}}


def test_a_schema_says_what_is_asked_and_bounds_the_score(judging: Client) -> None:
    good = max(compose(0, "How do I mend my gate?"), key=lambda draft: draft.quality).text()
    bounded = schema_of(score={"type": "integer", "minimum": 0, "maximum": 100})

    reply = read(judging.chat(shown_alone(good), model="sim-judge", **bounded).text)

    assert 80 <= reply["score"] <= 100
    assert list(reply) == ["rationale", "score"]


def test_without_a_schema_the_bounds_are_read_from_the_words(judging: Client) -> None:
    good = max(compose(0, "How do I mend my gate?"), key=lambda draft: draft.quality).text()

    scores = {
        read(judging.chat(shown_alone(good), model="sim-judge", key=str(i), system=f'"score": {asked}').text)["score"]
        for i, asked in enumerate(["<integer from 1 to 5>"] * 10)
    }

    assert scores <= {4, 5}


def test_a_winner_that_may_not_tie_never_ties(judging: Client) -> None:
    no_ties = schema_of(winner={"enum": ["A", "B"]})
    same = '<answer label="A">\nThe same.\n</answer>\n<answer label="B">\nThe same.\n</answer>'

    def winners(**asked: object) -> set[str]:
        system = 'Reply {"rationale": "...", "winner": "A"}'
        texts = (judging.chat(same, model="sim-judge", system=system, key=str(i), **asked).text for i in range(60))
        return {read(text)["winner"] for text in texts}

    assert winners() == {"A", "B", "tie"}
    assert winners(**no_ties) == {"A", "B"}


def shown_alone(text: str) -> str:
    return f"<conversation>\nHow do I mend my gate?\n</conversation>\n\n<answer>\n{text}\n</answer>"


def test_a_suffixed_tag_holds_an_answer_that_holds_a_tag() -> None:
    inner = 'I would write <answer label="A">\nthis\n</answer> here.'
    messages = [
        {"role": "system", "content": 'Reply with "winner"'},
        {"role": "user", "content": f"The prompt said <answer>\nfoo\n</answer>.\n"
         f'<answer-1f3a label="A">\n{inner}\n</answer-1f3a>\n<answer-1f3a label="B">\nB\n</answer-1f3a>'},
    ]  # fmt: skip

    question = read_question(messages, None)

    assert question is not None
    assert question.answers == (("A", inner), ("B", "B"))


def test_a_prompt_that_shows_an_answer_is_not_mistaken_for_the_one_to_judge() -> None:
    shown = 'Is <answer>\nfoo\n</answer> good?\n<answer-9c label="A">\nYes.\n</answer-9c>'
    alone = shown.replace(' label="A"', "")

    for content in (shown, alone):
        question = read_question([{"role": "user", "content": f'Reply with "score"\n{content}'}], None)

        assert question is not None
        assert question.answers == (("A", "Yes."),)


def test_a_re_ask_behind_an_unreadable_reply_is_judged_again(judging: Client) -> None:
    messages = [
        {"role": "system", "content": 'Reply with "score"'},
        {"role": "user", "content": shown_alone("Something.")},
        {"role": "assistant", "content": "I like it."},
        {"role": "user", "content": 'Only JSON: {"rationale": "...", "score": 1..10}'},
    ]

    got = judging.post("/v1/chat/completions", {"model": "sim-judge", "messages": messages})

    assert 1 <= read(got.text)["score"] <= 10


def test_the_word_score_alone_makes_no_judging_request(judging: Client) -> None:
    got = judging.chat('Explain the JSON key "score" to me.', model="sim-judge")

    assert judging.truth([got.text])[0] is not None


def test_a_sampling_model_asked_to_judge_judges_like_the_noisy_one(judging: Client) -> None:
    replies = [read(judging.judge("score", UNKNOWN[:1], model="sim-student", key=str(i)).text) for i in range(20)]

    assert sum("score" in reply for reply in replies) > 5


def test_judges_with_another_suffix_err_on_their_own(judging: Client) -> None:
    texts = [text for pair in pairs()[:40] for _, text in pair]

    def scores(model: str) -> list[object]:
        return [read(judging.judge("score", [text], model=model).text).get("score") for text in texts]

    assert scores("sim-judge-middle") == scores("sim-judge-middle") != scores("sim-judge-middle@b")


def test_what_nobody_planted_still_gets_a_steady_score(judging: Client) -> None:
    scores = [read(judging.judge("score", UNKNOWN[:1], key=str(i)).text)["score"] for i in range(20)]
    empty = read(judging.judge("score", [" "]).text)["score"]

    assert max(scores) - min(scores) <= 3
    assert empty <= 2

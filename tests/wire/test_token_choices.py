"""The log-probabilities of a chat reply: read where they are whole, left out where they are not."""

import asyncio
from typing import Any

import orjson
import pytest
from wire_fakes import IDENT, VERDICT

from pairsmith.judge.logprobs import expected_score
from pairsmith.judge.verdicts import ScoreVerdict, read_score
from pairsmith.records import Reply, TokenChoice
from pairsmith.simulator import Settings, running
from pairsmith.simulator.composing import compose
from pairsmith.wire.faults import read_reply
from pairsmith.wire.session import SessionTransport


def entry(token: str, logprob: Any = -0.5, **more: Any) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode()), **more}


def tokens_of(logprobs: Any, text: str = "So 8") -> tuple[TokenChoice, ...]:
    choice = {"message": {"content": text}, "finish_reason": "stop", "logprobs": logprobs}
    reply = read_reply(IDENT, orjson.dumps({"choices": [choice]}))
    assert isinstance(reply, Reply)
    assert reply.text == text
    return reply.tokens


def test_each_token_comes_with_its_alternatives() -> None:
    eight = entry(" 8", -0.25, top_logprobs=[entry(" 8", -0.25), entry(" 7", -1.5)])

    found = tokens_of({"content": [entry("So"), eight], "refusal": None})

    assert found == (TokenChoice("So", -0.5), TokenChoice(" 8", -0.25, ((" 8", -0.25), (" 7", -1.5))))


@pytest.mark.parametrize("logprobs", [None, {}, {"content": None}, {"content": []}, [], "no", 1])
def test_a_reply_without_logprobs_has_no_tokens(logprobs: Any) -> None:
    assert tokens_of(logprobs) == ()


@pytest.mark.parametrize(
    "broken",
    [
        None, "8", {}, {"token": "8"}, {"token": 8, "logprob": -0.5}, entry("8", None), entry("8", "-0.5"),
        entry("8", True), entry("8", top_logprobs={"8": -0.5}), entry("8", top_logprobs=[None]),
        entry("8", top_logprobs=[{"token": "8"}]),
    ],
)  # fmt: skip
def test_one_malformed_token_leaves_them_all_out(broken: Any) -> None:
    assert tokens_of({"content": [entry("So "), broken]}) == ()


def test_a_logprob_that_is_no_number_leaves_them_all_out() -> None:
    body = b'{"choices": [{"message": {"content": "8"}, "logprobs": {"content": [{"token": "8", "logprob": NaN}]}}]}'

    reply = read_reply(IDENT, body)

    assert isinstance(reply, Reply)
    assert (reply.text, reply.tokens) == ("8", ())


def test_a_character_cut_into_several_tokens_is_read_as_one() -> None:
    first, second = "é".encode()[:1], "é".encode()[1:]
    cut = [
        entry("caf"),
        {"token": "\\xc3", "logprob": -0.5, "bytes": list(first), "top_logprobs": [entry("e")]},
        {"token": "\\xa9", "logprob": -0.25, "bytes": list(second)},
        entry("!", bytes=None),
    ]

    assert tokens_of({"content": cut}, "café!") == (
        TokenChoice("caf", -0.5),
        TokenChoice("é", -0.75),
        TokenChoice("!", -0.5),
    )


def test_bytes_that_are_no_text_do_not_swallow_what_follows() -> None:
    found = tokens_of({"content": [{"token": "?", "logprob": 0, "bytes": [255]}, entry("8"), entry("", bytes=[])]})

    assert [token.token for token in found] == ["\ufffd", "8", ""]


def test_a_character_that_never_ends_is_the_last_token() -> None:
    found = tokens_of({"content": [entry("8"), {"token": "\\xc3", "logprob": -1, "bytes": [195]}]})

    assert found == (TokenChoice("8", -0.5), TokenChoice("\ufffd", -1.0))


# --- from the simulator to the expected score ------------------------------------------------------


@pytest.mark.parametrize("model", [f"sim-judge@{i}" for i in range(4)])  # some have a token for 10, some have none
def test_every_score_that_came_with_logprobs_has_an_expected_score_close_by(model: str) -> None:
    texts = [compose(0, f"How do I mend bicycle number {i}?")[i % 2].text() for i in range(30)]
    texts += ["", "Perfect."]

    async def ask(base_url: str) -> list[Reply]:
        transport, replies = SessionTransport(base_url, None, 4, 5.0), []
        for text in texts:
            shown = f"{VERDICT}\n<answer>\n{text}\n</answer>"
            asked = {"model": model, "messages": [{"role": "user", "content": shown}], "logprobs": True}
            raw = await transport.send(orjson.dumps({**asked, "top_logprobs": 10}), text[:9])
            replies.append(read_reply(IDENT, raw.body))
        await transport.close()
        return [reply for reply in replies if isinstance(reply, Reply)]

    with running(Settings()) as simulator:
        replies = asyncio.run(ask(simulator.base_url))

    verdicts = [(reply, read_score(reply.text)) for reply in replies]
    scored = [(reply, verdict.score) for reply, verdict in verdicts if isinstance(verdict, ScoreVerdict)]
    expected = [expected_score(reply.text, reply.tokens, score) for reply, score in scored]
    assert len(scored) > 25
    assert all(found is not None and abs(found - score) < 1 for found, (_, score) in zip(expected, scored, strict=True))
    assert len(set(expected)) > 25

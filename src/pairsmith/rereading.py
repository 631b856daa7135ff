"""Reads the verdicts of stored outcomes once more, from the replies of the judges as they came.

So a preference is held against what the judge said, not against what was made of it. Called by auditing.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from pairsmith.judge.duel import LABELS
from pairsmith.judge.logprobs import expected_score
from pairsmith.judge.rank import labels
from pairsmith.judge.reward import read_reward
from pairsmith.judge.verdicts import Unreadable, read_duel, read_ranking, read_score
from pairsmith.ledger import Ledger, Settled
from pairsmith.records import EndpointName, Json, Prompt, Reply, RequestId, content_id
from pairsmith.wire.faults import read_reply

CHUNK = 64  # prompts whose replies are read at a time
Row = Mapping[str, Any]  # a verdict, as outcomes.py keeps it


@dataclass(slots=True)
class Rereading:
    """Reads verdicts again, and counts.

    Args:
        ledger: the run folder's.
        judges: of each its kind, chat, reward or check.
        logprobs: whether scores are read from the probabilities of their numbers.
    """

    ledger: Ledger
    judges: Mapping[EndpointName, str]
    logprobs: bool
    verdicts: int = 0
    replies: set[str] = field(default_factory=set)
    problems: list[tuple[Prompt, str]] = field(default_factory=list)

    def outcomes(self, outcomes: Iterable[tuple[Prompt, Settled]]) -> Iterator[tuple[Prompt, Settled]]:
        """The same outcomes with the verdicts as the replies say them; what differs is a problem."""
        rest = iter(outcomes)
        while chunk := list(islice(rest, CHUNK)):
            calls = [RequestId(row["call"]) for _, settled in chunk for row in _verdicts(settled)]
            raw = self.ledger.raw_replies(calls)
            for prompt, settled in chunk:
                rows: list[Json] = [self._reread(prompt, row, raw) for row in _verdicts(settled)]
                yield prompt, replace(settled, body={**settled.body, "verdicts": rows}) if rows else settled

    def _reread(self, prompt: Prompt, row: Row, raw: Mapping[RequestId, bytes]) -> Json:
        call = RequestId(row["call"])
        self.verdicts += 1
        if self.judges.get(row["judge"]) == "check":  # a function of the user's own: it leaves no reply
            named = content_id("check", row["judge"], prompt.id, row["completion"], row["score"])
            found = dict(row) if named == call else f"its check {row['judge']} is not the one that gave {row['score']}"
        else:
            self.replies.add(call)
            reply = read_reply(call, raw[call]) if call in raw else None
            found = self._said(row, reply) if isinstance(reply, Reply) else "the reply it rests on is not there"
        if isinstance(found, str):
            self.problems.append((prompt, f"a verdict by {row['judge']}: {found}"))
            return dict(row)
        if found != row:
            self.problems.append((prompt, f"a verdict by {row['judge']}: {_differing(row, found)}"))
        return found

    def _said(self, row: Row, reply: Reply) -> dict[str, Json] | str:
        """The verdict as this reply says it, or what is wrong with it."""
        if "score" in row:
            value = self._score(row, reply)
            return value if isinstance(value, str) else {**row, "score": value}
        if "winner" in row:
            duel = read_duel(reply.text, LABELS)
            if isinstance(duel, Unreadable):
                return f"its reply cannot be read ({duel.why})"
            winner = dict(zip(LABELS, (row["first"], row["second"]), strict=True)).get(duel.winner)
            return {**row, "winner": winner}
        names = labels(len(row["shown"]))
        ranking = read_ranking(reply.text, names)
        if isinstance(ranking, Unreadable):
            return f"its reply cannot be read ({ranking.why})"
        shown = dict(zip(names, row["shown"], strict=True))
        return {**row, "order": [shown[name] for name in ranking.ranking]}

    def _score(self, row: Row, reply: Reply) -> float | str:
        if self.judges.get(row["judge"]) == "reward":
            reward = read_reward(reply.text)
            return f"its reply cannot be read ({reward.why})" if isinstance(reward, Unreadable) else reward
        verdict = read_score(reply.text)
        if isinstance(verdict, Unreadable):
            return f"its reply cannot be read ({verdict.why})"
        expected = expected_score(reply.text, reply.tokens, verdict.score) if self.logprobs else None
        return verdict.score if expected is None else round(expected, 6)


def _verdicts(settled: Settled) -> Sequence[Row]:
    rows: Any = settled.body.get("verdicts", ())
    return tuple(rows)


def _differing(kept: Row, found: Row) -> str:
    key = next(name for name in found if found[name] != kept[name])
    return f"the ledger keeps {key} {kept[key]!r}, and its stored reply says {found[key]!r}"

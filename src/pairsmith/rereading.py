"""Reads the verdicts of stored outcomes once more, from the replies of the judges as they came.

So a preference is held against what the judge said, not against what was made of it. Called by auditing.
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
from pairsmith.judge.verdicts import Unreadable, read_duel, read_family, read_ranking, read_score
from pairsmith.ledger import Ledger, Settled
from pairsmith.outcomes import PlacedAs, family_in, usable_ids
from pairsmith.records import EndpointName, Json, Outcome, Prompt, PromptId, Reply, RequestId, content_id
from pairsmith.wire.faults import read_reply, read_text

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
    replies: int = 0
    problems: list[tuple[Prompt, str]] = field(default_factory=list)

    def outcomes(self, outcomes: Iterable[tuple[Prompt, Settled]]) -> Iterator[tuple[Prompt, Settled]]:
        """The same outcomes with the verdicts as the replies say them; what differs is a problem.

        So is a reply, of a judge or a sampled one, that was an answer to another prompt.
        """
        rest = iter(outcomes)
        while chunk := list(islice(rest, CHUNK)):
            calls = [RequestId(row["call"]) for _, settled in chunk for row in _verdicts(settled)]
            placed = [family_in(prompt, settled.body) for prompt, settled in chunk]
            calls += [one.call for one in placed if one.call]
            sampled = [RequestId(ident) for _, settled in chunk for ident in usable_ids(settled.body)]
            raw, asked = self.ledger.raw_replies(calls), self.ledger.asked_about(calls)
            asked |= self.ledger.asked_about(sampled)
            for (prompt, settled), family in zip(chunk, placed, strict=True):
                self._completions(prompt, settled, asked)
                self._family(prompt, family, raw, asked)
                rows = self._rows(prompt, settled, raw, asked)
                yield prompt, replace(settled, body={**settled.body, "verdicts": rows}) if rows else settled

    def _completions(self, prompt: Prompt, settled: Settled, asked: Mapping[RequestId, PromptId]) -> None:
        for ident in usable_ids(settled.body):
            if asked.get(RequestId(ident), prompt.id) != prompt.id:
                self.problems.append((prompt, f"completion {ident} is the reply of another prompt"))

    def _family(
        self, prompt: Prompt, placed: PlacedAs, raw: Mapping[RequestId, bytes], asked: Mapping[RequestId, PromptId]
    ) -> None:
        """Hold a family that was asked for against the reply that names it."""
        if placed.call is None or placed.family is None:
            return
        text = read_text(raw[placed.call]) if placed.call in raw else None
        said = Unreadable("it is not there") if text is None else read_family(text, [placed.family])
        if asked.get(placed.call, prompt.id) != prompt.id:
            said = Unreadable("it is of another prompt")
        if isinstance(said, Unreadable):
            self.problems.append((prompt, f"its task family {placed.family}: the reply that names it: {said.why}"))
        self.replies += placed.call in raw

    def _rows(
        self, prompt: Prompt, settled: Settled, raw: Mapping[RequestId, bytes], asked: Mapping[RequestId, PromptId]
    ) -> list[Json]:
        rows: list[Json] = []
        used: set[RequestId] = set()
        for row in _verdicts(settled):
            call = RequestId(row["call"])
            found = self._reread(prompt, row, raw)
            if asked.get(call, prompt.id) != prompt.id:
                found = "the reply it rests on is of another prompt"
            elif call in used:
                found = "it rests on the same reply as another verdict"
            used.add(call)
            if isinstance(found, str) or found != row:
                said = found if isinstance(found, str) else _differing(row, found)
                self.problems.append((prompt, f"a verdict by {row['judge']}: {said}"))
            rows.append(dict(row) if isinstance(found, str) else found)
        self.verdicts += len(rows)
        self.replies += len(used & raw.keys())
        return rows

    def _reread(self, prompt: Prompt, row: Row, raw: Mapping[RequestId, bytes]) -> dict[str, Json] | str:
        """The verdict as its reply says it, or what is wrong with it."""
        call = RequestId(row["call"])
        if self.judges.get(row["judge"]) == "check":  # a function of the user's own: it leaves no reply
            named = content_id("check", row["judge"], prompt.id, row["completion"], row["score"])
            return dict(row) if named == call else f"its check {row['judge']} is not the one that gave {row['score']}"
        reply = self._reply(row, call, raw[call]) if call in raw else None
        return self._said(row, reply) if isinstance(reply, Reply) else "the reply it rests on is not there"

    def _reply(self, row: Row, call: RequestId, raw: bytes) -> Outcome | None:
        """As much of the reply as the verdict is read from: mostly its text."""
        if self.logprobs or self.judges.get(row["judge"]) == "reward":
            return read_reply(call, raw)
        text = read_text(raw)
        return None if text is None else Reply(call, text)

    def _said(self, row: Row, reply: Reply) -> dict[str, Json] | str:
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

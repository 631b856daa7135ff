"""A run folder as pandas DataFrames: its completions, its verdicts and its pairs, from the ledger alone.

Texts and rationales are read again from the stored replies. Columns have explicit nullable types: what is missing is
<NA>, never NaN or "nan".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pandas as pd

from pairsmith.dataset import Texts
from pairsmith.judge.duel import LABELS
from pairsmith.judge.rank import labels
from pairsmith.judge.verdicts import Unreadable, read_duel, read_ranking, read_score
from pairsmith.ledger import Ledger, Settled
from pairsmith.library.pairs import Pair, pairs_of
from pairsmith.outcomes import pairs_in, verdicts_in
from pairsmith.records import Completion, Duel, Prompt, Ranking, Reply, RequestId, Score, candidate_id
from pairsmith.sample.screen import candidate_completion
from pairsmith.wire.faults import read_reply

Outcomes: TypeAlias = Iterable[tuple[Prompt, Settled]]
Cells: TypeAlias = "dict[str, Any]"  # of one row, by column; a column that is not there is <NA>

TEXT, COUNT, NUMBER, TRUTH = "string", "Int64", "Float64", "boolean"
_PROMPT = {"prompt_id": TEXT, "source_id": TEXT}
COMPLETIONS = {
    **_PROMPT, "completion": TEXT, "arm": TEXT, "model": TEXT, "flags": TEXT, "text": TEXT, "chars": COUNT,
    "tokens_in": COUNT, "tokens_out": COUNT, "tokens_cached": COUNT, "shared": TRUTH,
}  # fmt: skip
VERDICTS = {
    **_PROMPT, "judge": TEXT, "kind": TEXT, "completion": TEXT, "value": NUMBER, "first": TEXT, "second": TEXT,
    "winner": TEXT, "order": TEXT, "rationale": TEXT, "call": TEXT,
}  # fmt: skip
PAIRS = {
    **_PROMPT, "prompt": TEXT, "system": TEXT, "chosen": TEXT, "rejected": TEXT, "chosen_completion": TEXT,
    "rejected_completion": TEXT, "chosen_arm": TEXT, "rejected_arm": TEXT, "chosen_model": TEXT,
    "rejected_model": TEXT, "gap": NUMBER, "judges": TEXT, "rule": TEXT, "simulated": TRUTH,
}  # fmt: skip


def _frame(rows: Iterable[Cells], columns: Mapping[str, str]) -> pd.DataFrame:
    kept = list(rows)
    return pd.DataFrame(
        {name: pd.Series([row.get(name) for row in kept], dtype=kind) for name, kind in columns.items()}
    )


def _of_prompt(prompt: Prompt) -> Cells:
    return {"prompt_id": prompt.id, "source_id": prompt.source_id}


def _replies(idents: Iterable[str], ledger: Ledger) -> dict[str, Reply]:
    """Those that are stored; given candidates, checks and failures have none."""
    stored = ledger.raw_replies([RequestId(ident) for ident in idents])
    read = {str(ident): read_reply(ident, raw) for ident, raw in stored.items()}
    return {ident: reply for ident, reply in read.items() if isinstance(reply, Reply)}


# --- completions ------------------------------------------------------------------------------------


def completions(outcomes: Outcomes, ledger: Ledger) -> pd.DataFrame:
    """One row a completion of the prompts that have come to something, screened ones too."""
    rows = (row for prompt, settled in outcomes for row in _completion_rows(prompt, settled.body, ledger))
    return _frame(rows, COMPLETIONS)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What an outcome keeps of a completion. `text`: whether it is known which part of the reply its text is."""

    ident: str | None
    cells: Cells
    span: Sequence[int] | None
    text: bool


def _completion_rows(prompt: Prompt, body: Mapping[str, Any], ledger: Ledger) -> Iterator[Cells]:
    kept = list(_kept(body))
    given = {candidate_id(prompt.id, one.content): candidate_completion(prompt, one) for one in prompt.candidates}
    replies = _replies((one.ident for one in kept if one.ident and one.ident not in given), ledger)
    for one in kept:
        source = given.get(one.ident or "", replies.get(one.ident or ""))  # type: ignore[call-overload]
        yield {**_of_prompt(prompt), "completion": one.ident, **one.cells, **_said(source, one)}


def _said(source: Completion | Reply | None, kept: _Kept) -> Cells:
    if source is None or not kept.text:
        return {} if source is None else {"model": source.model}
    text = source.text[slice(*kept.span)] if kept.span else source.text
    return {"text": text, "chars": len(text), "model": source.model}


def _kept(body: Mapping[str, Any]) -> Iterator[_Kept]:
    """The completions of an outcome.

    An earlier version kept no id of the screened ones, and the span of a text only where it is a side of the pair.
    """
    usable = iter(body.get("completions", ()))
    sides = {side["completion"]: side["span"] for pair in pairs_in(body) for side in (pair["chosen"], pair["rejected"])}
    for arm, flags, tokens_in, tokens_out, cached, shared, *named in body.get("arms", ()):
        row: Sequence[Any] = () if flags else next(usable, ())
        cells = {"arm": arm, "flags": ", ".join(flags), "tokens_in": tokens_in, "tokens_out": tokens_out,
                 "tokens_cached": cached, "shared": shared}  # fmt: skip
        if named:
            yield _Kept(named[0], cells, named[1], text=True)
        elif row:
            yield _Kept(row[0], {**cells, "chars": row[2]}, sides.get(row[0]), text=row[0] in sides)
        else:
            yield _Kept(None, cells, None, text=False)


# --- verdicts ---------------------------------------------------------------------------------------


def verdicts(outcomes: Outcomes, ledger: Ledger) -> pd.DataFrame:
    """One row a verdict of the settled prompts.

    kind "score": `completion` has `value` points. "duel": `first` and `second` as they were shown, `winner` <NA> is a
    tie. "ranking": `order` names the completions, best first, and `winner` is the first of them.
    """
    rows = (row for prompt, settled in outcomes for row in _verdict_rows(prompt, settled.body, ledger))
    return _frame(rows, VERDICTS)


def _verdict_rows(prompt: Prompt, body: Mapping[str, Any], ledger: Ledger) -> Iterator[Cells]:
    scores, duels, rankings = verdicts_in(body)
    said: list[Score | Duel | Ranking] = [*scores, *duels, *rankings]
    replies = _replies((one.request_id for one in said), ledger)
    for one in said:
        reply = replies.get(one.request_id)
        rationale = _rationale(one, reply.text) if reply else None
        cells = {"judge": one.judge, "rationale": rationale, "call": one.request_id}
        yield {**_of_prompt(prompt), **cells, **_verdict(one)}


def _verdict(one: Score | Duel | Ranking) -> Cells:
    match one:
        case Score():
            return {"kind": "score", "completion": one.completion, "value": one.value}
        case Duel():
            return {"kind": "duel", "first": one.first, "second": one.second, "winner": one.winner}
        case Ranking():
            return {"kind": "ranking", "order": " ".join(one.order), "winner": one.order[0]}


def _rationale(one: Score | Duel | Ranking, text: str) -> str | None:
    """What the judge wrote beside its verdict; None: nothing, or it is no chat model."""
    match one:
        case Score():
            verdict = read_score(text)
            return None if isinstance(verdict, Unreadable) else verdict.rationale or None
        case Duel():
            duel = read_duel(text, LABELS)
            return None if isinstance(duel, Unreadable) else duel.rationale or None
        case Ranking():
            ranking = read_ranking(text, labels(len(one.shown)))
            return None if isinstance(ranking, Unreadable) else ranking.rationale or None


# --- pairs ------------------------------------------------------------------------------------------


def pairs(outcomes: Outcomes, ledger: Ledger) -> pd.DataFrame:
    """One row a pair."""
    texts = Texts(ledger)
    found = (pair for prompt, settled in outcomes for pair in pairs_of(prompt, settled.body, texts))
    return _frame(map(_pair_cells, found), PAIRS)


def _pair_cells(pair: Pair) -> Cells:
    cells: Cells = {
        **_of_prompt(pair.prompt),
        "prompt": _spoken(pair.prompt),
        "system": pair.prompt.system,
        "gap": pair.gap,
        "judges": ", ".join(pair.judges),
        "rule": pair.rule,
        "simulated": pair.simulated,
    }
    for name, side in (("chosen", pair.chosen), ("rejected", pair.rejected)):
        cells |= {name: side.text, f"{name}_completion": side.completion, f"{name}_arm": side.arm}
        cells[f"{name}_model"] = side.model
    return cells


def _spoken(prompt: Prompt) -> str:
    """The prompt as text: its one message, or each turn behind its role."""
    if len(prompt.messages) == 1:
        return str(prompt.messages[0].get("content") or "")
    return "\n\n".join(f"{turn.get('role')}: {turn.get('content') or ''}" for turn in prompt.messages)

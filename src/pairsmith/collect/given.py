"""Answers that come with a row, and what people said of them: candidates, chat logs, verdicts as a column, edits.

Called by rows.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pairsmith.collect.fields import Flaw, read_list, read_object, read_text, say_kind
from pairsmith.records import Candidate, CompletionId, Json, Preference, PromptId, candidate_id

EDIT, HUMAN = "edit", "human"
EDITED = ("original", "edited")  # both in a row: the second is the first, mended by hand
SAID = ("preferred", "preferences", "reviewer")
TIE = "tie"
_KNOWN_BY = ("origin", "model", "id")  # by which a verdict may name a candidate

Row = dict[str, Json]


class Given(NamedTuple):
    """The answers of one row, each content once, and the verdicts on them."""

    candidates: tuple[Candidate, ...] = ()
    preferences: tuple[Preference, ...] = ()


def keys_in(row: Row) -> set[str]:
    """The keys of a row that are about its answers; alone, or beside others, some of them mean something else."""
    edited = set(EDITED) if all(isinstance(row.get(key), str) for key in EDITED) else set()
    said = {key for key in SAID[:2] if row.get(key) is not None}
    marked = isinstance(row.get("candidates"), list) and bool(_marked(row))
    return edited | said | ({"reviewer"} if edited or marked or "preferred" in said else set())


def read_given(row: Row, prompt: PromptId, answer: str | None) -> Given:
    """The answers of a row and the verdicts on them.

    Args:
        row: its keys, null ones left out.
        prompt: the id of its prompt.
        answer: the assistant's last turn in its messages; None: it has none.
    """
    if all(isinstance(row.get(key), str) for key in EDITED):
        return _edit(row, prompt)
    read = _candidates(row, answer)
    candidates = without_repeats(read)
    return Given(candidates, (*_verdicts(row, prompt, candidates), *_preferences(row, prompt, candidates)))


def without_repeats(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Each content once, in order; the first one's meta stays."""
    seen: dict[str, Candidate] = {}
    for candidate in candidates:
        seen.setdefault(candidate.content, candidate)
    return tuple(seen.values())


# --- answers ----------------------------------------------------------------------------------------


def _candidates(row: Row, answer: str | None) -> list[Candidate]:
    items = read_list("candidates", row.get("candidates", []))
    found = [_candidate(f"candidates[{place}]", item) for place, item in enumerate(items)]
    if answer is not None:
        known: Row = {key: row[key] for key in ("model", "origin") if isinstance(row.get(key), str)}
        found.append(Candidate(answer, known))
    return found


def _candidate(where: str, item: Json) -> Candidate:
    if isinstance(item, dict):
        content = read_text(f"{where}.content", item.get("content"))
        meta = {key: value for key, value in item.items() if key not in ("content", "preferred")}
        if "origin" in meta:
            read_text(f"{where}.origin", meta["origin"], "where it comes from, or leave it out")
        return Candidate(content, meta)
    if not isinstance(item, str):
        raise Flaw(where, f"is {say_kind(item)}", "write a string, or an object with content")
    return Candidate(read_text(where, item))


def _edit(row: Row, prompt: PromptId) -> Given:
    """Two answers of which the second is the first one, mended."""
    for key in ("candidates", "preferred", "preferences"):
        if row.get(key) is not None:
            raise Flaw(key, "stands beside original and edited", "keep the two, or the others")
    texts = {key: read_text(key, row[key], "a text") for key in EDITED}
    if len({" ".join(text.split()) for text in texts.values()}) == 1:
        raise Flaw("edited", "says the same as original", "remove the {unit}, as it prefers nothing")
    original, edited = (Candidate(texts[key], {"origin": key}) for key in EDITED)
    better, worse = (candidate_id(prompt, one.content) for one in (edited, original))
    return Given((original, edited), (Preference(better, (worse,), EDIT, _by(row, 1)[0]),))


# --- verdicts ---------------------------------------------------------------------------------------


def _verdicts(row: Row, prompt: PromptId, candidates: Sequence[Candidate]) -> list[Preference]:
    """What the column `preferred` says, or a mark at one of the candidates."""
    said, marked = row.get("preferred"), _marked(row)
    if said is None and not marked:
        return []
    if said is not None and marked:
        raise Flaw("preferred", "stands beside a candidate that is marked as preferred", "keep one of the two")
    if len(candidates) < 2:
        raise Flaw("preferred", f"is said of {len(candidates)} different answers", "give two candidates or more")
    if marked:
        said = marked[0] if len(marked) == 1 else TIE
    votes = said if isinstance(said, list) else [said]
    ids = [candidate_id(prompt, one.content) for one in candidates]
    people = _by(row, len(votes))
    return [_vote(vote, candidates, ids, by) for vote, by in zip(votes, people, strict=True)]


def _marked(row: Row) -> list[str]:
    """The texts of candidates that say "preferred": true of themselves."""
    items = row.get("candidates")
    objects = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return [str(item.get("content")) for item in objects if item.get("preferred") is True]


def _vote(vote: Json, candidates: Sequence[Candidate], ids: Sequence[CompletionId], by: str) -> Preference:
    if vote == TIE and all(one.content != TIE for one in candidates):
        return Preference(None, tuple(ids), HUMAN, by)
    place = _place(vote, candidates)
    return Preference(ids[place], tuple(ident for ident in ids if ident != ids[place]), HUMAN, by)


def _place(vote: Json, candidates: Sequence[Candidate]) -> int:
    """Which candidate a verdict names: by its text, by what is known of it, or by its place."""
    if isinstance(vote, str):
        texts: list[Json] = [one.content for one in candidates]
        for names in (texts, *([one.meta.get(key) for one in candidates] for key in _KNOWN_BY)):
            if names.count(vote) == 1:
                return names.index(vote)
    number = int(vote) if isinstance(vote, str) and vote.strip().isdecimal() else vote
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < len(candidates):
        return number
    found = f'"{vote[:40]}"' if isinstance(vote, str) else say_kind(vote)
    remedy = f'write a candidate\'s place (0 to {len(candidates) - 1}), its text, its origin, model or id, or "{TIE}"'
    raise Flaw("preferred", f"is {found}, which names no one candidate", remedy)


def _by(row: Row, votes: int) -> list[str]:
    """Who said each of so many verdicts; "" where it is not known."""
    said = row.get("reviewer")
    people = said if isinstance(said, list) else [said] * votes
    if len(people) != votes:
        raise Flaw("reviewer", f"names {len(people)} for {votes} verdicts", "name one for each, or one for all")
    return ["" if one is None else read_text("reviewer", one) for one in people]


def _preferences(row: Row, prompt: PromptId, candidates: Sequence[Candidate]) -> list[Preference]:
    """Verdicts as `collect` writes them: each by the texts that it is about."""
    known = {one.content: candidate_id(prompt, one.content) for one in candidates}
    found = []
    for place, item in enumerate(read_list("preferences", row.get("preferences", []))):
        where = f"preferences[{place}]"
        said = read_object(where, item)
        others = read_list(f"{where}.others", said.get("others"))
        texts = [read_text(f"{where}.others", text) for text in others]
        preferred = None if said.get("preferred") is None else read_text(f"{where}.preferred", said["preferred"])
        for text in (*texts, *([] if preferred is None else [preferred])):
            if text not in known:
                raise Flaw(where, "is about a text that is no candidate of the row", "add it to candidates")
        rule = said.get("rule", HUMAN)
        if rule not in (HUMAN, EDIT):
            raise Flaw(f"{where}.rule", f"is {say_kind(rule)}", f'write "{HUMAN}" or "{EDIT}"')
        by = read_text(f"{where}.by", said.get("by", ""))
        winner = None if preferred is None else known[preferred]
        found.append(Preference(winner, tuple(known[text] for text in texts), str(rule), by))
    return found

"""Answers that come with a row, and what people said of them: candidates, chat logs, verdicts as a column, edits.

Called by rows.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import orjson

from pairsmith.collect.fields import read_list, read_object, read_text, say_kind
from pairsmith.records import Candidate, CompletionId, Json, Preference, PromptId, candidate_id
from pairsmith.streams import Flaw

EDIT, HUMAN = "edit", "human"
EDITED = ("original", "edited")  # both in a row: the second is the first, mended by hand
SAID = ("preferred", "preferences", "reviewer")
TIE = "tie"
_ABOUT_ANSWERS = {"candidates", *EDITED, *SAID}
_KNOWN_BY = ("origin", "model", "id")  # by which a verdict may name a candidate
_NUMBER = re.compile(r"([0-9]{1,6})(\.0)?")  # as tables write whole numbers, where a cell of the column is empty
_PARTS = {"preferred", "others", "rule", "by"}  # of a verdict as `collect` writes it

Row = dict[str, Json]


class Given(NamedTuple):
    """The answers of one row, each content once, and the verdicts on them."""

    candidates: tuple[Candidate, ...] = ()
    preferences: tuple[Preference, ...] = ()


_NONE = Given()


def keys_in(row: Row) -> set[str]:
    """The keys of a row that are about its answers; alone, or beside others, some of them mean something else."""
    if _ABOUT_ANSWERS.isdisjoint(row):
        return set()
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
    if answer is None and _ABOUT_ANSWERS.isdisjoint(row):
        return _NONE  # as of most rows, of which there may be millions
    if all(isinstance(row.get(key), str) for key in EDITED):
        return _edit(row, prompt, answer)
    read = _candidates(row, answer)
    candidates = without_repeats(read)
    return Given(candidates, together((*_verdicts(row, prompt, read), *_preferences(row, prompt, candidates))))


def without_repeats(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Each content once, in order; the first one's meta stays, and `origins` keeps where else it comes from."""
    seen: dict[str, Candidate] = {}
    for candidate in candidates:
        first = seen.setdefault(candidate.content, candidate)
        known = _origins(first)
        if first is not candidate and (further := [one for one in _origins(candidate) if one not in known]):
            kept = first.meta.get("origins", [])
            origins: list[Json] = [*(kept if isinstance(kept, list) else []), *further]
            seen[candidate.content] = replace(first, meta={**first.meta, "origins": origins})
    return tuple(seen.values())


def together(preferences: Iterable[Preference]) -> tuple[Preference, ...]:
    """All of them, but what one and the same person said twice once. Who is not known is always somebody else."""
    kept: list[Preference] = []
    seen = set()
    for one in preferences:
        said = (one.preferred, frozenset(one.others), one.rule, one.by)
        if not one.by or said not in seen:
            kept.append(one)
        seen.add(said)
    return tuple(kept)


# --- answers ----------------------------------------------------------------------------------------


def _candidates(row: Row, answer: str | None) -> list[Candidate]:
    items = read_list("candidates", row.get("candidates", []))
    found = [_candidate(f"candidates[{place}]", item) for place, item in enumerate(items)]
    if answer is not None:
        _check_origin("origin", row.get("origin"))
        known: Row = {key: row[key] for key in ("model", "origin") if isinstance(row.get(key), str)}
        found.append(Candidate(answer, known))
    return found


def _candidate(where: str, item: Json) -> Candidate:
    if isinstance(item, dict):
        content = read_text(f"{where}.content", item.get("content"))
        if not isinstance(item.get("preferred"), bool | None):
            raise Flaw(f"{where}.preferred", f"is {say_kind(item['preferred'])}", "write true or false")
        meta = {key: value for key, value in item.items() if key not in ("content", "preferred")}
        origins = read_list(f"{where}.origins", meta.get("origins") or [])
        for value in (meta.get("origin"), *origins):
            _check_origin(f"{where}.origin", value)
        return Candidate(content, meta)
    if not isinstance(item, str):
        raise Flaw(where, f"is {say_kind(item)}", "write a string, or an object with content")
    return Candidate(read_text(where, item))


def _check_origin(field: str, value: Json) -> None:
    """A name, as it becomes that of an arm."""
    if value is None:
        return
    text = read_text(field, value, "where it comes from, or leave it out")
    if len(text.splitlines()) > 1:
        raise Flaw(field, "is of several lines", "write a name")


def _origins(candidate: Candidate) -> list[Json]:
    """Where it comes from: the first one named is its arm."""
    further = candidate.meta.get("origins")
    origin = candidate.meta.get("origin")
    return [*([] if origin is None else [origin]), *(further if isinstance(further, list) else [])]


def _edit(row: Row, prompt: PromptId, answer: str | None) -> Given:
    """Two answers of which the second is the first one, mended; in a log the turn that was mended may stand too."""
    for key in ("candidates", "preferred", "preferences"):
        if row.get(key) is not None:
            raise Flaw(key, "stands beside original and edited", "keep the two, or the others")
    texts = {key: read_text(key, row[key], "a text") for key in EDITED}
    if len({" ".join(text.split()) for text in texts.values()}) == 1:
        raise Flaw("edited", "says the same as original", "remove the {unit}, as it prefers nothing")
    original, edited = (Candidate(texts[key], {"origin": key}) for key in EDITED)
    if answer not in (None, original.content, edited.content):
        problem = "ends with an answer that is neither original nor edited"
        raise Flaw("messages", problem, "remove that turn, or the two")
    better, worse = (candidate_id(prompt, one.content) for one in (edited, original))
    return Given((original, edited), (Preference(better, (worse,), EDIT, _by(row, 1)[0]),))


# --- verdicts ---------------------------------------------------------------------------------------


def _verdicts(row: Row, prompt: PromptId, read: Sequence[Candidate]) -> list[Preference]:
    """What the column `preferred` says, or a mark at one of the candidates.

    Args:
        row: its keys.
        prompt: the id of its prompt.
        read: its candidates as they stand there, repeats and all: places are counted in these.
    """
    said, marked = row.get("preferred"), _marked(row)
    if said is None and not marked:
        return []
    if said is not None and marked:
        raise Flaw("preferred", "stands beside a candidate that is marked as preferred", "keep one of the two")
    if len(marked) > 1:
        remedy = f'mark one; that all are equally good is "preferred": "{TIE}"'
        raise Flaw("candidates", f"marks {len(marked)} answers as preferred", remedy)
    ids = [candidate_id(prompt, one.content) for one in read]
    different = tuple(dict.fromkeys(ids))
    if len(different) < 2:
        raise Flaw("preferred", f"is said of {len(different)} different answers", "give two candidates or more")
    votes = _listed(marked[0] if marked else said, read)
    people = _by(row, len(votes))
    return [_vote(vote, read, ids, by) for vote, by in zip(votes, people, strict=True)]


def _marked(row: Row) -> list[Json]:
    """The texts of candidates that say "preferred": true of themselves, each once."""
    items = row.get("candidates")
    objects = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return list(dict.fromkeys(str(item.get("content")) for item in objects if item.get("preferred") is True))


def _listed(said: Json, read: Sequence[Candidate]) -> list[Json]:
    """One verdict or several, also where a cell of a table holds them as JSON text."""
    if isinstance(said, str) and said.startswith("[") and all(one.content != said for one in read):
        said = _list_in(said)
    return said if isinstance(said, list) else [said]


def _list_in(text: str) -> Json:
    """The list that a text holds; a text that holds none as it stands."""
    try:
        found: Json = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return found if isinstance(found, list) else text


def _vote(vote: Json, read: Sequence[Candidate], ids: Sequence[CompletionId], by: str) -> Preference:
    different = tuple(dict.fromkeys(ids))
    if vote == TIE and TIE not in _names(read):
        return Preference(None, different, HUMAN, by)
    best = _meant(vote, read, ids)
    return Preference(best, tuple(ident for ident in different if ident != best), HUMAN, by)


def _names(read: Sequence[Candidate]) -> list[str]:
    """Everything that a word in `preferred` may mean besides a place."""
    return [one.content for one in read] + [str(one.meta.get(key)) for one in read for key in _KNOWN_BY]


def _meant(vote: Json, read: Sequence[Candidate], ids: Sequence[CompletionId]) -> CompletionId:
    """The candidate that a verdict names: by its text; else by its place, or by what is known of it."""
    texts = [one.content for one in read]
    if isinstance(vote, str) and vote in texts:
        return ids[texts.index(vote)]
    known = {ident for one, ident in zip(read, ids, strict=True) if _is_called(vote, one)}
    place = _number(vote)
    if place is not None and place < len(ids):
        known.add(ids[place])
    if len(known) == 1:
        return known.pop()
    found = f'"{vote[:40]}"' if isinstance(vote, str) else say_kind(vote)
    problem = f"is {found}, which names {'several candidates' if known else 'no one candidate'}"
    remedy = f'write a candidate\'s place (0 to {len(ids) - 1}), its text, its origin, model or id, or "{TIE}"'
    raise Flaw("preferred", problem, remedy)


def _is_called(vote: Json, one: Candidate) -> bool:
    if not isinstance(vote, str):
        return False
    known = (one.meta.get(key) for key in _KNOWN_BY)
    return any(vote == (str(value) if type(value) is int else value) for value in known)


def _number(vote: Json) -> int | None:
    """A whole number from 0 up: also 1.0, which is what tables make of it beside empty cells."""
    if isinstance(vote, str) and (found := _NUMBER.fullmatch(vote.strip())):
        return int(found[1])
    if isinstance(vote, bool) or not isinstance(vote, int | float):
        return None
    return int(vote) if vote >= 0 and float(vote).is_integer() else None


def _by(row: Row, votes: int) -> list[str]:
    """Who said each of so many verdicts; "" where it is not known."""
    said = row.get("reviewer")
    if isinstance(said, str) and said.startswith("[") and votes > 1:
        said = _list_in(said)
    people = said if isinstance(said, list) else [said] * votes
    if len(people) != votes:
        raise Flaw("reviewer", f"names {len(people)} for {votes} verdicts", "name one for each, or one for all")
    return ["" if one is None else read_text("reviewer", one) for one in people]


def _preferences(row: Row, prompt: PromptId, candidates: Sequence[Candidate]) -> list[Preference]:
    """Verdicts as `collect` writes them: each by the texts that it is about."""
    known = {one.content: candidate_id(prompt, one.content) for one in candidates}
    items = read_list("preferences", row.get("preferences", []))
    return [_preference(f"preferences[{place}]", item, known) for place, item in enumerate(items)]


def _preference(where: str, item: Json, known: dict[str, CompletionId]) -> Preference:
    said = read_object(where, item)
    if unknown := sorted(said.keys() - _PARTS):
        raise Flaw(f"{where}.{unknown[0]}", "is no part of a verdict", f"write {', '.join(sorted(_PARTS))}")
    others = [read_text(f"{where}.others", text) for text in read_list(f"{where}.others", said.get("others"))]
    preferred = None if said.get("preferred") is None else read_text(f"{where}.preferred", said["preferred"])
    if preferred in others or len({*others, preferred}) < 2 or (preferred is None and len(set(others)) < 2):
        raise Flaw(where, "does not set two texts against each other", "write preferred, and others besides it")
    if any(text not in known for text in (*others, *([] if preferred is None else [preferred]))):
        raise Flaw(where, "is about a text that is no candidate of the row", "add it to candidates")
    rule = said.get("rule", HUMAN)
    if rule not in (HUMAN, EDIT):
        raise Flaw(f"{where}.rule", f"is {say_kind(rule)}", f'write "{HUMAN}" or "{EDIT}"')
    by = read_text(f"{where}.by", said.get("by", ""))
    winner = None if preferred is None else known[preferred]
    return Preference(winner, tuple(known[text] for text in others), str(rule), by)

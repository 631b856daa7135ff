"""A prompt as a row of a prompt file: read again, it is the same prompt. Called by the command line (`collect`)."""

from __future__ import annotations

from pairsmith.records import Candidate, Json, Prompt, candidate_id


def row_of(prompt: Prompt) -> dict[str, Json]:
    """The row; what is empty is left out."""
    texts = {candidate_id(prompt.id, one.content): one.content for one in prompt.candidates}
    said: list[Json] = [
        {
            "preferred": None if one.preferred is None else texts[one.preferred],
            "others": [texts[other] for other in one.others],
            "rule": one.rule,
            "by": one.by,
        }
        for one in prompt.preferences
    ]
    row: dict[str, Json] = {
        "id": prompt.source_id,
        **_asked(prompt),
        "system": prompt.system,
        "tools": list(prompt.tools),
        "reference": prompt.reference,
        "candidates": [_candidate(one) for one in prompt.candidates],
        "preferences": said,
    }
    return {key: value for key, value in row.items() if value not in (None, [])} | dict(prompt.meta)


def _asked(prompt: Prompt) -> dict[str, Json]:
    first = prompt.messages[0]
    if len(prompt.messages) == 1 and first.keys() == {"role", "content"} and first["role"] == "user":
        return {"prompt": first["content"]}
    return {"messages": list(prompt.messages)}


def _candidate(one: Candidate) -> Json:
    return {"content": one.content, **one.meta} if one.meta else one.content

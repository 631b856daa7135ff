"""Rows of the clouds whose messages are worded their own way: Vertex AI and Amazon Nova. Called by layouts.py."""

from __future__ import annotations

from pairsmith.export.chat import GEMINI, NOVA, ChatPair, Turn, View, Wording
from pairsmith.export.placed import listed, object_of, one_answer, turns, two_completions
from pairsmith.export.problems import Finding, shown
from pairsmith.export.reading import JsonObject
from pairsmith.records import Json

SCHEMA_VERSION = "bedrock-conversation-2024"
PREFERRED, NON_PREFERRED = "preferred", "non-preferred"
SYSTEM_KEYS = ("system_instruction", "systemInstruction")  # its documents use both
CANDIDATE_KEYS = frozenset({"content"})


def gemini_rows(pair: ChatPair) -> tuple[JsonObject, ...]:
    """For preference tuning of Gemini on Vertex AI."""
    system: JsonObject = {"system_instruction": {"parts": [{"text": pair.system}]}} if pair.system else {}
    completions: list[Json] = [
        {"score": score, "completion": GEMINI.said(side[0])} for score, side in ((1, pair.chosen), (0, pair.rejected))
    ]
    return (system | {"contents": [*map(GEMINI.said, pair.turns)], "completions": completions},)


def gemini_view(row: JsonObject) -> View:
    """The higher score is the chosen answer's."""
    view = View()
    view.prompt = turns(row.get("contents"), "contents", view, GEMINI) if "contents" in row else None
    key = next((key for key in SYSTEM_KEYS if key in row), None)
    if all(key in row for key in SYSTEM_KEYS):
        found = "stands beside the same by its other name"
        view.findings.append(Finding("extra_key", SYSTEM_KEYS[1], found, f"keep {SYSTEM_KEYS[0]}"))
    if key is not None and view.prompt is not None:
        given = row[key]
        worded: Json = (
            {"role": "system", **{key: value for key, value in given.items() if key != "role"}}
            if isinstance(given, dict)
            else given
        )
        view.prompt.insert(0, Turn(key, GEMINI.heard(worded), GEMINI))
    places = two_completions(row, "score", view)
    if places:
        worse, better = sorted(places, key=lambda place: place[1])
        view.chosen = one_answer(better[2], "completion", view, GEMINI, better[0])
        view.rejected = one_answer(worse[2], "completion", view, GEMINI, worse[0])
    return view


def nova_rows(pair: ChatPair) -> tuple[JsonObject, ...]:
    """For DPO of Amazon Nova: the answers are candidates of the last message."""
    labelled = ((PREFERRED, pair.chosen), (NON_PREFERRED, pair.rejected))
    candidates: list[Json] = [
        {"content": [{"text": side[0]["content"]}], "preferenceLabel": label} for label, side in labelled
    ]
    row: JsonObject = {"schemaVersion": SCHEMA_VERSION}
    if pair.system:
        row["system"] = [{"text": pair.system}]
    return (row | {"messages": [*map(NOVA.said, pair.turns), {"role": "assistant", "candidates": candidates}]},)


def nova_view(row: JsonObject) -> View:
    """The labels tell the chosen answer."""
    view = View()
    given = row.get("messages")
    if "messages" not in row or (said := turns(given, "messages", view, NOVA)) is None:
        return view
    view.prompt = said[:-1]
    last = said[-1]
    if "system" in row:
        worded: Json = {"role": "system", "content": row["system"]}
        view.prompt.insert(0, Turn("system", NOVA.heard(worded), Wording(text="", boxed=True)))
    message = object_of(last.message)
    if last.role != "assistant":
        view.findings.append(Finding("role", last.role_field, f"is {shown(message.get('role'))}", 'write "assistant"'))
    for other in message.keys() - {"role", "candidates"}:
        found = "stands beside the candidates"
        view.findings.append(Finding("message_key", f"{last.field}.{other}", found, f"remove {other}"))
    candidates = message.get("candidates")
    labels = [one.get("preferenceLabel") if isinstance(one, dict) else None for one in listed(candidates)]
    if sorted(map(str, labels)) != [NON_PREFERRED, PREFERRED]:
        found = f"hold {', '.join(map(shown, labels))}" if labels else "is missing"
        fix = f'end with two candidates, one "{PREFERRED}" and one "{NON_PREFERRED}"'
        view.findings.append(Finding("candidates", f"{last.field}.candidates", found, fix))
        return view
    for label, candidate in zip(labels, listed(candidates), strict=True):
        place = f"{last.field}.candidates[{labels.index(label)}]"
        named = {
            "role": "assistant",
            **{key: value for key, value in object_of(candidate).items() if key in CANDIDATE_KEYS},
        }
        side = [Turn(place, NOVA.heard(named), NOVA)]
        if label == PREFERRED:
            view.chosen = side
        else:
            view.rejected = side
    return view

"""Reads the parts of a row to where they stand: messages, answers, texts, tools; what cannot be read is a finding.

Knows no layout as a whole. Called by layouts.py and clouds.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import orjson

from pairsmith.export.chat import CHAT, ChatPair, Turn, View, Wording
from pairsmith.export.problems import Finding, shown
from pairsmith.export.reading import JsonObject
from pairsmith.records import Json, Message

ALONE = Wording(text="")  # a text that stands in a row without a message around it


def turns(given: Json, where: str, view: View, wording: Wording = CHAT) -> list[Turn] | None:
    """The messages of a prompt; None with a finding where it is no list of 1+."""
    if isinstance(given, list) and given:
        return [Turn(f"{where}[{place}]", wording.heard(one), wording) for place, one in enumerate(given)]
    if isinstance(given, list):
        view.findings.append(Finding("messages", where, "is empty", "drop the pair"))
    else:
        fix = f'write [{{"{wording.role}": "{wording.name("user")}", "{wording.text}": …}}]'
        view.findings.append(Finding("messages", where, f"is {shown(given)}, not a list", fix))
    return None


def answers(row: JsonObject, key: str, view: View, where: str = "") -> list[Turn] | None:
    """The messages of an answer; None where there are none, with a finding if the key is there."""
    if key not in row:
        return None
    given, place = row[key], f"{where}.{key}".lstrip(".")
    if isinstance(given, list) and given:
        return [Turn(f"{place}[{number}]", one) for number, one in enumerate(given)]
    if isinstance(given, list):
        view.findings.append(Finding("output_empty", place, "is empty", "drop the pair"))
    else:
        fix = 'write [{"role": "assistant", "content": …}]'
        view.findings.append(Finding("output", place, f"is {shown(given)}, not a list", fix))
    return None


def one_answer(row: JsonObject, key: str, view: View, wording: Wording, where: str = "") -> list[Turn] | None:
    """An answer that is one message."""
    if key not in row:
        return None
    given, place = row[key], f"{where}.{key}".lstrip(".")
    if isinstance(given, dict):
        return [Turn(place, wording.heard(given), wording)]
    fix = f'write {{"{wording.role}": "{wording.name("assistant")}", "{wording.text}": …}}'
    view.findings.append(Finding("output", place, f"is {shown(given)}, not an object", fix))
    return None


def lone_text(row: JsonObject, key: str, role: str) -> list[Turn] | None:
    """A text without a message around it; None where the row has none."""
    return [Turn(key, {"role": role, "content": row[key]}, ALONE)] if key in row else None


def read_answer_last(given: Json, wording: Wording, view: View) -> None:
    """Messages whose last one is the chosen answer."""
    said = turns(given, "messages", view, wording)
    if said is None:
        return
    *before, last = said
    if last.role == "assistant":
        view.prompt, view.chosen = before, [last]
        if not before:
            view.findings.append(Finding("messages", "messages", "has nothing before the answer", "drop the row"))
        return
    view.prompt = said
    found = f"is {shown(last.role)}'s" if isinstance(last.role, str) else "is nobody's"
    view.findings.append(Finding("answer_last", last.field, found, "end with the assistant's answer"))


def two_completions(row: JsonObject, key: str, view: View) -> list[tuple[str, float, JsonObject]] | None:
    """The two completions of a row with their ranks or scores; None with a finding where they cannot be told apart."""
    if "completions" not in row:
        return None
    given = row["completions"]
    places = [
        (f"completions[{n}]", _number(object_of(one).get(key)), object_of(one)) for n, one in enumerate(listed(given))
    ]
    told = [value for _, value, _ in places if value is not None]
    if len(places) == len(told) == 2 and told[0] != told[1]:
        if all("completion" in one for _, _, one in places):
            return cast("list[tuple[str, float, JsonObject]]", places)
        found = "has no completion"
    elif len(places) != 2:
        found = f"holds {len(places)} completions" if isinstance(given, list) else f"is {shown(given)}, not a list"
    else:
        found = f"has the {key}s {', '.join(shown(object_of(one).get(key)) for one in listed(given))}"
    fix = f'write two objects with "{key}" and "completion", of different {key}'
    view.findings.append(Finding("completions", "completions", found, fix))
    return None


def tools_text(pair: ChatPair) -> JsonObject:
    """The tools as JSON text, which no trainer's table can merge into one another; {} where there are none."""
    return {"tools": orjson.dumps(pair.tools).decode()} if pair.tools else {}


def tools_in(row: JsonObject) -> Json:
    """The tools of a row, a list or JSON text of one; what cannot be read stays as it is."""
    tools = row.get("tools")
    if isinstance(tools, str) and tools:
        try:
            return cast(Json, orjson.loads(tools))
        except orjson.JSONDecodeError:
            return tools
    return tools or []


def listed(value: Json) -> Sequence[Json]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def object_of(value: Json) -> Message:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def _number(value: Json) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None

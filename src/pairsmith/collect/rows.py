"""One row of a prompt file becomes a `Prompt`, or a `BadRow` that says in one sentence what is wrong.

Knows no file format: sources.py and tables.py bring the rows. Ordinals, and uniting equal prompts over the
whole input, are the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, cast

from pairsmith.collect.chat import Chat, read_chat
from pairsmith.collect.fields import check_storable, read_list, read_object, read_text, say_kind
from pairsmith.collect.given import keys_in, read_given, together, without_repeats
from pairsmith.collect.shaped import PROMPT_KEYS, in_our_keys
from pairsmith.records import Json, Message, Prompt, prompt_id
from pairsmith.streams import Flaw, say_name

_KEYS = {*PROMPT_KEYS, "id", "system", "tools", "reference", "candidates"}  # all others are meta


class Place(NamedTuple):
    """Where a row stands: the file as the user named it, and its 1-based line (or row, as `unit` says)."""

    name: str
    line: int
    unit: str = "line"


@dataclass(frozen=True, slots=True)
class Row:
    """A good row; `line` and `name` as in `Place`. The prompt's ordinal is still 0: the caller counts."""

    prompt: Prompt
    line: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used; str() is the sentence to show, with the way out."""

    name: str
    line: int
    field: str | None  # None: the row as a whole
    problem: str
    remedy: str
    unit: str = "line"

    def __str__(self) -> str:
        field = "" if self.field is None else f', field "{self.field}"'
        text = f"{say_name(self.name)}, {self.unit} {self.line}{field}: {self.problem}; {self.remedy}"
        return text.encode("utf-8", "backslashreplace").decode()  # a key may hold what no terminal takes


def bad_row(place: Place, flaw: Flaw) -> BadRow:
    """The flaw, with the place it was found in."""
    remedy = flaw.remedy.replace("{unit}", place.unit)
    return BadRow(place.name, place.line, flaw.field, flaw.problem, remedy, place.unit)


def read_row(value: Json, place: Place, column: str | None = None) -> Row | BadRow:
    """Read one row as parsed from JSON; null counts as absent, unknown keys become meta.

    Args:
        value: the row.
        place: where it stands.
        column: the key that holds the prompt; None: one of ours, or a shape that shaped.py knows.
    """
    try:
        return Row(_read_prompt(value, column), place.line, place.name)
    except Flaw as flaw:
        if column is not None and flaw.field == "prompt":
            flaw.field = column
        return bad_row(place, flaw)


def unite(first: Prompt, second: Prompt) -> Prompt:
    """One prompt of two rows with the same id: the answers and verdicts of both, all else the first's.

    Candidates stand in order, without repeats. A verdict that one and the same person gave twice counts once.

    Raises:
        ValueError: the ids differ.
    """
    if first.id != second.id:
        raise ValueError(f"prompts {first.id} and {second.id} differ")
    return replace(
        first,
        candidates=without_repeats((*first.candidates, *second.candidates)),
        preferences=together((*first.preferences, *second.preferences)),
    )


def _read_prompt(value: Json, column: str | None) -> Prompt:
    if not isinstance(value, dict):
        raise Flaw(None, f"is {say_kind(value)}, not an object", 'write {"prompt": "…"}')
    check_storable(value)
    ours = in_our_keys(value, column)
    row = {key: item for key, item in ours.items() if item is not None or key not in _KEYS}
    key = _prompt_key(row)
    chat = _read_turns(key, row)
    tools = tuple(_read_tools(row["tools"])) if "tools" in row else ()
    reference = _read_optional_text("reference", row)
    ident = prompt_id(chat.messages, tools, reference, chat.system)
    given = read_given(row, ident, chat.answer)
    used = keys_in(row) | _alpaca_keys(row) if key == "instruction" else keys_in(row)
    return Prompt(
        id=ident,
        messages=chat.messages,
        tools=tools,
        reference=reference,
        system=chat.system,
        meta={k: v for k, v in row.items() if k not in _KEYS and k not in used},
        source_id=_read_id(row),
        candidates=given.candidates,
        preferences=given.preferences,
    )


def _prompt_key(row: dict[str, Json]) -> str:
    keys = [key for key in PROMPT_KEYS if key in row]
    if not keys:
        raise Flaw(None, f"holds none of {', '.join(PROMPT_KEYS)}", "write one of them or remove the {unit}")
    if len(keys) > 1:
        raise Flaw(None, f"holds {' and '.join(keys)}", "keep one of them, or say which with --column")
    return keys[0]


def _read_turns(key: str, row: dict[str, Json]) -> Chat:
    system = _read_optional_text("system", row)
    if key == "messages":
        chat = read_chat(row["messages"])
        if system is not None and chat.system is not None:
            raise Flaw("system", "stands beside a system message in messages", "keep one of them")
        return chat if system is None else chat._replace(system=system)
    if key == "instruction":
        return _read_alpaca(row, system)
    return Chat(({"role": "user", "content": read_text(key, row[key], "a prompt")},), system)


def _read_alpaca(row: dict[str, Json], system: str | None) -> Chat:
    """An instruction with its input below it, behind its history; its output is an answer."""
    text, context = read_text("instruction", row["instruction"], "an instruction"), _read_optional_text("input", row)
    text = text if context is None else read_text("input", f"{text}\n\n{context}")
    history = cast("list[list[str]]", row["history"] if "history" in _alpaca_keys(row) else [])
    turns: list[Message] = [
        {"role": role, "content": read_text("history", said, "a text")}
        for exchange in history
        for role, said in zip(("user", "assistant"), exchange, strict=True)
    ]
    answer = _read_optional_text("output", row) if "output" in _alpaca_keys(row) else None
    return Chat((*turns, {"role": "user", "content": text}), system, answer)


def _alpaca_keys(row: dict[str, Json]) -> set[str]:
    """The keys that belong to an instruction, where they hold what alpaca's do: else they are kept as they are."""
    history = row.get("history")
    exchanges = isinstance(history, list) and all(
        isinstance(one, list) and len(one) == 2 and all(isinstance(said, str) for said in one) for one in history
    )
    return {"input", *(["output"] if isinstance(row.get("output"), str) else []), *(["history"] if exchanges else [])}


def _read_optional_text(key: str, row: dict[str, Json]) -> str | None:
    """The text of a field that may be absent; blank counts as absent."""
    if row.get(key) is None:
        return None
    text = read_text(key, row[key])
    return text if text.strip() else None


def _read_id(row: dict[str, Json]) -> str | None:
    value = row.get("id")
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise Flaw("id", f"is {say_kind(value)}", "write a string or a whole number of at most 64 bits")
    return read_text("id", value, "an id")


def _read_tools(value: Json) -> list[Json]:
    return [read_object(f"tools[{index}]", item) for index, item in enumerate(read_list("tools", value))]

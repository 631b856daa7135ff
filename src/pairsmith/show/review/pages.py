"""The HTML of the review page and its parts: nothing in them tells arms, models, judges, points, or who was chosen.

Pure. Called by server.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import orjson
from markupsafe import Markup, escape

from pairsmith.judge.rates import percent, told
from pairsmith.records import Json, Message, Prompt
from pairsmith.show.agreement import LEAST, Agreement, sentences
from pairsmith.show.diffs import Piece, differences
from pairsmith.show.review.rendering import rendered
from pairsmith.show.review.session import TOLD_AT_ONCE
from pairsmith.show.unseen import visible

if TYPE_CHECKING:
    from jinja2 import Environment, Template

    from pairsmith.show.kappa import Kappa
    from pairsmith.show.review.session import Progress, Shown

LEAST_COMMON = 0.2  # of the characters of two answers: below that nearly everything would be marked
MOST_TURNS = 60_000  # characters of earlier turns that are read as Markdown: hostile ones take 25 µs each
FILES = {"base.css": "text/css", "review.css": "text/css", "review.js": "text/javascript"}


class Part(NamedTuple):
    """A text of the prompt or an answer, as Markdown and as it was written; `label` says whose it is.

    `differ`: as it was written, with what the other answer does not have marked; "" where that would say nothing.
    """

    label: str
    html: Markup
    raw: Markup
    long: bool = False
    differ: Markup = Markup()


def shell(reviewer: str, where: str) -> str:
    """The page, before anything is shown on it.

    Args:
        reviewer: whose name stands there at first.
        where: the run folder, as it is typed.
    """
    return _template("review.html.j2").render(reviewer=reviewer, where=where, least=LEAST)


def pair_part(shown: Shown) -> str:
    """A couple: the prompt and the two answers. Of a long conversation the turns beyond MOST_TURNS are plain."""
    *before, last = [_turn(message) for message in shown.prompt.messages]
    reference, room = shown.prompt.reference, MOST_TURNS
    turns = []
    for label, text in reversed(before):
        turns.append(_part(label, text, plain=len(text) > room))
        room -= min(len(text), room)
    return _template("review_pair.html.j2").render(
        system=_part("System", shown.prompt.system) if shown.prompt.system else None,
        before=turns[::-1],
        last=_part(*last),
        tools=_tools(shown.prompt),
        reference=_part("Reference", reference) if reference else None,
        answers=_answers(*shown.texts),
    )


def done_part(progress: Progress, reviewer: str, where: str) -> str:
    """What stands there when a reviewer has judged everything."""
    return _template("review_done.html.j2").render(progress=progress, reviewer=reviewer, where=where)


def agreement_part(found: Agreement, later: int = 0) -> str:
    """How judges and people agree, over all verdicts but the `later` last ones; nothing in it speaks of one pair."""
    return _template("review_agreement.html.j2").render(
        found=found, sentences=sentences(found), later=later, at_once=TOLD_AT_ONCE
    )


def file_of(name: str) -> bytes:
    """The style or the script."""
    return files("pairsmith.show").joinpath("templates", name).read_bytes()


def _part(label: str, text: str, plain: bool = False) -> Part:
    html, raw, long = rendered(text, plain)
    return Part(label, Markup(html), Markup(raw), long)  # made of allowed tags alone: rendering.py


def _answers(one: str, other: str) -> list[Part]:
    first, second = _part("1", one), _part("2", other)
    found = differences(visible(one), visible(other))
    if found is None or found.common < LEAST_COMMON:
        return [first, second]
    return [first._replace(differ=_marked(found.first)), second._replace(differ=_marked(found.second))]


def _marked(pieces: Iterable[Piece]) -> Markup:
    return Markup().join(Markup("<mark>{}</mark>").format(text) if only else escape(text) for text, only in pieces)


def _turn(message: Message) -> tuple[str, str]:
    """Whose it is, and what it says."""
    role = str(message.get("role", ""))
    named = {"user": "User", "assistant": "Assistant", "tool": "Tool"}.get(role, role)
    return named, "\n\n".join(_said(message))


def _said(message: Message) -> Iterator[str]:
    """What a turn says: its text, the texts of its parts, the calls that it makes."""
    content, calls = message.get("content"), message.get("tool_calls")
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        yield from (_piece(piece) for piece in content)
    if isinstance(calls, list):
        yield from (f"Calls a tool:\n\n```json\n{_as_json(call)}\n```" for call in calls)


def _piece(piece: Json) -> str:
    if isinstance(piece, dict) and isinstance(piece.get("text"), str):
        return str(piece["text"])
    return f"```json\n{_as_json(piece)}\n```"


def _tools(prompt: Prompt) -> str:
    return "\n\n".join(visible(_as_json(tool)) for tool in prompt.tools)


def _as_json(value: Json) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _template(name: str) -> Template:
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    """One in which every text is escaped and a missing value is an error."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    made = Environment(
        loader=FunctionLoader(lambda name: file_of(name).decode()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"told": told, "percent": percent, "kappa": _kappa, "thousands": "{:,}".format}
    return made


def _kappa(found: Kappa) -> str:
    """Such as "0.62 (95 %: 0.41 to 0.78)"."""
    if found.value is None:
        return "unknown"
    interval = "" if found.low is None or found.high is None else f" (95 %: {found.low:.2f} to {found.high:.2f})"
    return f"{found.value:.2f}{interval}".replace("-", "−")

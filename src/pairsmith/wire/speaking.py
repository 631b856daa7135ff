"""What the platforms' own clients have in common: their errors become ours, their answers plain objects.

openai, together and fireworks are made by generators of one family: the same exceptions, pydantic answers.
Called by finetuning.py and by submitting/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import orjson
from pydantic import BaseModel

from pairsmith.training import PlatformError
from pairsmith.wire.faults import MAX_MESSAGE, error_text, redact


@dataclass(frozen=True, slots=True)
class Speech:
    """How one client tells that something went wrong.

    Args:
        refused: its exception with a `status_code` and a `response`.
        unanswered: what else it may raise, and what the transport below it and the reading of half an answer may.
        keys: never repeated.
    """

    refused: type[Exception]
    unanswered: tuple[type[Exception], ...]
    keys: Sequence[str]

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Do something with the client.

        Raises:
            PlatformError: it was refused, or no whole answer came.
        """
        try:
            yield
        except self.refused as exc:
            response = getattr(exc, "response", None)
            code, message = _error(getattr(response, "content", b"") or b"")
            raise PlatformError(getattr(exc, "status_code", None), self.clean(message or str(exc)), code) from None
        except self.unanswered as exc:
            root = exc.__cause__ or exc
            raise PlatformError(None, self.clean(f"{type(root).__name__}: {root}")) from None

    def clean(self, message: object) -> str:
        """Words of the platform as they may be shown: one line, no key, not endless."""
        return redact(" ".join(str(message).split()), self.keys)[:MAX_MESSAGE]


def _error(body: bytes) -> tuple[str, str]:
    """Code and message of an error's body."""
    try:
        return error_text(orjson.loads(body))
    except orjson.JSONDecodeError:
        return "", body[:MAX_MESSAGE].decode("utf-8", "replace")


def plain(answer: object) -> dict[str, object]:
    """An answer of a client by the names that the platform uses.

    Raises:
        PlatformError: it is no object; a page of HTML comes as a string.
    """
    if isinstance(answer, BaseModel):
        return answer.model_dump(mode="json", by_alias=True, warnings=False)
    raise PlatformError(None, f"the answer is no JSON object: {str(answer)[:80]!r}")


def objects(answer: object, key: str) -> list[dict[str, object]]:
    """The list of objects that stands in an answer.

    Raises:
        PlatformError: there is none.
    """
    found = plain(answer).get(key)
    if isinstance(found, list) and all(isinstance(one, dict) for one in found):
        return found
    raise PlatformError(None, f"the answer holds no list of {key}")


def id_of(found: Mapping[str, object]) -> str:
    """The id of what was made or asked about.

    Raises:
        PlatformError: it has none.
    """
    name = text_of(found, "id")
    if name is None:
        raise PlatformError(None, "the answer holds no id")
    return name


def text_of(value: object, key: str) -> str | None:
    """A text in an object that a platform sent; None where there is none, or no object."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) and found else None

"""Lines and JSON out of open streams, and what is said of a row that cannot be used.

Called by collect and converting, and by the tables beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO, NoReturn

import orjson

from pairsmith.errors import InputError
from pairsmith.records import Json

# The longest text (2,000,000 characters) is 12 MB when each is escaped as \uXXXX; a row may hold several.
MAX_LINE_BYTES = 64 * 1024 * 1024


class Flaw(Exception):  # noqa: N818  # about a row, no error of the program; no caller lets it out
    """Why a row cannot be used.

    Args:
        field: a key of the row, or a path into it ("messages[2].content"); None: the whole row.
        problem: what was found.
        remedy: what to do; "{unit}" stands for what the source calls a row.
    """

    def __init__(self, field: str | None, problem: str, remedy: str) -> None:
        super().__init__(field, problem, remedy)
        self.field = field
        self.problem = problem
        self.remedy = remedy


def load_json(data: bytes) -> Json:
    """Parse JSON, lone surrogates included, so that `check_storable` can name the field they stand in.

    Raises:
        UnicodeDecodeError: the bytes are not UTF-8.
        orjson.JSONDecodeError: they are not JSON.
    """
    try:
        value: Json = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        text = data.decode("utf-8")
        if "surrogate" not in exc.msg:
            raise
        try:
            value = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise exc from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def say_unreadable(exc: UnicodeDecodeError | orjson.JSONDecodeError) -> tuple[str, str]:
    """Problem and remedy for what `load_json` raises; bytes and columns count from 1."""
    if isinstance(exc, UnicodeDecodeError):
        found = exc.object[exc.start]
        return f"byte {exc.start + 1} (0x{found:02X}) is not UTF-8", "save the file as UTF-8"
    return f"is not JSON ({exc.msg}, column {exc.colno})", "mend it or remove the {unit}"


def without_bom(start: bytes, name: str) -> bytes:
    """The start of an input without its byte order mark.

    Raises:
        InputError: the mark says UTF-16.
    """
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{say_name(name)}: is UTF-16; save the file as UTF-8")
    return start.removeprefix(b"\xef\xbb\xbf")


def say_name(name: str) -> str:
    """The input's name for people."""
    return "standard input" if name == "-" else name


def read_lines(stream: BinaryIO, name: str) -> Iterator[tuple[int, bytes | Flaw]]:
    """The lines with their numbers, cut at line feeds alone; the first one without its byte order mark."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if number == 1:
            line = without_bom(line, name)
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE_BYTES)
            problem = f"is longer than {MAX_LINE_BYTES // 1024**2} MiB"
            yield number, Flaw(None, problem, "shorten it or remove the {unit}")
        else:
            yield number, line


def read_array(stream: BinaryIO, name: str) -> Json:
    """The one value of a JSON file; the whole file is in memory.

    Raises:
        InputError: it is not JSON.
    """
    data = without_bom(stream.read(), name)
    try:
        return load_json(data)
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        byte = exc.start - data.rfind(b"\n", 0, exc.start)
        where = f"{say_name(name)}, line {line}"
        raise InputError(f"{where}: byte {byte} is not UTF-8; save the file as UTF-8") from exc
    except orjson.JSONDecodeError as exc:
        hint = 'mend it, or set format to "jsonl" if each line is an object of its own'
        where = f"{say_name(name)}, line {exc.lineno}"
        raise InputError(f"{where}: is not JSON ({exc.msg}, column {exc.colno}); {hint}") from exc


def is_lines_of_json(head: bytes) -> bool:
    """Whether a .json file holds JSON lines, as many do: it opens with a whole object on a line."""
    first, _, more = start_of(head).partition(b"\n")
    return first.startswith(b"{") and (not more or first.rstrip().endswith(b"}"))


def start_of(head: bytes) -> bytes:
    """The first bytes without a byte order mark and white space."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()

"""Text, JSON lines and JSON arrays; how a format is found; what memory it takes."""

import io
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator

import pytest

from pairsmith.collect import BadRow, Row, detect_format, read_prompts
from pairsmith.errors import InputError
from pairsmith.streams import lines


def read(data: bytes, format: str, name: str = "prompts.x") -> list[Row | BadRow]:
    return list(read_prompts(io.BytesIO(data), name, format))


def texts(rows: list[Row | BadRow]) -> list[tuple[int, object]]:
    """Line and text of each row; of a bad row, line and problem."""
    return [(r.line, r.prompt.messages[0]["content"] if isinstance(r, Row) else r.problem) for r in rows]


def test_text_is_one_prompt_a_line_and_blank_lines_are_skipped() -> None:
    data = b"\xef\xbb\xbfone\r\n\r\n  two \n\t\nthree\xe2\x80\xa8still three"

    assert texts(read(data, "text")) == [(1, "one"), (3, "  two "), (5, "three\u2028still three")]


def test_an_empty_text_gives_no_rows() -> None:
    assert read(b"", "text") == []
    assert read(b"\xef\xbb\xbf", "text") == []


def test_a_line_that_is_not_utf8_is_named_with_its_byte_and_the_rest_goes_on() -> None:
    rows = read("naïve\n".encode() + "café\n".encode("latin-1") + b"three\n", "text", "prompts.txt")

    assert str(rows[1]) == "prompts.txt, line 2: byte 4 (0xE9) is not UTF-8; save the file as UTF-8"
    assert texts(rows)[2] == (3, "three")


def test_a_nul_in_a_text_is_a_bad_row() -> None:
    assert texts(read(b"a\0b\nc\n", "text")) == [(1, "holds a NUL (character 2)"), (2, "c")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
@pytest.mark.parametrize("format", ["text", "jsonl", "json", "csv"])
def test_utf16_is_named_as_such(format: str, encoding: str) -> None:
    data = "\ufeffprompt\nHi" if encoding == "utf-16-be" else "prompt\nHi"

    with pytest.raises(InputError, match="is UTF-16; save the file as UTF-8"):
        read(data.encode(encoding), format)


def test_json_lines_are_cut_at_line_feeds_alone() -> None:
    data = '\ufeff{"prompt":"a\u2028b\u0085c"}\r\n\n  \n{"prompt":"d\\n\\u202e"}'.encode()

    assert texts(read(data, "jsonl")) == [(1, "a\u2028b\u0085c"), (4, "d\n\u202e")]


@pytest.mark.parametrize(
    ("line", "field", "problem"),
    [
        (b'{"prompt":', None, "is not JSON (unexpected end of data, column 11)"),
        (b"Hello", None, "is not JSON (unexpected character, expected a JSON value, column 1)"),
        (b'["Hi"]', None, "is a list, not an object"),
        (b'{"prompt":"caf\xe9"}', None, "byte 15 (0xE9) is not UTF-8"),
        (b'{"prompt":"a\\ud83d"}', "prompt", "holds half of a surrogate pair (\\ud800 to \\udfff)"),
        (b'{"prompt":"a\\u0000"}', "prompt", "holds a NUL (character 2)"),
    ],
)
def test_a_bad_json_line_is_named_and_the_rest_goes_on(line: bytes, field: str | None, problem: str) -> None:
    first, bad, last = read(b'{"prompt":"a"}\n' + line + b'\n{"prompt":"c"}\n', "jsonl")

    assert isinstance(bad, BadRow)
    assert (bad.line, bad.field) == (2, field)
    assert bad.problem.split(" (")[0] == problem.split(" (")[0]  # orjson words the rest as it likes
    assert texts([first, last]) == [(1, "a"), (3, "c")]


@pytest.mark.parametrize("rest", [b"NaN", b"[" * 5000 + b"]" * 5000, b"1" * 5000, b"oops"])
def test_a_lone_surrogate_before_worse_is_still_one_bad_line(rest: bytes) -> None:
    (bad,) = read(b'{"prompt":"\\ud800","x":' + rest + b"}", "jsonl")

    assert isinstance(bad, BadRow)


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert texts(read(b'{"prompt":"\\ud83d\\ude00"}', "jsonl")) == [(1, "😀")]


def test_a_json_array_counts_rows() -> None:
    rows = read(b'\xef\xbb\xbf[{"prompt":"a"},\n\n{"prompt":7}, "b"]', "json", "p.json")

    assert texts(rows) == [(1, "a"), (2, "is a number (7)"), (3, "is a string, not an object")]
    assert str(rows[1]).startswith('p.json, row 2, field "prompt": ')


def test_a_lone_surrogate_in_a_json_array_costs_one_row() -> None:
    rows = read(b'[{"prompt":"a\\udc00"},{"prompt":"b"}]', "json")

    assert texts(rows) == [(1, "holds half of a surrogate pair (\\ud800 to \\udfff)"), (2, "b")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "p.json, line 1: is not JSON"),
        (b'[{"prompt":"a"},\n{"prompt" "b"}]', r"p.json, line 2: is not JSON .*, column 11\); mend it"),
        (b'{"prompt":"a"}\n{"prompt":"b"}', 'set format to "jsonl"'),
        (b'{"data":[]}', r"p.json: a JSON file must hold one array of objects; wrap it in \[ \]"),
        (b'[{"prompt":"a"},\n{"prompt":"\xe9"}]', "p.json, line 2: byte 12 is not UTF-8"),
    ],
)
def test_an_array_that_cannot_be_read_is_named_with_its_line(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(data, "json", "p.json")


@pytest.mark.parametrize("format", ["text", "jsonl"])
def test_a_line_too_long_to_hold_is_skipped_with_its_number(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 20)
    good = b'{"prompt":"a"}\n'

    rows = read(good + b"x" * 90 + b"\n" + good + b"y" * 90, format)

    assert [(row.line, isinstance(row, Row)) for row in rows] == [(1, True), (2, False), (3, True), (4, False)]
    assert "is longer than" in str(rows[1])


def test_an_unknown_format_is_refused_at_once() -> None:
    with pytest.raises(InputError, match='"xml" is no prompt format; use one of text, csv'):
        read_prompts(io.BytesIO(), "p.xml", "xml")


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("p.txt", "text"),
        ("p.CSV", "csv"),
        ("a.b/p.tsv", "tsv"),
        ("p.jsonl", "jsonl"),
        ("p.ndjson", "jsonl"),
        ("p.json", "json"),
        ("p.parquet", "parquet"),
        ("p.arrow", "arrow"),
        ("p.xlsx", "xlsx"),
        ("p.jsonl.gz", "jsonl"),
        ("p.txt.ZST", "text"),
    ],
)
def test_the_suffix_names_the_format(name: str, format: str) -> None:
    assert detect_format(name, b"") == format


@pytest.mark.parametrize("name", ["-", "/dev/fd/63"])
@pytest.mark.parametrize(
    ("head", "format"),
    [
        (b'\xef\xbb\xbf\n {"prompt": "a"}', "jsonl"),
        (b'[{"prompt"', "json"),
        (b"[\n  ", "json"),
        (b"[]", "json"),
        (b"[INST] Hi", "text"),
        (b"Hi", "text"),
        (b"", "text"),
        (b"PAR1\x15", "parquet"),
        (b"PK\x03\x04", "xlsx"),
    ],
)
def test_without_a_suffix_the_first_bytes_do(name: str, head: bytes, format: str) -> None:
    assert detect_format(name, head) == format


@pytest.mark.parametrize(
    ("head", "format"),
    [
        (b'{"prompt":"a"}\n{"prompt":"b"}\n', "jsonl"),
        (b'{"prompt":"a long line that the head cuts', "jsonl"),
        (b'{\n  "data": [', "json"),
        (b'[{"prompt":"a"}]', "json"),
    ],
)
def test_a_json_file_of_lines_is_read_as_lines(head: bytes, format: str) -> None:
    assert detect_format("p.json", head) == format


def test_an_unknown_suffix_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"p.docx: the suffix .docx is none of .txt, .csv"):
        detect_format("p.docx", b"")


class Endless(io.RawIOBase):
    """A file that is made while it is read."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self.lines = lines
        self.waiting = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self.waiting = self.waiting or next(self.lines, b"")
        data, self.waiting = self.waiting[: len(buffer)], self.waiting[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


@pytest.mark.parametrize(("format", "count"), [("jsonl", 4_000), ("text", 4_000), ("csv", 4_000)])
def test_memory_does_not_grow_with_the_file(format: str, count: int) -> None:
    list(read_prompts(io.BytesIO(b"prompt\nwarm up"), "p", format))  # imports and caches are not counted
    row = b'{"prompt":"%d ' + b"x" * 1250 + b'"}\n' if format == "jsonl" else b"%d " + b"x" * 1250 + b"\n"
    lines = (b"prompt\n" if format == "csv" and i == 0 else row % i for i in range(count))  # 1.25 kB each
    tracemalloc.start()

    rows = sum(isinstance(r, Row) for r in read_prompts(io.BufferedReader(Endless(lines)), "p", format))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert rows == count - (format == "csv")
    assert peak < 2_000_000


def test_rows_come_before_the_file_ends() -> None:
    def lines() -> Iterator[bytes]:
        yield b"one\n" * 10_000
        raise AssertionError("read too far")

    rows = read_prompts(io.BufferedReader(Endless(lines())), "-", "text")

    assert texts([next(rows)]) == [(1, "one")]


def test_the_stream_is_left_open() -> None:
    for format in ("text", "jsonl", "json", "csv"):
        stream = io.BytesIO(b"[]" if format == "json" else b"prompt\nHi\n")

        list(read_prompts(stream, "p", format))

        assert not stream.closed


def test_tables_and_pydantic_are_loaded_only_when_needed() -> None:
    code = "import pairsmith.collect, sys; print({'pandas', 'pyarrow', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"

"""CSV, TSV and Parquet."""

import datetime
import decimal
import io
import sys
from collections.abc import Sequence

import openpyxl  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pairsmith.collect import BadRow, Row, read_prompts
from pairsmith.errors import InputError
from pairsmith.records import Candidate, Prompt
from pairsmith.streams import columns, tables


def read(data: str | bytes, format: str = "csv") -> list[Row | BadRow]:
    data = data.encode() if isinstance(data, str) else data
    return list(read_prompts(io.BytesIO(data), f"p.{format}", format))


def prompts(rows: list[Row | BadRow]) -> list[Prompt]:
    assert not [str(row) for row in rows if isinstance(row, BadRow)]
    return [row.prompt for row in rows if isinstance(row, Row)]


def texts(rows: list[Row | BadRow]) -> list[tuple[int, object]]:
    """Line and text of each row; of a bad row, line and problem."""
    return [(r.line, r.prompt.messages[0]["content"] if isinstance(r, Row) else r.problem) for r in rows]


def parquet(columns: dict[str, object]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def test_a_csv_is_read_by_the_names_of_its_columns() -> None:
    (prompt,) = prompts(read("id,prompt,system,reference,topic\n00123,Hi,Be kind.,Hello,NA\n"))

    assert prompt.messages == ({"role": "user", "content": "Hi"},)
    assert (prompt.source_id, prompt.system, prompt.reference) == ("00123", "Be kind.", "Hello")
    assert prompt.meta == {"topic": "NA"}


def test_empty_cells_are_absent_and_others_stay_strings() -> None:
    (prompt,) = prompts(read("instruction,input,id,a,b,c\nSing.,,,,1.0,True\n"))

    assert prompt.messages[0]["content"] == "Sing."
    assert (prompt.source_id, prompt.meta) == (None, {"b": "1.0", "c": "True"})


def test_a_tsv_is_cut_at_tabs() -> None:
    assert prompts(read("prompt\tx\na, b\t1\n", "tsv"))[0].meta == {"x": "1"}


def test_columns_of_json_are_parsed_and_no_others() -> None:
    data = 'messages,candidates,tools,x\n"[{""role"":""user"",""content"":""Hi""}]","[""a""]", ,[1]\n'

    (prompt,) = prompts(read(data))

    assert prompt.messages == ({"role": "user", "content": "Hi"},)
    assert (prompt.candidates, prompt.tools, prompt.meta) == ((Candidate("a"),), (), {"x": "[1]"})


def test_a_cell_that_is_not_json_is_named_by_its_column() -> None:
    (bad,) = read("prompt,candidates\nHi,yes\n")

    assert str(bad).startswith('p.csv, line 2, field "candidates": is not JSON (')


def test_lines_are_those_of_the_file_with_a_mark_blank_lines_and_cells_of_several_lines() -> None:
    data = '\ufeff\r\n prompt ,"a\nb"\r\n"one\r\nmore",1\r\n\r\n,\r\ntwo\u2028,\r\n   \r\nthree'

    assert texts(read(data)) == [(4, "one\r\nmore"), (8, "two\u2028"), (10, "three")]


def test_lines_are_right_beyond_the_first_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "BATCH_ROWS", 2)

    assert texts(read('prompt,a\nw\nx\n"y\n",\nz,1\n1,2,3\n')) == [
        (2, "w"),
        (3, "x"),
        (4, "y\n"),
        (6, "z"),
        (7, "has more than 2 cells"),
    ]


def test_a_column_without_a_name_gets_its_number() -> None:
    assert prompts(read(",prompt\n0,Hi\n"))[0].meta == {"Unnamed: 0": "0"}


def test_a_row_without_a_prompt_and_one_with_too_many_cells_are_bad() -> None:
    assert texts(read("prompt,id\n,7\nHello, dear, world\nfine,,,\n")) == [
        (2, "holds none of prompt, messages, instruction"),
        (3, "has more than 2 cells"),
        (4, "fine"),
    ]


def test_bytes_that_are_not_utf8_are_named_by_line_column_and_byte() -> None:
    rows = read("prompt,x\nnaïve,1\n".encode() + "écafé,1\n".encode("latin-1") + b"fine,\xff\nfine,2\n")

    assert str(rows[1]).startswith('p.csv, line 3, field "prompt": byte 1 of the cell (0xE9) is not UTF-8; ')
    assert (rows[2].line, isinstance(rows[2], BadRow), isinstance(rows[3], Row)) == (4, True, True)


def test_the_byte_is_counted_in_bytes() -> None:
    assert texts(read("prompt\nnaï".encode() + b"\xe9")) == [(2, "byte 5 of the cell (0xE9) is not UTF-8")]


def test_a_nul_in_a_cell_is_a_bad_row_and_cuts_nothing() -> None:
    problem = "holds a NUL (character 2)"

    assert texts(read(b"prompt\na\0b\na\0c\na\n")) == [(2, problem), (3, problem), (4, "a")]
    assert prompts(read(b"prompt,x\nHi,a\0b\n"))[0].meta == {"x": "a\0b"}


def test_a_prompt_of_ten_megabytes_is_a_bad_row() -> None:
    rows = read("prompt\n" + "x" * 10_000_000 + "\nnext\n")

    assert texts(rows) == [(2, "has 10,000,000 characters, and 2,000,000 is the most"), (3, "next")]


def test_a_header_alone_gives_no_rows() -> None:
    assert read("prompt") == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "p.csv: is empty; write a first line that names the columns"),
        (b"\n\n ,\n", "p.csv: is empty"),
        (b"question,answer\na,b\n", "p.csv: the columns are question, answer; name one of them prompt, messages, inst"),
        (b"prompt;id\na;1\n", "the columns are prompt;id"),
        (b"prompt,id,prompt\n", 'two columns are named "prompt"'),
        (b"\nprompt,caf\xe9\n", "p.csv, line 2: byte 11 .0xE9. is not UTF-8; save"),
        (b"prompt\rHi\r", "the line that names the columns is not CSV"),
        (b'"' + b"x\n" * 200_000, "the line that names the columns is not CSV"),
        (b"prompt" * 200_000, "p.csv, line 1: is too long to name columns"),
        (b'prompt\nfine\n"open\nand on', r'p.csv, about line 3: is not CSV .*; look for an open "'),
    ],
)
def test_a_csv_that_cannot_be_read_is_said_in_one_sentence(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(data)


def test_a_parquet_file_is_read_with_its_types() -> None:
    columns = {
        "prompt": ["Hi", None],
        "messages": [None, [{"role": "user", "content": "Ho", "name": None}]],
        "candidates": [["a", "b"], None],
        "id": [1, 2],
        "made": [datetime.date(2025, 1, 2), None],
        "share": [0.5, float("nan")],
        "price": [decimal.Decimal("1.50"), None],
        "raw": [b"text", None],
    }

    first, second = prompts(read(parquet(columns), "parquet"))

    assert (first.source_id, first.candidates) == ("1", (Candidate("a"), Candidate("b")))
    assert first.meta == {"made": "2025-01-02", "share": 0.5, "price": "1.50", "raw": "text"}
    assert (second.messages, second.meta) == (({"role": "user", "content": "Ho"},), {})


def test_a_parquet_column_may_hold_json_text() -> None:
    columns = {"prompt": ["Hi", "Ho"], "tools": ['[{"type":"function"}]', ""]}

    first, second = prompts(read(parquet(columns), "parquet"))

    assert (first.tools, second.tools) == (({"type": "function"},), ())


def test_a_bad_row_of_a_parquet_file_is_named_by_its_number() -> None:
    bad, good = read(parquet({"prompt": ["", "Hi"]}), "parquet")

    assert str(bad) == 'p.parquet, row 1, field "prompt": is empty; write a prompt or remove the row'
    assert texts([good]) == [(2, "Hi")]


def test_rows_are_numbered_through_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "BATCH_ROWS", 2)

    assert texts(read(parquet({"prompt": list("abcde")}), "parquet")) == list(enumerate("abcde", start=1))


def test_only_the_row_that_cannot_be_read_is_lost() -> None:
    buffers = [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0\4\0\0\0\5\0\0\0"), pa.py_buffer(b"ab\xff\xfec")]
    broken = pa.Array.from_buffers(pa.string(), 3, buffers)

    rows = read(parquet({"prompt": broken}), "parquet")

    assert [(row.line, isinstance(row, Row)) for row in rows] == [(1, True), (2, False), (3, True)]
    assert "cannot be read" in str(rows[1])


def test_bytes_that_are_no_text_are_a_bad_row() -> None:
    (bad,) = read(parquet({"prompt": ["Hi"], "image": [b"\xff\xd8"]}), "parquet")

    assert str(bad) == 'p.parquet, row 1, field "image": holds bytes that are not text; remove the column'


MISNAMED = parquet({"prompt": ["Hi"]}).replace(b"prompt", b"pr\xffmpt")


@pytest.mark.parametrize("data", [b"", b"PAR1", b"prompt\nHi\n" * 9, parquet({"prompt": ["Hi"]})[:-9], MISNAMED])
def test_what_is_no_parquet_is_said(data: bytes) -> None:
    with pytest.raises(InputError, match=r"p.parquet: cannot be read as Parquet \("):
        read(data, "parquet")


def test_a_parquet_file_without_a_prompt_column_names_what_it_holds() -> None:
    with pytest.raises(InputError, match=r"p\.parquet: the columns are question, n; name one of them prompt"):
        read(parquet({"question": ["Hi"], "n": [1]}), "parquet")


def test_parquet_from_a_pipe_is_refused() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(InputError, match="standard input: Parquet is read from its end; give a file, not a pipe"):
        list(read_prompts(Pipe(b"PAR1"), "-", "parquet"))


# --- Arrow and Excel ---------------------------------------------------------------------------------


@pytest.mark.parametrize("as_file", [False, True])
def test_arrow_streams_and_files_are_read(as_file: bool) -> None:
    table, sink = pa.table({"prompt": ["a", "b"], "n": [1, None]}), io.BytesIO()
    with (pa.ipc.new_file if as_file else pa.ipc.new_stream)(sink, table.schema) as writer:
        writer.write_table(table)

    rows = read(sink.getvalue(), "arrow")

    assert texts(rows) == [(1, "a"), (2, "b")]
    assert [prompt.meta for prompt in prompts(rows)] == [{"n": 1}, {}]


def workbook(*rows: Sequence[object]) -> bytes:
    book, sink = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.create_sheet("notes").append(["prompt"])
    book.save(sink)
    return sink.getvalue()


def test_the_first_sheet_of_a_workbook_is_read_by_the_row_numbers_that_excel_shows() -> None:
    day = datetime.datetime(2026, 1, 2)

    rows = read(workbook([], [" prompt ", "n", None, "day"], ["a", 1, None, day], [], ["b", 2.5], [None] * 5), "xlsx")

    assert texts(rows) == [(3, "a"), (5, "b")]
    assert [prompt.meta for prompt in prompts(rows)] == [{"n": 1, "day": "2026-01-02T00:00:00"}, {"n": 2.5}]


def test_a_cell_of_a_workbook_beyond_the_named_columns_is_a_bad_row() -> None:
    bad, good = read(workbook(["prompt"], ["a", "b"], ["c"]), "xlsx")

    assert str(bad).startswith("p.xlsx, row 2: has cells beyond the 1 columns that are named")
    assert texts([good]) == [(3, "c")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04", r"cannot be read as an Excel workbook \("),
        (workbook(), 'the sheet "Sheet" is empty'),
        (workbook(["question"], ["a"]), "the columns are question; name one of them prompt"),
        (workbook(["prompt", "prompt"], ["a"]), 'two columns are named "prompt"'),
    ],
)
def test_what_is_no_table_of_prompts_in_a_workbook_is_said(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(data, "xlsx")


def test_without_its_extra_a_workbook_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)

    with pytest.raises(InputError, match=r"pip install 'pairsmith\[excel\]', or save the sheet as CSV"):
        read(b"PK", "xlsx")


def test_a_column_of_a_table_is_named_or_refused_with_those_there_are() -> None:
    (row,) = read_prompts(io.BytesIO(b"frage,n\nHallo,1\n"), "p.csv", "csv", "frage")

    assert texts([row]) == [(2, "Hallo")]
    with pytest.raises(InputError, match='the columns are frage, n; none of them is "question"'):
        list(read_prompts(io.BytesIO(b"frage,n\nHallo,1\n"), "p.csv", "csv", "question"))

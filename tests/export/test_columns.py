"""Rows as Parquet: what comes back is what went in, whatever it is."""

from __future__ import annotations

import io
from typing import Any

import orjson
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsmith.export.columns import Columns

TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "f", "parameters": {"properties": {"x": {"max": 1e-12}}}},
}
OTHER: dict[str, Any] = {"type": "function", "function": {"name": "g", "strict": True}}

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers.filter(lambda n: abs(n) < 2**63) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def back(*rows: dict[str, Any]) -> tuple[list[dict[str, Any]], Columns]:
    """The rows that a reader has who takes JSON columns for what they are."""
    columns, file = Columns(), io.BytesIO()
    for row in rows:
        columns.see(row)
    columns.write(file, rows)
    table = pq.read_table(io.BytesIO(file.getvalue()))
    return [
        {field.name: decoded(row[field.name], field.type) for field in table.schema} for row in table.to_pylist()
    ], columns


def decoded(value: Any, kind: Any) -> Any:
    if value is None:
        return None
    if str(kind) == "extension<arrow.json>":
        return orjson.loads(value)
    if isinstance(value, list):
        return [decoded(one, kind.value_type) for one in value]
    if isinstance(value, dict):
        return {field.name: decoded(value[field.name], field.type) for field in kind}
    return value


@settings(deadline=None, max_examples=60)  # the first one loads pyarrow
@given(st.lists(st.fixed_dictionaries({"a": values, "b": values}), min_size=1, max_size=4))
def test_every_row_comes_back_as_it_was(rows: list[dict[str, Any]]) -> None:
    found, _ = back(*rows)

    assert found == rows


def test_texts_that_look_like_dates_and_line_ends_of_unicode_stay_texts() -> None:
    rows = [{"text": text} for text in ("2020-01-01", "10:00:00", "a\u2028b\rc\x00", "")]

    assert back(*rows)[0] == rows


def test_tools_of_one_form_are_plain_columns() -> None:
    rows = [{"tools": []}, {"tools": [OTHER]}]
    found, columns = back(*rows)

    assert found == rows
    assert not columns.any_json


def test_tools_of_different_forms_are_kept_as_json() -> None:
    rows: list[dict[str, Any]] = [{"tools": []}, {"tools": [TOOL]}, {"tools": [OTHER, TOOL]}]
    found, columns = back(*rows)

    assert found == rows
    assert columns.any_json


def test_a_key_that_a_row_lacks_comes_back_as_null() -> None:
    assert back({"a": 1}, {"a": 2, "b": "x"})[0] == [{"a": 1, "b": None}, {"a": 2, "b": "x"}]


def test_a_number_is_never_turned_into_another_kind() -> None:
    found, columns = back({"n": 1}, {"n": 2.5}, {"n": True})

    assert [type(row["n"]) for row in found] == [int, float, bool]
    assert columns.any_json

"""Open streams as what they hold: lines, JSON, the records of tables, compressed or not; it knows no meaning of a row.

Streams are opened and closed by the caller. Called by collect, converting and export.
"""

from pairsmith.streams.columns import Record, arrow_rows, parquet_rows
from pairsmith.streams.lines import (
    MAX_LINE_BYTES,
    Flaw,
    is_lines_of_json,
    load_json,
    read_array,
    read_lines,
    say_name,
    say_unreadable,
    start_of,
)
from pairsmith.streams.packed import COMPRESSED, Unpacked, unpacked, without_packing
from pairsmith.streams.sheets import sheet_rows
from pairsmith.streams.tables import Chained, csv_columns, csv_records, record_of

__all__ = [
    "COMPRESSED",
    "MAX_LINE_BYTES",
    "Chained",
    "Flaw",
    "Record",
    "Unpacked",
    "arrow_rows",
    "csv_columns",
    "csv_records",
    "is_lines_of_json",
    "load_json",
    "parquet_rows",
    "read_array",
    "read_lines",
    "record_of",
    "say_name",
    "say_unreadable",
    "sheet_rows",
    "start_of",
    "unpacked",
    "without_packing",
]

"""What the rows of a file have in common: the columns of a Parquet file that gives each row back as it is.

The JSON loader of `datasets` guesses types from the first 10 MiB: it takes texts that look like dates for dates, and
rounds numbers in tool schemas (tried with 4.0.0 and 5.2.0). Parquet has its types written down. What has no one type,
as tool schemas have not, is a column of Arrow's JSON type: `datasets` from 4.7.0 on gives it back as it was, and
earlier versions refuse it. Called by running/folders.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

import orjson

from pairsmith.export.containers import BATCH_ROWS
from pairsmith.export.reading import JsonObject
from pairsmith.records import Json

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

Kind: TypeAlias = Literal["null", "bool", "int", "float", "string", "list", "struct", "json"]

LARGEST_INT = 2**63
_SCALARS: Mapping[type, Kind] = {type(None): "null", bool: "bool", int: "int", float: "float", str: "string"}


@dataclass(slots=True)
class Type:
    """The type of a value, or of all the values that were seen in its place.

    item: of a list, None while all were empty. fields: of a struct, all of which each value has.
    """

    kind: Kind
    item: Type | None = None
    fields: dict[str, Type] = field(default_factory=dict)


def type_of(value: Json) -> Type:
    """The type of one value."""
    if isinstance(value, list):
        item: Type | None = None
        for each in value:
            item = type_of(each) if item is None else united(item, type_of(each))
        return Type("list", item)
    if isinstance(value, dict):
        fields = {key: type_of(each) for key, each in value.items()}
        return Type("struct", fields=fields) if fields else Type("json")
    kind = _SCALARS[type(value)]
    return Type("json" if isinstance(value, int) and not -LARGEST_INT <= value < LARGEST_INT else kind)


def united(one: Type, other: Type) -> Type:
    """The type that holds the values of both without a change: where none does, JSON text."""
    if one.kind == "null" or other.kind == "null":
        return one if other.kind == "null" else other
    if one.kind != other.kind or one.fields.keys() != other.fields.keys():
        return Type("json")
    if one.kind == "list":
        items = [item for item in (one.item, other.item) if item is not None]
        return Type("list", united(*items) if len(items) == 2 else next(iter(items), None))
    return Type(one.kind, fields={key: united(each, other.fields[key]) for key, each in one.fields.items()})


@dataclass(slots=True)
class Columns:
    """The columns of the rows that were seen. A row may lack one: then it comes back as null."""

    types: dict[str, Type] = field(default_factory=dict)

    def see(self, row: JsonObject) -> None:
        """Widen the columns so that they hold this row too."""
        for key, value in row.items():
            found = type_of(value)
            self.types[key] = united(self.types[key], found) if key in self.types else found

    @property
    def any_json(self) -> bool:
        """Whether something is kept as JSON text, which `datasets` gives back as it was from 4.7.0 on."""
        return any(map(_has_json, self.types.values()))

    def write(self, stream: BinaryIO, rows: Iterable[JsonObject]) -> None:
        """Write the rows, all of which were seen, as Parquet; the stream stays open."""
        import pyarrow as pa
        import pyarrow.parquet as pq  # type: ignore[import-untyped]

        made, kept = (
            pa.schema([(name, _arrow(each, json)) for name, each in self.types.items()])
            for json in (pa.string(), pa.json_(pa.string()))
        )
        with pq.ParquetWriter(stream, kept) as writer:
            batch: list[dict[str, Json]] = []
            for row in rows:
                batch.append({key: _stored(value, self.types[key]) for key, value in row.items()})
                if len(batch) == BATCH_ROWS:
                    writer.write_table(pa.Table.from_pylist(batch, made).cast(kept))
                    batch = []
            writer.write_table(pa.Table.from_pylist(batch, made).cast(kept))


def _has_json(of: Type) -> bool:
    inner = [*of.fields.values(), *([of.item] if of.item else [])]
    return of.kind == "json" or any(map(_has_json, inner))


def _arrow(of: Type, json: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if of.kind == "list":
        return pa.list_(_arrow(of.item or Type("null"), json))
    if of.kind == "struct":
        return pa.struct([(name, _arrow(each, json)) for name, each in of.fields.items()])
    # what was always null or empty may be of any type; Arrow cannot cast all that holds its type of nothing
    known = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "json": json}
    return known.get(of.kind, pa.string())


def _stored(value: Json, of: Type) -> Json:
    """The value as its column holds it."""
    if value is None:
        return None
    if of.kind == "json":
        return orjson.dumps(value).decode()
    if isinstance(value, list) and of.item is not None:
        return [_stored(each, of.item) for each in value]
    if isinstance(value, dict):
        return {key: _stored(each, of.fields[key]) for key, each in value.items()}
    return value

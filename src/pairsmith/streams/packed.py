"""Streams that are compressed, by gzip, zstd or bzip2: told by their first bytes, not by their names."""

from __future__ import annotations

import io
from pathlib import PurePath
from typing import BinaryIO, NamedTuple, cast

COMPRESSED = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
HEAD_BYTES = 4096
_MAGIC = ((b"\x1f\x8b\x08", 0, "gzip"), (b"\x28\xb5\x2f\xfd", 0, "zstd"), (b"1AY&SY", 4, "bz2"))  # behind "BZh9"


class Unpacked(NamedTuple):
    """A stream of what is in it, its first bytes, which are still to be read, and whether it was compressed."""

    stream: io.BufferedReader
    head: bytes
    packed: bool


def unpacked(stream: BinaryIO) -> Unpacked:
    """The stream as it is, or what is compressed in it; it is closed by whoever opened it.

    Raises:
        OSError: its first bytes cannot be read.
    """
    buffered, head = _peeked(stream)
    codec = next((codec for magic, at, codec in _MAGIC if head[at : at + len(magic)] == magic), None)
    if codec is None or (codec == "bz2" and not head.startswith(b"BZh")):
        return Unpacked(buffered, head, False)
    import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

    return Unpacked(*_peeked(cast(BinaryIO, pa.CompressedInputStream(buffered, codec))), True)


def without_packing(name: str) -> str:
    """A file's name without the suffix that says how it is compressed."""
    path = PurePath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in COMPRESSED and path.stem else name


def _peeked(stream: BinaryIO) -> tuple[io.BufferedReader, bytes]:
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, stream))
    return buffered, buffered.peek(HEAD_BYTES)[:HEAD_BYTES]

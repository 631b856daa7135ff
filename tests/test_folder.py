"""A run folder: one process at a time, and files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pairsmith.errors import LedgerError
from pairsmith.folder import RunFolder, locked, written_whole


def test_a_locked_folder_is_refused_and_the_holder_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with locked(folder), pytest.raises(LedgerError, match=f"in use by process {os.getpid()} on "), locked(folder):
        pass
    with locked(folder):
        pass


def test_a_lock_is_freed_by_an_error_too(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with pytest.raises(ValueError, match="inside"), locked(folder):
        raise ValueError("inside")
    with locked(folder):
        pass


def test_a_file_where_the_folder_should_be_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("I am a file.")

    with pytest.raises(LedgerError, match="cannot be a run folder"), locked(RunFolder(tmp_path / "run")):
        pass


def test_what_is_written_whole_is_there_with_the_usual_rights(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "pairs.jsonl"
    with written_whole(path) as file:
        file.write(b"all of it")

    (plain := tmp_path / "plain").touch()
    assert path.read_bytes() == b"all of it"
    assert path.stat().st_mode == plain.stat().st_mode
    assert [one.name for one in path.parent.iterdir()] == ["pairs.jsonl"]


def test_until_it_is_whole_readers_see_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(b"old")
    with written_whole(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"

    assert path.read_bytes() == b"new"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="halfway"), written_whole(path) as file:
        file.write(b"half")
        raise ValueError("halfway")

    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["pairs.jsonl"]

"""What tests in several folders share: a simulator on a loopback port, and a project that runs against it."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from browsing import browsing
from cli_runs import Project, Server, everyday, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MEMORY = Path("/dev/shm")
NEEDED_BYTES = 500_000_000  # a whole run of the tests holds 30 MB at a time

# How long an example takes is the machine's affair. More examples for a longer look: PAIRSMITH_EXAMPLES=1000 make test
EXAMPLES = int(os.environ.get("PAIRSMITH_EXAMPLES", "50"))
settings.register_profile("tests", settings(), deadline=None, max_examples=EXAMPLES)
settings.load_profile("tests")


def pytest_configure() -> None:
    """Keep the tests' folders in memory where there is room: a ledger syncs each group of answers to the disk."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > NEEDED_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_finish() -> None:
    """What was collected stays to the end: there is no use in looking through it for cycles again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def nobodys_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What outlives a run is kept in a folder of the tests' own: also by fixtures that outlive one test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAIRSMITH_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same for one test: no test knows what another one has found out about a judge."""
    monkeypatch.setenv("PAIRSMITH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


@pytest.fixture
def project(tmp_path: Path, server: Server) -> Project:
    """12 prompts, a recipe, a simulator; nothing was run yet."""
    return Project(tmp_path, server).prompts(everyday(12))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one module of tests."""
    with browsing() as started:
        yield started

"""What tests in several folders share: a simulator on a loopback port, and a project that runs against it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_runs import Project, Server, everyday, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


@pytest.fixture
def project(tmp_path: Path, server: Server) -> Project:
    """12 prompts, a recipe, a simulator; nothing was run yet."""
    return Project(tmp_path, server).prompts(everyday(12))

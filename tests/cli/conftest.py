"""A finished run, for commands that ask nobody: made once for all of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_runs import Project, everyday, serving


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with serving() as server:
        project = Project(tmp_path_factory.mktemp("finished"), server).prompts(everyday(16))
        project.run("--set", "sample.system=expert")
    yield project


@pytest.fixture
def done(finished: Project, tmp_path: Path) -> Project:
    """A finished run, whose server is gone."""
    shutil.copytree(finished.folder, tmp_path, dirs_exist_ok=True)
    return Project(tmp_path, finished.server)

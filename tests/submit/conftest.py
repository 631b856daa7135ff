"""A server that plays the platforms, and a user with a dataset and a key for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from platform_server import PlatformServer, playing
from submit_desk import KEY, Desk


@pytest.fixture
def played() -> Iterator[PlatformServer]:
    with playing() as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, played: PlatformServer, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "TOGETHER_API_KEY", "FIREWORKS_API_KEY"):
        monkeypatch.setenv(name, KEY)
    monkeypatch.setenv("FIREWORKS_ACCOUNT_ID", "acct")
    return Desk(tmp_path, played)

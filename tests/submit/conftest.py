"""A server that plays the platforms, and a user with a dataset and a key for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
from platform_server import PlatformServer, playing
from submit_desk import KEY, Desk


@pytest.fixture(scope="session")
def one_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One root certificate instead of all: reading those is what a client takes longest to begin with."""
    first, end, _ = Path(certifi.where()).read_text("ascii").partition("-----END CERTIFICATE-----\n")
    path = tmp_path_factory.mktemp("roots") / "root.pem"
    path.write_text(first + end, "ascii")
    return path


@pytest.fixture
def played() -> Iterator[PlatformServer]:
    with playing() as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, played: PlatformServer, one_root: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("SSL_CERT_FILE", str(one_root))
    for name in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "TOGETHER_API_KEY", "FIREWORKS_API_KEY"):
        monkeypatch.setenv(name, KEY)
    monkeypatch.setenv("FIREWORKS_ACCOUNT_ID", "acct")
    return Desk(tmp_path, played)

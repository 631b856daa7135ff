from collections.abc import Iterator
from pathlib import Path

import pytest
from simulator_client import Client

from pairsmith.simulator import Settings, Simulator, running

BOOK = Path(__file__).parent / "book"


@pytest.fixture(scope="session")
def book_folder() -> Path:
    return BOOK


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running(Settings(book=BOOK)) as started:
        yield started


@pytest.fixture
def client(simulator: Simulator) -> Iterator[Client]:
    with Client(simulator.base_url) as connected:
        yield connected

import gc
from collections.abc import Iterator

import pytest
from canned_server import CannedServer

from pairsmith.wire import flow, gate
from pairsmith.wire.client import OpenAITransport
from pairsmith.wire.session import SessionTransport

ENVIRONMENT = (
    "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_CUSTOM_HEADERS",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
)  # fmt: skip


@pytest.fixture(scope="session", autouse=True)
def few_objects() -> Iterator[None]:
    """Leave out of each test's collection what was there before: it looks for futures that nobody heard of."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's own environment reaches a test."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoffs and pauses of milliseconds."""
    monkeypatch.setattr(gate, "BACKOFF_S", 0.002)
    monkeypatch.setattr(gate, "MAX_PROBE_S", 0.01)
    monkeypatch.setattr(gate, "MAX_PATIENT_PROBE_S", 0.01)
    monkeypatch.setattr(flow, "PROBE_S", 0.005)
    monkeypatch.setattr(gate, "PROBE_S", 0.005)
    monkeypatch.setattr(gate, "MAX_REST_S", 0.02)


@pytest.fixture
def server() -> Iterator[CannedServer]:
    with CannedServer() as started:
        yield started


@pytest.fixture(params=[SessionTransport, OpenAITransport])
def transport(request: pytest.FixtureRequest) -> type[SessionTransport | OpenAITransport]:
    kind: type[SessionTransport | OpenAITransport] = request.param
    return kind

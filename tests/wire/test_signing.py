"""Endpoints that take no key: the openai client signs in for them, and renews what it signs with."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from types import ModuleType

import pytest
from canned_server import CannedServer
from wire_fakes import make_endpoint

from pairsmith.errors import UserError
from pairsmith.records import FailureKind, RequestId
from pairsmith.wire.client import AZURE_SCOPE, OpenAITransport
from pairsmith.wire.faults import RawReply, classify
from pairsmith.wire.session import SessionTransport, transport_for


def send(transport: OpenAITransport, count: int = 1) -> list[RawReply]:
    async def all_of_them() -> list[RawReply]:
        try:
            return [await transport.send(b'{"model": "m"}', f"request {n}") for n in range(count)]
        finally:
            await transport.close()

    return asyncio.run(all_of_them())


def transport(server: CannedServer, auth: str) -> OpenAITransport:
    made = transport_for(make_endpoint(server.base_url, auth=auth), None)
    assert isinstance(made, OpenAITransport)
    return made


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What azure-identity is, as far as we use it; holds the scopes that were asked for."""
    scopes: list[str] = []
    numbers = iter(range(1, 100))

    def get_bearer_token_provider(credential: object, scope: str) -> Callable[[], Awaitable[str]]:
        scopes.append(scope)

        async def token() -> str:
            return f"token-{next(numbers)}"

        return token

    module = ModuleType("azure.identity.aio")
    module.__dict__.update(DefaultAzureCredential=object, get_bearer_token_provider=get_bearer_token_provider)
    for name in ("azure", "azure.identity"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "azure.identity.aio", module)
    return scopes


def test_an_endpoint_with_a_key_gets_the_fast_transport() -> None:
    assert isinstance(transport_for(make_endpoint("http://localhost/v1"), "key"), SessionTransport)


def test_azure_is_sent_a_token_that_is_asked_for_anew_with_each_call(server: CannedServer, azure: list[str]) -> None:
    replies = send(transport(server, "azure"), 2)

    assert [reply.status for reply in replies] == [200, 200]
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer token-1", "Bearer token-2"]
    assert azure == [AZURE_SCOPE]


def test_a_login_that_has_run_out_ends_the_run_as_a_refused_key_does(
    server: CannedServer, azure: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(credential: object, scope: str) -> Callable[[], Awaitable[str]]:
        async def token() -> str:
            raise RuntimeError("please run az login")

        return token

    monkeypatch.setattr(sys.modules["azure.identity.aio"], "get_bearer_token_provider", refuse)

    (reply,) = send(transport(server, "azure"))
    outcome = classify(RequestId("r"), reply)

    assert server.seen == []
    assert getattr(outcome, "kind", None) is FailureKind.FATAL
    assert "please run az login" in getattr(outcome, "message", "")


def test_without_azure_identity_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch, server: CannedServer) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity.aio", None)

    with pytest.raises(UserError, match="pip install azure-identity"):
        transport(server, "azure")


def test_bedrock_takes_the_token_of_its_environment(monkeypatch: pytest.MonkeyPatch, server: CannedServer) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-token")
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    (reply,) = send(transport(server, "bedrock"))

    assert reply.status == 200
    assert server.seen[0].headers["authorization"] == "Bearer bedrock-token"
    assert server.seen[0].headers["idempotency-key"] == "request 0"

from __future__ import annotations

import sys
import threading
from types import ModuleType, SimpleNamespace

import pytest

from pairsmith.planning.tokens import ABOUT_FOUR, rate_of, request_tokens
from pairsmith.records import ChatRequest, EndpointName, Json, PromptId, Purpose, RequestId


def tiktoken_with(monkeypatch: pytest.MonkeyPatch, get_encoding: object) -> None:
    module = ModuleType("tiktoken")
    module.get_encoding = get_encoding  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tiktoken", module)


def request(**body: Json) -> ChatRequest:
    return ChatRequest(RequestId("r"), PromptId("p"), Purpose.SAMPLE, EndpointName("e"), body, 0)


def test_without_tiktoken_about_four_characters_are_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)

    assert rate_of("some words") == ABOUT_FOUR


def test_tiktoken_counts_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    words = SimpleNamespace(encode=lambda text, disallowed_special: text.split())
    tiktoken_with(monkeypatch, lambda name: words)

    rate = rate_of("word " * 10)

    assert rate.chars_a_token == 5.0
    assert "tiktoken" in rate.rests


def test_tables_that_cannot_be_downloaded_are_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(name: str) -> object:
        raise ConnectionError(name)

    tiktoken_with(monkeypatch, offline)

    assert rate_of("some words") == ABOUT_FOUR


def test_tables_that_never_come_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    tiktoken_with(monkeypatch, lambda name: never.wait())

    try:
        assert rate_of("some words", patience_s=0.01) == ABOUT_FOUR
    finally:
        never.set()


def test_messages_parts_and_tools_count() -> None:
    plain = request(messages=[{"role": "user", "content": "x" * 400}])
    parts = request(messages=[{"role": "user", "content": [{"type": "text", "text": "x" * 400}]}])
    tools = request(messages=[{"role": "user", "content": "x" * 400}], tools=[{"name": "y" * 100}])

    assert request_tokens(plain, 4.0) == 104.0
    assert request_tokens(parts, 4.0) > 104.0
    assert request_tokens(tools, 4.0) > 125.0

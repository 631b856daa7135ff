"""How each endpoint is asked for the shape of its verdicts: learnt once for a run folder, used ever after.

An endpoint that refuses the JSON schema is asked for a JSON object, then in words. Called by pipeline.py,
qualifying.py and the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast, get_args

from pairsmith.judge import Structured
from pairsmith.ledger import Ledger
from pairsmith.records import ChatRequest, Endpoint, EndpointName, Outcome, Purpose, Reply


def learnt(
    endpoints: Mapping[EndpointName, Endpoint], modes: Mapping[EndpointName, Structured], ledger: Ledger
) -> dict[EndpointName, Structured]:
    """The modes, each replaced by what the folder has learnt of its endpoint."""
    return {name: _learnt(endpoints[name], mode, ledger) for name, mode in modes.items()}


def _learnt(endpoint: Endpoint, mode: Structured, ledger: Ledger) -> Structured:
    found = ledger.fact(_key(endpoint)) if endpoint.json_mode == "auto" else None
    return cast(Structured, found) if found in get_args(Structured) else mode


class Shapes:
    """What a run learns of it.

    Args:
        endpoints: by name.
        modes: how each is asked now; changed here, so that whoever renders requests from it sees the change.
        ledger: where it is kept.
        say: tells the user.
    """

    def __init__(
        self,
        endpoints: Mapping[EndpointName, Endpoint],
        modes: dict[EndpointName, Structured],
        ledger: Ledger,
        say: Callable[[str], object],
    ) -> None:
        self._endpoints = endpoints
        self._modes = modes
        self._ledger = ledger
        self._say = say
        self._accepted: set[EndpointName] = set()

    def learn(self, request: ChatRequest, outcome: Outcome) -> None:
        """Take note of an answer to a judge's question; one refusal, before any answer, makes the question simpler."""
        name = request.endpoint
        endpoint = self._endpoints[name]
        if request.purpose in (Purpose.SAMPLE, Purpose.REFERENCE) or endpoint.json_mode != "auto":
            return
        if isinstance(outcome, Reply):
            self._accepted.add(name)
        elif outcome.parameter == "response_format" and name not in self._accepted:
            asked, simpler = _shapes(request)
            if simpler is not None and asked == self._modes[name]:
                self._modes[name] = simpler
                self._ledger.learn(_key(endpoint), simpler)
                self._say(f"endpoint {name} refuses the schema of its replies: asking for {simpler} instead")


def _key(endpoint: Endpoint) -> str:
    return f"verdict shape {endpoint.identity}"


def _shapes(request: ChatRequest) -> tuple[Structured, Structured | None]:
    """How this request asks for its verdict's shape, and the next simpler way; None below plain text."""
    shape = request.body.get("response_format")
    if not isinstance(shape, dict):
        return "text", None
    return ("json_schema", "json_object") if shape.get("type") == "json_schema" else ("json_object", "text")

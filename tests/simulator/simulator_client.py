"""A bare HTTP client for the simulator's tests: one kept-alive connection, nothing retried, nothing hidden."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

ASKS_FOR = {
    "score": 'Reply {"rationale": "...", "score": 1..10}',
    "winner": 'Reply {"rationale": "...", "winner": "A" | "B" | "tie"}',
    "ranking": 'Reply {"rationale": "...", "ranking": ["B", "A"]}',
}


@dataclass(frozen=True)
class Got:
    status: int
    headers: http.client.HTTPMessage
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def choice(self) -> dict[str, Any]:
        return self.json["choices"][0]

    @property
    def text(self) -> str:
        return self.choice["message"]["content"]


class Client:
    def __init__(self, base_url: str, timeout_s: float = 10.0) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=timeout_s)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Got:
        self._connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        response = self._connection.getresponse()
        return Got(response.status, response.headers, response.read())

    def post(self, path: str, body: object, **headers: str) -> Got:
        return self.send("POST", path, json.dumps(body).encode(), **headers)

    def chat(self, prompt: str, *, model: str = "sim-student", system: str = "", key: str = "", **body: object) -> Got:
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": prompt})
        headers = {"Idempotency_Key": key} if key else {}
        return self.post("/v1/chat/completions", {"model": model, "messages": messages, **body}, **headers)

    def judge(self, kind: str, answers: list[str], *, model: str = "sim-judge", key: str = "", **body: object) -> Got:
        return self.chat(shown(answers), model=model, system=ASKS_FOR[kind], key=key, **body)

    def truth(self, texts: list[str]) -> list[float | None]:
        return self.post("/truth", {"texts": texts}).json["quality"]

    def stats(self) -> dict[str, Any]:
        return self.send("GET", "/stats").json


def shown(answers: list[str]) -> str:
    """Answers as a judge is shown them; a single one carries no label."""
    if len(answers) == 1:
        return f"<answer>\n{answers[0]}\n</answer>"
    blocks = (f'<answer label="{"ABCDEFGH"[i]}">\n{text}\n</answer>' for i, text in enumerate(answers))
    return "\n\n".join(blocks)

"""A server of bytes: notes each request as it came and answers with what it is told. Not even HTTP, where need be."""

import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from types import TracebackType

OK = b'{"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}'


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class Seen:
    """One request: its first line, its headers by lower-case name, its body."""

    line: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class CannedServer:
    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.reply = http("200 OK", OK)
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def setup(self) -> None:
                if tls is not None:
                    self.request = tls.wrap_socket(self.request, server_side=True)
                super().setup()

            def handle(self) -> None:
                seen = Seen(self.rfile.readline().decode().strip())
                while line := self.rfile.readline().decode().strip():
                    name, _, value = line.partition(":")
                    seen.headers[name.lower()] = value.strip()
                seen.body = self.rfile.read(int(seen.headers.get("content-length", 0)))
                if seen.line:
                    owner.seen.append(seen)
                self.wfile.write(owner.reply)

            def finish(self) -> None:
                super().finish()
                self.request.close()

        class Server(socketserver.ThreadingTCPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """A client that breaks off is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> "CannedServer":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

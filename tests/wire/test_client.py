import asyncio
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from canned_server import CannedServer, http

from pairsmith.errors import UserError
from pairsmith.wire.client import OpenAITransport, Transport, TransportError
from pairsmith.wire.faults import RawReply
from pairsmith.wire.session import SessionTransport

KEY = "sk-canary-0123456789abcdef"
Make = Callable[..., Transport]


@pytest.fixture(params=[SessionTransport, OpenAITransport])
def make(request: pytest.FixtureRequest) -> Make:
    """Both transports keep the same promises."""

    def transport(base_url: str, api_key: str | None = None) -> Transport:
        made: Transport = request.param(base_url, api_key, 4, 5.0)
        return made

    return transport


def send(transport: Transport, body: bytes = b'{"model": "m"}') -> RawReply:
    async def once() -> RawReply:
        try:
            return await transport.send(body, "the-request-id")
        finally:
            await transport.close()

    return asyncio.run(once())


def failure(transport: Transport) -> TransportError:
    with pytest.raises(TransportError) as caught:
        send(transport)
    return caught.value


def nobody() -> str:
    """A URL at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


# --- what is sent ----------------------------------------------------------------------------------


def test_the_body_is_posted_as_it_is_to_chat_completions_with_the_idempotency_key(
    make: Make, server: CannedServer
) -> None:
    send(make(server.base_url), b'{"model":"m","n":1}')

    (seen,) = server.seen
    assert seen.line == "POST /v1/chat/completions HTTP/1.1"
    assert seen.body == b'{"model":"m","n":1}'
    assert seen.headers["idempotency-key"] == "the-request-id"
    assert seen.headers["content-type"] == "application/json"


def test_a_slash_at_the_end_of_the_base_url_changes_nothing(make: Make, server: CannedServer) -> None:
    send(make(server.base_url + "/"))

    assert server.seen[0].line == "POST /v1/chat/completions HTTP/1.1"


def test_a_key_is_sent_as_a_bearer_token(make: Make, server: CannedServer) -> None:
    send(make(server.base_url, KEY))

    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_there_is_no_authorization_header_even_if_the_environment_has_one(
    make: Make, server: CannedServer, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    send(make(server.base_url, key))

    assert "authorization" not in server.seen[0].headers
    assert KEY not in str(server.seen)


def test_a_password_in_netrc_is_not_sent(
    make: Make, server: CannedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password hunter22\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    send(make(server.base_url))

    assert "authorization" not in server.seen[0].headers


def test_what_the_environment_says_to_openai_reaches_no_other_host(
    make: Make, server: CannedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-canary")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-canary")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: canary\nAuthorization: Bearer canary\nuser-agent: canary")

    send(make(server.base_url))

    assert "canary" not in str(server.seen)


def test_what_the_environment_says_reaches_the_host_that_it_names(
    make: Make, server: CannedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: mine\nAuthorization: Bearer other")

    send(make(server.base_url, KEY))

    headers = server.seen[0].headers
    assert (headers["openai-organization"], headers["x-gateway"]) == ("org-mine", "mine")
    assert headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("key", ["sk-first\nsk-second", "sk-“quoted”"])
def test_a_key_that_no_header_can_carry_is_the_users_mistake_and_not_shown(make: Make, key: str) -> None:
    with pytest.raises(UserError, match="line break") as caught:
        make("http://127.0.0.1/v1", key)

    assert "sk-" not in str(caught.value)


def test_a_body_of_two_megabytes_is_sent_whole(make: Make, server: CannedServer) -> None:
    if make("http://unused/v1").__class__ is OpenAITransport:
        pytest.skip("its aiohttp transport hands bodies over as bytes, and aiohttp warns of large ones")
    body = b'{"x":"' + b"a" * 2_000_000 + b'"}'

    send(make(server.base_url), body)

    assert server.seen[0].body == body


# --- what comes back -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500, 503])
def test_every_status_is_an_answer(make: Make, server: CannedServer, status: int) -> None:
    server.reply = http(f"{status} Whatever", b'{"a": 1}', "Retry-After: 7")

    raw = send(make(server.base_url, KEY))

    assert (raw.status, raw.body, raw.headers["retry-after"]) == (status, b'{"a": 1}', "7")


@pytest.mark.parametrize("status", ["301 Moved", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_a_redirect_is_not_followed(make: Make, server: CannedServer, status: str) -> None:
    with CannedServer() as elsewhere:
        server.reply = http(status, b"", f"Location: {elsewhere.base_url}")

        raw = send(make(server.base_url, KEY))

        assert raw.status == int(status[:3])
        assert elsewhere.seen == []
    assert len(server.seen) == 1


def test_a_cookie_is_not_sent_back(server: CannedServer) -> None:
    server.reply = http("200 OK", b"{}", "Set-Cookie: a=b")

    async def twice() -> None:
        transport = SessionTransport(server.base_url, None, 4, 5.0)
        await transport.send(b"{}", "1")
        await transport.send(b"{}", "2")
        await transport.close()

    asyncio.run(twice())

    assert "cookie" not in server.seen[1].headers


# --- what goes wrong -------------------------------------------------------------------------------


def test_where_nothing_listens_it_is_unreachable(make: Make) -> None:
    assert failure(make(nobody())).reason == "unreachable"


def test_a_host_that_has_no_address_is_unreachable(make: Make) -> None:
    assert failure(make("http://nowhere.invalid/v1")).reason == "unreachable"


@pytest.mark.parametrize(
    "reply",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"nonsense\r\n\r\n"],
    ids=["none", "cut", "no-http"],
)
def test_a_connection_that_breaks_off_is_a_reset(make: Make, server: CannedServer, reply: bytes) -> None:
    server.reply = reply

    assert failure(make(server.base_url)).reason == "reset"
    assert len(server.seen) == 1


def test_a_body_that_is_not_compressed_as_it_says_is_no_crash(make: Make, server: CannedServer) -> None:
    server.reply = http("200 OK", b"no gzip", "Content-Encoding: gzip")

    assert failure(make(server.base_url)).reason == "reset"


@pytest.mark.parametrize("timeout", [TimeoutError(), TimeoutError("late")])
def test_a_timeout_below_is_a_timeout(timeout: Exception) -> None:
    from pairsmith.wire.client import transport_error

    assert transport_error(timeout).reason == "timeout"


def test_a_key_is_in_no_error(make: Make, server: CannedServer) -> None:
    server.reply = b""

    for error in (failure(make(server.base_url, KEY)), failure(make(nobody(), KEY))):
        assert KEY not in repr(error) + str(error)
        assert error.__cause__ is None
        assert error.__suppress_context__


# --- TLS and proxies -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody has signed, and its key, in one file."""
    path = tmp_path_factory.mktemp("tls") / "own.pem"
    asked = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    asked += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(path), "-out", f"{path}.crt"]
    try:
        subprocess.run(asked, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("openssl cannot make a certificate here")
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def with_tls(certificate: Path) -> CannedServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return CannedServer(context)


def test_a_certificate_that_nobody_trusts_is_refused(make: Make, certificate: Path) -> None:
    with with_tls(certificate) as server:
        error = failure(make(f"https://localhost:{server.port}/v1", KEY))

        assert error.reason == "unreachable"
        assert "certificate" in str(error).lower()
        assert server.seen == []


def test_a_certificate_of_the_users_own_is_trusted(
    make: Make, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    with with_tls(certificate) as server:
        assert send(make(f"https://localhost:{server.port}/v1", KEY)).status == 200


@pytest.mark.filterwarnings(
    "ignore:.*(BasicAuth|proxy_auth).*deprecated:DeprecationWarning"
)  # in openai's own transport
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(
    make: Make, server: CannedServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://somebody:secret@127.0.0.1:{server.port}")

    send(make("http://model.invalid/v1"))

    assert server.seen[0].line == "POST http://model.invalid/v1/chat/completions HTTP/1.1"
    assert server.seen[0].headers["proxy-authorization"].startswith("Basic ")


def test_no_proxy_is_honoured(make: Make, server: CannedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", nobody())
    monkeypatch.setenv("NO_PROXY", "example.com,127.0.0.1")

    assert send(make(server.base_url)).status == 200

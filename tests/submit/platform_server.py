"""A loopback server that plays the four platforms: takes files, makes jobs, and lets them live a life step by step.

Its answers have the shapes that the clients' own types name (openai 3.57, together 3.1.1, fireworks-ai 1.2.30). A job
goes one state on each time it is asked about. What goes wrong is told to it beforehand.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

MADE_AT = "2026-11-20T10:00:00Z"


@dataclass
class Sent:
    """One request as it came. A file in a form is told of by name and size."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Script:
    """What is to happen."""

    states: dict[str, list[str]] = field(
        default_factory=lambda: {
            "openai": ["validating_files", "queued", "running", "succeeded"],
            "together": ["pending", "queued", "running", "compressing", "uploading", "completed"],
            "fireworks": ["JOB_STATE_VALIDATING", "JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_COMPLETED"],
        }
    )
    file_states: list[str] = field(default_factory=list)  # before a file is ready; the last one stays if it is an end
    report: str = ""  # of the file that is rejected
    reason: str = ""  # of the job that fails
    keeps_metadata: bool = True
    trouble: dict[str, list[Any]] = field(
        default_factory=dict
    )  # by kind, one a request: statuses, answers, "reset", "reset-after", "html"
    hold: threading.Event | None = None  # a create is answered when it is set
    user: str = "someone"
    on_request: Callable[[], None] | None = None  # called when the first one comes


@dataclass
class World:
    """What the platform has."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)  # looks at a file or job, by its id


def kind_of(method: str, path: str) -> str:
    """Which request it is, for all platforms: upload, put, file, create, job, jobs, events, other."""
    for pattern, kind in (
        (r"/signed/.*", "put"),
        (r".*/(datasets|files)", "upload"),
        (r".*:upload", "put"),
        (r".*/preprocess", "other"),
        (r".*/models/limits", "limits"),
        (r".*/(files|datasets)/[^/:]+", "file"),
        (r".*/(fine-tunes|fine_tuning/jobs|dpoJobs)", "create" if method == "POST" else "jobs"),
        (r".*/events", "events"),
        (r".*/(fine-tunes|fine_tuning/jobs|dpoJobs)/[^/]+", "job"),
    ):
        if re.fullmatch(pattern, path):
            return kind
    return "other"


class PlatformServer:
    """All four, on one port."""

    def __init__(self) -> None:
        self.script, self.world, self.seen = Script(), World(), list[Sent]()
        self._lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on stderr."""

            def _serve(self) -> None:
                sent = _read(self)
                owner.serve(self, sent)

            def do_GET(self) -> None:
                self._serve()

            def do_POST(self) -> None:
                self._serve()

            def do_PUT(self) -> None:
                self._serve()

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that is killed breaks off."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def kinds(self) -> Counter[str]:
        """How many of each kind of request came."""
        return Counter(kind_of(sent.method, sent.path) for sent in self.seen)

    def created(self) -> list[Sent]:
        return [sent for sent in self.seen if kind_of(sent.method, sent.path) == "create"]

    # --- one request ---

    def serve(self, handler: BaseHTTPRequestHandler, sent: Sent) -> None:
        kind = kind_of(sent.method, sent.path)
        with self._lock:
            self.seen.append(sent)
            if len(self.seen) == 1 and self.script.on_request is not None:
                self.script.on_request()
            waiting = self.script.trouble.get(kind, [])
            trouble = waiting.pop(0) if waiting else None
        if trouble == "reset":
            return _reset(handler)
        if isinstance(trouble, tuple):
            return _answer(handler, trouble[0], trouble[1])
        if trouble == "html":
            return _answer(handler, 200, b"<html>a page</html>", {"Content-Type": "text/html"})
        if isinstance(trouble, int):
            return _answer(handler, trouble, {"error": {"message": f"trouble {trouble}", "code": "trouble"}})
        with self._lock:
            status, body, headers = self._play(kind, sent)
        if kind == "create" and self.script.hold is not None:
            self.script.hold.wait(30)
        if trouble == "reset-after":
            return _reset(handler)
        return _answer(handler, status, body, headers)

    def _play(self, kind: str, sent: Sent) -> tuple[int, Any, dict[str, str]]:
        if "/v1/accounts/" in sent.path:
            return self._fireworks(kind, sent)
        if "fine_tuning" in sent.path or (kind in ("upload", "file") and self._openai_file(kind, sent)):
            return self._openai(kind, sent)
        return self._together(kind, sent)

    def _openai_file(self, kind: str, sent: Sent) -> bool:
        return (
            "file" in sent.body if kind == "upload" else self.world.files.get(_last(sent.path), {}).get("openai", False)
        )

    def _openai(self, kind: str, sent: Sent) -> tuple[int, Any, dict[str, str]]:
        if kind == "upload":
            made = self._file(
                {"openai": True, "filename": sent.body["file"]["name"], "bytes": sent.body["file"]["size"]}
            )
            return 200, self._openai_file_object(made), {}
        if kind == "file":
            return self._found(self.world.files, sent.path, self._openai_file_object)
        if kind == "create":
            metadata = sent.body["metadata"] if self.script.keeps_metadata else None
            made = {**sent.body, "metadata": metadata, "id": f"ftjob-{len(self.world.jobs) + 1}", "states": "openai"}
            self.world.jobs[made["id"]] = made
            return 200, self._openai_job(made), {}
        if kind == "jobs":
            wanted = {key[9:-1]: value for key, value in sent.query.items() if key.startswith("metadata[")}
            jobs = [
                job for job in self.world.jobs.values() if not self.script.keeps_metadata or job["metadata"] == wanted
            ]
            data = [self._openai_job(job, look=False) for job in reversed(jobs)]
            return 200, {"object": "list", "data": data, "has_more": False}, {}
        if kind == "events":
            data = [
                {"id": f"e{n}", "object": "fine_tuning.job.event", "created_at": n, "level": "info", "type": kind,
                 "message": message}
                for n, kind, message in ((3, "metrics", "Step 7"), (2, "message", "It learns"), (1, "message", "Made"))
            ]  # fmt: skip
            return 200, {"object": "list", "data": data, "has_more": False}, {}
        return self._found(self.world.jobs, sent.path, self._openai_job)

    def _openai_file_object(self, file: dict[str, Any]) -> dict[str, Any]:
        status = self._file_state(file, "processed")
        return {
            "id": file["id"], "object": "file", "bytes": file["bytes"], "created_at": 1, "filename": file["filename"],
            "purpose": "fine-tune", "status": status, "status_details": self.script.report or None,
        }  # fmt: skip

    def _openai_job(self, job: dict[str, Any], look: bool = True) -> dict[str, Any]:
        status = self._state(job, look)
        error = {"code": "invalid_training_file", "message": self.script.reason, "param": None}
        return {
            "id": job["id"], "object": "fine_tuning.job", "created_at": 1, "model": job["model"], "seed": 1,
            "organization_id": "org-1", "result_files": [], "hyperparameters": {}, "status": status,
            "training_file": job["training_file"], "validation_file": job.get("validation_file"),
            "fine_tuned_model": f"ft:{job['model']}" if status == "succeeded" else None,
            "error": error if status == "failed" else None, "metadata": job["metadata"],
        }  # fmt: skip

    def _together(self, kind: str, sent: Sent) -> tuple[int, Any, dict[str, str]]:
        if kind == "limits":
            lora = {"default_rank": 64, "max_batch_size": 96, "max_batch_size_dpo": 48, "max_rank": 64,
                    "min_batch_size": 8, "target_modules": []}  # fmt: skip
            return 200, {
                "default_gradient_accumulation_steps": 1, "lora_training": lora, "max_learning_rate": 0.1,
                "max_num_checkpoints": 10, "max_num_epochs": 15, "max_num_evals": 100, "max_seq_length_dpo": 8192,
                "max_seq_length_sft": 8192, "merge_output_lora": True, "min_learning_rate": 1e-8,
                "min_max_seq_length": 128, "model_name": sent.query["model_name"], "supports_full_training": True,
                "supports_reasoning": False, "supports_tools": True, "supports_vision": False,
            }, {}  # fmt: skip
        if kind == "upload":
            for file in self.world.files.values():
                if file.get("checksum") == sent.body["checksum"]:
                    return 409, {"file_id": file["id"]}, {}
            made = self._file({"checksum": sent.body["checksum"], "filename": sent.body["file_name"], "bytes": 0})
            return 302, b"", {"Location": f"{self.url}/signed/{made['id']}", "X-Together-File-Id": made["id"]}
        if kind == "put":
            self.world.files[_last(sent.path)]["bytes"] = sent.body["bytes"]
            return 200, b"", {}
        if kind in ("file", "other"):
            path = sent.path.removesuffix("/preprocess")
            return self._found(self.world.files, path, self._together_file)
        if kind == "create":
            made = {**sent.body, "id": f"ft-{len(self.world.jobs) + 1}", "states": "together"}
            self.world.jobs[made["id"]] = made
            return 200, self._together_job(made), {}
        if kind == "jobs":
            return 200, {"data": [self._together_job(job, look=False) for job in self.world.jobs.values()]}, {}
        if kind == "events":
            messages = ["Job started", *([self.script.reason] if self.script.reason else [])]
            return 200, {"data": [
                {"created_at": f"{MADE_AT}{n}", "message": message, "object": "fine-tune-event", "type": "JOB_START"}
                for n, message in enumerate(messages)
            ]}, {}  # fmt: skip
        return self._found(self.world.jobs, sent.path, self._together_job)

    def _together_file(self, file: dict[str, Any]) -> dict[str, Any]:
        state = self._file_state(file, "COMPLETED")
        report = {"valid": False, "error_type": "INVALID_FORMAT", "error": self.script.report}
        return {
            "id": file["id"], "object": "file", "bytes": file["bytes"], "created_at": 1, "filename": file["filename"],
            "FileType": "jsonl", "purpose": "fine-tune", "processing_status": state,
            "validation_report": report if state == "INVALID_FORMAT" else None,
        }  # fmt: skip

    def _together_job(self, job: dict[str, Any], look: bool = True) -> dict[str, Any]:
        said = {key: value for key, value in job.items() if key not in ("states", "training_type")}
        return {
            **said, "status": self._state(job, look), "user_id": self.script.user, "created_at": self.made_at(),
            "updated_at": MADE_AT, "model_output_name": f"someone/{job.get('suffix', 'model')}",
        }  # fmt: skip

    made_at: Callable[[], str] = staticmethod(lambda: "2099-01-01T00:00:00Z")  # of jobs: later than any order

    def _fireworks(self, kind: str, sent: Sent) -> tuple[int, Any, dict[str, str]]:
        if kind == "upload":
            name = sent.body["datasetId"]
            if name in self.world.files:
                return 409, {"code": 6, "message": "already exists"}, {}
            return 200, self._dataset(self._file({**sent.body["dataset"], "id": name, "there": False})), {}
        if kind == "put":
            name = _last(sent.path).removesuffix(":upload")
            self.world.files[name] |= {"there": True, "bytes": sent.body["file"]["size"]}
            return (
                200,
                {"id": name, "bytes": 1, "object": "file", "purpose": "fine-tune", "filename": "f", "created_at": 1},
                {},
            )
        if kind == "file":
            return self._found(self.world.files, sent.path, self._dataset)
        if kind == "create":
            name = sent.query["dpoJobId"]
            if name in self.world.jobs:
                return 409, {"code": 6, "message": "already exists"}, {}
            self.world.jobs[name] = {**sent.body, "id": name, "states": "fireworks"}
            return 200, self._dpo_job(self.world.jobs[name]), {}
        return self._found(self.world.jobs, sent.path, self._dpo_job)

    def _dataset(self, file: dict[str, Any]) -> dict[str, Any]:
        state = self._file_state(file, "READY") if file["there"] else "UPLOADING"
        status = {"code": "INVALID_ARGUMENT", "message": self.script.report} if state == "BAD" else {"code": "OK"}
        return {"name": f"accounts/acct/datasets/{file['id']}", "state": "UPLOADING" if state == "BAD" else state,
                "status": status}  # fmt: skip

    def _dpo_job(self, job: dict[str, Any], look: bool = True) -> dict[str, Any]:
        state = self._state(job, look)
        failed = state == "JOB_STATE_FAILED"
        status = {"code": "INVALID_ARGUMENT", "message": self.script.reason} if failed else {"code": "OK"}
        return {"name": f"accounts/acct/dpoJobs/{job['id']}", "dataset": job["dataset"], "state": state,
                "trainingConfig": job["trainingConfig"], "status": status}  # fmt: skip

    # --- what all have in common ---

    def _file(self, file: dict[str, Any]) -> dict[str, Any]:
        made = {"id": f"file-{len(self.world.files) + 1}", **file}
        self.world.files[made["id"]] = made
        return made

    def _file_state(self, file: dict[str, Any], ready: str) -> str:
        """As the script has it, one on with each look; then ready, or the end that it is."""
        at = self.world.asked[file["id"]]
        self.world.asked[file["id"]] += 1
        states = self.script.file_states
        if at < len(states):
            return states[at]
        return states[-1] if states and states[-1] in ("INVALID_FORMAT", "FAILED", "error", "BAD") else ready

    def _state(self, job: dict[str, Any], look: bool) -> str:
        states = self.script.states[job["states"]]
        at = min(self.world.asked[job["id"]], len(states) - 1)
        self.world.asked[job["id"]] += look
        return states[at]

    def _found(
        self, things: dict[str, Any], path: str, shown: Callable[[dict[str, Any]], Any]
    ) -> tuple[int, Any, dict[str, str]]:
        found = things.get(_last(path))
        return (200, shown(found), {}) if found else (404, {"error": {"message": "not found"}}, {})


@contextlib.contextmanager
def playing() -> Iterator[PlatformServer]:
    """All four platforms on a free port."""
    server = PlatformServer()
    server._thread.start()
    try:
        yield server
    finally:
        server._server.shutdown()
        server._thread.join()
        server._server.server_close()


def _last(path: str) -> str:
    return path.rsplit("/", 1)[1]


def _read(handler: BaseHTTPRequestHandler) -> Sent:
    url = urlsplit(handler.path)
    headers = {name.lower(): value for name, value in handler.headers.items()}
    raw = handler.rfile.read(int(headers.get("content-length", 0)))
    kind = headers.get("content-type", "")
    if kind.startswith("multipart/"):
        body: Any = _form(kind, raw)
    elif kind.startswith("application/json"):
        body = json.loads(raw) if raw else {}
    else:
        body = {"bytes": len(raw)}
    query = {key: values[0] for key, values in parse_qs(url.query).items()}
    return Sent(handler.command, url.path, query, headers, body)


def _form(kind: str, raw: bytes) -> dict[str, Any]:
    message = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + raw)
    form: dict[str, Any] = {}
    for part in message.get_payload():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        form[name] = {"name": part.get_filename(), "size": len(content)} if part.get_filename() else content.decode()
    return form


def _reset(handler: BaseHTTPRequestHandler) -> None:
    """Break the connection off, so that the client sees a reset."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def _answer(handler: BaseHTTPRequestHandler, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)

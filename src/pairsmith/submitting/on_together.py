"""DPO jobs on Together, through its own client: the extra `together`.

The client's `create` would fill in a dozen values, retry by itself, and so make a second job: the body is written here
and posted with no retry. It uploads a file that Together already has only by its checksum (3.1.1, tried November 2026).
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from pairsmith.errors import UserError
from pairsmith.training import Dataset, End, Event, Files, FileVerdict, Job, Order, PlatformError, Request, Training
from pairsmith.wire.speaking import Speech, plain, text_of

if TYPE_CHECKING:
    from together import Together
    from together.types import FinetuneModelLimits

URL = "https://api.together.ai"  # the client's default (3.1.1); its paths begin with /v1
TIMEOUT_S = 120.0
EVALS = 5  # Together evaluates 0 times unless told, and would ignore a validation file
SKEW_S = 600.0  # by which the platform's clock may differ from ours
ENDS: Mapping[str, End] = {
    "completed": "succeeded",
    "error": "failed",
    "user_error": "failed",
    "cancelled": "cancelled",
}


class TogetherJobs:
    """Together's API.

    Args:
        base_url: without /v1.
        api_key: what requests are signed with.

    Raises:
        UserError: the client is not installed.
    """

    def __init__(self, base_url: str, api_key: str) -> None:
        try:
            import httpx
            import together
        except ImportError:
            raise UserError('--platform together needs its client: pip install "pairsmith[together]"') from None
        self._client: Together = together.Together(
            base_url=base_url, api_key=api_key, max_retries=0, timeout=httpx.Timeout(TIMEOUT_S, connect=15.0)
        )
        self._speech = Speech(
            together.APIStatusError, (together.TogetherError, httpx.HTTPError, OSError, ValueError), [api_key]
        )

    def examine(self, training: Training) -> None:
        """Hold the values against what Together says of this model.

        Raises:
            UserError: it takes another range.
            PlatformError: it does not answer; a model that it does not know is refused with status 400 or 404.
        """
        name = training.model or (training.from_checkpoint or "").split(":")[0]
        try:
            with self._speech.heard():
                limits = self._client.fine_tuning.model_limits(model_name=name)
                plain(limits)
        except PlatformError as exc:
            if training.model is None and exc.status in (400, 404):
                return  # it need not know a checkpoint by this name
            raise
        within_limits(training, limits)

    def upload(self, data: Dataset) -> str:
        """Send a file, unless Together has one with its checksum; its id."""
        with self._speech.heard():
            return str(plain(self._client.files.upload(data.path, purpose="fine-tune", check=False))["id"])

    def file(self, file_id: str) -> FileVerdict:
        """What Together's validation says of a file; none said is none wanted."""
        with self._speech.heard():
            found = plain(self._client.files.retrieve(file_id))
        state = text_of(found, "processing_status") or "COMPLETED"
        if state in ("FAILED", "INVALID_FORMAT"):
            said = text_of(found.get("validation_report"), "error")
            return FileVerdict("rejected", f"{state}: {said}" if said else state)
        return FileVerdict("ready" if state == "COMPLETED" else "waiting", state)

    def create(self, order: Order) -> Job:
        """Make the job."""
        with self._speech.heard():
            from together.types import FinetuneResponse

            return _job(plain(self._client.post("/v1/fine-tunes", body=job_body(order), cast_to=FinetuneResponse)))

    def find(self, order: Order, since_s: float, known: Container[str]) -> Job | None:
        """The job that was made of this order; None when there is none.

        Together keeps nothing of ours with a job: it is one of the same files and settings, made since then, and not
        `known` as another's.
        """
        with self._speech.heard():
            jobs = [plain(job) for job in self._client.fine_tuning.list().data]
        body = job_body(order)
        for job in jobs:
            if job["id"] not in known and _made_s(job) >= since_s - SKEW_S and _is_of(job, body):
                return _job(job)
        return None

    def job(self, job_id: str) -> Job:
        """A job as it is now."""
        with self._speech.heard():
            return _job(plain(self._client.fine_tuning.retrieve(job_id)))

    def events(self, job_id: str) -> Sequence[Event]:
        """All events of a job, the oldest first."""
        with self._speech.heard():
            found = [plain(event) for event in self._client.fine_tuning.list_events(job_id).data]
        return [
            Event(f"{event.get('created_at')} {event.get('message')}", str(event.get("message"))) for event in found
        ]


def requests(
    base_url: str, training: Training, data: Dataset, validation: Dataset | None, marker: str
) -> Iterator[Request]:
    """What would be sent, in order, when all goes well."""
    name = training.model or (training.from_checkpoint or "").split(":")[0]
    yield Request("GET", f"{base_url}/v1/fine-tunes/models/limits?model_name={quote(name, safe='')}")
    files = Files("FILE_ID", "VALIDATION_FILE_ID" if validation else None)
    for file, file_id in ((data, files.training), (validation, files.validation)):
        if file is not None:
            body = {"purpose": "fine-tune", "file_name": file.path.name, "file_type": "jsonl", "checksum": file.sha256}
            yield Request("POST", f"{base_url}/v1/files", body)
            yield Request("PUT", "SIGNED_URL", {"file": f"{file.path.name} ({file.size:,} bytes)"})
            yield Request("POST", f"{base_url}/v1/files/{file_id}/preprocess")
    for file_id in filter(None, (files.training, files.validation)):
        yield Request("GET", f"{base_url}/v1/files/{file_id}")
    yield Request("POST", f"{base_url}/v1/fine-tunes", job_body(Order(training, files, marker)))


def within_limits(training: Training, limits: FinetuneModelLimits) -> None:
    """Hold the values against the limits of one model.

    Raises:
        UserError: one is outside.
    """
    lora = limits.lora_training
    ranges = (
        ("--epochs", training.epochs, 1, limits.max_num_epochs),
        ("--batch-size", training.batch_size, lora.min_batch_size, lora.max_batch_size_dpo),
        ("--learning-rate", training.learning_rate, limits.min_learning_rate, limits.max_learning_rate),
        ("--lora-rank", training.lora_rank, 1, lora.max_rank),
    )
    for flag, value, low, high in ranges:
        if value is not None and not low <= value <= high:
            name = training.model or training.from_checkpoint
            raise UserError(f"{flag} {value:g}: Together takes {low:g} to {high:g} for {name}")


def job_body(order: Order) -> dict[str, object]:
    """The body of the request that makes the job: what was given, and what that needs to have an effect."""
    training, rank = order.training, order.training.lora_rank
    lora = {"type": "Lora", "lora_r": rank, "lora_alpha": 2 * rank} if rank else None  # twice: the client's default
    body = {
        "training_file": order.files.training,
        "validation_file": order.files.validation,
        "n_evals": EVALS if order.files.validation else None,
        "model": training.model,
        "from_checkpoint": training.from_checkpoint,
        "n_epochs": training.epochs,
        "batch_size": training.batch_size,
        "learning_rate": training.learning_rate,
        "suffix": training.suffix,
        "training_type": lora,
        "training_method": {"method": "dpo", **({} if training.beta is None else {"dpo_beta": training.beta})},
    }
    return {name: value for name, value in body.items() if value is not None}


def _is_of(job: Mapping[str, object], body: Mapping[str, object]) -> bool:
    """Whether a job of the list says what the body asked for, as far as the list says it."""
    if job.get("training_file") != body["training_file"]:
        return False
    said = {name: job.get(name) for name in body}
    method, asked = said.pop("training_method"), body["training_method"]
    same = all(said[name] in (None, value) for name, value in body.items() if name in said and name != "training_type")
    return same and (not isinstance(method, dict) or method.items() >= asked.items())  # type: ignore[attr-defined]


def _made_s(job: Mapping[str, object]) -> float:
    return datetime.fromisoformat(str(job["created_at"])).timestamp()


def _job(found: Mapping[str, object]) -> Job:
    state = text_of(found, "status") or "unknown"
    end = ENDS.get(state)
    name = text_of(found, "model_output_name") if end == "succeeded" else None  # it is known before there is a model
    return Job(str(found["id"]), state, end, name)

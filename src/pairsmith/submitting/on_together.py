"""DPO jobs on Together, through its own client: the extra `together`.

The client's `create` would fill in a dozen values, retry by itself, and so make a second job: the body is written here
and posted with no retry. It uploads a file that Together already has only by its checksum (3.1.1, tried November 2026).
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from pairsmith.errors import UserError
from pairsmith.training import (
    Candidate,
    Dataset,
    End,
    Event,
    Files,
    FileVerdict,
    Job,
    Order,
    PlatformError,
    Request,
    Training,
)
from pairsmith.wire.speaking import Speech, id_of, objects, plain, text_of

if TYPE_CHECKING:
    from together import Together

URL = "https://api.together.ai"  # the client's default (3.1.1); its paths begin with /v1
TIMEOUT_S = 120.0
EVALS = 5  # Together evaluates 0 times unless told, and would ignore a validation file
REPEATED = ("validation_file", "n_epochs", "batch_size", "learning_rate", "suffix")  # in a job of the list, as given
ENDS: Mapping[str, End] = {
    "completed": "succeeded",
    "error": "failed",
    "user_error": "failed",
    "cancelled": "cancelled",
}


class TogetherJobs:
    """Together's API. A job bears no mark of ours.

    Args:
        base_url: without /v1.
        api_key: what requests are signed with.

    Raises:
        UserError: the client is not installed.
    """

    marks = False

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
                limits = plain(self._client.fine_tuning.model_limits(model_name=name))
        except PlatformError as exc:
            if training.model is None and exc.status in (400, 404):
                return  # it need not know a checkpoint by this name
            raise
        within_limits(training, limits)

    def upload(self, data: Dataset) -> str:
        """Send a file, unless Together has one with its checksum; its id."""
        with self._speech.heard():
            return id_of(plain(self._client.files.upload(data.path, purpose="fine-tune", check=False)))

    def file(self, file_id: str, data: Dataset) -> FileVerdict:
        """What Together's validation says of a file; none said is none wanted, where all of it is there."""
        with self._speech.heard():
            found = plain(self._client.files.retrieve(file_id))
        state, size = text_of(found, "processing_status"), found.get("bytes")
        if state in ("FAILED", "INVALID_FORMAT"):
            said = text_of(found.get("validation_report"), "error")
            return FileVerdict("rejected", self._speech.clean(f"{state}: {said}" if said else state))
        if state == "COMPLETED" and size != data.size:
            said = f"it holds {size} bytes, not {data.size}: delete {file_id} at Together, then run it again"
            return FileVerdict("rejected", said)
        ready = state in ("COMPLETED", None) and size == data.size
        return FileVerdict("ready" if ready else "waiting", state or "no word of it yet")

    def create(self, order: Order) -> Job:
        """Make the job."""
        from together.types import FinetuneResponse

        with self._speech.heard():
            return _job(plain(self._client.post("/v1/fine-tunes", body=job_body(order), cast_to=FinetuneResponse)))

    def find(self, order: Order, known: Container[str]) -> Sequence[Candidate]:
        """The jobs that may have been made of this order.

        Together keeps nothing of ours with a job: they are those of the same files and settings that are not `known`.
        """
        with self._speech.heard():
            jobs = objects(self._client.fine_tuning.list(), "data")
        body = job_body(order)
        mine = [job for job in jobs if _is_of(job, body) and id_of(job) not in known]
        return [Candidate(_job(job), sure=job.get("model") in (None, body.get("model"))) for job in mine]

    def job(self, job_id: str) -> Job:
        """A job as it is now."""
        with self._speech.heard():
            return _job(plain(self._client.fine_tuning.retrieve(job_id)))

    def events(self, job_id: str) -> Sequence[Event]:
        """All events of a job, the oldest first."""
        with self._speech.heard():
            found = objects(self._client.fine_tuning.list_events(job_id), "data")
        said = [(text_of(event, "created_at"), self._speech.clean(event.get("message"))) for event in found]
        return [Event(f"{made_at} {message}", message) for made_at, message in said]


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
    yield Request("GET", f"{base_url}/v1/fine-tunes")
    yield Request("POST", f"{base_url}/v1/fine-tunes", job_body(Order(training, files, marker)))


def within_limits(training: Training, limits: Mapping[str, object]) -> None:
    """Hold the values against the limits of one model, as far as Together tells them.

    Raises:
        UserError: one is outside.
    """
    lora = limits.get("lora_training")
    ranges = (
        ("--epochs", training.epochs, 1, limits.get("max_num_epochs")),
        ("--batch-size", training.batch_size, _of(lora, "min_batch_size"), _of(lora, "max_batch_size_dpo")),
        ("--learning-rate", training.learning_rate, limits.get("min_learning_rate"), limits.get("max_learning_rate")),
        ("--lora-rank", training.lora_rank, 1, _of(lora, "max_rank")),
    )
    for flag, value, low, high in ranges:
        if value is None or not isinstance(low, int | float) or not isinstance(high, int | float):
            continue
        if not low <= value <= high:
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


def _of(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _is_of(job: Mapping[str, object], body: Mapping[str, object]) -> bool:
    """Whether a job of the list is one that this body may have made.

    Held against it is what the list repeats as it came, but for the model, which may come back under another name: a
    job that is not recognised would be paid for twice.
    """
    if job.get("training_file") != body["training_file"]:
        return False
    method, asked = job.get("training_method"), body["training_method"]
    if isinstance(method, dict) and isinstance(asked, dict) and not method.items() >= asked.items():
        return False
    return all(job.get(name) in (None, body[name]) for name in REPEATED if name in body)


def _job(found: Mapping[str, object]) -> Job:
    state = text_of(found, "status") or "unknown"
    end = ENDS.get(state)
    name = text_of(found, "model_output_name") if end == "succeeded" else None  # it is known before there is a model
    return Job(id_of(found), state, end, name)

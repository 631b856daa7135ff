"""DPO jobs on OpenAI and Azure, through the openai client; which request is which is said for `--dry-run` too.

The client checks no value and sends no idempotency key (3.57, tried November 2026), and would by itself send a
job twice: it is told never to retry. Jobs carry a marker in their metadata, by which they are found again.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import httpx2
import openai
from openai.types.fine_tuning import FineTuningJob

from pairsmith.training import Candidate, Dataset, End, Event, Files, FileVerdict, Job, Order, Request, Training
from pairsmith.wire.client import meant_for
from pairsmith.wire.speaking import Speech, id_of, objects, plain, text_of

MARKER = "pairsmith"  # the key in a job's metadata
LOOKED_AT = 500  # jobs, from the newest, where the server does not search by metadata
EVENTS = 50  # that are fetched at once
CONNECT_TIMEOUT_S = 15.0
TIMEOUT_S = 120.0  # of a read; an upload takes as long as it takes, as long as it goes on
ENDS: Mapping[str, End] = {"succeeded": "succeeded", "failed": "failed", "cancelled": "cancelled"}


class OpenAIJobs:
    """A platform that speaks OpenAI's API.

    Args:
        base_url: ends in /v1.
        api_key: what requests are signed with.
        waits: whether a file has to be processed before a job can be made of it, as on Azure.
    """

    marks = True

    def __init__(self, base_url: str, api_key: str, waits: bool) -> None:
        self._waits = waits
        self._client = _client(base_url, api_key)
        # AttributeError: it stumbles over a page of HTML where it expects a list (3.57, tried November 2026).
        unanswered = (openai.OpenAIError, httpx2.HTTPError, OSError, ValueError, AttributeError)
        self._speech = Speech(openai.APIStatusError, unanswered, [api_key])

    def examine(self, training: Training) -> None:
        """Nothing more is known of a model than the table of limits says."""

    def upload(self, data: Dataset) -> str:
        """Send a file; its id."""
        with self._speech.heard(), data.path.open("rb") as file:
            return id_of(plain(self._client.files.create(file=(data.path.name, file), purpose="fine-tune")))

    def file(self, file_id: str, data: Dataset) -> FileVerdict:
        """What has become of a file."""
        with self._speech.heard():
            found = plain(self._client.files.retrieve(file_id))
        state = text_of(found, "status") or "uploaded"
        if state in ("error", "deleted"):
            return FileVerdict("rejected", self._speech.clean(text_of(found, "status_details") or state))
        ready = state == "processed" or not self._waits
        return FileVerdict("ready" if ready else "waiting", state)

    def create(self, order: Order) -> Job:
        """Make the job."""
        with self._speech.heard():
            return self._job(plain(self._client.post("/fine_tuning/jobs", body=job_body(order), cast_to=FineTuningJob)))

    def find(self, order: Order, known: Container[str]) -> Sequence[Candidate]:
        """The job that was made of this order, if it is among the newest.

        Found by its marker. A server that keeps no metadata is searched for a job of the uploaded file, which no other
        order has, but for those that are `known`.
        """
        with self._speech.heard():
            jobs = self._client.fine_tuning.jobs.list(metadata={MARKER: order.marker}, limit=100)
            for one in map(plain, islice(jobs, LOOKED_AT)):
                metadata = one.get("metadata")
                marked = isinstance(metadata, dict) and metadata.get(MARKER) == order.marker
                unmarked = not metadata and one.get("training_file") == order.files.training
                if marked or (unmarked and id_of(one) not in known):
                    return [Candidate(self._job(one))]
        return []

    def job(self, job_id: str) -> Job:
        """A job as it is now."""
        with self._speech.heard():
            return self._job(plain(self._client.fine_tuning.jobs.retrieve(job_id)))

    def events(self, job_id: str) -> Sequence[Event]:
        """The newest events, the oldest of them first; the numbers of each training step are left out."""
        with self._speech.heard():
            found = objects(self._client.fine_tuning.jobs.list_events(job_id, limit=EVENTS), "data")
        return [
            Event(str(event.get("id")), self._speech.clean(event.get("message")))
            for event in reversed(found)
            if event.get("type") != "metrics"
        ]

    def _job(self, found: Mapping[str, object]) -> Job:
        state = text_of(found, "status") or "unknown"
        reason = text_of(found.get("error"), "message")
        name = text_of(found, "fine_tuned_model")
        return Job(id_of(found), state, ENDS.get(state), name, self._speech.clean(reason) if reason else None)


def requests(
    base_url: str, training: Training, data: Dataset, validation: Dataset | None, marker: str
) -> Iterator[Request]:
    """What would be sent, in order, when all goes well."""
    for file in (data, validation):
        if file is not None:
            body = {"purpose": "fine-tune", "file": f"{file.path.name} ({file.size:,} bytes)"}
            yield Request("POST", f"{base_url}/files", body)
    order = Order(training, Files("FILE_ID", "VALIDATION_FILE_ID" if validation else None), marker)
    for file_id in filter(None, (order.files.training, order.files.validation)):
        yield Request("GET", f"{base_url}/files/{file_id}")
    yield Request("POST", f"{base_url}/fine_tuning/jobs", job_body(order))


def job_body(order: Order) -> dict[str, object]:
    """The body of the request that makes the job: what was given, and nothing else."""
    training = order.training
    given = {
        "beta": training.beta,
        "n_epochs": training.epochs,
        "batch_size": training.batch_size,
        "learning_rate_multiplier": training.learning_rate_multiplier,
    }
    hyperparameters = {name: value for name, value in given.items() if value is not None}
    body = {
        "model": training.model,
        "training_file": order.files.training,
        "validation_file": order.files.validation,
        "suffix": training.suffix,
        "method": {"type": "dpo", **({"dpo": {"hyperparameters": hyperparameters}} if hyperparameters else {})},
        "metadata": {MARKER: order.marker},
        "trainingType": training.training_type,
    }
    return {name: value for name, value in body.items() if value is not None}


def _client(base_url: str, api_key: str) -> openai.OpenAI:
    """The client, without what the environment means for another host."""
    client = openai.OpenAI(
        base_url=base_url, api_key=api_key, max_retries=0, timeout=httpx2.Timeout(TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    )
    own = {"accept", "content-type", "user-agent", "authorization", *map(str.lower, client.platform_headers())}
    meant = meant_for(base_url)
    others = [name for name in client.default_headers if name.lower() not in own and not meant(name.lower())]
    omitted: dict[str, Any] = dict.fromkeys(others, openai.Omit())  # the client leaves these out; its types say str
    return client.with_options(default_headers=omitted) if others else client

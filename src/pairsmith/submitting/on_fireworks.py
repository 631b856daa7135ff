"""DPO jobs on Fireworks, through its own client: the extra `fireworks`.

Datasets and jobs have names that we choose: the same file and the same job always get the same one, so neither can be
made twice. A dataset is declared first, then its file is sent (in one request, or above 150 MB to a signed URL).
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from pairsmith.errors import InputError, UserError
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
from pairsmith.wire.speaking import Speech, plain, text_of

if TYPE_CHECKING:
    from fireworks import Fireworks

URL = "https://api.fireworks.ai"  # the client's default (1.2.30); its paths begin with /v1
TIMEOUT_S = 120.0
ONE_REQUEST = 150_000_000  # bytes that :upload takes (client 1.2.30); more goes to a signed URL
ENDS: Mapping[str, End] = {
    "COMPLETED": "succeeded",
    "EARLY_STOPPED": "succeeded",
    "FAILED": "failed",
    "EXPIRED": "failed",
    "CANCELLED": "cancelled",
}


class FireworksJobs:
    """The API of one Fireworks account.

    Args:
        base_url: without /v1.
        api_key: what requests are signed with.
        account: its id.

    Raises:
        UserError: the client is not installed.
    """

    marks = True

    def __init__(self, base_url: str, api_key: str, account: str) -> None:
        try:
            import fireworks
            import httpx
        except ImportError:
            raise UserError('--platform fireworks needs its client: pip install "pairsmith[fireworks]"') from None
        self._account = account
        self._client: Fireworks = fireworks.Fireworks(
            base_url=base_url,
            api_key=api_key,
            account_id=account,
            max_retries=0,
            timeout=httpx.Timeout(TIMEOUT_S, connect=15.0),
        )
        self._speech = Speech(
            fireworks.APIStatusError, (fireworks.FireworksError, httpx.HTTPError, OSError, ValueError), [api_key]
        )

    def examine(self, training: Training) -> None:
        """Nothing more is known of a model than the table of limits says."""

    def upload(self, data: Dataset) -> str:
        """Declare the dataset and send its file, unless it is there already; its id."""
        dataset_id = dataset_name(data)
        if not self._declared(dataset_id, data):
            with self._speech.heard():
                if data.size <= ONE_REQUEST:
                    self._client.datasets.upload(dataset_id, file=(data.path.name, _checked_bytes(data)))
                else:
                    from fireworks.lib.dataset_upload import upload_dataset_shards

                    upload_dataset_shards(self._client, dataset_id, str(data.path))
        return dataset_id

    def file(self, file_id: str, data: Dataset) -> FileVerdict:
        """What Fireworks says of a dataset."""
        with self._speech.heard():
            found = plain(self._client.datasets.get(file_id))
        state, status = text_of(found, "state") or "STATE_UNSPECIFIED", found.get("status")
        if text_of(status, "code") not in (None, "OK"):
            return FileVerdict(
                "rejected", self._speech.clean(f"{text_of(status, 'code')}: {text_of(status, 'message')}")
            )
        return FileVerdict("ready" if state == "READY" else "waiting", state)

    def create(self, order: Order) -> Job:
        """Make the job; when there is one of this name, it is that."""
        from fireworks.types import DpoJob

        try:
            with self._speech.heard():
                made = self._client.post(
                    f"/v1/accounts/{self._account}/dpoJobs",
                    body=job_body(self._account, order),
                    options={"params": {"dpoJobId": order.marker}},
                    cast_to=DpoJob,
                )
                return self._job(plain(made), order.marker)
        except PlatformError as exc:
            if exc.status != 409:
                raise
            found = self.find(order, ())
            if not found:  # another thing has a name that was to be given, such as the model
                raise PlatformError(exc.status, str(exc), exc.code, decided=True) from exc
            return replace(found[0].job, found=True)

    def find(self, order: Order, known: Container[str]) -> Sequence[Candidate]:
        """The job that was made of this order: the one of its name."""
        try:
            return [Candidate(self.job(order.marker))]
        except PlatformError as exc:
            if exc.status != 404:
                raise
            return []

    def job(self, job_id: str) -> Job:
        """A job as it is now."""
        with self._speech.heard():
            return self._job(plain(self._client.dpo_jobs.get(job_id)), job_id)

    def events(self, job_id: str) -> Sequence[Event]:
        """Fireworks tells of none."""
        return []

    def _declared(self, dataset_id: str, data: Dataset) -> bool:
        """Declare the dataset; whether its file is there already."""
        declared = declaration(data)
        try:
            with self._speech.heard():
                self._client.datasets.create(dataset_id=dataset_id, dataset=declared)  # type: ignore[arg-type]
        except PlatformError as exc:
            if exc.status != 409:
                raise
            return self.file(dataset_id, data).verdict == "ready"
        return False

    def _job(self, found: Mapping[str, object], job_id: str) -> Job:
        state = (text_of(found, "state") or "JOB_STATE_UNSPECIFIED").removeprefix("JOB_STATE_")
        end, status = ENDS.get(state), found.get("status")
        name = text_of(found.get("trainingConfig"), "outputModel") or job_id
        model = name if "/" in name else f"accounts/{self._account}/models/{name}"
        said = [part for part in (text_of(status, "code"), text_of(status, "message")) if part and part != "OK"]
        return Job(
            job_id, state, end, model if end == "succeeded" else None, self._speech.clean(": ".join(said)) or None
        )


def requests(base_url: str, account: str, training: Training, data: Dataset, marker: str) -> Iterator[Request]:
    """What would be sent, in order, when all goes well."""
    name, datasets = dataset_name(data), f"{base_url}/v1/accounts/{account}/datasets"
    file = f"{data.path.name} ({data.size:,} bytes)"
    yield Request("POST", datasets, {"dataset": declaration(data), "datasetId": name})
    if data.size <= ONE_REQUEST:
        yield Request("POST", f"{datasets}/{name}:upload", {"file": file})
    else:
        yield Request("GET", f"{datasets}/{name}")
        yield Request(
            "POST", f"{datasets}/{name}:getUploadEndpoint", {"filenameToSize": {data.path.name: str(data.size)}}
        )
        yield Request("PUT", "SIGNED_URL", {"file": file})
        yield Request("POST", f"{datasets}/{name}:validateUpload")
    yield Request("GET", f"{datasets}/{name}")
    body = job_body(account, Order(training, Files(name), marker))
    yield Request("POST", f"{base_url}/v1/accounts/{account}/dpoJobs?dpoJobId={marker}", body)


def _checked_bytes(data: Dataset) -> bytes:
    """The file's bytes, which go by the hash of those that were checked.

    Raises:
        InputError: they are others.
    """
    found = data.path.read_bytes()
    if sha256(found).hexdigest() != data.sha256:
        raise InputError(f"{data.path} is not what was checked: leave it alone until it is sent, and run it again")
    return found


def dataset_name(data: Dataset) -> str:
    """The same for the same bytes; at most 63 of a-z, 0-9 and -, as every id there."""
    return f"pairsmith-{data.sha256[:32]}"


def declaration(data: Dataset) -> dict[str, object]:
    """What is said of a dataset before its file comes. The count is a string there."""
    return {"displayName": data.path.name[:63], "exampleCount": str(data.rows), "format": "CHAT", "userUploaded": {}}


def job_body(account: str, order: Order) -> dict[str, object]:
    """The body of the request that makes the job: what was given, and the method by name.

    The documents contradict each other about what is trained when no method is named.
    """
    training = order.training
    config = {
        "baseModel": training.model,
        "warmStartFrom": training.from_checkpoint,
        "epochs": training.epochs,
        "batchSizeSamples": training.batch_size,
        "learningRate": training.learning_rate,
        "loraRank": training.lora_rank,
        "outputModel": training.suffix,
    }
    return {
        "dataset": f"accounts/{account}/datasets/{order.files.training}",
        "lossConfig": {"method": "DPO", **({} if training.beta is None else {"dpo": {"beta": training.beta}})},
        "trainingConfig": {name: value for name, value in config.items() if value is not None},
    }

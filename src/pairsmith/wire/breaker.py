"""Says when an endpoint is broken, misconfigured or out of money, so that the run stops instead of burning.

Pure bookkeeping over failures, one `Breaker` a gate. The sentences here are what the user reads: what
happened, and the way out. Called by online.py after each attempt.
"""

from __future__ import annotations

from collections import defaultdict

from pairsmith.errors import Stopped
from pairsmith.records import Endpoint, Failure, FailureKind, RequestId

MAX_IN_A_ROW = 20  # transient failures with no success between them
SAME_FIRST = 3  # distinct requests whose first outcome is the same refusal, with no success yet
THROTTLED_FOR_S = 900.0  # throttled this long without one answer: the run stops, resumable

_CONTINUE = "run the same command again to continue"


class Breaker:
    """What one endpoint's failures add up to."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._in_a_row = 0
        self._succeeded = False
        self._throttled_since: float | None = None
        self._first: defaultdict[tuple[str, str], set[RequestId]] = defaultdict(set)

    def success(self) -> None:
        """An answer came."""
        self._in_a_row = 0
        self._succeeded = True
        self._throttled_since = None

    def failure(self, failure: Failure, first: bool, now_s: float) -> Stopped | None:
        """Take note of a failure.

        Args:
            failure: what happened.
            first: whether it was this request's first attempt.
            now_s: monotonic seconds.

        Returns:
            Why the run has to stop, or None to go on.
        """
        if failure.kind is FailureKind.FATAL:
            return self._fatal(failure)
        if failure.kind is FailureKind.THROTTLED:
            return self._throttled(failure, now_s)
        if failure.kind is FailureKind.TRANSIENT:
            self._in_a_row += 1
        return self._same_first(failure, first) or self._too_many(failure)

    def _throttled(self, failure: Failure, now_s: float) -> Stopped | None:
        if self._throttled_since is None:
            self._throttled_since = now_s
        if now_s - self._throttled_since < THROTTLED_FOR_S:
            return None
        return self._stop(
            "throttled",
            f"has answered nothing but {failure.reason} for {THROTTLED_FOR_S / 60:.0f} minutes; "
            f"lower requests_per_minute or concurrency, or wait, then {_CONTINUE}",
        )

    def _same_first(self, failure: Failure, first: bool) -> Stopped | None:
        refused = failure.reason in ("bad_request", "http_500", "unreachable")
        if self._succeeded or not refused or failure.parameter or not (first or failure.reason == "unreachable"):
            return None
        seen = self._first[failure.reason, failure.message]
        seen.add(failure.request_id)
        if failure.reason == "unreachable":
            return self._unreachable(failure) if self._in_a_row >= SAME_FIRST else None
        if len(seen) < SAME_FIRST:
            return None
        if failure.reason == "http_500":
            return self._stop("broken_endpoint", f"answers every request with 500 ({failure.message})")
        return self._stop(
            "parameter_refused",
            f"refuses every request with {failure.status}: {failure.message} "
            "(take the parameter it names out of the recipe, or set another value)",
        )

    def _unreachable(self, failure: Failure) -> Stopped:
        where = self._endpoint.base_urls[0]
        return self._stop(
            "unreachable",
            f"does not answer at {where} ({failure.message}): start the server, or mend base_url; {_CONTINUE}",
        )

    def _too_many(self, failure: Failure) -> Stopped | None:
        if self._in_a_row < MAX_IN_A_ROW:
            return None
        what = failure.reason + (f": {failure.message}" if failure.message else "")
        return self._stop("broken_endpoint", f"failed {self._in_a_row} times in a row ({what}); {_CONTINUE}")

    def _fatal(self, failure: Failure) -> Stopped:
        variable = self._endpoint.api_key_env
        said = f" ({failure.message})" if failure.message else ""
        if failure.reason == "quota":
            return self._stop("quota", f"has no quota or credit left{said}: top up or raise it, then {_CONTINUE}")
        if failure.reason == "no_such_model":
            return self._stop(
                "no_such_model",
                f"answers 404{said}: mend model, or base_url (most end in /v1), in the recipe or the flags",
            )
        key = f"the key in ${variable}" if variable else "a request without a key (set api_key_env)"
        return self._stop("refused_key", f"refused {key} with {failure.status}")

    def _stop(self, reason: str, what: str) -> Stopped:
        return Stopped(reason, f"endpoint {self._endpoint.name} ({self._endpoint.model}) {what}")

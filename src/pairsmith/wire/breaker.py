"""Says when an endpoint is broken, misconfigured or out of money, so that the run stops instead of burning.

Pure bookkeeping over failures, one `Breaker` a gate. The sentences here are what the user reads: what
happened, and the way out. Called by gate.py after each attempt.
"""

from __future__ import annotations

import re
from collections import defaultdict

from pairsmith.errors import Stopped
from pairsmith.records import Endpoint, Failure, FailureKind, RequestId

MAX_IN_A_ROW = 20  # steps of transient failures with no success between them
WARY_FROM = 3  # from this step on, one call at a time tries whether the endpoint is back
SAME_FIRST = 3  # distinct requests whose first outcome is the same refusal, with no success yet
SILENT_FOR_S = 900.0  # failing or throttled this long without one answer: the run stops, resumable
NOTICE_S = 20.0  # no answer for so long is told
# What passes by itself, so that it is waited for as long as the user has --patience. Not: quota, keys, a broken server.
PASSING = {"unreachable", "reset", "timeout", "resource_unavailable"} | {
    f"http_{status}" for status in (408, 409, 425, 502, 503, 504, 520, 521, 522, 523, 524, 529, 530)
}

_CONTINUE = "run the same command again to continue"


class Breaker:
    """What one endpoint's failures add up to.

    A server that restarts fails all calls in flight at once. That is one step, however many they were: a
    transient failure counts only when its attempt was started after the last one that counted had ended.

    Args:
        endpoint: whose it is, with its one URL.
        patience_s: how long what passes by itself is waited for; 0 = as usual.
        alone: whether it has no replicas, which would answer meanwhile.
    """

    def __init__(self, endpoint: Endpoint, patience_s: float = 0.0, alone: bool = True) -> None:
        self._endpoint = endpoint
        self._patience_s = patience_s
        self._alone = alone
        self._noticed = False
        self._longest_told_s = 0.0  # the longest pause asked for that the user was told of
        self._last, self._throttling = "", False  # the reason of the last failure, and whether it was a refusal
        self._answered_s = float("-inf")
        self._succeeded = False
        self._in_a_row = 0
        self._wrong = 0  # of these, the ones that do not pass by themselves
        self._failing: set[RequestId] = set()  # the requests that failed since the last answer
        self._counted_s = float("-inf")  # when the last failure that counted had ended
        self._silent_since_s: float | None = None  # when the first attempt of those that all failed was started
        self._first: defaultdict[tuple[str, str], set[RequestId]] = defaultdict(set)

    @property
    def steps(self) -> int:
        """Steps of failure since the last answer."""
        return self._in_a_row

    @property
    def wary(self) -> bool:
        """Whether the endpoint seems to be down: then one call at a time is enough to see it come back."""
        return self._in_a_row >= (WARY_FROM if self._alone else 1)

    def success(self, now_s: float = float("-inf")) -> str | None:
        """An answer came; returns what to tell the user, if a silence ends with it."""
        self._answered_s = now_s
        self._succeeded = True
        self._first.clear()
        self._alive()
        was, self._noticed = self._noticed, False
        return f"endpoint {self._endpoint.name} answers again" if was else None

    def silent_s(self, now_s: float) -> float:
        """For how long there has been no answer though there were calls."""
        return 0.0 if self._silent_since_s is None else now_s - self._silent_since_s

    def notice(self, now_s: float, asked_s: float = 0.0) -> str | None:
        """What to tell the user of a silence that goes on, once; and of a pause asked for, if it is the longest by far.

        An endpoint may ask for half a minute every minute, all night long.
        """
        silent_s = self.silent_s(now_s)
        if asked_s >= NOTICE_S and asked_s > 2 * self._longest_told_s:
            self._longest_told_s = asked_s
            return f"endpoint {self._endpoint.name} asks for a pause of {_duration(asked_s)} ({self._last}): waiting"
        if self._noticed or silent_s < NOTICE_S:
            return None
        self._noticed = True
        what = f"has given no answer for {silent_s:.0f} s ({self._last}): trying on"
        timed = self._throttling or (self._patience_s and self._last in PASSING)
        up_to = f", for {_duration(self._patience_s or SILENT_FOR_S)} at most" if timed else ""
        return f"endpoint {self._endpoint.name} {what}{up_to}"

    def waits_for(self, failure: Failure) -> bool:
        """Whether this failure is one of an outage that the user has patience for: no request is to blame for it."""
        if not self._patience_s or not self.wary or failure.reason not in PASSING - {"timeout"}:
            return False
        return failure.reason != "reset" or len(self._failing) > 1  # a reset may be one request's own fault

    def failure(self, failure: Failure, first: bool, sent_s: float, now_s: float) -> Stopped | None:
        """Take note of a failure.

        Args:
            failure: what happened.
            first: whether it is the first that this request came to.
            sent_s: when the attempt was started, in monotonic seconds.
            now_s: when it ended.

        Returns:
            Why the run has to stop, or None to go on.
        """
        self._last, self._throttling = failure.reason, failure.kind is FailureKind.THROTTLED
        if failure.kind is FailureKind.FATAL:
            return self._fatal(failure)
        if failure.kind is FailureKind.PERMANENT:
            self._alive()
            return self._same_first(failure) if first else None
        if self._silent_since_s is None:
            self._silent_since_s = max(sent_s, self._answered_s)
        if failure.kind is FailureKind.THROTTLED:
            return self._throttled(failure, now_s)
        self._failing.add(failure.request_id)
        if sent_s >= self._counted_s:
            self._wrong += failure.reason not in PASSING
            self._in_a_row += 1
            self._counted_s = now_s
        return (self._same_first(failure) if first else None) or self._down(failure, now_s)

    def _alive(self) -> None:
        self._in_a_row = self._wrong = 0
        self._failing.clear()
        self._silent_since_s = None

    def _throttled(self, failure: Failure, now_s: float) -> Stopped | None:
        asked_s = failure.retry_after_s or 0.0
        longest_s = self._patience_s or SILENT_FOR_S
        if asked_s >= longest_s:
            what = f"asks for a pause of {_duration(asked_s)} ({failure.reason}); wait"
        elif now_s + asked_s - (self._silent_since_s or 0.0) >= longest_s:
            silent_s = now_s - (self._silent_since_s or 0.0)
            more = f" and asks for {_duration(asked_s)} more" if asked_s else ""
            what = f"has answered nothing but {failure.reason} for {_duration(silent_s)}{more}; wait"
        else:
            return None
        return self._stop("throttled", f"{what}, or lower requests_per_minute or concurrency, then {_CONTINUE}")

    def _same_first(self, failure: Failure) -> Stopped | None:
        if self._succeeded or failure.parameter or failure.reason not in ("bad_request", "http_500"):
            return None
        seen = self._first[failure.reason, _without_ids(failure.message)]
        seen.add(failure.request_id)
        if len(seen) < SAME_FIRST:
            return None
        if failure.reason == "http_500":
            return self._stop(
                "broken_endpoint",
                f"answers every request with 500 ({failure.message}): see what its log says, then {_CONTINUE}",
            )
        return self._stop(
            "parameter_refused",
            f"refuses every request with {failure.status}: {failure.message} "
            "(take the parameter it names out of the recipe, or set another value)",
        )

    def _down(self, failure: Failure, now_s: float) -> Stopped | None:
        silent_s = now_s - (self._silent_since_s or 0.0)
        if self._patience_s and failure.reason in PASSING:
            if silent_s < self._patience_s:
                return None
            what = f"has not answered for {_duration(silent_s)} ({failure.reason}: {failure.message})"
            return self._stop(
                "unreachable" if failure.reason == "unreachable" else "broken_endpoint", f"{what}; {_CONTINUE}"
            )
        if failure.reason == "unreachable" and not self._succeeded and self._in_a_row >= SAME_FIRST:
            where = self._endpoint.base_urls[0]
            return self._stop(
                "unreachable",
                f"does not answer at {where} ({failure.message}): start the server, or mend base_url, then {_CONTINUE}",
            )
        what = failure.reason + (f": {failure.message}" if failure.message else "")
        in_a_row = self._wrong if self._patience_s else self._in_a_row
        if in_a_row >= MAX_IN_A_ROW:
            return self._stop("broken_endpoint", f"failed {in_a_row} times in a row ({what}); {_CONTINUE}")
        if not self._patience_s and self._in_a_row > 1 and silent_s >= SILENT_FOR_S:
            return self._stop("broken_endpoint", f"gave no answer for {_duration(silent_s)} ({what}); {_CONTINUE}")
        return None

    def _fatal(self, failure: Failure) -> Stopped:
        said = f" ({failure.message})" if failure.message else ""
        if failure.reason == "quota":
            return self._stop("quota", f"has no quota or credit left{said}: top up or raise it, then {_CONTINUE}")
        if failure.reason == "no_such_model":
            return self._stop(
                "no_such_model",
                f"answers 404{said}: mend model, or base_url (most end in /v1), in the recipe or the flags",
            )
        if failure.reason == "redirected":
            return self._stop(
                "redirected", f"answers {failure.status}{said}: mend base_url, redirects are not followed with a key"
            )
        variable = self._endpoint.api_key_env
        key = f"the key in ${variable}" if variable else "a request without a key (set api_key_env)"
        if self._endpoint.auth != "key":
            what = f'refused the credentials of auth = "{self._endpoint.auth}" with {failure.status}{said}: sign in'
            return self._stop("refused_key", f"{what}, then {_CONTINUE}")
        return self._stop(
            "refused_key", f"refused {key} with {failure.status}{said}: set a valid key, then {_CONTINUE}"
        )

    def _stop(self, reason: str, what: str) -> Stopped:
        at = "" if self._alone else f" at {self._endpoint.base_urls[0]}"
        return Stopped(reason, f"endpoint {self._endpoint.name} ({self._endpoint.model}{at}) {what}")


def _without_ids(message: str) -> str:
    """A message without what differs from call to call: request ids, times, counts."""
    return re.sub(r"[\w-]*\d[\w-]*", "#", message)


def _duration(seconds: float) -> str:
    """As people say it: "15 minutes", "6 hours"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes / 60:.3g} hours"

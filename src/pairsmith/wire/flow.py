"""Finds how much an endpoint takes: how many calls in flight and, where it refuses more, how many a second.

Pure: times come in, levels and pauses go out. Called by gate.py, one `Flow` a gate. Two kinds of limit answer 429
and are told apart by what follows. A limit on calls in flight lets the next one in as soon as one is done: the level
is cut, and grows back within seconds. A limit on calls a minute lets nothing in until its window has moved on: then
what it admitted, over the time until it opened again, is the rate to keep. Both grow as CUBIC does (RFC 9438): flat
near what was just refused, steep once that is long past. docs/decisions/0006 has the measurements.
"""

from __future__ import annotations

from dataclasses import dataclass

START = 8  # calls in flight at first
RISE_PER_S = 1000.0  # and so many more each second, until something is refused
RISE = 8.0  # and so many more with each RECOVER_S after it is back where a burst of refusals began
CUT = 0.7  # what is left of the level after a burst of refusals
DEEP_CUT = 0.5  # the same, when most calls were refused
MOSTLY = 0.5
RECOVER_S = 5.0  # after which a level that was cut is back; or two answers' time, if that is longer
RATE_CUT = 0.95  # what is left of a learnt rate after a burst
RATE_RECOVER_S = (20.0, 120.0)  # after which a learnt rate has doubled: two of the windows it was learnt from
RATE_REST_S = 2.0  # a learnt rate is cut once in so long
TOLERATED = 0.08  # this share of refusals costs less than going slower; calls refused are tried again, one by one
TOLERATED_AT_RATE = 0.03  # the same, once a rate is learnt
MEMORY = 50  # calls over which the share is taken
VAIN = 3  # so many cuts that changed nothing: the refusals do not depend on us
SILENT_S = 1.0  # a shorter silence is no window
ENOUGH = 10  # calls let in before a silence that say something about a rate
LONG_S = 10.0  # a silence that says so with fewer
PROBE_S = 0.25  # how long after a burst the first call tries again
PROBE_SHARE = 0.08  # of the silence so far, until the next try
MAX_PROBE_S = 30.0


@dataclass(slots=True)
class _Silence:
    """Since a burst of refusals nothing that was sent later has been accepted."""

    since_s: float
    refused_sent_s: float  # when the call was sent whose refusal began it
    told: bool  # the endpoint said how long it lasts
    refused: int = 0  # calls that tried since
    tried_s: float | None = None  # when the last one was sent that has not been refused
    hope: bool = True  # whether an earlier call's end may be tried upon: perhaps its place was all that was missing


class Flow:
    """What one endpoint takes, learnt from what it answers and refuses.

    Args:
        ceiling: the most calls in flight.
    """

    def __init__(self, ceiling: int) -> None:
        self._ceiling = ceiling
        self._in_flight = 0
        self._ended_s = float("-inf")  # when the last call did
        self._peak = 0  # the most in flight since the last burst
        self.latency_s = 0.0  # of the last answers, on average
        self._share = 0.0  # of refusals among the last calls
        self._vain = 0
        self._first_s: float | None = None
        self._level: float | None = None  # at the last burst; None before the first
        self._left = CUT
        self._level_s = 0.0
        self._rate: float | None = None  # learnt, or cut, at _rate_s
        self._rate_s = 0.0
        self._rate_recover_s = RATE_RECOVER_S[0]
        self._burst_s = float("-inf")
        self._admitted = 0  # since _since_s
        self._since_s = 0.0
        self._silence: _Silence | None = None

    def level(self, now_s: float) -> int:
        """How many calls may be in flight; from 1 to the ceiling."""
        if self._first_s is None:
            return min(START, self._ceiling)
        if self._level is None:
            return min(self._ceiling, START + int(RISE_PER_S * (now_s - self._first_s)))
        past = (now_s - self._level_s) / max(RECOVER_S, 2 * self.latency_s) - 1  # from -1; 0 when it is back
        grown = self._level * (1 + (1 - self._left) * past**3) + max(0.0, past) * RISE
        return max(1, min(self._ceiling, int(grown)))

    def rate(self, now_s: float) -> float | None:
        """How many calls a second may leave; None while there is nothing to say so."""
        if self._rate is None:
            return None
        return self._rate * (1 + ((now_s - self._rate_s) / self._rate_recover_s) ** 3)

    @property
    def limited(self) -> bool:
        """Whether there is a rate to keep, or the endpoint is closed."""
        return self._rate is not None or self._silence is not None

    @property
    def silent(self) -> bool:
        """Whether nothing has been let in since the last burst of refusals."""
        return self._silence is not None

    def sent(self, now_s: float) -> float:
        """A call leaves; returns the seconds until the next one may."""
        if self._first_s is None:
            self._first_s = self._since_s = now_s
        elif self._silence is None and not self._in_flight and now_s - self._ended_s > RECOVER_S:
            self._since_s, self._admitted = now_s, 0  # nobody asked for anything: that is no window
        if self._silence is not None and self._silence.tried_s is not None:
            self._opened(self._silence, self._silence.tried_s)  # refusals come at once: it was let in
        self._admitted += 1
        self._in_flight += 1
        self._peak = max(self._peak, self._in_flight)
        if self._silence is None:
            return 0.0
        self._silence.tried_s = now_s
        return self._next_try(self._silence, now_s)

    def answered(self, sent_s: float, now_s: float) -> bool:
        """A call that was sent then is answered; says whether a pause that was our own guess is over."""
        self._ended(now_s - sent_s)
        self._ended_s = now_s
        silence = self._silence
        if silence is None:
            return False
        if sent_s > silence.refused_sent_s:
            self._opened(silence, sent_s)
            return True
        hope, silence.hope = silence.hope, False
        return hope

    def failed(self, now_s: float) -> None:
        """A call ended in another way: that says nothing about limits."""
        self._in_flight -= 1
        self._ended_s = now_s

    def _ended(self, took_s: float) -> None:
        self._in_flight -= 1
        self.latency_s += (took_s - self.latency_s) / 20 if self.latency_s else took_s
        self._share -= self._share / MEMORY
        if self._share < TOLERATED / 2:
            self._vain = 0

    def refused(self, sent_s: float, now_s: float, told_s: float | None) -> float:
        """A call that was sent then is refused for now; returns the seconds until the next one may leave.

        Args:
            sent_s: when it was sent.
            now_s: now.
            told_s: how long the endpoint asks to wait; None if it does not say.
        """
        self._admitted -= sent_s >= self._since_s
        self._in_flight -= 1
        self._ended_s = now_s
        self._share += (1 - self._share) / MEMORY
        silence = self._silence
        if silence is not None:
            if sent_s > silence.refused_sent_s:
                silence.refused += 1
                silence.tried_s = None
            silence.told = silence.told or told_s is not None
            return self._next_try(silence, now_s) if told_s is None else told_s
        if self._tolerable() or self._same_burst(sent_s, now_s):
            return told_s or 0.0
        self._burst(now_s)
        self._silence = _Silence(now_s, sent_s, told_s is not None)
        return PROBE_S if told_s is None else told_s

    def _tolerable(self) -> bool:
        in_vain = self._vain >= VAIN and self._share < MOSTLY
        return in_vain or self._share <= (TOLERATED if self._rate is None else TOLERATED_AT_RATE)

    def _same_burst(self, sent_s: float, now_s: float) -> bool:
        return sent_s < self._burst_s or (self._rate is not None and now_s - self._burst_s < RATE_REST_S)

    def _burst(self, now_s: float) -> None:
        """One step down, however many calls are refused together."""
        self._vain = self._vain + 1 if self._share < MOSTLY else 0
        rate = self.rate(now_s)
        if rate is None or self._share >= MOSTLY:
            self._level = float(max(1, min(self.level(now_s), self._peak)))
            self._left = CUT if self._share < MOSTLY else DEEP_CUT
            self._level_s = now_s
        if rate is not None:
            self._rate = rate * RATE_CUT
            if now_s - self._since_s >= RECOVER_S and self._admitted > 0:
                self._rate = min(self._rate, self._admitted / (now_s - self._since_s))
                self._since_s, self._admitted = now_s, 0
            self._rate_s = now_s
        self._burst_s = now_s
        self._peak = self._in_flight

    def _next_try(self, silence: _Silence, now_s: float) -> float:
        return min(MAX_PROBE_S, max(PROBE_S, PROBE_SHARE * (now_s - silence.since_s), self.latency_s / 8))

    def _opened(self, silence: _Silence, sent_s: float) -> None:
        """A call that was sent then, after the silence began, was let in."""
        closed = (silence.told or silence.refused > 1) and self._admitted > 1
        admitted = self._admitted - (silence.tried_s is not None)
        silent_s = sent_s - silence.since_s
        if closed and silent_s >= SILENT_S and (admitted >= ENOUGH or silent_s >= LONG_S):
            window_s = sent_s - self._since_s
            self._rate, self._rate_s = admitted / window_s, sent_s
            self._rate_recover_s = min(max(RATE_RECOVER_S[0], 2 * window_s), RATE_RECOVER_S[1])
            self._since_s, self._admitted = sent_s, 1
        self._silence = None

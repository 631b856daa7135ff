"""Finds out how much the judges of a run err, once, from its first prompts, and keeps it in the ledger.

The first prompts are judged as far as they tell it, then set aside; others wait where a decision depends on it.
The estimate is judge/noise.py's. Called by pipeline.py.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import orjson

from pairsmith.judge import noise as judge_noise
from pairsmith.judge.noise import PROMPTS, Measured
from pairsmith.ledger import Ledger
from pairsmith.records import EndpointName, JudgeNoise, Noise, Prompt
from pairsmith.work import Work, measured


class Measuring:
    """What the tasks of one run share until it is known.

    Args:
        work: the run's; its `panel.noise` is None as long as it has to be found out.
        ledger: where it is kept.
        tell: called once with what was found.
    """

    def __init__(self, work: Work, ledger: Ledger, tell: Callable[[Noise], None]) -> None:
        self._work = work
        self._ledger = ledger
        self._tell = tell
        self._found: dict[int, Measured | None] = {}  # by ordinal; None: a prompt that says nothing
        self._left: set[int] = set()  # ordinals of those that come to no end on this run
        self._in_work = 0
        self._ended = False
        self._kept: deque[Prompt] = deque()
        self.over = asyncio.Event()
        if work.panel.noise is not None:
            self.over.set()

    def takes(self, prompt: Prompt) -> bool:
        """Whether this prompt is one of the first, and has to be measured before it is carried on."""
        return not self.over.is_set() and prompt.ordinal < PROMPTS

    def begin(self) -> None:
        """One of them is in work."""
        self._in_work += 1

    def end(self, prompt: Prompt, found: Measured | None, keep: bool) -> None:
        """It has been measured; `keep`: it comes back once the others have been."""
        self._in_work -= 1
        self._found[prompt.ordinal] = found
        if keep:
            self._kept.append(prompt)
        self._look()

    def leave(self, prompt: Prompt) -> None:
        """It cannot be measured on this run: its completions are not there, and none is sampled."""
        self._in_work -= 1
        self._left.add(prompt.ordinal)
        self._look()

    def input_ended(self) -> None:
        """There are no more prompts: what there is has to do."""
        self._ended = True
        self._look()

    def release(self) -> None:
        """The run is stopping: nobody waits any longer."""
        self.over.set()

    def next_kept(self) -> Prompt | None:
        """A prompt that was set aside and can be carried on now."""
        return self._kept.popleft() if self.over.is_set() and self._kept else None

    def _look(self) -> None:
        complete = len(self._found) >= PROMPTS
        seen = len(self._found) + len(self._left) >= PROMPTS
        if self.over.is_set() or not (seen or (self._ended and not self._in_work)):
            return
        panel = self._work.panel
        rewards = frozenset(judge.name for judge in panel.judges if judge.kind == "reward")
        names = [judge.name for judge in panel.judges]
        known = [found for _, found in sorted(self._found.items()) if found is not None]
        noise = judge_noise.estimate(known, names, rewards)
        found = orjson.dumps({"complete": complete, **_as_json(noise)}).decode()
        self._ledger.learn(_key(self._work), found)
        self._ledger.learn(_rests(self._work.digest), found)
        self._tell(noise)
        self.over.set()


async def begin(work: Work, ledger: Ledger) -> Work:
    """The work with what the ledger knows of its judges; if that is still to be found out, nothing stays settled.

    What was settled while too little was known is settled anew, from the evidence that is there.
    """
    if work.panel.noise is not None:
        return work
    stored = ledger.fact(_key(work))
    complete = stored is not None and bool(orjson.loads(stored)["complete"])
    if (
        not complete or ledger.fact(_rests(work.digest)) != stored
    ):  # another recipe with these judges may have measured anew
        await ledger.unsettle(work.digest)
    if not complete or stored is None:
        return work
    await ledger.learn(_rests(work.digest), stored)
    return known(work, ledger)


def known(work: Work, ledger: Ledger) -> Work:
    """The work as its outcomes were settled last."""
    stored = ledger.fact(_key(work))
    return work if stored is None or work.panel.noise is not None else measured(work, _of_json(orjson.loads(stored)))


def known_under(digest: str, ledger: Ledger) -> Noise | None:
    """What the outcomes under a digest rest on; None: nothing was to be found out, or it is not known yet."""
    stored = ledger.fact(_rests(digest))
    return None if stored is None else _of_json(orjson.loads(stored))


def _key(work: Work) -> str:
    return f"noise {work.judges_digest}"


def _rests(digest: str) -> str:
    """Names the measure that the outcomes under a digest rest on."""
    return f"noise under {digest}"


def _as_json(noise: Noise) -> dict[str, object]:
    judges = {name: [one.variance, one.offset, one.scale] for name, one in noise.judges.items()}
    return {"judges": judges, "spread": noise.spread, "prompts": noise.prompts, "verdicts": noise.verdicts}


def _of_json(stored: dict[str, object]) -> Noise:
    judges = stored["judges"]
    assert isinstance(judges, dict)
    return Noise(
        judges={EndpointName(name): JudgeNoise(*values) for name, values in judges.items()},
        spread=float(str(stored["spread"])),
        prompts=int(str(stored["prompts"])),
        verdicts=int(str(stored["verdicts"])),
    )

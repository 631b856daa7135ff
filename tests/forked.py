"""Processes of the command line that are forked from one that has loaded it: each is spared two seconds of imports.

A real process with its own pid, signals, descriptors and end; what it is not is an interpreter that begins and ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

LOADED = ["pairsmith.cli.run", "pairsmith.cli.judge", "pairsmith.cli.qualify", "pairsmith.running.carried"]

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([*LOADED, "openai.resources.chat", "aiohttp", "pandas"])


class Forked:
    """As much of subprocess.Popen as tests use."""

    def __init__(self, words: Sequence[str], env: Mapping[str, str], cwd: Path, pipe: bool) -> None:
        given, self_in = os.pipe() if pipe else (os.open(os.devnull, os.O_RDONLY), None)
        (out, to_out), (err, to_err) = os.pipe(), os.pipe()
        self.stdin = None if self_in is None else os.fdopen(self_in, "wb")
        self.stdout: Any = os.fdopen(out, "rb")
        self.stderr: Any = os.fdopen(err, "rb")
        self._process = _forks.Process(target=_Command(words, env, cwd, (given, to_out, to_err)), daemon=True)
        self._process.start()
        for fd in (given, to_out, to_err):
            os.close(fd)

    @property
    def pid(self) -> int:
        assert self._process.pid
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("pairsmith", timeout or 0)
        return self.returncode

    def communicate(self, given: bytes = b"", timeout: float | None = None) -> tuple[bytes, bytes]:
        with ThreadPoolExecutor(2) as readers:
            out, err = readers.submit(self.stdout.read), readers.submit(self.stderr.read)
            if self.stdin:
                self.stdin.write(given)
                self.stdin.close()
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
            return out.result(), err.result()


class _Command:
    """What the new process does; it is pickled for it, with its descriptors."""

    def __init__(self, words: Sequence[str], env: Mapping[str, str], cwd: Path, fds: Sequence[int]) -> None:
        self._words, self._env, self._cwd, self._fds = list(words), dict(env), cwd, fds

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_fds": [DupFd(fd) for fd in self._fds]}

    def __call__(self) -> None:
        for place, given in enumerate(self._fds):
            fd = given.detach()  # type: ignore[attr-defined]
            os.dup2(fd, place)
            os.close(fd)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        os.environ.clear()
        os.environ.update(self._env)
        os.chdir(self._cwd)
        from pairsmith import cli

        cli.main(self._words)

"""An OpenAI-compatible server of our own, for the offline demo, the tests and the benchmarks.

Imports nothing of pairsmith outside this package. Answers come from players.py, judges from judging.py,
faults from faults.py, platform habits from presets.py; server.py serves them.
"""

from typing import TYPE_CHECKING

from pairsmith.simulator.settings import Settings

if TYPE_CHECKING:
    from pairsmith.simulator.server import Simulator
    from pairsmith.simulator.serving import running, serve

__all__ = ["Settings", "Simulator", "running", "serve"]


def __getattr__(name: str) -> object:
    """Load the server only when it is asked for: aiohttp.web takes a third of a second."""
    if name == "Simulator":
        from pairsmith.simulator.server import Simulator

        return Simulator
    if name in ("running", "serve"):
        from pairsmith.simulator import serving

        return getattr(serving, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

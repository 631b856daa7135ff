"""Two ways to run a simulator: in a thread for a test, or in the foreground until a signal ends it."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pairsmith.simulator.server import Simulator
from pairsmith.simulator.settings import Settings


@contextmanager
def running(settings: Settings | None = None) -> Iterator[Simulator]:
    """A started simulator in a thread with its own loop; stopped on leaving.

    Raises:
        ValueError: see Simulator.
        OSError: the port is taken.
    """
    simulator = Simulator(settings or Settings())
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulator", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(simulator.start(), loop).result()
        yield simulator
    finally:
        asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve in the foreground until SIGINT or SIGTERM; announce gets the base URL once it listens.

    Raises:
        ValueError: see Simulator.
        OSError: the port is taken.
    """
    asyncio.run(_serve(settings, announce))


async def _serve(settings: Settings, announce: Callable[[str], None]) -> None:
    simulator, done = Simulator(settings), asyncio.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(ending, done.set)
    try:
        await simulator.start()
        announce(simulator.base_url)
        await done.wait()
    finally:
        await simulator.stop()

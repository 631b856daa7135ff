"""A model that is asked for new prompts: what it is asked, what it writes, and what it gets wrong on purpose.

players.py calls it. reading.py recognises the request, writing.py replies, kinds.py tells afterwards what was planted.
"""

from pairsmith.simulator.writer.kinds import planted_kind
from pairsmith.simulator.writer.reading import read_request
from pairsmith.simulator.writer.writing import WRITERS, write

__all__ = ["WRITERS", "planted_kind", "read_request", "write"]

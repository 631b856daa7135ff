"""Chance that is no chance: numbers drawn from a hash, the same for the same parts, on every machine."""

import math
from hashlib import blake2b

_TWO_53 = float(1 << 53)


class Dice:
    """An endless stream of numbers determined by the parts it was made from."""

    __slots__ = ("_at", "_block", "_key")

    def __init__(self, *parts: str | int | bytes) -> None:
        """Hash the parts, in this order; their types do not matter, their text does."""
        joined = b"\x1f".join(p if isinstance(p, bytes) else str(p).encode("utf-8", "surrogatepass") for p in parts)
        self._key = self._block = blake2b(joined).digest()
        self._at = 0

    def uniform(self) -> float:
        """Draw from [0, 1)."""
        if self._at == 64:
            self._block = blake2b(self._block, key=self._key).digest()
            self._at = 0
        self._at += 8
        return (int.from_bytes(self._block[self._at - 8 : self._at], "big") >> 11) / _TWO_53

    def below(self, n: int) -> int:
        """Draw an integer from 0 to n - 1."""
        return int(self.uniform() * n)

    def normal(self) -> float:
        """Draw from the standard normal distribution."""
        return math.sqrt(-2.0 * math.log(1.0 - self.uniform())) * math.cos(2.0 * math.pi * self.uniform())

    def hex(self, digits: int = 24) -> str:
        """The hash of the parts in hexadecimal, up to 128 digits; draws nothing."""
        return self._key.hex()[:digits]

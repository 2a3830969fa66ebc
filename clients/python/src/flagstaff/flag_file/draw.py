"""Where a unit falls for a salt: the formula of docs/flags.md."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

WHOLE = 100_000


class Draw(NamedTuple):
    """Where a unit falls, 0 to 99,999: ``position`` for the percentage, ``split`` for the weights."""

    position: int
    split: int

    @property
    def bucket(self) -> int:
        """The whole percent, 0 to 99."""
        return self.position // 1000

    @classmethod
    def of(cls, salt: str, unit: str) -> Draw:
        """Draws: SHA-256 over salt, colon and unit, as one large number."""
        digest = hashlib.sha256(f"{salt}:{unit}".encode("utf-8", "surrogatepass")).digest()
        x = int.from_bytes(digest, "big") % 10_000_000_000
        r, split = x % WHOLE, x // WHOLE
        return cls((r % 100) * 1000 + r // 100, split)

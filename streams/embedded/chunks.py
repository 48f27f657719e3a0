"""Which chunks handed to batch agents still count, and how many of them wait."""

from __future__ import annotations

from collections import defaultdict

from faust.types import TP


class Chunks:
    """Keep count of chunks by partition. A new epoch (a seek, a rewind, a rebalance) makes all older ones void."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._epochs: defaultdict[TP, int] = defaultdict(int)
        self._attempts: defaultdict[TP, int] = defaultdict(int)
        self._waiting: defaultdict[TP, int] = defaultdict(int)

    def epoch(self, tp: TP) -> int:
        """Return the partition's epoch."""
        return self._epochs[tp]

    def attempt(self, tp: TP) -> int:
        """Return how often handling failed where the partition stands; 0 for not at all."""
        return self._attempts[tp]

    def is_full(self, tp: TP) -> bool:
        """Say whether as many chunks wait in the agent's queue as may."""
        return self._waiting[tp] >= self._limit

    def given(self, tp: TP) -> tuple[int, int]:
        """Count a chunk put into the agent's queue and return its epoch and attempt."""
        self._waiting[tp] += 1
        return self._epochs[tp], self._attempts[tp]

    def taken(self, tp: TP) -> None:
        """Count a chunk taken out of the queue."""
        self._waiting[tp] -= 1

    def void(self, tp: TP) -> None:
        """Begin a new epoch."""
        self._epochs[tp] += 1
        self._waiting[tp] = 0

    def failed(self, tp: TP) -> None:
        """Begin a new epoch because handling failed."""
        self._attempts[tp] += 1
        self.void(tp)

    def succeeded(self, tp: TP) -> None:
        """Forget that handling had failed."""
        self._attempts.pop(tp, None)

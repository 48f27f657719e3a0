"""How long to leave a broker's socket alone between reads: as long as it pays, but never so that the broker waits."""

from __future__ import annotations

FEW, MANY, MOST = 100, 400, 1600
"""Readings of a batch from which on the floor grows, at which it has grown by `STRETCH`, and by that once more."""

STRETCH = 3.2
"""By how much: at 60 000 readings/s a batch in 25 ms costs a third less than in 10, and in 45 ms a tenth less again."""


class Pace:
    """Learn how many unacknowledged messages the broker lets fly, and do not keep it waiting for the floor.

    Brokers stop at a number (Mosquitto 20 by default), and so do publishers that wait for the embedded broker's
    acknowledgement, which waits for ours. Once the same highest number has been met several times, it is taken for
    theirs, and the next read comes when about half of it has arrived again.

    The floor grows with what a batch holds: what a batch costs, whatever it holds, is then shared by more.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._most = 0
        self._met = 0
        self._last = 0.0

    def pause(self, now: float, messages: int, readings: int, floor: float) -> float:
        """Say how long to leave the socket alone (seconds) after taking `readings` and `messages` to acknowledge."""
        floor *= 1.0 + STRETCH * (_share(readings, FEW, MANY) + _share(readings, MANY, MOST))
        since, self._last = now - self._last, now
        if not messages:
            return floor
        self.waiting += messages
        if self.waiting > self._most:
            self._most, self._met = self.waiting, 0
        elif self.waiting == self._most:
            self._met += 1
        return min(floor, 0.6 * self._most * since / messages) if self._met >= 3 else floor


def _share(readings: int, few: int, many: int) -> float:
    return min(1.0, max(0.0, readings - few) / (many - few))

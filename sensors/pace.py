"""How long to leave a broker's socket alone between reads: as long as it pays, but never so that the broker waits."""

from __future__ import annotations

STRETCH = 3.2
"""By how much more the floor grows under load: at 60 000 readings/s a batch in 25 ms costs a third less than in 10."""

FEW, MANY = 100, 400
"""Readings of a batch from which on the floor grows, and at which it has grown as far as it does."""


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
        floor *= 1.0 + STRETCH * min(1.0, max(0.0, readings - FEW) / (MANY - FEW))
        since, self._last = now - self._last, now
        if not messages:
            return floor
        self.waiting += messages
        if self.waiting > self._most:
            self._most, self._met = self.waiting, 0
        elif self.waiting == self._most:
            self._met += 1
        return min(floor, 0.6 * self._most * since / messages) if self._met >= 3 else floor

"""How long to leave a broker's socket alone between reads: as long as it pays, but never so that the broker waits."""

from __future__ import annotations


class Pace:
    """Learn how many unacknowledged messages the broker lets fly, and do not keep it waiting for the floor.

    Brokers stop at a number (Mosquitto 20 by default), and so do publishers that wait for the embedded broker's
    acknowledgement, which waits for ours. Once the same highest number has been met several times, it is taken for
    theirs, and the next read comes when about half of it has arrived again.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._most = 0
        self._met = 0
        self._last = 0.0

    def pause(self, now: float, messages: int, floor: float) -> float:
        """Say how long to leave the socket alone after taking `messages` that are to be acknowledged (seconds)."""
        since, self._last = now - self._last, now
        if not messages:
            return floor
        self.waiting += messages
        if self.waiting > self._most:
            self._most, self._met = self.waiting, 0
        elif self.waiting == self._most:
            self._met += 1
        return min(floor, 0.6 * self._most * since / messages) if self._met >= 3 else floor

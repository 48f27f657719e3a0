"""What was fetched of one partition and not taken yet, and whether it follows on what came before."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from threading import Lock

from streams.embedded.schema import Entry, size_of

MOST_RECORDS = 4000
MOST_BYTES = 8 * 1024 * 1024


class Tail:
    """Hold fetched records from where a reader stands; filled by one thread, taken from by another.

    `contiguous`: offsets of this partition rise by one, so that a hole is a loss in the client and is refused. Topics
    that transactions write have holes of their own, for the transactions' ends.
    """

    def __init__(self, position: int, *, contiguous: bool) -> None:
        self.contiguous = contiguous
        self.gaps = 0
        self._lock = Lock()
        self._entries: list[Entry] = []
        self._size = 0
        self.first = self.next = position
        self.seeking = True

    def reset(self, position: int) -> None:
        """Begin again elsewhere; nothing is taken in until `found`."""
        with self._lock:
            self._entries, self._size = [], 0
            self.first = self.next = position
            self.seeking = True

    def found(self, position: int) -> None:
        """Note that the client has gone to a position."""
        with self._lock:
            if position == self.next:
                self.seeking = False

    @property
    def is_full(self) -> bool:
        """Say whether enough waits."""
        return len(self._entries) >= MOST_RECORDS or self._size >= MOST_BYTES

    def extend(self, entries: Sequence[Entry]) -> bool:
        """Take records in; False when they do not follow on what is here, and nothing of them was taken."""
        with self._lock:
            if self.seeking or not entries:
                return True
            if self.contiguous and (entries[0][0] != self.next or entries[-1][0] - entries[0][0] + 1 != len(entries)):
                self.gaps += 1
                self.seeking = True  # until the client is back where the hole begins
                return False
            self._entries.extend(entries)
            self._size += sum(size_of(key, value) for _, key, value in entries)
            self.next = entries[-1][0] + 1
            return True

    def take(self, start: int, limit: int, max_bytes: int) -> list[Entry] | None:
        """Return records from offset `start` on and forget those before it; None when it does not hold that offset."""
        with self._lock:
            if not self.first <= start <= self.next:
                return None
            if start > self.first:
                drop = bisect_left(self._entries, start, key=_offset)
                self._size -= sum(size_of(key, value) for _, key, value in self._entries[:drop])
                del self._entries[:drop]
                self.first = start
            found: list[Entry] = []
            size = 0
            for entry in self._entries:
                size += size_of(entry[1], entry[2])
                if found and (len(found) >= limit or size > max_bytes):
                    break
                found.append(entry)
            return found


def _offset(entry: Entry) -> int:
    return entry[0]

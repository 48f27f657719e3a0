"""One partition in memory: where it begins and ends, and its newest records."""

from __future__ import annotations

from threading import Lock

from streams.embedded.schema import Entry, TopicSpec, row_id, size_of


class Span:
    """Hold one partition's offsets and a bounded tail of its newest records.

    Only the writer thread changes it; any thread may read. `first` ≤ stored offsets < `next`; `draft` is the next
    offset inside the transaction under way. The tail is contiguous: offsets `next - len(tail)` to `next - 1`.
    """

    def __init__(
        self, ident: int, topic: str, number: int, spec: TopicSpec, first: int, end: int, size: int, tail_bytes: int
    ) -> None:
        self.id = ident
        self.topic = topic
        self.number = number
        self.spec = spec
        self.first = first
        self.next = end
        self.draft = end
        self.saved = end  # `next` as the partition's row has it
        self.bytes = size
        self.superseded: list[int] = []  # offsets that compaction may delete
        self.newest: dict[bytes, int] = {}  # compacted topics: key → its newest offset
        self._tail: list[Entry] = []
        self._head = 0  # index in _tail of the first record that still counts
        self._tail_size = 0
        self._tail_bytes = tail_bytes
        self._lock = Lock()

    def row(self, offset: int) -> int:
        """Number the row of an offset."""
        return row_id(self.id, offset)

    def extend(self, entries: list[Entry], size: int) -> None:
        """Take in records just committed: contiguous, the first at `next`; `size` is their bytes."""
        with self._lock:
            tail = self._tail
            tail.extend(entries)
            self.next = self.draft = entries[-1][0] + 1
            self.bytes += size
            self._tail_size += size
            head = self._head
            while self._tail_size > self._tail_bytes and head < len(tail) - 1:
                _, key, value = tail[head]
                self._tail_size -= size_of(key, value)
                head += 1
            if head > 1024 and head * 2 > len(tail):
                del tail[:head]
                head = 0
            elif head > self._head:
                tail[self._head : head] = [(-1, None, b"")] * (head - self._head)  # give the bytes back now
            self._head = head

    def from_tail(self, start: int, stop: int | None, limit: int, max_bytes: int) -> list[Entry] | None:
        """Read records from memory; None if `start` is older than the tail, [] if there is nothing (yet)."""
        with self._lock:
            if start >= self.next:
                return []
            start = max(start, self.first)  # what retention took from the file is gone from memory too
            index = len(self._tail) - (self.next - start)
            if index < self._head:
                return None
            end = min(index + limit, len(self._tail))
            if stop is not None:
                end = min(end, len(self._tail) - (self.next - stop))
            found = self._tail[index:end]
        size = 0
        for count, (_, key, value) in enumerate(found):
            size += size_of(key, value)
            if size > max_bytes and count:
                return found[:count]
        return found

"""What those who read the log again ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, Self

Entry = tuple[int, bytes | None, bytes]
Timed = tuple[int, float, bytes | None, bytes]
"""Offset, when it was written (unix s), key, value."""


class Readable(Protocol):
    """A log that can be read: the embedded one, its owner's or a reader's."""

    def topics(self) -> dict[str, int]:
        """Name the topics and their number of partitions."""
        ...

    def start(self, topic: str, partition: int) -> int:
        """Return the oldest offset still stored."""
        ...

    def end(self, topic: str, partition: int) -> int:
        """Return the offset that the next record will get."""
        ...

    def read(
        self, topic: str, partition: int, start: int, stop: int | None = None, limit: int = 1000
    ) -> list[tuple[int, bytes | None, bytes]]:
        """Read records in order."""
        ...


class Followed(Readable, Protocol):
    """A log that its owner follows."""

    def seen_end(self, topic: str, partition: int) -> int:
        """Return the end as it was last heard of, at once."""
        ...


class Opened(Readable, Protocol):
    """What can be replayed, opened for that, to be closed."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def close(self) -> None:
        """Close it."""
        ...

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return the next offset that a group of consumers will read, or None."""
        ...


class Reader(Opened, Protocol):
    """A log opened for reading only."""

    @property
    def identity(self) -> str:
        """What this log is called and no other."""
        ...

    def read_timed(self, topic: str, partition: int, start: int, stop: int, limit: int = 1000) -> list[Timed]:
        """Read records as `read` does, with when each was written."""
        ...

    def newest_first(
        self, topic: str, partition: int, most: int, *, first: int = 0, stop: int | None = None
    ) -> Iterator[Entry]:
        """Yield the last `most` records of offsets first ≤ o < stop, the newest first."""
        ...

    def keyed(self, topic: str, partition: int, start: int) -> Iterator[Entry]:
        """Yield the records from offset `start` on that have a key, in order."""
        ...

    def offset_at(self, topic: str, partition: int, time: float) -> int:
        """Return the offset of the first record written at `time` (unix s) or later, or the end."""
        ...

    def time_of(self, topic: str, partition: int, offset: int) -> float | None:
        """Return when a record was written (unix s), or None if it is not stored."""
        ...

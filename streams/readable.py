"""What those who read the log again ask of it."""

from __future__ import annotations

from typing import Protocol


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

"""Opening a log for reading, wherever it is."""

from __future__ import annotations

from pathlib import Path

from streams.embedded.reader import LogReader
from streams.kafka.address import Address
from streams.readable import Reader


def reader(where: Path | Address) -> Reader:
    """Open a log for reading. Raise `LogError` when there is none, or it cannot be reached."""
    if isinstance(where, Path):
        return LogReader(where)
    from streams.kafka.reader import KafkaReader  # here: its clients are not needed for a file

    return KafkaReader(where)

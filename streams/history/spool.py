"""Batches of lines on disk, from where they are sent in order: what InfluxDB does not take now it takes later.

Each batch says how far in the log it reaches. So the newest file, or what was sent last, is where reading goes on, and
a batch that was sent but not forgotten is sent once more, byte for byte the same.
"""

from __future__ import annotations

import gzip
import logging
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from streams.durable import replace
from streams.history.lines import Lines

logger = logging.getLogger(__name__)

Cursor = Mapping[str, int]
"""The next offset that is to be read, by `topic:partition`."""

_SENT = "sent.json"
_BEGUN = "begun.json"
_REFUSED = "refused"
MOST_REFUSED = 100
"""Refused batches that are kept to be looked at; the oldest go first."""


class SpoolError(ValueError):
    """Raised when a batch on disk cannot be read."""


class Batch(msgspec.Struct, frozen=True):
    """Hold lines that are sent together, and how far in the log they reach."""

    cursor: dict[str, int]
    readings: bytes
    alarms: bytes
    counts: tuple[int, int]  # lines of readings, of alarms
    firsts: tuple[float, ...] = ()


class _Head(msgspec.Struct):
    cursor: dict[str, int]
    counts: tuple[int, int]
    bytes: int  # of the readings, behind which are the alarms
    firsts: tuple[float, ...] = ()


class Spool:
    """Keep batches in a folder, up to `most` bytes. One thread puts in, another takes out."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / _BEGUN).exists():
            self.begin()
        for unfinished in folder.glob("*.new"):
            unfinished.unlink()
        self._lock = threading.Lock()
        self._sizes = {int(file.stem): file.stat().st_size for file in folder.glob("*.gz")}
        self._next = max(self._sizes, default=0) + 1
        self._came = threading.Event()
        self.damaged = 0
        """Batches that could not be read, and were put aside."""

    @property
    def bytes(self) -> int:
        """How much waits."""
        with self._lock:
            return sum(self._sizes.values())

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def is_full(self) -> bool:
        """Tell whether nothing more should be put in: what comes stays in the log as long as that keeps it."""
        return self.bytes >= self._most

    def cursor(self) -> dict[str, int]:
        """Say how far in the log the newest batch reaches, the sent ones included; nothing where there was none.

        Raise `OSError` when the disk cannot be read at the moment.
        """
        for number in sorted(self._sizes, reverse=True):
            if (found := self._tried(number)) is not None:
                return found.cursor
        try:
            return msgspec.json.decode((self._folder / _SENT).read_bytes(), type=dict[str, int])
        except (FileNotFoundError, msgspec.MsgspecError):
            return {}

    def begin(self) -> None:
        """Note that all that comes from now on is put in; of what came before, some may be missing."""
        replace(self._folder / _BEGUN, msgspec.json.encode(time.time()))

    def put(self, lines: Lines, cursor: Cursor) -> None:
        """Keep lines, on the disk when this returns. Raise `OSError` when the disk takes no more."""
        readings, alarms = _joined(lines.readings), _joined(lines.alarms)
        head = _Head(dict(cursor), (len(lines.readings), len(lines.alarms)), len(readings), tuple(lines.firsts))
        packed = gzip.compress(msgspec.json.encode(head) + b"\n" + readings + alarms, compresslevel=1)
        replace(self._file(self._next), packed)
        with self._lock:
            self._sizes[self._next] = len(packed)
            self._next += 1
        self._came.set()

    def oldest(self) -> tuple[int, Batch] | None:
        """Give the oldest batch and its number. One that is damaged is put aside.

        Raise `OSError` when the disk cannot be read at the moment.
        """
        while self._sizes:
            number = min(self._sizes)
            if (found := self._tried(number)) is not None:
                return number, found
        return None

    def wait(self, seconds: float) -> None:
        """Wait until something is put in, for a time at most."""
        self._came.wait(seconds)
        self._came.clear()

    def wake(self) -> None:
        """End a wait."""
        self._came.set()

    def sent(self, number: int, batch: Batch) -> None:
        """Forget a batch that InfluxDB has taken."""
        if len(self._sizes) == 1:  # no other tells how far reading has come
            replace(self._folder / _SENT, msgspec.json.encode(batch.cursor))
        self._file(number).unlink(missing_ok=True)
        with self._lock:
            self._sizes.pop(number, None)

    def refuse(self, number: int, batch: Batch, reason: str) -> None:
        """Put a batch aside that InfluxDB will never take whole, with the reason."""
        if len(self._sizes) == 1:
            replace(self._folder / _SENT, msgspec.json.encode(batch.cursor))
        self._move(number, reason)

    def _move(self, number: int, reason: str) -> None:
        aside = self._folder / _REFUSED
        aside.mkdir(exist_ok=True)
        kept = sorted(aside.glob("*.gz"))
        for old in kept[: max(0, len(kept) + 1 - MOST_REFUSED)]:
            old.unlink(missing_ok=True)
            old.with_suffix(".txt").unlink(missing_ok=True)
        file = self._file(number)
        if file.exists():
            file.replace(aside / file.name)
            (aside / file.with_suffix(".txt").name).write_text(reason + "\n", encoding="utf-8")
        with self._lock:
            self._sizes.pop(number, None)

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:012d}.gz"

    def _tried(self, number: int) -> Batch | None:
        try:
            return self._read(number)
        except (FileNotFoundError, SpoolError) as error:
            logger.error("batch %d of the spool is lost: %s", number, error)
            self._move(number, str(error))
            self.damaged += 1
            return None

    def _read(self, number: int) -> Batch:
        try:
            packed = gzip.decompress(self._file(number).read_bytes())
            first, _, rest = packed.partition(b"\n")
            head = msgspec.json.decode(first, type=_Head)
        except (EOFError, zlib.error, gzip.BadGzipFile, msgspec.MsgspecError) as error:
            raise SpoolError(f"{self._file(number)} is damaged: {error}") from error
        return Batch(head.cursor, rest[: head.bytes], rest[head.bytes :], head.counts, head.firsts)


def begun(folder: Path) -> float:
    """Say since when all was put into a spool (unix seconds); 0 where it was not used, and others write."""
    try:
        return msgspec.json.decode((folder / _BEGUN).read_bytes(), type=float)
    except (FileNotFoundError, msgspec.MsgspecError):
        return 0.0


def _joined(lines: Sequence[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode() if lines else b""

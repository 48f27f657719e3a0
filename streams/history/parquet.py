"""The history in the data folder: Parquet files by day, of readings, minutes and hours, each sorted by point and time.

history/<tier>/<day>/<number>.parquet are what was kept in the course of a day, made from the log every few minutes;
once the day is over they become history/<tier>/<day>.parquet. How far in the log it has come is in history/kept.json,
written when those files are on the disk: what an end without warning or a loss of power leaves half done is done again
under the same names. A file that cannot be read all the same is put aside as <name>.damaged, and counted: of a day that
is over, once `look_through` comes by it.
"""

from __future__ import annotations

import datetime
import errno
import logging
import shutil
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from streams.durable import flush, replace
from streams.history.columns import Scored
from streams.history.lines import nanoseconds, seconds
from streams.history.spans import Spans, joined, of_readings
from streams.history.tiers import DAY, Tier

logger = logging.getLogger(__name__)

READINGS = "readings"
ROWS = 65_536
"""Rows of a group: few enough that a point's readings are found without reading all others."""

AT_ONCE = 2_000_000
"""Rows that are sorted at once when a day's files become one."""

LEAST_FREE = 2_000_000_000
"""Bytes that are left free on the disk: the log and the journal are worth more than the history."""

FAN = 32
"""Files that become one at once."""

_HALFWAY = "halfway"
_KEPT = "kept.json"
_DAMAGED = ".damaged"
_STEM = len("20260101")
_READINGS = pa.schema(
    [
        ("point", pa.uint32()),
        ("time", pa.int64()),
        ("value", pa.float64()),
        ("score", pa.float32()),
        ("flags", pa.uint16()),
    ]
)
_SPANS = pa.schema(
    [
        ("point", pa.uint32()),
        ("time", pa.int64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("sum", pa.float64()),
        ("last", pa.float64()),
        ("count", pa.uint32()),
        ("score", pa.float32()),
    ]
)


class Kept(msgspec.Struct, frozen=True):
    """Say how far the history has come: offsets by `topic:partition`, the next file's number, and since and until when.

    All that arrived from `since` to `until` (unix seconds) is there; of what came before `since`, there may be some.
    """

    cursor: dict[str, int] = {}
    number: int = 1
    since: float = 0.0
    until: float = 0.0


class _Part(NamedTuple):
    file: Path
    begin: float  # of the times in it, unix seconds
    end: float


class Parquet:
    """Keep readings and their sums in a folder, and give them back. One process keeps, any may read."""

    def __init__(self, folder: Path, tiers: Sequence[Tier]) -> None:
        self.folder, self.tiers = folder, {one.name: one for one in tiers}
        self._parts: dict[tuple[Path, int], _Part] = {}
        self.damaged = 0
        """Files that were put aside."""
        self._sound: set[Path] = set()  # whole days that were read through

    def kept(self) -> Kept:
        """Say how far it has come."""
        try:
            return msgspec.json.decode((self.folder / _KEPT).read_bytes(), type=Kept)
        except (FileNotFoundError, msgspec.MsgspecError):
            return Kept()

    def keep(self, scored: Scored, cursor: dict[str, int], now: float, *, missed: bool = False) -> None:
        """Keep readings, in order of time for each point, and how far in the log they reach. Raise `OSError`.

        `missed`: some that came before them are not here, so that the log is asked for what is older.
        """
        kept = self.kept()
        if len(scored.point):
            order = np.lexsort((scored.time, scored.point))
            flags = scored.flags if len(scored.flags) else np.zeros(len(scored.point), np.uint16)
            mine = Scored(
                scored.point[order], scored.time[order], scored.value[order], scored.score[order], flags[order]
            )
            day = _day(now)
            for tier in self.tiers.values():
                for half in (self.folder / tier.name).glob(f"*/{kept.number:012d}.parquet"):
                    half.unlink()  # of a run that ended before it noted how far it had come, maybe yesterday
                table = _of_readings(mine) if tier.name == READINGS else _of_spans(of_readings(mine, tier.seconds))
                _write(self.folder / tier.name / day / f"{kept.number:012d}.parquet", [table])
        fresh = Kept(dict(cursor), kept.number + 1, now if missed else kept.since or now, now)
        self.folder.mkdir(parents=True, exist_ok=True)  # where there was nothing to keep yet
        replace(self.folder / _KEPT, msgspec.json.encode(fresh))

    def go_on_from(self, cursor: dict[str, int], since: float) -> None:
        """Go on with a log from these offsets, where another history ended that was whole since a time (unix s)."""
        self.folder.mkdir(parents=True, exist_ok=True)
        replace(self.folder / _KEPT, msgspec.json.encode(Kept(cursor, self.kept().number, since, since)))

    def put(self, tier: str, day: float, parts: Iterator[Scored | Spans], *, over: bool) -> None:
        """Keep a day of a tier that was kept elsewhere; points rise part by part. `day` is its beginning (unix s).

        That of a day that is not `over` is one file of several, as if it had been kept first.
        """
        tables = (_of_readings(part) if isinstance(part, Scored) else _of_spans(part) for part in parts)
        _write(self.folder / tier / (f"{_day(day)}.parquet" if over else f"{_day(day)}/{0:012d}.parquet"), tables)

    def tidy(self, now: float, most: float) -> None:
        """Join the files of days that are over, and let go of what is too old, or more than `most` bytes."""
        today = _day(now)
        for tier in self.tiers.values():
            for found in (self.folder / tier.name).glob("*"):
                if now - _begin(found.stem[:_STEM]) - DAY > tier.kept:
                    shutil.rmtree(found) if found.is_dir() else found.unlink()
        self._bound(most)  # before that is written which needs room
        for tier in self.tiers.values():
            for day in sorted((self.folder / tier.name).glob("*/")):
                if day.name < today:
                    self._join(tier, day)

    def look_through(self) -> None:
        """Put aside the days' files that cannot be read: all are looked at, and one more is read to its end."""
        days = [
            (tier, file) for tier in self.tiers.values() for file in sorted((self.folder / tier.name).glob("*.parquet"))
        ]
        for tier, file in days:
            part = self._part(file)
            if part.end < part.begin and file.exists():
                self._is_good(tier, file)
        there = {file for _, file in days}
        self._sound &= there
        if self._sound >= there:
            self._sound.clear()  # once more: disks forget, too
        for tier, file in days:
            if file not in self._sound and file.exists():
                self._sound.add(file)
                self._is_good(tier, file)
                return

    def put_aside(self) -> list[Path]:
        """List the files that were put aside and are still there."""
        return sorted(self.folder.glob(f"*/*{_DAMAGED}"))

    def require_room(self, more: int = 0) -> None:
        """Raise `OSError` where the disk has not so many bytes more than `LEAST_FREE`: others need it, too."""
        free = shutil.disk_usage(self.folder if self.folder.exists() else self.folder.parent).free
        if free < LEAST_FREE + more:
            raise OSError(
                errno.ENOSPC, f"{free / 1e9:.1f} GB are free, of which {LEAST_FREE / 1e9:g} are left to others"
            )

    def oldest(self, tier: str) -> float:
        """Say since when (unix seconds) a tier is there; inf where there is none of it."""
        for file in self._files(tier):
            part = self._part(file)
            if part.end >= part.begin:
                return max(part.begin, _begin(_day_of(file)))  # what came late is older than its day
        return np.inf

    @property
    def bytes(self) -> int:
        """How large it is, with what is being written and what was put aside."""
        files = (file for tier in self.tiers for file in (self.folder / tier).rglob("*") if file.is_file())
        return sum(file.stat().st_size for file in files)

    def readings(self, points: Collection[int], begin: float, end: float) -> Iterator[Scored]:
        """Yield readings of points (registry indices) from `begin` to `end`, the newest file first."""
        for part in self._of(READINGS, begin, end):
            columns = _columns(part.file, points, begin, end)
            if columns is not None:
                point, time, value, score, flags = columns
                yield Scored(point, seconds(time), value, score, flags)

    def spans(self, tier: str, points: Collection[int], begin: float, end: float) -> Spans | None:
        """Give the spans of a tier of points; None where there are none."""
        parts = [_columns(part.file, points, begin, end) for part in self._of(tier, begin, end)]
        found = [Spans(*columns) for columns in reversed(parts) if columns is not None]
        return joined(found) if found else None

    def _of(self, tier: str, begin: float, end: float) -> list[_Part]:
        """List the files of a tier that have some of a time, the newest first."""
        parts = [self._part(file) for file in self._files(tier)]
        parts.sort(key=lambda part: part.end)
        return [part for part in reversed(parts) if part.end >= begin and part.begin <= end]

    def _files(self, tier: str) -> list[Path]:
        """List the files of a tier, the oldest first."""
        folder = self.folder / tier
        whole = {file.stem: file for file in folder.glob("*.parquet")}
        files = list(whole.values())
        for day in folder.glob("*/"):
            if day.name not in whole:
                files += day.glob("*.parquet")
        return sorted(files, key=lambda file: (_day_of(file), file.name))

    def _part(self, file: Path) -> _Part:
        try:
            key = file, file.stat().st_size
            if key not in self._parts:
                self._parts[key] = _described(file)
            return self._parts[key]
        except FileNotFoundError:  # joined with others, or let go of, this moment
            return _Part(file, 0.0, -1.0)

    def _join(self, tier: Tier, day: Path) -> None:
        """Make one file of a day's, sorted as a whole, point by point so that no more is held than is sorted."""
        target = day.with_name(day.name + ".parquet")
        files = sorted(day.glob("*.parquet"))
        self.require_room(2 * sum(file.stat().st_size for file in files))
        if not target.exists() and (good := [file for file in files if self._is_good(tier, file)]):
            halfway, level = day / _HALFWAY, 0
            shutil.rmtree(halfway, ignore_errors=True)  # of a run that ended meanwhile
            while len(good) > FAN:  # each pass reads something of each file: of few, even of the largest day
                some = [good[at : at + FAN] for at in range(0, len(good), FAN)]
                level += 1
                good = [halfway / f"{level}-{place:06d}.parquet" for place in range(len(some))]
                for file, parts in zip(good, some, strict=True):
                    _write(file, self._joined(tier, parts))
            _write(target, self._joined(tier, good))
        shutil.rmtree(day)

    def _is_good(self, tier: Tier, file: Path) -> bool:
        """Tell whether a file can be read; one that cannot is put aside."""
        try:
            for group in pq.ParquetFile(file).iter_batches(ROWS, use_threads=False):
                del group
        except FileNotFoundError:
            raise
        except (pa.ArrowException, OSError) as error:
            day = _day_of(file)
            aside = self.folder / tier.name / f"{day if day == file.stem else f'{day}-{file.stem}'}{_DAMAGED}"
            logger.error("%s cannot be read, and is put aside as %s: %s", file, aside.name, error)
            file.replace(aside)
            self.damaged += 1
            return False
        return True

    def _joined(self, tier: Tier, files: Sequence[Path]) -> Iterator[pa.Table]:
        counts: dict[int, int] = {}
        for file in files:
            points, number = np.unique(pq.read_table(file, columns=["point"])["point"].to_numpy(), return_counts=True)
            for point, count in zip(points.tolist(), number.tolist(), strict=True):
                counts[point] = counts.get(point, 0) + count
        some, rows = list[int](), 0
        for point in sorted(counts):
            if some and rows + counts[point] > AT_ONCE:
                yield self._table(tier, files, some)
                some, rows = [], 0
            some.append(point)
            rows += counts[point]
        if some:
            yield self._table(tier, files, some)

    def _table(self, tier: Tier, files: Sequence[Path], points: Sequence[int]) -> pa.Table:
        span = [("point", ">=", points[0]), ("point", "<=", points[-1])]
        tables = [pq.read_table(file, filters=span) for file in files]
        if tier.name == READINGS:
            return pa.concat_tables(tables).sort_by([("point", "ascending"), ("time", "ascending")])
        return _of_spans(joined([Spans(*_arrays(table)) for table in tables]))

    def _bound(self, most: float) -> None:
        """Let go of the oldest readings until it is small enough, today's at last; what is coarser is small, and stays.

        It is kept for as long as its days say, and for hours that may be for good.
        """
        total = self.bytes
        for file in self._files(READINGS):
            if total <= most:
                return
            logger.warning("the history is larger than it may be: readings of %s go", _day_of(file))
            total -= file.stat().st_size
            file.unlink()


def _of_readings(scored: Scored) -> pa.Table:
    columns = [scored.point, nanoseconds(scored.time), scored.value, scored.score, scored.flags]
    return pa.table([pa.array(column) for column in columns], schema=_READINGS)


def _of_spans(spans: Spans) -> pa.Table:
    return pa.table([pa.array(column) for column in spans], schema=_SPANS)


def _arrays(table: pa.Table) -> list[Any]:
    return [column.to_numpy() for column in table.columns]


def _columns(file: Path, points: Collection[int], begin: float, end: float) -> list[Any] | None:
    """Read the rows of points and a time; None where there are none, or the file has just gone."""
    first, last = nanoseconds(np.array([begin, end])).tolist()
    wanted = [("point", "in", sorted(points)), ("time", ">=", first), ("time", "<=", last)]
    try:
        table = pq.read_table(file, filters=wanted, use_threads=False)
    except FileNotFoundError:
        return None
    except (pa.ArrowException, OSError) as error:  # whoever keeps the history puts it aside
        logger.warning("%s cannot be read: %s", file, error)
        return None
    return _arrays(table) if len(table) else None


def _described(file: Path) -> _Part:
    """Say from when to when a file is; one that cannot be read has nothing."""
    try:
        told = pq.read_metadata(file).metadata or {}
        return _Part(file, float(told[b"begin"]), float(told[b"end"]))
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        logger.warning("%s cannot be read: %s", file, error)
        return _Part(file, 0.0, -1.0)


def _write(file: Path, tables: Iterator[pa.Table] | Sequence[pa.Table]) -> None:
    """Write tables as one file, there whole or not at all and on the disk; what times it holds is in its metadata."""
    missing = [folder for folder in file.parents if not folder.exists()]
    file.parent.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        flush(folder.parent)
    fresh = file.with_suffix(".new")
    writer, begin, end = None, np.inf, -np.inf
    try:
        for table in tables:
            writer = writer or pq.ParquetWriter(
                fresh,
                table.schema,
                compression="zstd",
                use_dictionary=["point"],
                column_encoding={name: _encoding(name) for name in table.schema.names if name != "point"},
            )
            if len(table):
                time = table["time"].to_numpy()
                begin, end = min(begin, float(time.min()) / 1e9), max(end, float(time.max()) / 1e9)
            writer.write_table(table, row_group_size=ROWS)
        if writer is not None:
            writer.add_key_value_metadata({"begin": repr(begin), "end": repr(end)})
    finally:
        if writer is not None:
            writer.close()
    if writer is not None:
        flush(fresh)
        fresh.replace(file)
        flush(file.parent)


def _encoding(name: str) -> str:
    if name in ("time", "count", "flags"):
        return "DELTA_BINARY_PACKED" if name == "time" else "PLAIN"
    return "BYTE_STREAM_SPLIT"


def _day(now: float) -> str:
    return datetime.datetime.fromtimestamp(now, datetime.UTC).strftime("%Y%m%d")


def _day_of(file: Path) -> str:
    """Name the day whose file it is, or in whose folder it lies."""
    return file.stem if len(file.stem) == _STEM else file.parent.name


def _begin(day: str) -> float:
    try:
        return datetime.datetime.strptime(day, "%Y%m%d").replace(tzinfo=datetime.UTC).timestamp()
    except ValueError:
        return float("inf")

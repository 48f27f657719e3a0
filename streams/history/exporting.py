"""What is kept of readings as a file for others: Parquet, CSV or Arrow, whichever history it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from sensors.lookup import Registry
from sensors.site import Point, Site
from streams.embedded.reader import LogReader
from streams.embedded.schema import LogError
from streams.history.columns import Scored
from streams.history.lines import Naming, nanoseconds
from streams.history.newest import newest
from streams.history.store import LAG, Store, open_store
from streams.history.tiers import DAY
from streams.settings import Settings

Format = Literal["parquet", "csv", "arrow"]
SUFFIXES: dict[str, Format] = {".parquet": "parquet", ".csv": "csv", ".arrow": "arrow", ".feather": "arrow"}

_TIME = pa.timestamp("ns", tz="UTC")
_POINT = pa.dictionary(pa.int32(), pa.string())
READINGS = pa.schema(
    [
        ("time", _TIME),
        ("point", _POINT),
        ("value", pa.float64()),
        ("score", pa.float32()),
        ("flags", pa.uint16()),
    ]
)
SPANS = pa.schema(
    [
        ("time", _TIME),
        ("point", _POINT),
        ("min", pa.float64()),
        ("max", pa.float64()),
        ("mean", pa.float64()),
        ("last", pa.float64()),
        ("count", pa.uint32()),
        ("score", pa.float32()),
    ]
)


class Asked(NamedTuple):
    """Say what is wanted: points of a site, a tier's name, from when until before when (unix seconds)."""

    points: Sequence[Point]
    tier: str
    begin: float
    end: float


def tables(found: Settings, site: Site, asked: Asked) -> Iterator[pa.Table]:
    """Yield what is kept, day after day, each sorted by point and time; what is not kept yet comes from the log.

    Raise `streams.history.influx.InfluxError` where that cannot be asked.
    """
    store = open_store(found, Naming(site))
    names = pa.array([point.id for point in asked.points], pa.string())
    places = {point.index: at for at, point in enumerate(asked.points)}
    try:
        for begin, end in _days(asked.begin, asked.end):
            if asked.tier == "readings":
                yield _readings(_pieces(store, found, site, asked.points, begin, end), places, names, begin, end)
            elif store is not None:
                yield _spans(store, asked.tier, places, names, begin, end)
    finally:
        if store is not None:
            store.close()


def write(rows: Iterable[pa.Table], schema: pa.Schema, file: Path, form: Format) -> int:
    """Write tables to a file, there whole or not at all; return how many rows. Raise `OSError`."""
    fresh, count = file.with_name(file.name + ".new"), 0
    try:
        with _writer(fresh, schema, form) as writer:
            for table in rows:
                writer.write_table(table)
                count += len(table)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
    return count


@contextmanager
def _writer(file: Path, schema: pa.Schema, form: Format) -> Iterator[Any]:
    if form == "parquet":
        with pa.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            yield writer
    elif form == "arrow":
        with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            yield writer
    else:
        with pa.csv.CSVWriter(str(file), _plain(schema)) as writer:
            yield _Plain(writer)


class _Plain:
    """Write tables as CSV: points by their names, times as RFC 3339."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def write_table(self, table: pa.Table) -> None:
        """Write one."""
        self._writer.write_table(table.cast(_plain(table.schema)))


def _plain(schema: pa.Schema) -> pa.Schema:
    return pa.schema([(one.name, pa.string() if one.type == _POINT else one.type) for one in schema])


def _days(begin: float, end: float) -> Iterator[tuple[float, float]]:
    at = begin
    while at < end:
        stop = min(end, (at // DAY + 1) * DAY)
        yield at, stop
        at = stop


def _pieces(
    store: Store | None, found: Settings, site: Site, points: Sequence[Point], begin: float, end: float
) -> Iterator[Scored]:
    since, until = (0.0, 0.0) if store is None else store.span()
    until -= LAG
    if end > until or begin < since:
        yield from _logged(found, site, points, begin, end)
    if store is not None:
        yield from store.readings([point.index for point in points], begin, end)


def _logged(found: Settings, site: Site, points: Sequence[Point], begin: float, end: float) -> Iterator[Scored]:
    if found.kafka is not None:
        return  # it is only read forwards
    registry = Registry(site)
    wanted = np.array([point.index for point in points], np.uint32)
    try:
        with LogReader(found.log_file) as log:
            for partition in sorted({registry.partition(point.areas[0]) for point in points}):
                for point, at, value, score, flags in newest(log, partition, begin, end):
                    mine = np.isin(point, wanted)
                    if mine.any():
                        yield Scored(point[mine], at[mine], value[mine], score[mine], flags[mine])
    except LogError:
        return


def _readings(parts: Iterator[Scored], places: dict[int, int], names: pa.Array, begin: float, end: float) -> pa.Table:
    """Make one table of pieces, of which those with a score go before the same without."""
    held = [part for part in parts if len(part.point)]
    if not held:
        return READINGS.empty_table()
    point, at, value, score, flags = (
        np.concatenate([getattr(part, name) for part in held]) for name in ("point", "time", "value", "score", "flags")
    )
    here = np.flatnonzero((at >= begin) & (at < end) & np.isin(point, list(places)))
    place = np.array([places[index] for index in point[here].tolist()], np.int32)
    stamps = nanoseconds(at[here])
    order = np.lexsort((np.isnan(score[here]), stamps, place))
    place, stamps, here = place[order], stamps[order], here[order]
    first = np.ones(len(here), np.bool_)
    first[1:] = (np.diff(place) != 0) | (np.diff(stamps) != 0)
    here = here[first]
    columns = [value[here], score[here], flags[here]]
    return _table(READINGS, stamps[first], place[first], names, [_unknown(column) for column in columns])


def _spans(store: Store, tier: str, places: dict[int, int], names: pa.Array, begin: float, end: float) -> pa.Table:
    spans = store.spans(tier, sorted(places), begin, end)
    if spans is None:
        return SPANS.empty_table()
    first, last = nanoseconds(np.array([begin, end])).tolist()
    here = (spans.begin >= first) & (spans.begin < last)
    place = np.array([places[index] for index in spans.point[here].tolist()], np.int32)
    mean = spans.sum[here] / spans.counted[here]
    columns = [spans.low[here], spans.high[here], mean, spans.last[here], spans.counted[here], spans.score[here]]
    return _table(SPANS, spans.begin[here], place, names, [_unknown(column) for column in columns])


def _table(schema: pa.Schema, stamps: Any, place: Any, names: pa.Array, columns: list[pa.Array]) -> pa.Table:
    point = pa.DictionaryArray.from_arrays(pa.array(place, pa.int32()), names)
    return pa.Table.from_arrays([pa.array(stamps).cast(_TIME), point, *columns], schema=schema)


def _unknown(column: Any) -> pa.Array:
    """Make what is not known null."""
    return pa.array(column, mask=np.isnan(column) if column.dtype.kind == "f" else None)

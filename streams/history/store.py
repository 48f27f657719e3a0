"""One way to ask for the history, wherever it is: InfluxDB, or Parquet in the data folder."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa

from alerts.console.traces import Series
from streams.history.columns import Scored
from streams.history.influx import Influx, InfluxError
from streams.history.influx_setup import FUNCTIONS, buckets
from streams.history.lines import READINGS, Naming, nanoseconds, seconds
from streams.history.parquet import Parquet
from streams.history.spans import Spans, joined
from streams.history.spool import begun
from streams.history.tiers import DAY, Tier, fitting, tiers
from streams.settings import Settings

LAG = 600.0
"""Seconds behind the newest of the history, in which what came late may still be missing: there the log is asked."""

NAMED = 100
"""Points that one question to InfluxDB names at most: 200 are nested too deep for it, and what it takes goes by their
square (measured with 1000 in halves: 9.6 s; with 100 0.2 s)."""

TROUBLE = (InfluxError, OSError, pa.ArrowException)
"""What is raised where a history cannot be asked."""


class Store(Protocol):
    """A history of readings."""

    @property
    def at_once(self) -> int:
        """How many readings are asked for at once by who reads all: of the data folder 200 bytes each (measured)."""
        ...

    def span(self) -> tuple[float, float]:
        """Say since and until when (unix seconds) all is there that arrived. Raise `TROUBLE`, as all of these do."""
        ...

    def since(self, tier: Tier, now: float) -> float:
        """Say since when (unix seconds) a tier is there: what came before was let go of."""
        ...

    def oldest(self, tier: str) -> float:
        """Say since when (unix s) there is something of a tier; inf where there is nothing."""
        ...

    def readings(self, points: Sequence[int], begin: float, end: float) -> Iterator[Scored]:
        """Yield readings of points (registry indices) between two times, in pieces, the newest first."""
        ...

    def spans(self, tier: str, points: Sequence[int], begin: float, end: float) -> Spans | None:
        """Give the minutes or hours of points that begin between two times; None where there are none."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Embedded:
    """The history in the data folder."""

    at_once = 1_000_000

    def __init__(self, parquet: Parquet) -> None:
        self._parquet = parquet

    def span(self) -> tuple[float, float]:
        """Say since and until when all is there."""
        kept = self._parquet.kept()
        return kept.since, kept.until

    def since(self, tier: Tier, now: float) -> float:
        """Say since when a tier is there: by its age, and by its oldest file."""
        return max(now - tier.kept, self._parquet.oldest(tier.name))

    def readings(self, points: Sequence[int], begin: float, end: float) -> Iterator[Scored]:
        """Yield readings, the newest file first."""
        return self._parquet.readings(points, begin, end)

    def spans(self, tier: str, points: Sequence[int], begin: float, end: float) -> Spans | None:
        """Give minutes or hours."""
        return self._parquet.spans(tier, points, begin, end)

    def oldest(self, tier: str) -> float:
        """Say since when (unix s) there is something of a tier; inf where there is nothing."""
        return self._parquet.oldest(tier)

    def put(self, tier: str, day: float, parts: Iterator[Scored | Spans], *, over: bool) -> None:
        """Keep a day (from `day` on, unix s) that was kept elsewhere; points rise from part to part."""
        self._parquet.put(tier, day, parts, over=over)

    def close(self) -> None:
        """Nothing is held open."""


class Elsewhere:
    """The history in InfluxDB."""

    at_once = 200_000

    def __init__(self, influx: Influx, naming: Naming, since: float = 0.0) -> None:
        """`since` is when it was first written to, before which there is the log."""
        self._influx, self._ids, self._since = influx, naming.ids, since
        self._index = {id: index for index, id in enumerate(naming.ids) if id}
        self._buckets = buckets(influx.bucket)

    def span(self) -> tuple[float, float]:
        """Say since and until when all is there: what waits on its way is in the log as well."""
        return self._since, time.time()

    def since(self, tier: Tier, now: float) -> float:
        """Say since when a tier is there: by its age alone."""
        return now - tier.kept

    def readings(self, points: Sequence[int], begin: float, end: float) -> Iterator[Scored]:
        """Yield readings, the newest day first."""
        at = end
        while at > begin:
            low = max(begin, at - DAY)
            found = self._rows(self._buckets["readings"], points, low, at, include=low == begin)
            columns = {name: _aligned(found, name) for name in ("value", "score", "flags")}
            point, stamps = _keys(found)
            if len(point):
                yield Scored(
                    point,
                    seconds(stamps),
                    columns["value"],
                    columns["score"].astype(np.float32),
                    np.nan_to_num(columns["flags"]).astype(np.uint16),
                )
            at = low

    def spans(self, tier: str, points: Sequence[int], begin: float, end: float) -> Spans | None:
        """Give minutes or hours."""
        found = self._rows(self._buckets[tier], points, begin, end, include=True)
        point, stamps = _keys(found)
        if not len(point):
            return None
        low, high, mean, last, count = (_aligned(found, name) for name in FUNCTIONS)
        score = _aligned(found, "score").astype(np.float32)
        there = np.isfinite(count)
        columns = (point, stamps, low, high, mean * count, last, count, score)
        found_spans = [column[there] for column in columns]
        found_spans[6] = found_spans[6].astype(np.uint32)
        return joined([Spans(*found_spans)])

    def oldest(self, tier: str) -> float:
        """Say since when (unix s) there is something of a tier; inf where there is nothing."""
        flux = (
            f'from(bucket: "{self._buckets[tier]}") |> range(start: time(v: 0))\n'
            f'  |> filter(fn: (r) => r._measurement == "{READINGS}") |> first()\n'
            "  |> map(fn: (r) => ({at: int(v: r._time)}))\n"
        )
        return min((int(row["at"]) / 1e9 for row in self._influx.query(flux)), default=np.inf)

    def put(self, tier: str, lines: Sequence[str]) -> None:
        """Write lines into a tier's bucket; those that are there already stay as they are."""
        self._influx.write(self._buckets[tier], "\n".join(lines).encode())

    def close(self) -> None:
        """Disconnect."""
        self._influx.close()

    def _rows(
        self, bucket: str, points: Sequence[int], begin: float, end: float, *, include: bool
    ) -> dict[tuple[int, int], dict[str, float]]:
        """Ask for the fields of points, by point and time."""
        named = [self._ids[index] for index in points if index < len(self._ids) and self._ids[index]]
        first, last = nanoseconds(np.array([begin, end])).tolist()
        found: dict[tuple[int, int], dict[str, float]] = {}
        for place in range(0, len(named), NAMED):
            those = " or ".join(f"r.point == {_quoted(id)}" for id in named[place : place + NAMED])
            flux = (
                f'from(bucket: "{bucket}") |> range(start: time(v: {first + (not include)}), stop: time(v: {last + 1}))'
                f'\n  |> filter(fn: (r) => r._measurement == "{READINGS}" and ({those}))\n  |> map(fn: (r) => '
                "({point: r.point, at: int(v: r._time), field: r._field, value: float(v: r._value)}))\n"
            )
            for row in self._influx.query(flux):
                key = self._index[row["point"]], int(row["at"])
                found.setdefault(key, {})[row["field"]] = float(row["value"])
        return found


def _keys(found: Mapping[tuple[int, int], object]) -> tuple[np.ndarray, np.ndarray]:
    keys = np.array(list(found), np.int64).reshape(-1, 2)
    return keys[:, 0].astype(np.uint32), keys[:, 1]


def _aligned(found: Mapping[tuple[int, int], Mapping[str, float]], name: str) -> np.ndarray:
    return np.array([fields.get(name, np.nan) for fields in found.values()], np.float64)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return f'"{escaped}"'


def series(
    store: Store,
    listed: tuple[Tier, ...],
    points: Sequence[int],
    begin: float,
    end: float,
    now: float,
    interval: float,
) -> dict[int, Series]:
    """Give points' readings between two times as series, by registry index: as fine as fits a chart."""
    tier = fitting(listed, lambda one: store.since(one, now), begin, end, interval)
    if not tier.seconds:
        return _of_readings(list(store.readings(points, begin, end)), points)
    found = store.spans(tier.name, points, begin, end)
    given, last = {}, nanoseconds(np.array([end]))[0]  # a span that begins there is of what comes after
    for index in points:
        mine = (found.point == index) & (found.begin < last) if found is not None else None
        if found is None or mine is None or not mine.any():
            given[index] = _nothing()
            continue
        ends = np.minimum(seconds(found.begin[mine]) + tier.seconds, end)
        given[index] = Series(ends, found.last[mine], found.score[mine], found.low[mine], found.high[mine])
    return given


def _of_readings(parts: Sequence[Scored], points: Sequence[int]) -> dict[int, Series]:
    if not parts:
        return {index: _nothing() for index in points}
    point = np.concatenate([part.point for part in parts])
    moment, value = (np.concatenate([getattr(part, name) for part in parts]) for name in ("time", "value"))
    score = np.concatenate([part.score for part in parts])
    given = {}
    for index in points:
        mine = np.flatnonzero(point == index)
        _, first = np.unique(moment[mine], return_index=True)
        at = mine[first]
        given[index] = Series(moment[at], value[at], score[at], None, None)
    return given


def _nothing() -> Series:
    return Series(np.empty(0), np.empty(0), np.empty(0, np.float32), None, None)


def open_store(found: Settings, naming: Naming) -> Store | None:
    """Open the history that the settings name; None where none is kept."""
    if found.influx_url:
        return Elsewhere(Influx(found), naming, begun(found.data_folder / "history" / "spool"))
    if not found.keeps_history:
        return None
    return Embedded(Parquet(found.data_folder / "history", tiers(found)))

"""Carrying the history over: readings, minutes and hours of days that are over, by day, compared as they are written.

Nobody waits for it: it comes after the hand-over, and the new run keeps what is new meanwhile.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np

from sensors.site import Site
from streams.durable import replace
from streams.history.columns import Scored
from streams.history.influx import Influx, InfluxError
from streams.history.influx_setup import buckets
from streams.history.lines import READINGS, Naming, nanoseconds
from streams.history.parquet import Parquet
from streams.history.spans import Spans
from streams.history.spool import Spool, begun
from streams.history.store import Elsewhere, Embedded, Store
from streams.history.tiers import DAY, Tier, tiers
from streams.migration.copying import Place
from streams.migration.report import MigrationError, Sums
from streams.migration.state import Kept, State
from streams.settings import Settings
from streams.topics import SCORES

POINTS = {"readings": 50, "minutes": 500, "hours": 5000}
"""Points of which a day is held at a time."""

LINES = 5000
Told = Callable[[str, int, int | None], None]
Rows = tuple[np.ndarray, ...]
"""Point, time (ns), and what is known then, in order of point and time."""


def apart(source: Settings, target: Settings) -> list[str]:
    """Name the tiers that are to be copied: none where either keeps no history, or both keep the same."""
    if not (source.keeps_history and target.keeps_history) or _where(source) == _where(target):
        return []
    return [one.name for one in tiers(target)]


def left(source: Settings, target: Settings) -> bool:
    """Tell whether a history stays behind: the target keeps none."""
    return source.keeps_history and not target.keeps_history


def _where(found: Settings) -> tuple[str, ...]:
    return (found.influx_url, found.influx_org, found.influx_bucket) if found.influx_url else (_folder(found),)


def _folder(found: Settings) -> str:
    return str(found.data_folder / "history")


def _spool(found: Settings) -> Path:
    return found.data_folder / "history" / "spool"


def prepare(source: Settings, target: Settings, partitions: int, offset: Callable[[Place, int], int]) -> None:
    """Have the target go on where the source's history ends; `offset` says where a place of the log is now."""
    if not (source.keeps_history and target.keeps_history):
        return
    mine = Parquet(Path(_folder(source)), tiers(source)).kept()
    cursor = mine.cursor if not source.influx_url else Spool(_spool(source), 1).cursor()
    since = mine.since if not source.influx_url else begun(_spool(source))
    moved = {
        f"{SCORES}:{number}": offset(Place(SCORES, number), cursor[f"{SCORES}:{number}"])
        for number in range(partitions)
        if f"{SCORES}:{number}" in cursor
    }
    if target.influx_url:  # what it writes again of the log is the same there
        _spool(target).mkdir(parents=True, exist_ok=True)
        replace(_spool(target) / "begun.json", msgspec.json.encode(since or time.time()))
        return
    Parquet(Path(_folder(target)), tiers(target)).go_on_from(moved, since)


def fill(source: Settings, target: Settings, site: Site, state: State, kept: Kept, told: Told) -> list[Sums]:
    """Copy what is kept up to the stop, day by day from the oldest. Raise `MigrationError` where a day differs."""
    wanted, naming = apart(source, target), Naming(site)
    found = []
    points = sorted(point.index for point in site.points)
    try:
        if source.influx_url:
            _send(source)
        if not wanted:
            return []
        with closing(_opened(source, naming)) as mine, closing(_opened(target, naming)) as other:
            for tier in (one for one in tiers(target) if one.name in wanted):
                found.append(_tier(tier, mine, other, points, naming, state, kept, told))
    except InfluxError as error:
        raise MigrationError(
            f"InfluxDB {error}: all else is moved; call again for the history",
            f"InfluxDB {error}：其余均已迁移；历史数据请再次执行",
        ) from error
    return found


def _send(found: Settings) -> None:
    """Send what still waits for InfluxDB: the run that would have is stopped."""
    spool, names = Spool(_spool(found), 1), buckets(found.influx_bucket)
    with closing(Influx(found)) as influx:
        while (waiting := spool.oldest()) is not None:
            number, batch = waiting
            influx.write(names["readings"], batch.readings)
            influx.write(names["alarms"], batch.alarms)
            spool.sent(number, batch)


def _opened(found: Settings, naming: Naming) -> Store:
    if found.influx_url:
        return Elsewhere(Influx(found), naming)
    return Embedded(Parquet(Path(_folder(found)), tiers(found)))


def _tier(
    tier: Tier,
    mine: Store,
    other: Store,
    points: Sequence[int],
    naming: Naming,
    state: State,
    kept: Kept,
    told: Told,
) -> Sums:
    stop = state.stopped
    first = max(_oldest(mine, tier), stop - tier.kept)
    begin = math.floor(first / DAY) * DAY if math.isfinite(first) else stop
    days = [at for at in np.arange(begin, stop, DAY).tolist() if at + DAY > first]
    told(f"history.{tier.name}", 0, len(days))
    hashes, rows = (hashlib.sha256(), hashlib.sha256()), 0
    for at in days:
        end = min(at + DAY, stop)
        if at >= state.history.get(tier.name, 0):
            _write(other, tier, (at, end), naming, _parts(mine, tier, points, at, end))
            state.history[tier.name] = int(end)
            kept.write(state)
        for part in _groups(points, tier):
            one, two = _rows(mine, tier, part, at, end), _rows(other, tier, part, at, end)
            two = _those(two, one)
            rows += len(one[0])
            for digest, columns in zip(hashes, (one, two), strict=True):
                for column in columns[:-1]:  # of spans the last is a sum, which the other may keep as a mean
                    digest.update(np.ascontiguousarray(column).tobytes())
            if not _same(one, two):
                raise MigrationError(
                    f"history: {tier.name} of {time.strftime('%Y-%m-%d', time.gmtime(at))} differ",
                    f"历史数据：{time.strftime('%Y-%m-%d', time.gmtime(at))} 的 {tier.name} 两端不一致",
                )
        told(f"history.{tier.name}", 1, None)
    return Sums(tier.name, rows, hashes[0].hexdigest(), hashes[1].hexdigest())


def _oldest(store: Store, tier: Tier) -> float:
    if isinstance(store, Embedded):
        return store.oldest(tier.name)
    assert isinstance(store, Elsewhere)
    return store.oldest(tier.name)


def _groups(points: Sequence[int], tier: Tier) -> Iterator[Sequence[int]]:
    size = POINTS[tier.name]
    for at in range(0, len(points), size):
        yield points[at : at + size]


def _parts(store: Store, tier: Tier, points: Sequence[int], begin: float, end: float) -> Iterator[Rows]:
    for part in _groups(points, tier):
        rows = _rows(store, tier, part, begin, end)
        if len(rows[0]):
            yield rows


def _rows(store: Store, tier: Tier, points: Sequence[int], begin: float, end: float) -> Rows:
    """Read what is from `begin` to before `end`, in order of point and time; of spans the sum comes last."""
    if tier.name == READINGS:
        parts = list(store.readings(points, begin, end))
        if not parts:
            return tuple(np.empty(0, kind) for kind in ("u4", "i8", "f8", "u2", "f4"))
        columns = [
            np.concatenate([np.asarray(getattr(part, name)) for part in parts])
            for name in ("point", "time", "value", "flags", "score")
        ]
        columns[1] = nanoseconds(columns[1])
    else:
        spans = store.spans(tier.name, points, begin, end)
        if spans is None:
            return tuple(np.empty(0, kind) for kind in ("u4", "i8", "f8", "f8", "f8", "u4", "f4", "f8"))
        columns = [spans.point, spans.begin, spans.low, spans.high, spans.last, spans.counted, spans.score, spans.sum]
    here = columns[1] < nanoseconds(np.array([end]))[0]
    columns = [column[here] for column in columns]
    order = np.lexsort((columns[1], columns[0]))
    columns = [column[order] for column in columns]
    once = np.flatnonzero((np.diff(columns[0], prepend=-1.0) != 0) | (np.diff(columns[1], prepend=-1) != 0))
    return tuple(column[once] for column in columns)


def _those(rows: Rows, wanted: Rows) -> Rows:
    """Leave of rows those of the points and times that are wanted: the new run may have added others."""
    keys = {(point, stamp) for point, stamp in zip(wanted[0].tolist(), wanted[1].tolist(), strict=True)}
    if len(rows[0]) == len(keys):
        return rows
    there = np.array([one in keys for one in zip(rows[0].tolist(), rows[1].tolist(), strict=True)], bool)
    return tuple(column[there] for column in rows)


def _same(one: Rows, two: Rows) -> bool:
    if len(one[0]) != len(two[0]):
        return False
    exact = all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(one[:-1], two[:-1], strict=True))
    return exact and np.allclose(one[-1], two[-1], rtol=1e-12, atol=0.0, equal_nan=True)


def _write(store: Store, tier: Tier, span: tuple[float, float], naming: Naming, parts: Iterator[Rows]) -> None:
    begin, end = span
    if isinstance(store, Embedded):
        store.put(tier.name, begin, (_content(tier, rows) for rows in parts), over=end - begin >= DAY)
        return
    assert isinstance(store, Elsewhere)
    for rows in parts:
        content = _content(tier, rows)
        lines = naming.lines(content) if isinstance(content, Scored) else naming.span_lines(content)
        for at in range(0, len(lines), LINES):
            store.put(tier.name, lines[at : at + LINES])


def _content(tier: Tier, rows: Rows) -> Scored | Spans:
    if tier.name == READINGS:
        point, stamps, value, flags, score = rows
        return Scored(point, stamps // 10**9 + (stamps % 10**9) / 1e9, value, score, flags)
    point, stamps, low, high, last, count, score, total = rows
    return Spans(point, stamps, low, high, total, last, count, score)

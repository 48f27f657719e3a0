"""What a data folder has recorded, for notebooks: readings as a table, and what cameras saw and people reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sensors import frame, observation
from sensors.duration import seconds
from sensors.history import MOST, HistoryError, table
from sensors.lookup import Registry
from sensors.observation import FRAME, CameraEvent, Report
from sensors.site import Point, Site
from streams import bundle, publication
from streams.embedded.reader import LogReader
from streams.embedded.schema import LogError
from streams.history.readings import arrived_at
from streams.replay import entries
from streams.topics import OBSERVATIONS

if TYPE_CHECKING:
    import pandas as pd

Advance = Callable[[int, int], None]


def site_of(folder: Path | str) -> Site:
    """Return the site in force in a data folder, or that was last. Raise `HistoryError` when nothing has run there."""
    return _content(Path(folder))


def recorded(
    folder: Path | str,
    points: Sequence[str] = ("*",),
    *,
    since: str | float = "1 d",
    until: float | None = None,
    advance: Advance = lambda done, total: None,
) -> pd.DataFrame:
    """Read the recorded readings of points (ids, with * and ?) as a table, as they arrived; beside a running Foreshock.

    `since` is how long ago (`2 d`) or unix seconds, `until` unix seconds: by the time of arrival. `advance` is told
    records read, and how many there are. Raise `HistoryError` where there is no log, no such point, or too much.
    """
    site = _content(Path(folder))
    chosen = _chosen(site, points)
    begin, end = _span(since, until)
    registry, ids = Registry(site), np.full(max(point.index for point in site.points) + 1, "", object)
    for point in chosen:
        ids[point.index] = point.id
    wanted = np.array([point.index for point in chosen], np.uint32)
    home = {point.index: registry.partition(point.areas[0]) for point in chosen}  # a copy goes to each further one
    parts, count = [], 0
    for partition, record in _records(folder, sorted(set(home.values())), begin, advance):
        if record[:1] != bytes((FRAME,)):
            continue
        try:
            one = frame.decode(record)
        except frame.FrameError:  # the engine has counted it
            continue
        if not begin <= one.header.received < end:
            continue
        mine = np.isin(one.point, wanted)
        mine[mine] = [home[index] == partition for index in one.point[mine].tolist()]
        if mine.any():
            received = np.full(int(mine.sum()), one.header.received)
            parts.append((one.point[mine], one.time[mine], one.value[mine], one.quality[mine], received))
            count += len(received)
        if count > MOST:
            raise HistoryError(f"more than {MOST:,} readings; take a shorter time or fewer points")
    if not parts:
        raise HistoryError(f"no reading of {', '.join(points)} was recorded in that time")
    index, moment, value, quality, received = (np.concatenate(column) for column in zip(*parts, strict=True))
    return table(ids[index], moment, value, quality, received)


def recorded_events(
    folder: Path | str, *, since: str | float = "1 d", until: float | None = None
) -> list[CameraEvent | Report]:
    """Read what cameras saw and people reported, as it arrived. Raise `HistoryError` where there is no log."""
    site = _content(Path(folder))
    begin, end = _span(since, until)
    found: list[CameraEvent | Report] = []
    for _, record in _records(folder, range(site.partitions), begin, lambda done, total: None):
        if record[:1] == bytes((FRAME,)) or observation.is_publication(record):
            continue
        try:
            one = observation.decode(record)
        except ValueError:  # the engine has counted it
            continue
        if isinstance(one, CameraEvent | Report) and begin <= one.received < end:
            found.append(one)
    return sorted(found, key=lambda one: one.received)


def _records(
    folder: Path | str, partitions: Sequence[int], begin: float, advance: Advance
) -> Iterator[tuple[int, bytes]]:
    try:
        with LogReader(Path(folder) / "log.sqlite") as log:
            known = [partition for partition in partitions if partition < log.topics().get(OBSERVATIONS, 0)]
            first = {partition: arrived_at(log, partition, begin) for partition in known}
            total = sum(log.end(OBSERVATIONS, partition) - first[partition] for partition in known)
            done = 0
            for partition in known:
                for batch in entries(log, OBSERVATIONS, partition, start=first[partition]):
                    for _, record in batch:
                        yield partition, record
                    done += len(batch)
                    advance(done, total)
    except LogError as error:
        raise HistoryError(str(error)) from None


def _content(folder: Path) -> Site:
    try:
        return bundle.unpack(publication.read(folder)).site
    except (OSError, ValueError):
        raise HistoryError(f"nothing has run in {folder} yet; start with `foreshock run --data {folder}`") from None


def _chosen(site: Site, names: Sequence[str]) -> list[Point]:
    found = [point for point in site.points if any(fnmatchcase(point.id, name) for name in names)]
    if not found:
        raise HistoryError(f"the site has no point {', '.join(names)}")
    return found


def _span(since: str | float, until: float | None) -> tuple[float, float]:
    try:
        begin = time.time() - seconds(since) if isinstance(since, str) else float(since)
    except ValueError as error:
        raise HistoryError(str(error)) from None
    return begin, float("inf") if until is None else until

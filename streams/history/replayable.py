"""The history as a log: readings in order of their own time, frames and a tick for each few seconds.

It has what a log of nothing but readings would have. Which record has which offset hangs on times alone, so any part
can be read by itself, and what nothing happened in takes no room.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from sensors import frame, observation
from sensors.flags import DUPLICATE, OUT_OF_ORDER
from sensors.lookup import Registry
from sensors.observation import Publication, Tick
from streams import bundle
from streams.embedded.schema import LogError
from streams.history.columns import Scored
from streams.history.influx import TooLargeError
from streams.history.lines import Naming
from streams.history.past import DAY, PER_STEP, GoneError, Past
from streams.history.store import TROUBLE, open_store
from streams.moments import Moment
from streams.readable import Entry
from streams.topics import OBSERVATIONS, OUTCOMES

FIRST = 60
"""Steps that are asked for at first; then as many as have about so many readings as the store gives at once."""

GROWTH = 8
"""Times as long may be what is asked for next."""

LONGEST = DAY
"""Seconds that are asked for at once at most."""

QUALITY = 0xFF
"""The bits of a reading's flags that it came with; the others say what was found of it."""


class _Held(NamedTuple):
    """Readings of a partition in the steps first ≤ s < stop, in order; `bounds` of each step."""

    partition: int
    first: int
    stop: int
    point: npt.NDArray[np.uint32]
    time: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint8]
    bounds: list[int]


class HistoryLog:
    """Read the readings of a past as a log's observations; for one thread. There are no outcomes in it.

    What came out of order, or for a time that its point had told of, is left out: the engine had put it aside, too.
    """

    def __init__(self, past: Past) -> None:
        """Open the history. Raise `LogError`."""
        content = bundle.unpack(past.packed)
        registry = Registry(content.site)
        store = open_store(past.settings, Naming(content.site))
        if store is None:
            raise GoneError("no history is kept: FORESHOCK_HISTORY_GIGABYTES is 0")
        self._past, self._store, self._version = past, store, registry.version
        self._partitions = content.site.partitions
        self._points: dict[int, list[int]] = {}
        for point in content.site.points:
            for partition in registry.partitions_of(point.id):
                self._points.setdefault(partition, []).append(point.index)
        self._publication = observation.encode(
            Publication(
                version=bundle.version_of(past.packed), bundle=past.packed, author="", reason="", time=float(past.begin)
            )
        )
        self._width = FIRST
        self._held: _Held | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the history."""
        self._store.close()

    def topics(self) -> dict[str, int]:
        """Name the topics and their number of partitions."""
        return dict.fromkeys((OBSERVATIONS, OUTCOMES), self._partitions)

    def start(self, topic: str, partition: int) -> int:
        """Return the offset of the publication, which comes first."""
        return 0

    def end(self, topic: str, partition: int) -> int:
        """Return the offset after the last tick."""
        return self._past.steps * PER_STEP + 1 if topic == OBSERVATIONS else 0

    def committed(self, group: str, topic: str, partition: int) -> int:
        """Return the end: all of it is past."""
        return self.end(topic, partition)

    def moments(self, partition: int) -> list[Moment]:
        """List the engine's kept states: none."""
        return []

    def read(self, topic: str, partition: int, start: int, stop: int | None = None, limit: int = 1000) -> list[Entry]:
        """Read records in order, asking the history for what is not at hand. Raise `LogError` where it cannot be."""
        end = self.end(topic, partition)
        stop = end if stop is None else min(stop, end)
        found: list[Entry] = [(0, None, self._publication)] if start <= 0 < stop else []
        step = (max(start, 1) - 1) // PER_STEP
        while step * PER_STEP + 1 < stop and len(found) < limit:
            held = self._held
            if held is None or held.partition != partition or not held.first <= step < held.stop:
                held = self._held = self._fetch(partition, step)
            while step < held.stop and len(found) < limit:
                found += [one for one in self._records(held, step) if start <= one[0] < stop]
                step += 1
        return found[:limit]

    def _records(self, held: _Held, step: int) -> Iterator[Entry]:
        """Yield the frames of a step, and its tick."""
        offset = step * PER_STEP + 1
        begin, end = held.bounds[step - held.first], held.bounds[step - held.first + 1]
        for low in range(begin, end, frame.MAX_READINGS):
            high = min(low + frame.MAX_READINGS, end)
            columns = [column[low:high] for column in held[3:7]]
            arrived = float(held.time[high - 1])
            yield offset, None, frame.encode(*columns, registry=self._version, received=arrived)  # type: ignore[arg-type]
            offset += 1
        over = self._past.begin + (step + 1) * self._past.step
        yield (step + 1) * PER_STEP, None, observation.encode(Tick(time=float(over)))

    def _fetch(self, partition: int, step: int) -> _Held:
        """Ask for the readings from a step on: of as many as had not too many readings the time before."""
        points, each = self._points.get(partition, []), self._past.step
        begin = float(self._past.begin + step * each)
        while True:
            width = min(self._width, self._past.steps - step)
            try:
                parts = list(self._store.readings(points, begin, begin + width * each)) if points else []
                break
            except TooLargeError as error:
                if width <= 1:
                    raise LogError(f"the history cannot be read: {error}") from error
                self._width = max(1, width // GROWTH)
            except TROUBLE as error:
                raise LogError(f"the history cannot be read: {error}") from error
        held = _in_order(parts, partition, step, begin + each * np.arange(width + 1.0))
        fitting = self._store.at_once * width // max(1, len(held.point))
        self._width = int(min(max(1, fitting), width * GROWTH, LONGEST // each))
        return held


def _in_order(parts: list[Scored], partition: int, first: int, edges: npt.NDArray[np.float64]) -> _Held:
    """Put readings of the steps from `first` on in order of time; `edges` (unix s) lie between steps, and around."""
    kept = []
    for one in parts:
        flags = one.flags if len(one.flags) else np.zeros(len(one.point), np.uint16)
        mine = (one.time >= edges[0]) & (one.time < edges[-1])
        mine &= (flags & (OUT_OF_ORDER | DUPLICATE)) == 0
        kept.append((one.point[mine], one.time[mine], one.value[mine], (flags[mine] & QUALITY).astype(np.uint8)))
    if not kept:
        kept = [(np.empty(0, np.uint32), np.empty(0), np.empty(0), np.empty(0, np.uint8))]
    point, time, value, quality = (np.concatenate(column) for column in zip(*kept, strict=True))
    order = np.lexsort((point, time))
    time = time[order]
    bounds = np.searchsorted(time, edges).tolist()
    crowd = max(np.diff(bounds), default=0)
    if crowd > (PER_STEP - 1) * frame.MAX_READINGS:
        raise LogError(f"the history has {crowd:,} readings in a few seconds, more than can be replayed")
    return _Held(partition, first, first + len(edges) - 1, point[order], time, value[order], quality[order], bounds)

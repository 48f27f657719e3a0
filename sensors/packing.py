"""Readings of a batch → frames, one or more for each partition that they belong to."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from sensors import frame
from sensors.dialects.dialect import Decoded
from sensors.lookup import Registry

TOPIC = "observations"

REPEATS = 1024
"""Readings of one point that a frame may hold. The engine takes them one after another, at 0.2 ms each
(scripts/bench_engine.py, 1 a batch): a frame of more would hold up ticks and all other points of its partition.
"""


class Packer:
    """Know each point's partitions; a point whose areas lie in several goes to each of them."""

    def __init__(self, registry: Registry, source: str = "", largest: int = 20_000) -> None:
        self._registry = registry.version
        self._source = source
        self._largest = min(largest, frame.MAX_READINGS)
        size = max(registry.by_index, default=-1) + 1
        self._home = np.zeros(size, np.intp)
        self._others: dict[int, tuple[int, ...]] = {}
        self._shared = np.zeros(size, bool)
        for index, point in registry.by_index.items():
            partitions = registry.partitions_of(point.id)
            self._home[index] = partitions[0]
            if len(partitions) > 1:
                self._shared[index] = True
                self._others[index] = partitions[1:]

    def pack(self, decoded: Decoded, received: float, source: str | None = None) -> list[tuple[str, int, bytes]]:
        """Make the frames of a batch as (topic, partition, record), each in arrival order; `source` if another's."""
        if not len(decoded):
            return []
        partition = self._home[decoded.point]
        shared = np.flatnonzero(self._shared[decoded.point])
        if not len(shared) and (partition == partition[0]).all():
            return self._frames(decoded, None, int(partition[0]), received, source)
        row = np.arange(len(decoded))
        if len(shared):
            more = [(place, other) for place in shared.tolist() for other in self._others[int(decoded.point[place])]]
            row = np.concatenate([row, np.array([place for place, _ in more], np.intp)])
            partition = np.concatenate([partition, np.array([other for _, other in more], np.intp)])
            order = np.lexsort((row, partition))
        else:
            order = np.argsort(partition, kind="stable")
        row, partition = row[order], partition[order]
        cuts = [0, *(np.flatnonzero(np.diff(partition)) + 1).tolist(), len(partition)]
        return [
            record
            for start, stop in pairwise(cuts)
            for record in self._frames(decoded, row[start:stop], int(partition[start]), received, source)
        ]

    def _frames(
        self,
        decoded: Decoded,
        rows: npt.NDArray[np.intp] | None,
        partition: int,
        received: float,
        source: str | None,
    ) -> list[tuple[str, int, bytes]]:
        point, time, value, quality = decoded.point, decoded.time, decoded.value, decoded.quality
        if rows is not None:
            point, time, value, quality = point[rows], time[rows], value[rows], quality[rows]
        index = point.astype(np.uint32)
        crowded = len(index) > REPEATS and int(np.bincount(point).max()) > REPEATS
        most = REPEATS if crowded else self._largest
        return [
            (
                TOPIC,
                partition,
                frame.encode(
                    index[start : start + most],
                    time[start : start + most],
                    value[start : start + most],
                    quality[start : start + most],
                    registry=self._registry,
                    received=received,
                    source=self._source if source is None else source,
                ),
            )
            for start in range(0, len(index), most)
        ]

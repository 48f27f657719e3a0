"""What the log tells of readings goes into the history in the data folder, some minutes' worth at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from streams.history import columns
from streams.history.columns import Scored
from streams.history.lines import Naming
from streams.history.parquet import Parquet
from streams.readable import Readable
from streams.topics import SCORES

MOST_READINGS = 300_000
"""Readings of one file."""

RECORDS = 50


class Keeper:
    """Read scores from where the history ends, and put them there."""

    def __init__(self, log: Readable, store: Parquet, naming: Naming) -> None:
        self._log, self._store = log, store
        self.naming = naming  # replaced when the site changes
        self.counts: Counter[str] = Counter()

    def step(self, now: float, alive: Callable[[], bool] = lambda: True) -> int:
        """Keep all that there is; return how many readings. `alive` says whether to go on.

        Raise `LogError`, `OSError`.
        """
        total = 0
        while alive():
            cursor, parts, count = dict(self._store.kept().cursor), list[Scored](), 0
            missed = self.counts["missed"]
            for partition in range(self._log.topics().get(SCORES, 0)):
                key = f"{SCORES}:{partition}"
                at = self._begin(partition, cursor.get(key))
                while count < MOST_READINGS and (found := self._log.read(SCORES, partition, at, limit=RECORDS)):
                    at = found[-1][0] + 1
                    for _, _, record in found:
                        mine = self._decoded(record, partition)
                        if mine is not None:
                            parts.append(mine)
                            count += len(mine.point)
                cursor[key] = at
            self._store.keep(_whole(parts), cursor, now, missed=self.counts["missed"] > missed)
            total += count
            if count < MOST_READINGS:
                break
        self.counts["readings"] += total
        return total

    def _begin(self, partition: int, at: int | None) -> int:
        first, end = self._log.start(SCORES, partition), self._log.end(SCORES, partition)
        if at is None or at > end:
            return first
        self.counts["missed"] += max(0, first - at)
        return max(at, first)

    def _decoded(self, record: bytes, partition: int) -> Scored | None:
        try:
            scored = columns.decode(record)
        except columns.ColumnsError:
            self.counts["undecodable"] += 1
            return None
        mine, unknown = self.naming.at_home(scored, partition)
        self.counts["unknown_point"] += unknown
        return mine if len(mine.point) else None


def _whole(parts: list[Scored]) -> Scored:
    def column(name: str, kind: str) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
        return np.concatenate([getattr(part, name) for part in parts]) if parts else np.empty(0, kind)

    flags = [part.flags if len(part.flags) else np.zeros(len(part.point), np.uint16) for part in parts]
    return Scored(
        column("point", "u4"),  # type: ignore[arg-type]
        column("time", "f8"),  # type: ignore[arg-type]
        column("value", "f8"),  # type: ignore[arg-type]
        column("score", "f4"),  # type: ignore[arg-type]
        np.concatenate(flags) if flags else np.empty(0, np.uint16),
    )

"""What a log holds of a time, the newest first: scored readings while they are kept, else what was observed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from sensors import frame
from sensors.observation import FRAME, UNUSABLE
from streams.embedded.reader import LogReader
from streams.history import columns
from streams.history.readings import EARLY, arrived_at
from streams.replay import BATCH
from streams.topics import OBSERVATIONS, SCORES

if TYPE_CHECKING:
    from alerts.console.config import Columns

LATE = 600.0
"""Seconds after a time in which readings of it are still looked for."""


def newest(log: LogReader, partition: int, begin: float, end: float) -> Iterator[Columns]:
    """Yield columns of a partition's readings that came from `begin` to `LATE` after `end`, the newest record first.

    Scores are kept for a day: before them come the readings as they were sent, of unknown score, and NaN where their
    source or the bridge called them bad. A reading may come twice, that with its score first.
    """
    scored_since = end + LATE
    if log.topics().get(SCORES, 0) > partition:
        oldest, stop = log.start(SCORES, partition), log.offset_at(SCORES, partition, end + LATE)
        first = log.offset_at(SCORES, partition, begin - EARLY)
        for _, _, value in log.newest_first(SCORES, partition, stop - first, first=first, stop=stop):
            try:
                found = columns.decode(value)
            except columns.ColumnsError:  # of a version that this one does not know
                continue
            yield found.point, found.time, found.value, found.score, found.flags
        since = log.time_of(SCORES, partition, oldest) if oldest < log.end(SCORES, partition) else None
        scored_since = since if since is not None else scored_since
    if scored_since <= begin - EARLY or log.topics().get(OBSERVATIONS, 0) <= partition:
        return
    first, last = (arrived_at(log, partition, at) for at in (begin - EARLY, min(scored_since, end) + LATE))
    stop = last + BATCH + 1  # the place that is told may be so many too early
    for _, _, value in log.newest_first(OBSERVATIONS, partition, stop - first, first=first, stop=stop):
        if value[:1] != bytes((FRAME,)):
            continue
        try:
            one = frame.decode(value)
        except frame.FrameError:  # the engine has counted it
            continue
        good = np.where((one.quality & UNUSABLE) == 0, one.value, np.nan)
        yield one.point, one.time, good, np.full(len(one), np.nan, np.float32), np.zeros(len(one), np.uint16)

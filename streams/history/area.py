"""The history of an area's points as rows of one clock, without what nothing can be learnt from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.area.rows import RowsError, common_rows
from sensors.site import Point
from streams.history.readings import HistoryError, Older, Readings, readings
from streams.replay import Readable

Floats = npt.NDArray[np.float64]


class Spell(NamedTuple):
    """Hold a stretch of time (unix seconds) under an alarm of a rule."""

    begin: float
    end: float
    rule: str


class History(NamedTuple):
    """Hold rows: time f8[rows], values f8[rows, points], seconds between rows; and how many were left out, by reason.

    `usable` tells which rows have all values, none held for long, bool[rows], and `clean` those of them that no alarm
    speaks against. Values of others may be NaN.
    """

    time: Floats
    values: Floats
    interval: float
    usable: npt.NDArray[np.bool_]
    clean: npt.NDArray[np.bool_]
    left_out: dict[str, int]


def history(
    log: Readable | None,
    partition: int,
    points: Sequence[Point],
    begin: float,
    end: float,
    spells: Sequence[Spell] = (),
    *,
    simulated: bool = False,
    interval: float | None = None,
    older: Older | None = None,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> History:
    """Read points of a partition between two times, and mark what is under alarm, simulated, bad, or a gap.

    `older` has what the log has let go of, or all of it where there is none to be read.

    `interval` seconds between rows, by default the median of the points' own. Raise `HistoryError` when a
    point has nothing to go by.
    """
    found = readings(
        log, partition, [point.index for point in points], begin, end,
        simulated=simulated, older=older, advance=advance,
    )  # fmt: skip
    _require(points, found, simulated)
    each = [found[point.index] for point in points]
    try:
        rows = common_rows(
            [one.times for one in each], [one.values for one in each], [point.id for point in points], interval
        )
    except RowsError as error:
        raise HistoryError(str(error)) from error
    spoilt = ~np.isfinite(rows.values).all(axis=1)
    alarmed = np.zeros(len(rows.time), np.bool_)
    for spell in spells:
        alarmed |= (rows.time >= spell.begin - rows.interval) & (rows.time <= spell.end + rows.interval)
    left_out = {
        "under alarm": int(alarmed.sum()),
        "bad or simulated": int((spoilt & ~alarmed).sum()),
        "in a gap": int((rows.gap & ~spoilt & ~alarmed).sum()),
    }
    usable = ~(spoilt | rows.gap)
    return History(
        rows.time, rows.values, rows.interval, usable, usable & ~alarmed, {why: n for why, n in left_out.items() if n}
    )


def troubles(spells: Sequence[Spell]) -> list[tuple[float, float]]:
    """Join spells that overlap: several alarms may stand for one trouble. Return (begin, end) in order."""
    found: list[tuple[float, float]] = []
    for spell in sorted(spells):
        if found and spell.begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], spell.end)
        else:
            found.append((spell.begin, spell.end))
    return found


def standing(rows: History, points: Sequence[Point]) -> list[str]:
    """Name the points whose value is the same in all clean rows: there is nothing to learn of them."""
    values = rows.values[rows.clean]
    return [point.id for at, point in enumerate(points) if len(values) and bool((values[:, at] == values[0, at]).all())]


def _require(points: Sequence[Point], found: dict[int, Readings], simulated: bool) -> None:
    silent = [point.id for point in points if point.index not in found]
    if len(silent) == len(points):
        raise HistoryError(f"no reading of {', '.join(silent)} in that time; try another, by --from and --to")
    if silent:
        raise HistoryError(f"no reading of {', '.join(silent)} in that time{_leave_out(silent)}")
    bad = [point.id for point in points if found[point.index].bad == len(found[point.index].times)]
    if bad and not simulated and any(found[point.index].simulated for point in points):
        raise HistoryError(
            f"all readings of {', '.join(bad)} are simulated or bad; --simulated learns from a simulation all the same"
        )
    if bad:
        raise HistoryError(f"all readings of {', '.join(bad)} are bad{_leave_out(bad)}")


def _leave_out(names: Sequence[str]) -> str:
    return f"; leave them out with {' '.join(f'--without {name}' for name in names)}"

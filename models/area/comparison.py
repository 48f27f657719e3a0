"""How a model does on a stretch of history: what it judges anomalous while nothing was known, and what it finds."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from models.area.model import REFRACTORY, AreaModel, shares_of

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DAY = 86400.0


class Found(msgspec.Struct, frozen=True):
    """Hold the figures of a model on rows that it was not learnt from, all in the model's own rows.

    `false` is the share of quiet rows judged anomalous, `false_per_day` their early events; `outside` the share of
    quiet rows in the history's unlikely tenth; `found` of so many `known` stretches, `median_after` seconds from their
    beginning (negative: before it). `points`: the share of anomalous rows that each contributes most to.
    """

    rows: int
    quiet: int
    false: float
    false_per_day: float
    outside: float
    known: int
    found: int
    median_after: float | None
    points: dict[str, float]


def judge(
    model: AreaModel, time: Floats, values: Floats, usable: Bools, quiet: Bools, known: Sequence[tuple[float, float]]
) -> Found:
    """Judge rows (time f8[rows], values f8[rows, points], bool[rows] whether usable, and quiet) and known stretches.

    A stretch (begin, end, unix seconds) is found by an anomalous row in it, or up to the refractory before it; such
    rows, and those as long after it, are not false. Rows in which the model would be learning are left out.
    """
    smooth = model.smoothed(time, values)
    score = model.scores(smooth)
    usable = usable & np.isfinite(score)
    early = REFRACTORY * model.interval
    near = np.zeros(len(time), np.bool_)
    for begin, end in known:
        near |= (time >= begin - early) & (time <= end + early)
    quiet = quiet & usable & ~near
    odd = usable & (score >= model.alarming)
    firsts = [time[odd & (time >= begin - early) & (time <= end)] for begin, end in known]
    after = [float(at[0]) - begin for at, (begin, _) in zip(firsts, known, strict=True) if len(at)]
    outside = 0.0
    if model.usual is not None and quiet.any():
        distance = model.shape.distance(smooth[quiet])
        outside = float(model.usual.beyond(distance, smooth[quiet])[:, 0].mean())
    days = float(quiet.sum()) * model.interval / DAY
    return Found(
        rows=int(usable.sum()),
        quiet=int(quiet.sum()),
        false=float((odd & quiet).sum()) / max(int(quiet.sum()), 1),
        false_per_day=_events(time, odd & quiet, early) / days if days else 0.0,
        outside=outside,
        known=len(known),
        found=len(after),
        median_after=float(np.median(after)) if after else None,
        points=_blamed(model, smooth[odd]),
    )


def _events(time: Floats, odd: Bools, early: float) -> int:
    """Count the times at which an anomaly begins, as `Watch` does."""
    return int((np.diff(time[odd], prepend=-np.inf) > early).sum())


def _blamed(model: AreaModel, smooth: Floats) -> dict[str, float]:
    if not len(smooth):
        return dict.fromkeys(model.names, 0.0)
    most = shares_of(model.shape.contributions(smooth)).argmax(axis=1)
    return {name: float((most == at).mean()) for at, name in enumerate(model.names)}

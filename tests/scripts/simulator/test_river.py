"""Early warning on a river: a recorded gauge, and a made one, played into the example district."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from alerts.outcome import AlarmTransition
from models.evaluation.gauge import read_gauge
from streams.bundle import Bundle
from tests.scripts.simulator.bed import RANK, Bed

KEAG = Path(__file__).parents[4] / "shared" / "data" / "water" / "keag_first_half.csv"
POINT = "river-01-level-1"
HOUR = 3600.0
APART = 24 * HOUR
"""Seconds below the limit between two exceedances."""

Floats = npt.NDArray[np.float64]


class Episode(NamedTuple):
    """A time from the first alarm at or above a level to the return to normal."""

    begin: float
    end: float


class Warned(NamedTuple):
    """How the exceedances of a limit were warned of. Leads are hours."""

    leads: list[float]
    exceedances: int
    episodes: int
    false: int


def warned(district: Bundle, time: Floats, value: Floats, level: str = "yellow") -> Warned:
    """Play a series, each reading arriving when it was taken, and judge the alarms on its point."""
    bed = Bed.published(district)
    point = bed.registry.points[POINT]
    time = time - time[0] + bed.wall
    for at, reading in zip(time.tolist(), value.tolist(), strict=True):
        bed.wall = at
        bed.deliver(np.array([point.index]), np.array([at]), np.array([reading]))
    bed.flush()
    assert bed.readings == len(time)
    assert bed.refused == {}
    episodes = standing(bed, level, time[-1])
    crossings = exceedances(time, value, point.levels["yellow"])
    leads = [(at - one.begin) / HOUR for at, _ in crossings for one in episodes if one.begin < at <= one.end]
    true = [one for one in episodes if any(one.begin <= until and one.end >= at for at, until in crossings)]
    return Warned(leads, len(crossings), len(episodes), len(episodes) - len(true))


def standing(bed: Bed, level: str, end: float) -> list[Episode]:
    """List when an alarm at or above a level stood on the point, by the point's own clock."""
    found: list[Episode] = []
    open_: dict[str, float] = {}
    for one in bed.outcomes:
        if not isinstance(one, AlarmTransition) or one.scope != POINT or one.kind != "risk":
            continue
        if one.edge in ("alarm", "realarm", "raise") and RANK[one.level] >= RANK[level]:
            open_.setdefault(one.alarm, one.onset)
        elif one.edge == "return" and one.alarm in open_:
            found.append(Episode(open_.pop(one.alarm), one.time))
    return found + [Episode(begin, end) for begin in open_.values()]


def exceedances(time: Floats, value: Floats, limit: float) -> list[tuple[float, float]]:
    """List (first, last) times above a limit; those less than `APART` apart are one."""
    found: list[tuple[float, float]] = []
    for at in time[value > limit].tolist():
        if found and at - found[-1][1] < APART:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return found


def made(days: int = 40, seed: int = 3) -> tuple[Floats, Floats]:
    """Make an hourly gauge in feet: base flow, three floods that rise in a day and fall in three, and a small one."""
    random = np.random.default_rng(seed)
    hours = np.arange(days * 24.0)
    value = 3.6 + 0.15 * np.sin(hours / 90) + 0.01 * random.standard_normal(len(hours))
    for begin, height in ((150, 2.9), (400, 0.8), (560, 3.4), (800, 2.6)):
        since = np.maximum(hours - begin, 0.0) / 20.0
        value += height * since**2 * np.exp(2 * (1 - since))
    return hours * HOUR, np.round(value, 2)


def test_floods_of_a_made_river_are_warned_of_hours_before(district: Bundle) -> None:
    told = warned(district, *made())
    assert told.exceedances == 3
    assert len(told.leads) == 3
    assert float(np.median(told.leads)) >= 3
    assert told.false <= 1


def test_a_steady_river_raises_nothing(district: Bundle) -> None:
    random = np.random.default_rng(1)
    hours = np.arange(30 * 24.0)
    value = np.round(4.0 + 0.2 * np.sin(hours * 2 * np.pi / 24) + 0.02 * random.standard_normal(len(hours)), 2)
    assert warned(district, hours * HOUR, value, "blue") == Warned([], 0, 0, 0)


@pytest.mark.skipif(not KEAG.exists(), reason="the recorded gauge is not at hand")
def test_a_recorded_river_is_warned_of_before_its_95_per_cent_quantile(district: Bundle) -> None:
    time, value = read_gauge(KEAG, "65565_00065")
    limit = district_limit(district)
    assert limit == pytest.approx(np.quantile(value, 0.95), abs=0.001)
    told = warned(district, time, value)
    assert told.exceedances == 5
    assert len(told.leads) == told.exceedances, "each one, the first included"
    assert told.leads[0] >= 3
    assert float(np.median(told.leads)) >= 3.5
    assert told.false / told.episodes <= 0.4


def district_limit(district: Bundle) -> float:
    """Return the limit of the river's point."""
    return next(one.levels["yellow"] for one in district.site.points if one.id == POINT)

"""How a model does on a stretch of history: false, found, and which point it lays it to."""

from __future__ import annotations

import numpy as np
import pytest

from models.area.comparison import Found, judge
from models.area.fitting import fit
from models.area.model import REFRACTORY, AreaModel, Watch
from tests.models.area.plant import NAMES, plant


def model(channels: int = 5) -> AreaModel:
    time, values = plant(1000)
    return fit(time, values[:, :channels], NAMES[:channels], 10.0, kind="mahalanobis").model


def on(chosen: AreaModel, values: np.ndarray, known: list[tuple[float, float]], **marks: np.ndarray) -> Found:
    time, _ = plant(len(values))
    every = np.ones(len(values), np.bool_)
    marks = {"usable": every, "quiet": every} | marks
    return judge(chosen, time, values[:, : len(chosen.names)], marks["usable"], marks["quiet"], known)


def test_a_quiet_stretch_has_few_false_rows_and_a_tenth_of_them_is_outside() -> None:
    found = on(model(), plant(4000, 1)[1], [])
    assert found.rows == found.quiet == 3980
    assert found.false < 0.01
    assert 0.03 < found.outside < 0.25
    assert (found.known, found.found, found.median_after) == (0, 0, None)


def test_a_known_trouble_is_found_and_laid_to_its_point_and_is_not_false() -> None:
    time, values = plant(1500, 1)
    values[800:900, 2] += 20.0
    known = [(float(time[800]), float(time[900])), (float(time[1300]), float(time[1310]))]
    found = on(model(), values, known)
    assert (found.known, found.found) == (2, 1)
    assert found.median_after is not None and 0.0 <= found.median_after <= 300.0
    assert found.false < 0.05
    assert max(found.points, key=lambda name: found.points[name]) == "current"
    assert sum(found.points.values()) == pytest.approx(1.0)
    assert found.quiet == 1480 - (900 - 800 + 1 + 150) - (10 + 1 + 150)


def test_a_model_that_does_not_see_the_point_finds_nothing() -> None:
    time, values = plant(1500, 1)
    values[800:900, 2] += 20.0
    assert on(model(2), values, [(float(time[800]), float(time[900]))]).found == 0


def test_false_events_are_those_that_a_watch_would_tell() -> None:
    _, values = plant(2000, 1)
    for begin in (500, 540, 900, 1400):
        values[begin : begin + 5, 1] += 60.0
    time, _ = plant(2000)
    chosen = model()
    watch = Watch(chosen)
    events = sum(watch.row(float(at), row).event for at, row in zip(time, values, strict=True))
    found = on(chosen, values, [])
    assert found.false_per_day == pytest.approx(events / (1980 * 10.0 / 86400.0))
    assert events >= 3 and REFRACTORY > 40


def test_rows_that_cannot_be_used_count_for_nothing() -> None:
    _, values = plant(1500, 1)
    values[800:900] = np.nan
    usable = np.isfinite(values).all(axis=1)
    found = on(model(), values, [], usable=usable, quiet=usable)
    assert found.rows == 1380


def test_a_history_shorter_than_what_is_smoothed_says_nothing() -> None:
    found = on(model(), plant(10, 1)[1], [(0.0, 1e10)])
    assert (found.rows, found.false, found.found, set(found.points.values())) == (0, 0.0, 0, {0.0})

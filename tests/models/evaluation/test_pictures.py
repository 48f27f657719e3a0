"""What is drawn: every miss and every false alarm, and nothing that was right."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation.benchmark import rates
from models.evaluation.injection import Stretch, Trial
from models.evaluation.nab import Series
from models.evaluation.pictures import BESIDE, budget_panels, injected_panels, nab_panels
from models.evaluation.plot import Panel

ROWS = 3000


def series(name: str, *windows: tuple[int, int]) -> Series:
    return Series(name, 1.7e9 + 300.0 * np.arange(ROWS), np.sin(np.arange(ROWS) / 9.0), windows)


def scores(*told: int) -> np.ndarray:
    found = np.full(ROWS, 0.5)
    found[list(told)] = 0.9999
    return found


def looks(panel: Panel) -> list[tuple[str, str]]:
    return [("band", band.look) for band in panel.bands] + [("mark", mark.look) for mark in panel.marks]


def test_each_miss_and_each_false_alarm_of_a_series_is_drawn_and_what_was_right_is_not() -> None:
    several = [series("right", (1000, 1100)), series("wrong", (1000, 1100), (2000, 2100))]
    told = {"right": scores(1050, 1060), "wrong": scores(100, 1050, 1500, 1510, 2800)}
    drawn = list(nab_panels(several, told, 0.999))
    assert [panel.title for panel in drawn] == ["wrong", "wrong: false alarm", "wrong: missed", "wrong: false alarm"]
    assert drawn[0].note == "1 of 2 windows found, 3 false"  # what comes in the first 450 readings is not scored
    assert looks(drawn[0]) == [("band", "found"), ("band", "missed"), ("mark", "found"), *[("mark", "false")] * 3]
    assert len(drawn[0].times) == ROWS
    assert len(drawn[1].times) == 1510 - 1500 + 1 + 2 * BESIDE
    assert "reaches 0.50000; the threshold is 0.99900" in drawn[2].note


def test_a_series_that_alarms_or_scores_too_often_is_drawn_with_each_of_them() -> None:
    several = [series("calm"), series("loud", (1000, 1100)), series("seldom")]
    often = scores(500, 700, 1050)
    told = {"calm": scores(200, 900, 1500), "loud": scores(*range(500, 520)), "seldom": scores()}
    alarms = {name: np.zeros(ROWS, np.bool_) for name in told}
    alarms["loud"][[500, 1050]] = True
    drawn = list(budget_panels(several, told, alarms, rates(several, told, alarms)))
    assert [panel.title for panel in drawn] == ["loud", "seldom"]
    assert [mark.look for mark in drawn[0].marks].count("false") == 1, "what is labelled is not false"
    assert [mark.look for mark in drawn[0].marks].count("event") == 19
    assert drawn[1].note.startswith("0 false alarms") and "0.00 times as often" in drawn[1].note
    assert often.max() == told["calm"].max()


@pytest.mark.parametrize(
    ("fault", "after", "named", "title"),
    [
        ("ramp", None, "", "ramp: missed"),
        ("level_shift", 600.0, "ramp", "level shift: called ramp"),
        ("", 300.0, "freeze", "as it was: false: freeze"),
        ("freeze", 900.0, "freeze", None),
        ("", None, "", None),
    ],
)
def test_a_fault_that_was_missed_or_misnamed_is_drawn(
    fault: str, after: float | None, named: str, title: str | None
) -> None:
    time = 1.7e9 + 300.0 * np.arange(2200)
    stretch = Stretch("river", fault, time, np.zeros(2200), 2000, 2200, 300.0)  # type: ignore[arg-type]
    trial = Trial("river", fault, float(time[2000]), after, named)  # type: ignore[arg-type]
    drawn = list(injected_panels([stretch], [trial]))
    assert [panel.title for panel in drawn] == ([] if title is None else [title])
    for panel in drawn:
        assert len(panel.times) == 800 and panel.note == "river"
        assert [mark.time - time[2000] for mark in panel.marks] == ([] if after is None else [after])

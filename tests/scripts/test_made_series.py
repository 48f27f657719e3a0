"""Made series: of the kinds they say, the same each time, and scored by the script that tells where models are weak."""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console

from scripts import evaluate_made, made_series


@pytest.mark.parametrize("kind", made_series.KINDS)
def test_a_series_rises_in_time_moves_and_has_windows_within_it(kind: str) -> None:
    make = made_series.KINDS[kind]
    one, again = (make(np.random.default_rng(3)) for _ in range(2))
    assert one.value.tobytes() == again.value.tobytes() != make(np.random.default_rng(4)).value.tobytes()
    assert (np.diff(one.time) > 0.0).all() and np.isfinite(one.value).all() and np.ptp(one.value) > 0.0
    assert one.windows and all(one.probation < first < last < len(one.time) for first, last in one.windows)
    inside = sum(last - first + 1 for first, last in one.windows)
    assert inside <= 0.11 * len(one.time), "NAB's windows are a tenth of a series"


@pytest.mark.parametrize("kind", made_series.GAUGES)
@pytest.mark.parametrize("below", [False, True])
def test_a_gauge_reaches_its_limit_and_is_mostly_short_of_it(kind: str, below: bool) -> None:
    one = made_series.GAUGES[kind](np.random.default_rng(1), below=below)
    past = one.value <= one.limit if below else one.value >= one.limit
    assert 0 < past.mean() < 0.15 and one.below is below
    assert len(one.time) == len(one.value) and (np.diff(one.time) > 0.0).all()


def test_a_pump_throttles_while_its_valve_closes() -> None:
    run = made_series.pump(0)
    assert run.values.shape == (1150, len(run.channels)) and run.anomalous.sum() == 329
    flow = run.values[:, run.channels.index("Volume Flow RateRMS")]
    assert flow[run.anomalous].mean() < flow[:400].mean() - 0.5
    assert (np.diff(run.time) > 0.0).all() and not run.anomalous[:400].any()


def test_the_script_tells_a_table_of_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(random: np.random.Generator, *, below: bool) -> made_series.Gauge:
        whole = made_series.recession(random, below=below)
        return whole._replace(time=whole.time[:500], value=whole.value[:500])

    monkeypatch.setattr(made_series, "KINDS", {"clicks": made_series.clicks})
    monkeypatch.setattr(made_series, "GAUGES", {"recession": short})
    console = Console(record=True, width=120)
    evaluate_made.novelty(range(1), 0.99915, console)
    evaluate_made.limits(range(1), console)
    said = console.export_text()
    assert "clicks" in said and "2 of 2" in said
    assert said.count("recession") == 2 and "below" in said

"""NAB's arithmetic on series small enough to check by hand, and the bank's bar where the data is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.evaluation import nab
from models.evaluation.run import run_bank

DATA = Path(__file__).parents[4] / "shared" / "data" / "nab"
STANDARD = nab.PROFILES["standard"]


def make_series(count: int, windows: tuple[tuple[int, int], ...], name: str = "one") -> nab.Series:
    return nab.Series(name, 300.0 * np.arange(count), np.zeros(count), windows)


def judge(series: nab.Series, detections: list[int], profile: str = "standard") -> nab.Verdict:
    scores = np.zeros(len(series.time))
    scores[detections] = 1.0
    return nab.judge([series], {series.name: scores}, nab.PROFILES[profile], 1.0)


def test_nothing_detected_is_the_null_detector() -> None:
    assert judge(make_series(1000, ((500, 599),)), []).score == pytest.approx(0.0)


def test_the_first_reading_of_a_window_is_perfect() -> None:
    told = judge(make_series(1000, ((500, 599),)), [500])
    assert told.score == pytest.approx(100.0)
    assert (told.hits, told.false) == (1, 0)


def test_later_detections_earn_less_and_only_the_earliest_counts() -> None:
    series = make_series(1000, ((500, 599),))
    middle = judge(series, [550])
    assert 50.0 < middle.score < 100.0
    assert judge(series, [550, 580, 599]).score == pytest.approx(middle.score)
    relative = nab.sigmoid(-0.5) / nab.sigmoid(-1.0)
    assert middle.score == pytest.approx(100.0 * (1.0 + relative) / 2.0)


def test_false_detections_cost_by_their_distance_after_the_window() -> None:
    series = make_series(1000, ((500, 599),))
    near, far, before = judge(series, [500, 601]), judge(series, [500, 990]), judge(series, [400, 500])
    assert 99.0 < near.score < 100.0
    assert far.score == pytest.approx(100.0 - 100.0 * 0.11 / 2.0)
    assert before.score == pytest.approx(far.score)
    assert judge(series, [400, 500], "low_fp").score == pytest.approx(100.0 - 100.0 * 0.22 / 2.0)


def test_probation_is_not_scored() -> None:
    series = make_series(1000, ((500, 599),))
    assert series.probation == 150
    assert judge(series, [10, 149, 500]).score == pytest.approx(100.0)
    assert make_series(10_000, ()).probation == 750


def test_low_fn_counts_a_miss_twice() -> None:
    series = make_series(1000, ((500, 599), (800, 899)))
    assert judge(series, [500], "low_fn").score == pytest.approx(50.0)


def test_the_threshold_is_the_best_over_the_corpus() -> None:
    one, other = make_series(1000, ((500, 599),), "one"), make_series(1000, (), "other")
    scores = {"one": np.zeros(1000), "other": np.zeros(1000)}
    scores["one"][500] = 0.7
    scores["other"][600:700] = 0.4
    told = nab.judge([one, other], scores, STANDARD)
    assert told.score == pytest.approx(100.0)
    assert told.threshold == 0.7


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="one: 3 scores"):
        nab.judge([make_series(10, ())], {"one": np.zeros(3)}, STANDARD)


def test_a_file_is_read_with_its_windows(tmp_path: Path) -> None:
    (tmp_path / "group").mkdir()
    lines = ["timestamp,value"] + [f"2014-04-10 00:{minute:02}:00,{minute}" for minute in range(0, 60, 5)]
    (tmp_path / "group" / "a.csv").write_text("\n".join(lines))
    (tmp_path / "windows.json").write_text(
        '{"group/a.csv": [["2014-04-10 00:10:00.000000", "2014-04-10 00:20:00.000000"]]}'
    )
    (series,) = nab.load(tmp_path)
    assert series.windows == ((2, 4),)
    assert series.interval == 300.0


@pytest.mark.skipif(not DATA.exists(), reason="the NAB series are not at hand")
def test_the_bank_reaches_its_bar_on_nab() -> None:
    series = nab.load(DATA)
    scores, _ = run_bank(series)
    told = {name: nab.judge(series, scores, profile).score for name, profile in nab.PROFILES.items()}
    assert told["standard"] >= 70.0
    assert told["low_fp"] >= 65.0
    assert told["low_fn"] >= 73.0

"""The SKAB protocol's arithmetic, on runs of our own, and on SKAB itself where it is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.evaluation.skab import TRAIN, Run, Scored, SkabError, crossed, figures, load, score

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "skab" / "valve1"


def scored(told: list[int], truth: list[int]) -> Scored:
    score = np.concatenate([np.zeros(TRAIN), np.array(told, float)])
    anomalous = np.concatenate([np.zeros(TRAIN, bool), np.array(truth, bool)])
    run = Run("0.csv", np.arange(len(score), dtype=float), ("a",), np.zeros((len(score), 1)), anomalous)
    return Scored(run, "pca", score, ("",) * len(score))


def test_figures_count_rows_over_all_runs() -> None:
    found = figures([scored([1, 1, 0, 0], [1, 0, 1, 0]), scored([1, 1], [1, 1])])
    assert found.f1 == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))
    assert found.far == pytest.approx(1 / 2)
    assert found.mar == pytest.approx(1 / 4)


def test_a_rate_is_chosen_on_one_half_and_reported_on_the_other() -> None:
    quiet, loud = scored([0, 0, 1], [0, 0, 1]), scored([1, 0, 0], [1, 0, 1])
    assert [one.f1 for _, one in crossed([quiet, loud])] == [figures([quiet]).f1, figures([loud]).f1]


def test_a_run_is_read_and_its_fault_found(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    lines = ["datetime;a;b;anomaly;changepoint"]
    for row in range(600):
        off = 8.0 * (row >= 500)
        values = random.normal(size=2) + off
        lines.append(f"2020-01-01 00:{row // 60:02}:{row % 60:02};{values[0]};{values[1]};{float(off > 0)};0.0")
    (tmp_path / "0.csv").write_text("\n".join(lines))
    found = figures([score(run) for run in load(tmp_path)])
    assert found.f1 > 0.9
    assert found.far < 0.05


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("time;a\n", "not a run of SKAB"),
        ("datetime;a;anomaly\nyesterday;1;0\n", ":2:"),
        ("datetime;a;anomaly\n", "has 0 rows"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "0.csv").write_text(text)
    with pytest.raises(SkabError, match=says):
        load(tmp_path)


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SkabError, match="no run"):
        load(tmp_path)


@pytest.mark.skipif(not DATA.is_dir(), reason="SKAB is not at hand")
def test_the_bar_of_skab_is_met() -> None:
    found = [score(run) for run in load(DATA)]
    whole = figures(found)
    assert whole.f1 >= 0.80
    assert whole.far <= 0.25
    assert all(one.f1 >= 0.80 and one.far <= 0.25 for _, one in crossed(found))

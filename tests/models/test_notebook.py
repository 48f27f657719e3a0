"""Scores in a notebook are those that the live engine, and `foreshock score`, give."""

from __future__ import annotations

import csv
from pathlib import Path

import msgspec
import numpy as np
import pytest

import models
from scripts.score import score_file
from sensors.history import HistoryError, table
from sensors.observation import BAD
from sensors.site import Area, Driver, Site
from tests.rules.stage import NO_TEXT, a_point

START = 1_700_000_000.0


def wave(readings: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(5.0, 0.2, readings)
    values[-5:] += 8.0
    return values


def test_it_scores_as_the_command_does(tmp_path: Path) -> None:
    file, values = tmp_path / "river.csv", wave(400)
    file.write_text(
        "time,level\n" + "".join(f"{START + 60 * n:.0f},{value!r}\n" for n, value in enumerate(values.tolist()))
    )
    score_file(file, "time", "level", tmp_path / "scores.csv")
    told = list(csv.DictReader((tmp_path / "scores.csv").open()))
    found = models.score(models.read_csv(file, time="time", value="level", point="river"))
    assert found["score"].fillna(0.0).tolist() == pytest.approx([float(row["score"]) for row in told], abs=1e-11)
    assert found["alarm"].tolist() == [row["alarm"] == "1" for row in told]
    assert found["alarm"].sum() == 1
    assert "above" in found.loc[found["alarm"], "reason"].item()
    assert found["score"].isna().sum() == 100, "while it learns nothing is known"


def test_a_table_that_is_read_at_odd_times_is_scored_as_far_as_it_goes() -> None:
    time = START + np.cumsum(np.random.default_rng(0).lognormal(4.0, 1.5, 300))
    names, values = np.full(300, "p", object), wave(300)
    whole = models.score(table(names, time, values))
    part = models.score(table(names[:150], time[:150], values[:150]))
    assert part["score"].tolist() == pytest.approx(whole["score"][:150].tolist(), abs=0.0, nan_ok=True)


def test_what_the_engine_sets_aside_has_no_score() -> None:
    values = wave(300)
    values[250] = np.nan
    quality = np.zeros(300, np.uint8)
    quality[251] = BAD
    time = START + 60.0 * np.arange(300)
    time[252] = time[240]
    found = models.score(table(np.full(300, "p", object), time, values, quality, START + 60.0 * np.arange(300)))
    assert np.flatnonzero(found["score"].isna()).tolist()[100:] == [250, 251, 252]


def test_what_is_out_of_a_points_range_has_no_score_and_is_not_learnt() -> None:
    point = msgspec.structs.replace(a_point("p"), range=(-40.0, 60.0))
    site = Site(id="s", name=NO_TEXT, areas=(Area(id="a", name=NO_TEXT, type="t", place="p"),), points=(point,))
    values, time = wave(300), START + 60.0 * np.arange(300)
    clean = models.score(table(np.full(300, "p", object), time, values), site)
    values[250] = 5000.0
    found = models.score(table(np.full(300, "p", object), time, values), site)
    assert np.isnan(found["score"][250]) and found["alarm"].sum() == 1, "the step at the end"
    assert found["score"][251:].to_numpy() == pytest.approx(clean["score"][251:].to_numpy(), abs=0.2)


def test_points_are_scored_by_what_the_site_says_each_apart_from_the_others() -> None:
    site = Site(
        id="s",
        name=NO_TEXT,
        areas=(Area(id="a", name=NO_TEXT, type="t", place="p"),),
        points=(a_point("one"), a_point("two")),
    )
    time = START + 60.0 * np.arange(200)
    alone = models.score(table(np.full(200, "one", object), time, wave(200)), site)
    names = np.concatenate([np.full(200, "one", object), np.full(200, "two", object)])
    both = models.score(table(names, np.tile(time, 2), np.concatenate([wave(200), wave(200, 1)])), site)
    assert both.loc[both["point"] == "one", "score"].tolist() == pytest.approx(alone["score"].tolist(), nan_ok=True)


def test_a_driver_of_a_point_comes_along() -> None:
    rain = msgspec.structs.replace(a_point("rain", quantity="rain", unit="mm"), index=1)
    level = a_point("level", index=0, drivers=(Driver(point="rain"),))
    site = Site(id="s", name=NO_TEXT, areas=(Area(id="a", name=NO_TEXT, type="t", place="p"),), points=(level, rain))
    found = models.score(table(np.full(150, "level", object), START + 60.0 * np.arange(150), wave(150)), site)
    assert found["score"].notna().any()


def test_a_point_that_the_site_does_not_have_is_named() -> None:
    site = Site(id="s", name=NO_TEXT, points=(a_point("one"),))
    with pytest.raises(HistoryError, match="no point two"):
        models.score(table(np.array(["two"]), np.array([START]), np.array([1.0])), site)

"""The columns of a limit, and the figures of warnings, from the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from models.evaluation.gauge import Driven, etas
from models.warning import warnings
from scripts.cli import application
from scripts.foresight import Limit, brings, creeps
from scripts.recording import ScoreError
from scripts.score import score_file
from tests.models.recordings import creep, rained, river


def write(path: Path, time: np.ndarray, value: np.ndarray, name: str = "level") -> Path:
    lines = [f"time,{name}", *(f"{at:.0f},{reading}" for at, reading in zip(time, value, strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_the_columns_are_those_of_the_live_bank_and_the_one_warning(tmp_path: Path) -> None:
    time, value = river(10, days=30)
    limit = float(np.quantile(value, 0.9))
    source = write(tmp_path / "in.csv", time, value)
    report = score_file(source, "time", "level", tmp_path / "out.csv", limit=Limit(limit))
    told = rows(tmp_path / "out.csv")
    assert list(told[0]) == [
        "time",
        "value",
        "score",
        "alarm",
        "eta",
        "eta_low",
        "eta_high",
        "warning",
        "quality",
        "quality_alarm",
    ]
    eta = etas(time, value, limit, 3600.0)
    assert [row["eta"] == "" for row in told] == np.isnan(eta).tolist()
    known = ~np.isnan(eta)
    low, middle, high = (
        np.array([float(row[name] or "nan") for row in told]) for name in ("eta_low", "eta", "eta_high")
    )
    assert np.allclose(middle[known], eta[known], atol=0.5, equal_nan=True)
    assert (low[known] <= middle[known]).all()
    assert (middle[known] <= high[known]).all()
    expected = warnings(time, value >= limit, eta)
    assert [row["warning"] == "1" for row in told] == expected.tolist()
    assert report.warnings == int((np.diff(expected.astype(int), prepend=0) > 0).sum()) > 0


def test_what_comes_later_changes_nothing_before_it(tmp_path: Path) -> None:
    time, value = creep(1, days=4)
    half = len(time) // 2
    other = np.concatenate([value[:half], value[half:] + 50.0])
    for name, series in (("one", value), ("other", other)):
        source = write(tmp_path / f"{name}.csv", time, series, "tilt")
        score_file(source, "time", "tilt", tmp_path / f"{name}.out", limit=Limit(15.0, creeps=True))
    assert rows(tmp_path / "one.out")[:half] == rows(tmp_path / "other.out")[:half]


def test_a_repeated_reading_is_told_as_the_one_before(tmp_path: Path) -> None:
    time, value = river(10, days=3)
    source = write(tmp_path / "in.csv", np.insert(time, 30, time[29]), np.insert(value, 30, 99.0))
    score_file(source, "time", "level", tmp_path / "out.csv", limit=Limit(50.0))
    told = [[row[name] for name in ("eta", "eta_low", "eta_high", "warning")] for row in rows(tmp_path / "out.csv")]
    assert told[30] == told[29]


def test_a_limit_that_is_no_number_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", *river(10, days=1))
    with pytest.raises(ScoreError, match="limit"):
        score_file(source, "time", "level", tmp_path / "out.csv", limit=Limit(float("nan")))


@pytest.mark.parametrize(
    ("heading", "expected"),
    [("Displacement_mm", True), ("tilt-x", True), ("位移", True), ("stage", False), ("temp", False)],
)
def test_what_creeps_is_told_by_its_name(heading: str, expected: bool) -> None:
    assert creeps(heading) is expected


def write_rain(path: Path, days: int) -> tuple[Path, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    made = rained(10, days=days)
    lines = ["time,level,rain", *(f"{at:.0f},{level},{fallen}" for at, level, fallen in zip(*made, strict=True))]
    lines[5] = lines[5].rpartition(",")[0] + ",NA"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path, made


def test_drivers_are_columns_beside_and_are_what_the_live_bank_makes_of_them(tmp_path: Path) -> None:
    source, (time, value, rain) = write_rain(tmp_path / "in.csv", 30)
    rain[4] = np.nan
    limit = float(np.quantile(value, 0.9))
    command = ["score", str(source), "--time", "time", "--value", "level", "--limit", str(limit), "--driver", "rain"]
    told = CliRunner().invoke(application(), [*command, "--lag", "6h", "--out", str(tmp_path / "out.csv")])
    assert told.exit_code == 0, told.output
    found = np.array([float(row["eta"] or "nan") for row in rows(tmp_path / "out.csv")])
    drivers = [Driven(rain, 6 * 3600.0, "amounts")]
    expected, alone = (etas(time, value, limit, 3600.0, drivers=some) for some in (drivers, []))
    assert np.allclose(found, expected, atol=0.5, equal_nan=True)
    assert not np.allclose(found, alone, atol=0.5, equal_nan=True)


def test_evaluate_gauge_tells_figures_with_and_without_drivers(tmp_path: Path) -> None:
    source, _ = write_rain(tmp_path / "in.csv", 20)
    command = ["evaluate", "gauge", str(source), "--time", "time", "--value", "level", "--driver", "rain", "--json"]
    told = CliRunner().invoke(application(), command)
    assert told.exit_code == 0, told.output
    assert {"median lead h", "median lead h without drivers"} <= set(json.loads(told.stdout))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--driver", "rain"], "give --limit too"),
        (["--below"], "--below is for the time to a limit: give --limit too"),
        (["--horizon", "6"], "--horizon is for the time to a limit: give --limit too"),
        (["--lag", "8h"], "--lag is for the time to a limit: give --limit too"),
        (["--limit", "5", "--lag", "8h"], "give --driver too"),
        (["--limit", "5", "--driver", "level"], "is the value itself"),
        (["--limit", "5", "--driver", "snow"], "no column 'snow'"),
        (["--limit", "5", "--driver", "rain", "--lag", "soon"], "is no duration"),
        (["--limit", "5", "--driver", "rain", "--lag", "60d"], "between 1 min and 14 d"),
    ],
)
def test_a_wrong_driver_is_told_in_a_sentence(tmp_path: Path, more: list[str], words: str) -> None:
    source, _ = write_rain(tmp_path / "in.csv", 1)
    command = ["score", str(source), "--time", "time", "--value", "level", "--out", str(tmp_path / "out.csv"), *more]
    told = CliRunner().invoke(application(), command)
    assert told.exit_code == 1
    assert words in " ".join(told.output.split())


def test_rain_is_told_by_its_name() -> None:
    assert [brings(name) for name in ("precip", "雨量", "Rain_mm", "stage")] == [
        "amounts",
        "amounts",
        "amounts",
        "level",
    ]


def test_a_floor_is_the_share_of_values_that_was_asked_for(tmp_path: Path) -> None:
    time, value = river(10, days=8)
    source = write(tmp_path / "in.csv", time, value)
    command = ["evaluate", "gauge", str(source), "--time", "time", "--value", "level", "--below", "--json"]
    for more, share in ((["--quantile", "0.1"], 0.1), ([], 0.05)):
        result = CliRunner().invoke(application(), [*command, *more])
        assert json.loads(result.stdout)["limit"] == pytest.approx(np.quantile(value, share), rel=1e-3)


def test_evaluate_gauge_prints_its_figures_and_draws_them(tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", *river(10, days=60))
    command = ["evaluate", "gauge", str(source), "--time", "time", "--value", "level", "--quantile", "0.9"]
    told = CliRunner().invoke(application(), [*command, "--json", "--plot", str(tmp_path / "out.html"), "--every"])
    assert told.exit_code == 0, told.output
    figures = json.loads(told.stdout)
    assert figures["crossings"] == len(figures["crossed"]) > 0
    assert figures["false"] == sum(not one["right"] for one in figures["warned"])
    assert (tmp_path / "out.html").read_text(encoding="utf-8").count("<svg") >= 1 + figures["crossings"]
    table = CliRunner().invoke(application(), command)
    assert "false a week" in table.stdout


@pytest.mark.parametrize(
    ("more", "words"),
    [
        *((["--plot", "out.png"], "HTML"), (["--value", "nothing"], "no column")),
        *((["--zone", "Mars/Base"], "time zone"), (["--driver", "level"], "is the value itself")),
        *((["--limit", "nan"], "must be a number"), (["--horizon", "inf"], "horizon a positive number")),
    ],
)
def test_evaluate_gauge_fails_with_a_sentence(tmp_path: Path, more: list[str], words: str) -> None:
    source = write(tmp_path / "in.csv", *river(10, days=1))
    told = CliRunner().invoke(
        application(), ["evaluate", "gauge", str(source), "--time", "time", "--value", "level", *more]
    )
    assert told.exit_code == 1
    assert words in told.output

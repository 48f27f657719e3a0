"""Scoring a recorded series as the live engine would."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from models.bank import Bank, Kind
from scripts.cli import application
from scripts.foresight import Limit
from scripts.recording import ScoreError
from scripts.score import score_file


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def records(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_scores_are_those_of_the_live_bank(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=600).round(3)
    values[550] = 40.0
    source = write(tmp_path / "in.csv", ["t,v", *(f"{1.7e9 + 60 * at:.0f},{value}" for at, value in enumerate(values))])
    out = tmp_path / "out.csv"
    report = score_file(source, "t", "v", out)
    assert (report.rows, report.scored, report.bad, report.interval) == (600, 600, 0, 60.0)
    bank = Bank()
    bank.configure(0, interval=60.0)
    for at, record in enumerate(records(out)):
        told = bank.update(np.array([0]), np.array([1.7e9 + 60 * at]), values[at : at + 1])
        assert float(record["score"]) == pytest.approx(told.score[0], abs=1e-11)
        assert record["alarm"] == str(int(told.alarm[0]))
    assert records(out)[550]["alarm"] == "1"
    assert report.alarms >= 1


def test_bad_rows_are_counted_and_told_with_their_line(tmp_path: Path) -> None:
    source = write(
        tmp_path / "in.csv",
        [
            "time,note,value",
            "2026-01-01T00:00:00Z,a,1.0",
            "yesterday,b,1.0",
            "2026-01-01T00:01:00Z,c,n/a",
            "2026-01-01T00:02:00Z,d,nan",
            "2026-01-01T00:03:00Z",
            "",
            '2026-01-01T00:04:00Z,"two',
            'lines",2.0',
            "2026-01-01T00:04:00Z,again,3.0",
            "2026-01-01T00:05:00Z,e,4.0",
        ],
    )
    report = score_file(source, "time", "value", tmp_path / "out.csv")
    assert (report.rows, report.bad, report.scored) == (8, 4, 3)
    assert [problem.line for problem in report.problems] == [3, 4, 5, 6]
    assert "not a time: 'yesterday'" in report.problems[0].message
    assert [record["value"] for record in records(tmp_path / "out.csv")] == ["1.0", "2.0", "3.0", "4.0"]


def test_semicolons_numbers_of_columns_and_a_byte_order_mark(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes("\ufefft;v\n0;1\n60;2\n".encode())
    assert score_file(source, "t", "2", tmp_path / "out.csv").scored == 2


def test_progress_is_told(tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", ["t,v", *(f"{at},1" for at in range(2500))])
    told: list[tuple[int, int]] = []
    score_file(source, "t", "v", tmp_path / "out.csv", progress=lambda done, total: told.append((done, total)))
    assert len(told) == 3
    assert told[-1][0] == told[-1][1] == source.stat().st_size
    assert 0 < told[0][0] < told[1][0]


@pytest.mark.parametrize(
    ("lines", "time", "value", "told"),
    [
        (["a,b", "1,2"], "a", "c", "no column 'c'; there are: a, b"),
        (["a,b", "x,2"], "a", "b", "no row can be read"),
        (["a,b"], "a", "b", "no row can be read"),
    ],
)
def test_a_file_that_cannot_be_scored_says_why(
    tmp_path: Path, lines: list[str], time: str, value: str, told: str
) -> None:
    with pytest.raises(ScoreError, match=told):
        score_file(write(tmp_path / "in.csv", lines), time, value, tmp_path / "out.csv")


def test_other_mistakes_say_what_would_fix_them(tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", ["a,b", "1,2"])
    with pytest.raises(ScoreError, match="overwrite"):
        score_file(source, "a", "b", source)
    with pytest.raises(ScoreError, match="cannot be read"):
        score_file(tmp_path / "none.csv", "a", "b", tmp_path / "out.csv")
    with pytest.raises(ScoreError, match="zone"):
        score_file(source, "a", "b", tmp_path / "out.csv", zone="Mars/Base")
    with pytest.raises(ScoreError, match="cannot be written"):
        score_file(source, "a", "b", tmp_path / "no" / "out.csv")
    with pytest.raises(ScoreError, match="interval"):
        score_file(source, "a", "b", tmp_path / "out.csv", interval=-1.0)


def test_what_stands_for_no_value_is_no_reading(tmp_path: Path) -> None:
    lines = [f"{1.7e9 + 60 * at:.0f},{9.0 + at % 3}" for at in range(150)]
    lines[120:123] = ["1700007200,-9999", "1700007260,-9999.0", "1700007320,-999999"]
    report = score_file(write(tmp_path / "in.csv", ["t,v", *lines]), "t", "v", tmp_path / "out.csv")
    assert (report.scored, report.bad, report.alarms) == (147, 3, 0)
    assert report.problems[0].line == 122


def test_remarks_before_the_heading_and_decimal_commas_are_read(tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", ["# a service's remarks, and more", "", "t;v", "60;1,5", "120;x", "180;2,5"])
    report = score_file(source, "t", "v", tmp_path / "out.csv")
    assert [record["value"] for record in records(tmp_path / "out.csv")] == ["1.5", "2.5"]
    assert [(one.line, one.message) for one in report.problems] == [(5, "v: not a number: 'x'")]
    named = write(tmp_path / "named.csv", ["#t,v", "60,1"])
    assert score_file(named, "#t", "v", tmp_path / "out.csv").scored == 1
    with pytest.raises(ScoreError, match="is empty"):
        score_file(write(tmp_path / "none.csv", ["# nothing", ""]), "t", "v", tmp_path / "out.csv")


def test_a_file_that_begins_with_its_newest_row_is_scored_as_its_mirror(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=400).round(3)
    values[350] = 40.0
    rows = [f"{1.7e9 + 60 * at:.0f},{value}" for at, value in enumerate(values)]
    rising = score_file(write(tmp_path / "a.csv", ["t,v", *rows]), "t", "v", tmp_path / "a.out", limit=Limit(30.0))
    falling = score_file(
        write(tmp_path / "b.csv", ["t,v", *rows[::-1]]), "t", "v", tmp_path / "b.out", limit=Limit(30.0)
    )
    assert (rising.scored, rising.alarms) == (falling.scored, falling.alarms) == (400, rising.alarms)
    assert rising.alarms
    assert records(tmp_path / "a.out") == records(tmp_path / "b.out")[::-1]


def test_a_logger_set_to_another_pace_still_foresees_its_limit(tmp_path: Path) -> None:
    quick = [(60.0 * at, 1.0 + 0.01 * (at % 3)) for at in range(300)]
    slow = [(18_000.0 + 900.0 * at, 1.0 + 0.01 * (at % 3) + max(at - 150, 0) * 0.02) for at in range(220)]
    lines = ["t,v", *(f"{1.7e9 + at:.0f},{value:.3f}" for at, value in quick + slow)]
    report = score_file(write(tmp_path / "in.csv", lines), "t", "v", tmp_path / "out.csv", limit=Limit(2.2))
    assert (report.interval, report.warnings) == (900.0, 1)
    etas = [record["eta"] for record in records(tmp_path / "out.csv")]
    assert etas[-1] not in ("", "inf")


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 3.0), st.floats(0.02, 0.98), st.sampled_from(["gauge", "counter"]))
def test_a_beginning_has_the_numbers_of_the_whole(
    tmp_path: Path, seed: int, oddness: float, part: float, kind: Kind
) -> None:
    random = np.random.default_rng(seed)
    count = int(random.integers(110, 240))
    steps = 300.0 * random.lognormal(0.0, oddness, count) * np.where(random.random(count) < 0.03, 60.0, 1.0)
    steps[count // 3 :] *= random.choice([0.05, 1.0, 12.0])
    rain = np.where(random.random(count) < 0.3, random.exponential(size=count), np.nan)
    value = np.cumsum(np.abs(random.normal(size=count))) % 40.0
    lines = [f"{at:.1f},{a:.4f},{b:.3f}" for at, a, b in zip(1.7e9 + np.cumsum(steps), value, rain, strict=True)]
    limit = Limit(35.0, drivers=("rain",), lag=3600.0)
    told = []
    for name, some in (("part", lines[: 2 + int(part * count)]), ("whole", lines)):
        source = write(tmp_path / f"{name}.csv", ["t,v,rain", *some])
        score_file(source, "t", "v", tmp_path / f"{name}.out", kind=kind, limit=limit)
        told.append(records(tmp_path / f"{name}.out"))
    assert told[0] == told[1][: len(told[0])]


def test_the_interval_may_be_declared(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    lines = [f"{1.7e9 + 60 * at:.0f},{value:.3f}" for at, value in enumerate(random.normal(size=300))]
    source = write(tmp_path / "in.csv", ["t,v", *lines])
    asked = ["score", str(source), "--time", "t", "--value", "v", "--out", str(tmp_path / "out.csv")]
    assert CliRunner().invoke(application("score"), [*asked, "--interval", "10 min"]).exit_code == 0
    declared = records(tmp_path / "out.csv")
    assert score_file(source, "t", "v", tmp_path / "same.csv", interval=600.0).interval == 600.0
    assert declared == records(tmp_path / "same.csv")
    score_file(source, "t", "v", tmp_path / "shown.csv")
    assert declared != records(tmp_path / "shown.csv")
    for wrong, words in (("often", "no duration"), ("0 s", "must be a positive")):
        refused = CliRunner().invoke(application("score"), [*asked, "--interval", wrong])
        assert refused.exit_code != 0
        assert words in " ".join(refused.output.split())


def test_a_clock_that_was_set_back_loses_ten_readings_at_most(tmp_path: Path) -> None:
    lines = [f"{1.7e9 + 60 * at - (86400 if at >= 200 else 0):.0f},{at % 7}" for at in range(400)]
    assert score_file(write(tmp_path / "in.csv", ["t,v", *lines]), "t", "v", tmp_path / "out.csv").scored == 391


def test_values_with_units_are_written_as_numbers(tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", ["t,v", "60,1.50", "120,1.5 m", "180,<0.1", '240,"1,234.5"', "300,7*"])
    score_file(source, "t", "v", tmp_path / "out.csv")
    assert [record["value"] for record in records(tmp_path / "out.csv")] == ["1.50", "1.5", "0.1", "1234.5", "7.0"]


@pytest.mark.parametrize(
    ("kind", "odd"), [("gauge", 40.0), ("counter", 3e5), ("angle", 180.0), ("switch", 1.0), ("state", 3.0)]
)
def test_a_column_is_scored_as_the_kind_that_it_is_said_to_be(tmp_path: Path, kind: Kind, odd: float) -> None:
    step = np.arange(300)
    values = {"counter": 7.0 * step + step % 3, "angle": (359.0 + step % 3) % 360.0}.get(kind, step * 0.0)
    values[250] = odd
    source = write(tmp_path / "in.csv", ["t,v", *(f"{1.7e9 + 60 * at:.0f},{value}" for at, value in enumerate(values))])
    command = ["score", str(source), "--time", "t", "--value", "v", "--out", str(tmp_path / "out.csv")]
    told = CliRunner().invoke(application(), command if kind == "gauge" else [*command, "--kind", kind])
    assert told.exit_code == 0, told.output
    bank = Bank()
    bank.configure(0, interval=60.0, kind=kind)
    scores = [
        bank.update(np.array([0]), np.array([1.7e9 + 60 * at]), values[at : at + 1]).score[0] for at in range(300)
    ]
    assert [float(one["score"]) for one in records(tmp_path / "out.csv")] == pytest.approx(scores, abs=1e-11)
    assert scores[250] == max(scores[:251]) > 0.99


def test_an_angle_is_the_same_in_whatever_unit_it_is(tmp_path: Path) -> None:
    degrees = (359.0 + 2.0 * np.random.default_rng(0).normal(size=250)) % 360.0
    degrees[220] = 180.0
    told = []
    for unit, circle in (("deg", 360.0), ("rad", 2.0 * np.pi), ("gon", 400.0)):
        lines = [f"{1.7e9 + 60 * at:.0f},{angle * circle / 360.0:.9f}" for at, angle in enumerate(degrees)]
        source = write(tmp_path / "in.csv", ["t,v", *lines])
        command = ["score", str(source), "--time", "t", "--value", "v", "--out", str(tmp_path / "out.csv")]
        assert CliRunner().invoke(application("score"), [*command, "--kind", "angle", "--unit", unit]).exit_code == 0
        told.append([float(one["score"]) for one in records(tmp_path / "out.csv")])
    assert told[1] == pytest.approx(told[0], abs=1e-4) and told[2] == pytest.approx(told[0], abs=1e-4)
    assert told[0][220] > 0.99 > max(told[0][120:220])


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--kind", "meter"], 2, "'gauge', 'counter', 'switch', 'angle', 'state'"),
        (["--unit", "rad"], 1, "--unit is for --kind angle"),
        (["--kind", "state", "--limit", "3"], 1, "a state has codes"),
        (["--kind", "counter", "--value", "w", "--train-rows", "9"], 1, "--kind is for one column"),
    ],
)
def test_a_kind_that_cannot_be_is_refused(tmp_path: Path, more: list[str], code: int, words: str) -> None:
    source = write(tmp_path / "in.csv", ["t,v,w", "1700000000,1,1"])
    told = CliRunner().invoke(application(), ["score", str(source), "--time", "t", "--value", "v", *more])
    assert told.exit_code == code
    assert words in " ".join(told.output.replace("│", " ").split())


def test_a_value_that_freezes_and_a_gap_are_told_apart_from_score_and_alarm(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    value = random.normal(size=2200).round(3)
    value[1500:1700] = value[1499]
    time = 1.7e9 + 60.0 * np.arange(2200)
    time[1900:] += 600.0
    source = write(tmp_path / "in.csv", ["t,v", *(f"{at:.0f},{each}" for at, each in zip(time, value, strict=True))])
    report = score_file(source, "t", "v", tmp_path / "out.csv", limit=Limit(50.0))
    found = records(tmp_path / "out.csv")
    assert list(found[0])[-2:] == ["quality", "quality_alarm"]
    assert [at for at, one in enumerate(found) if one["quality_alarm"] == "1"] == [1530, 1900]
    assert {one["quality"] for one in found[:1530] + found[1700:1900] + found[1901:]} == {""}
    assert {one["quality"] for one in found[1530:1700]} == {"stuck"}
    assert (found[1900]["quality"], report.quality, report.alarms) == ("gap", 2, 0)


def test_a_size_that_nothing_has_is_no_reading(tmp_path: Path) -> None:
    lines = [f"{1.7e9 + 60 * at:.0f},{9.0 + at % 3}" for at in range(150)]
    lines[120] = lines[120].split(",")[0] + ",1e300"
    report = score_file(write(tmp_path / "in.csv", ["t,v", *lines]), "t", "v", tmp_path / "out.csv", limit=Limit(100.0))
    assert (report.scored, report.bad, report.warnings) == (149, 1, 0)
    assert report.problems[0].message == "v: not a number: '1e300'"


def test_a_step_in_readings_of_a_second_is_told_within_ten_readings(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=2100)
    values[2000:] += 40.0
    source = write(tmp_path / "in.csv", ["t,v", *(f"{1.7e9 + at:.0f},{each:.4f}" for at, each in enumerate(values))])
    assert score_file(source, "t", "v", tmp_path / "out.csv").alarms == 1
    told = [at for at, one in enumerate(records(tmp_path / "out.csv")) if one["alarm"] == "1"]
    assert 2000 <= told[0] < 2010


def test_it_is_told_in_the_language_asked_for_and_in_that_of_the_locale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path / "in.csv", ["t,v", "1700000000,1", "1700000060,many", "1700000120,2", "1700000060,3"])
    asked = ["score", str(source), "--time", "t", "--value", "v", "--out", str(tmp_path / "out.csv")]

    def told(*more: str) -> str:
        return " ".join(CliRunner().invoke(application("score"), [*asked, *more]).output.split())

    whole = told("--language", "zh-CN", "--limit", "9")
    assert "已评分 2 个读数，报警 0 次，预警 0 次，已写入" in whole
    assert "v：不是数值：'many' 1 行无法使用" in whole and "1 行不晚于前一行，未评分" in whole
    assert "--lag 应在 1 min 至 14 d 之间" in told(
        "--language", "zh-CN", "--limit", "9", "--driver", "w", "--lag", "40 d"
    )
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "请用 --train-rows 写明行数" in told("--value", "w")
    assert "没有列 'when'；可用的列：t, v" in told("--time", "when")
    assert "--interval: “often”不是时长" in told("--interval", "often")
    assert "2 readings scored" in told("--language", "en")

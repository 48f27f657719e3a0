"""Scoring several columns together: `foreshock score` with several --value."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from models.area.fitting import fit
from models.area.model import Watch
from scripts.cli import application
from scripts.recording import ScoreError
from scripts.score_area import score_area


def recording(path: Path, rows: int = 500, spoil: int = 400) -> np.ndarray:
    random = np.random.default_rng(0)
    values = random.normal(size=(rows, 2)).round(4)
    values[spoil:, 1] += 6.0
    lines = ["at;left;right;note", *(f"{1.7e9 + row:.0f};{a};{b};x" for row, (a, b) in enumerate(values))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return values


def records(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_rows_are_judged_as_the_model_of_the_first_rows_judges_them(tmp_path: Path) -> None:
    values = recording(tmp_path / "in.csv")
    report = score_area(tmp_path / "in.csv", "at", ["left", "right"], tmp_path / "out.csv", train_rows=300)
    time = 1.7e9 + np.arange(500.0)
    watch = Watch(fit(time[:300], values[:300], ["left", "right"], 1.0).model)
    found = records(tmp_path / "out.csv")
    assert list(found[0]) == ["time", "left", "right", "score", "alarm", "top"]
    assert {(one["score"], one["alarm"]) for one in found[:300]} == {("0", "0")}
    for row, record in enumerate(found):
        judged = watch.row(time[row], values[row])
        if row >= 300:
            assert float(record["score"]) == pytest.approx(judged.score, abs=1e-11)
            assert record["alarm"] == str(int(judged.alarm))
    assert sum(record["alarm"] == "1" for record in found[300:400]) <= 2
    assert all(record["alarm"] == "1" and record["top"] == "right" for record in found[420:])
    assert (report.rows, report.trained, report.events, report.bad) == (500, 300, 1, 0)


def test_no_row_knows_what_comes_after_it(tmp_path: Path) -> None:
    recording(tmp_path / "whole.csv")
    lines = (tmp_path / "whole.csv").read_text().splitlines()
    (tmp_path / "part.csv").write_text("\n".join(lines[:421]))
    for name in ("whole", "part"):
        score_area(tmp_path / f"{name}.csv", "at", ["left", "right"], tmp_path / f"{name}.out", train_rows=300)
    assert records(tmp_path / "part.out") == records(tmp_path / "whole.out")[:420]


def test_unreadable_values_are_held_and_bad_rows_told(tmp_path: Path) -> None:
    recording(tmp_path / "in.csv")
    lines = (tmp_path / "in.csv").read_text().splitlines()
    lines[350] = lines[350].split(";")[0] + ";n/a;nan;x"
    lines[360] = "yesterday;1;2;x"
    lines[370] = "1700000000;1;2;x"  # the clock steps back
    (tmp_path / "in.csv").write_text("\n".join(lines))
    report = score_area(tmp_path / "in.csv", "at", ["left", "right"], tmp_path / "out.csv", train_rows=300)
    assert (report.bad, report.late) == (3, 1)
    assert [problem.line for problem in report.problems] == [351, 351, 361]
    found = records(tmp_path / "out.csv")
    assert len(found) == 499
    assert found[349]["left"] == "n/a"
    assert (found[368]["score"], found[368]["alarm"]) == ("0", "0")


def test_a_column_that_goes_blank_is_left_out_and_blames_no_other(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    base = 0.05 * np.cumsum(random.normal(size=900))
    values = (base[:, None] * [1.0, 2.0, -1.0] + 0.1 * random.normal(size=(900, 3))).round(4)
    values[860:, 2] += 3.0
    anomalous = {}
    for name, blank in (("whole", range(0)), ("blank", range(500, 840))):
        cells = [[str(value) for value in row] for row in values.tolist()]
        for at in blank:
            cells[at][1] = ""
        lines = ["t,a,b,c", *(",".join([f"{1.7e9 + at:.0f}", *row]) for at, row in enumerate(cells))]
        (tmp_path / "in.csv").write_text("\n".join(lines))
        report = score_area(tmp_path / "in.csv", "t", ["a", "b", "c"], tmp_path / "out.csv", train_rows=400)
        assert report.partial == max(len(blank) - 5, 0)
        found = records(tmp_path / "out.csv")
        anomalous[name] = sum(one["alarm"] == "1" for one in found[500:850])
        assert not any(one["top"] == "b" for one in found[505:840] if blank)
        assert all((one["alarm"], one["top"]) == ("1", "c") for one in found[870:])
    assert anomalous["blank"] <= anomalous["whole"] + 5


@pytest.mark.parametrize(
    ("columns", "rows", "says"),
    [
        (["left", "up"], 300, "no column 'up'"),
        (["left", "left"], 300, "named twice"),
        (["left", "right"], 600, "has 500 readable rows"),
        (["left", "right"], 10, "too few to learn"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused_in_a_sentence(
    tmp_path: Path, columns: list[str], rows: int, says: str
) -> None:
    recording(tmp_path / "in.csv")
    with pytest.raises(ScoreError, match=says):
        score_area(tmp_path / "in.csv", "at", columns, tmp_path / "out.csv", train_rows=rows)


def test_the_command_says_what_it_did_and_asks_for_train_rows(tmp_path: Path) -> None:
    recording(tmp_path / "in.csv")
    asked = ["score", str(tmp_path / "in.csv"), "--time", "at", "--value", "left", "--value", "right"]
    told = CliRunner().invoke(application("score"), [*asked, "--train-rows", "300", "--out", str(tmp_path / "o.csv")])
    assert told.exit_code == 0
    assert "500 rows, 300 learnt from" in told.output
    lines = (tmp_path / "in.csv").read_text().splitlines()
    lines[410:412] = lines[411], lines[410]
    (tmp_path / "in.csv").write_text("\n".join(lines))
    for more in (["--train-rows", "300"], []):
        some = asked if more else asked[:-2]
        told = CliRunner().invoke(application("score"), [*some, *more, "--out", str(tmp_path / "o.csv")])
        assert "1 rows were not later than the one before" in " ".join(told.output.split())
    some = [*asked, "--train-rows", "300", "--language", "zh-CN", "--out", str(tmp_path / "o.csv")]
    told = CliRunner().invoke(application("score"), some)
    assert "共 500 行，学习 300 行" in told.output and "1 行不晚于前一行，未判定" in told.output
    refused = CliRunner().invoke(application("score"), asked)
    assert refused.exit_code != 0
    assert "--train-rows" in refused.output
    twice = CliRunner().invoke(application("score"), [*asked, "--value", "left", "--train-rows", "300"])
    assert twice.exit_code == 1 and "a column was named twice" in twice.output


def test_a_recording_that_begins_with_its_newest_row_is_judged_from_its_oldest_on(tmp_path: Path) -> None:
    recording(tmp_path / "rising.csv")
    heading, *rows = (tmp_path / "rising.csv").read_text().splitlines()
    rows[390] = rows[390].split(";")[0] + ";;;x"  # what is held is the value before, not the one after
    (tmp_path / "rising.csv").write_text("\n".join([heading, *rows]))
    (tmp_path / "falling.csv").write_text("\n".join([heading, *rows[::-1]]))
    for name in ("rising", "falling"):
        score_area(tmp_path / f"{name}.csv", "at", ["left", "right"], tmp_path / f"{name}.out", train_rows=300)
    assert records(tmp_path / "falling.out") == records(tmp_path / "rising.out")[::-1]


def test_a_size_that_nothing_has_blinds_no_column(tmp_path: Path) -> None:
    recording(tmp_path / "in.csv")
    lines = (tmp_path / "in.csv").read_text().splitlines()
    lines[100] = lines[100].split(";")[0] + ";0.5;1e300;x"
    (tmp_path / "in.csv").write_text("\n".join(lines))
    report = score_area(tmp_path / "in.csv", "at", ["left", "right"], tmp_path / "out.csv", train_rows=300)
    assert (report.bad, report.problems[0].message) == (1, "right: not a number, held: '1e300'")
    assert all((one["alarm"], one["top"]) == ("1", "right") for one in records(tmp_path / "out.csv")[420:])


def test_one_wild_value_among_the_rows_to_learn_from_blinds_no_column(tmp_path: Path) -> None:
    recording(tmp_path / "in.csv")
    lines = (tmp_path / "in.csv").read_text().splitlines()
    for at in (1, 100, 101):
        lines[at] = lines[at].split(";")[0] + ";0.5;65535;x"
    (tmp_path / "in.csv").write_text("\n".join(lines))
    report = score_area(tmp_path / "in.csv", "at", ["left", "right"], tmp_path / "out.csv", train_rows=300)
    assert report.wild == 3
    assert all((one["alarm"], one["top"]) == ("1", "right") for one in records(tmp_path / "out.csv")[420:])

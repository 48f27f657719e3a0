"""`foreshock evaluate skab`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from scripts.cli import application


def runs(folder: Path, off: float) -> Path:
    random = np.random.default_rng(0)
    for name in ("0", "1"):
        lines = ["datetime;a;b;anomaly;changepoint"]
        for row in range(560):
            a, b = random.normal(size=2) + off * (row >= 480)
            lines.append(f"2020-01-01 00:{row // 60:02}:{row % 60:02};{a};{b};{float(row >= 480)};0.0")
        (folder / f"{name}.csv").write_text("\n".join(lines))
    return folder


def test_figures_and_a_plot_are_written(tmp_path: Path) -> None:
    plot = tmp_path / "plot.html"
    found = CliRunner().invoke(
        application("evaluate"),
        ["evaluate", "skab", str(runs(tmp_path, 8.0)), "--json", "--plot", str(plot), "--language", "zh-CN"],
    )
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert told["all"]["f1"] > 0.9
    assert set(told["runs"]) == {"0.csv", "1.csv"}
    assert len(told["rate from one half, figures of the other"]) == 2
    page = plot.read_text()
    assert page.count("<polyline") == 2
    assert '<html lang="zh-CN">' in page and "虚线以上判为异常" in page and "马氏距离" in page and "mahal" not in page


def test_it_ends_with_code_1_where_the_bar_is_missed(tmp_path: Path) -> None:
    found = CliRunner().invoke(application("evaluate"), ["evaluate", "skab", str(runs(tmp_path, 0.0))])
    assert found.exit_code == 1
    assert "0.csv" in found.output and "mahalanobis" in found.output


def test_pictures_that_have_no_folder_are_refused_before_the_scoring(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "none" / "plot.svg")
    found = CliRunner().invoke(application("evaluate"), ["evaluate", "skab", str(tmp_path), "--plot", nowhere])
    assert found.exit_code != 0
    assert "there is no folder" in " ".join(found.output.split())


def test_a_folder_without_runs_is_said_to_have_none(tmp_path: Path) -> None:
    found = CliRunner().invoke(application("evaluate"), ["evaluate", "skab", str(tmp_path)])
    assert found.exit_code != 0
    assert "no run" in found.output

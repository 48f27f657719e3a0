"""`foreshock evaluate nab | budget | injected`."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.scripts.test_cli import run, sentence


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write two series of a daily swing, each with an outlier in a window."""
    root = tmp_path_factory.mktemp("series")
    (root / "made").mkdir()
    random, start, windows = np.random.default_rng(6), datetime(2026, 1, 1), {}
    for name in ("one", "two"):
        value = 20.0 + 3.0 * np.sin(2.0 * np.pi * np.arange(2600) / 288.0) + 0.2 * random.normal(size=2600)
        value[2400] = 60.0
        times = [start + timedelta(minutes=5 * n) for n in range(2600)]
        lines = [f"{time},{reading}" for time, reading in zip(times, value.tolist(), strict=True)]
        (root / "made" / f"{name}.csv").write_text("\n".join(["timestamp,value", *lines]) + "\n", encoding="utf-8")
        windows[f"made/{name}.csv"] = [[str(times[2390]), str(times[2450])]]
    (root / "windows.json").write_text(json.dumps(windows), encoding="utf-8")
    return root


def test_nab_tells_each_profile_with_the_score_held_out(folder: Path) -> None:
    told = json.loads(run("evaluate", "nab", folder, "--json").stdout)
    assert [one["profile"] for one in told["profiles"]] == ["standard", "low_fp", "low_fn"]
    assert all(one["hits"] == one["windows"] == 2 and one["score"] > 90.0 for one in told["profiles"])
    assert all(max(one["held_out"]) > 90.0 for one in told["profiles"])


def test_budget_tells_every_series(folder: Path) -> None:
    told = json.loads(run("evaluate", "budget", folder, "--json").stdout)
    assert [one["series"] for one in told["rates"]] == ["made/one.csv", "made/two.csv"]
    assert told["alarms_per_day"] < 0.2


def test_injected_faults_are_found_and_named_and_the_seed_repeats_them(folder: Path) -> None:
    told = json.loads(run("evaluate", "injected", folder, "--json", "--each", "1").stdout)
    faults = [one for one in told["faults"] if one["fault"]]
    assert sum(one["found"] for one in faults) >= 9
    assert sum(one["named"] for one in faults) >= 8
    assert told == json.loads(run("evaluate", "injected", folder, "--json", "--each", "1").stdout)


def test_what_cannot_be_evaluated_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    assert "there is no folder" in sentence(run("evaluate", "nab", tmp_path / "none"))
    assert "no series" in sentence(run("evaluate", "budget", tmp_path))
    (tmp_path / "one.csv").write_bytes((folder / "made" / "one.csv").read_bytes())
    assert "has no windows.json" in sentence(run("evaluate", "nab", tmp_path))
    (tmp_path / "windows.json").write_text(json.dumps({f"{tmp_path.name}/one.csv": [["2026-01-01", "2026-03-01"]]}))
    assert "quiet readings" in sentence(run("evaluate", "injected", tmp_path))
    assert "没有文件夹" in sentence(run("evaluate", "nab", tmp_path / "none", "--language", "zh-CN"))


@pytest.mark.parametrize(
    ("which", "words"),
    [
        ("nab --language zh-CN", "留出检验"),
        ("budget", "half to twice as often as named"),
        ("injected --each 1", "faults found"),
    ],
)
def test_misses_and_false_alarms_are_drawn_into_one_page(folder: Path, tmp_path: Path, which: str, words: str) -> None:
    command, *more = which.split()
    page = tmp_path / "page.html"
    shown = run("evaluate", command, folder, *more, "--plot", page)
    assert f"{'已绘制到' if 'zh-CN' in more else 'drawn in'} {page}" in shown.output
    assert words in shown.stdout
    language = "zh-CN" if "zh-CN" in more else "en"
    assert page.read_text().startswith(f'<!doctype html>\n<html lang="{language}">')
    page.unlink()
    json.loads(run("evaluate", command, folder, *more, "--plot", page, "--json").stdout)
    assert page.exists()
    assert "choose a name that ends in .html" in sentence(run("evaluate", command, folder, "--plot", "page.txt"))
    assert "cannot be written" in sentence(run("evaluate", command, folder, "--plot", tmp_path / "none" / "page.html"))

"""The pictures of what was found: one file, whole, readable and safe."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import msgspec
import numpy as np
import pytest

from models.evaluation.plot import Band, Mark, Panel, around, pages

TIMES = 1.7e9 + 3600.0 * np.arange(100.0)


def drawn(path: Path) -> list[ElementTree.Element]:
    """Return the pictures of a page; each must be well-formed."""
    text = path.read_text(encoding="utf-8")
    return [ElementTree.fromstring("<svg" + part.split("</svg>")[0] + "</svg>") for part in text.split("<svg")[1:]]


def test_a_panel_shows_its_line_limit_bands_and_marks(tmp_path: Path) -> None:
    panel = Panel(
        "river",
        TIMES,
        np.sin(np.arange(100.0)),
        marks=[Mark(TIMES[50], "crossing", "missed"), Mark(TIMES[0] - 1.0, "before it")],
        bands=[Band(TIMES[40], TIMES[45], "warning", "false")],
        limit=0.9,
    )
    pages(tmp_path / "out.html", [panel, panel], "two")
    one, _ = drawn(tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text()
    assert len([part for part in one if part.get("class") == "series"]) == 1
    assert len([part for part in one if part.get("class") == "limit"]) == 1
    assert len(one.findall("rect")) == 1
    assert [part.text for part in one.iter("text") if part.text == "crossing"] == ["crossing"]
    assert "before it" not in text
    assert "false alarm" in text
    assert "expected range" not in text
    pages(tmp_path / "zh.html", [msgspec.structs.replace(panel, bands=[Band(TIMES[4], TIMES[5])])], "", "", "zh-CN")
    text = (tmp_path / "zh.html").read_text()
    assert "已知发生" in text and "11-16" in text
    assert not {"what happened", "missed", "Nov"} & set(re.findall(r"[A-Za-z ]+", text))


def test_words_of_marks_do_not_run_into_each_other(tmp_path: Path) -> None:
    marks = [
        Mark(TIMES[at], words) for at, words in ((10, "motion"), (11, "creep"), (20, "报警"), (21, "x"), (98, "end"))
    ]
    pages(tmp_path / "out.html", [Panel("triage", TIMES, TIMES, marks=marks[::-1])])
    (one,) = drawn(tmp_path / "out.html")
    told = [part.text for part in one.iter("text")]
    assert {"motion", "报警", "end"} <= set(told) and not {"creep", "x"} & set(told)
    assert "creep" in [part.text for part in one.iter("title")], "it is told where the line is pointed at"


def test_words_from_a_file_stay_words(tmp_path: Path) -> None:
    words = "<script>alert(1)</script>"
    pages(tmp_path / "out.html", [Panel(words, TIMES, TIMES, marks=[Mark(TIMES[3], words)], note=words)], words, words)
    assert "<script" not in (tmp_path / "out.html").read_text()


@pytest.mark.parametrize("values", [np.full(100, np.nan), np.full(100, 5.0), np.zeros(100), np.full(100, 1e99)])
def test_dull_and_strange_series_are_drawn(tmp_path: Path, values: np.ndarray) -> None:
    pages(tmp_path / "out.html", [Panel("odd", TIMES, values)])
    assert "nan" not in (tmp_path / "out.html").read_text().split("<svg")[-1]


def test_zero_has_no_sign(tmp_path: Path) -> None:
    pages(tmp_path / "out.html", [Panel("swing", TIMES, 80.0 * np.sin(np.arange(100.0)) + 20.0)])
    (one,) = drawn(tmp_path / "out.html")
    assert {"-50", "0", "50"} <= {str(part.text) for part in one.iter("text")}


def test_a_gap_is_not_bridged(tmp_path: Path) -> None:
    values = np.arange(100.0)
    values[50] = np.nan
    pages(tmp_path / "out.html", [Panel("gap", TIMES, values)])
    (one,) = drawn(tmp_path / "out.html")
    (line,) = (part for part in one if part.get("class") == "series")
    assert line.get("d", "").count("M") == 2


def test_a_long_series_keeps_its_peaks_in_a_small_file(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=200_000)
    values[123_456] = 100.0
    pages(tmp_path / "out.html", [Panel("long", 1.7e9 + np.arange(200_000.0), values)])
    (one,) = drawn(tmp_path / "out.html")
    (line,) = (part for part in one if part.get("class") == "series")
    heights = [float(point.split(" ")[1]) for point in line.get("d", "").replace("M", "L").split("L")[1:]]
    assert min(heights) == pytest.approx(22.0, abs=0.1)
    assert (tmp_path / "out.html").stat().st_size < 100_000


def test_nothing_is_said_to_be_nothing(tmp_path: Path) -> None:
    pages(tmp_path / "out.html", [])
    assert "Nothing to show" in (tmp_path / "out.html").read_text()


def test_around_is_the_stretch_with_its_margin() -> None:
    assert around(TIMES, TIMES[10], TIMES[20], 3600.0) == slice(9, 21)

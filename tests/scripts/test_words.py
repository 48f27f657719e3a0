"""Tests of what commands say: each catalogue has the same in both languages."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from string import Formatter

import numpy as np
import pytest

from models.evaluation.plot import Band, Mark, Panel
from scripts import commands
from scripts.commands import error_words
from scripts.commands.picture_words import in_language
from scripts.commands.words import of_locale

FOLDER = Path(commands.__file__).parent
CATALOGUES = sorted(file.stem for file in FOLDER.glob("*words.py") if "\nWORDS: " in file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CATALOGUES)
def test_both_languages_say_the_same_of_the_same(name: str) -> None:
    catalogue: dict[str, tuple[str, str]] = importlib.import_module(f"scripts.commands.{name}").WORDS

    def filled_in(text: str) -> set[str]:
        return {re.split(r"\W", field)[0] for _, field, _, _ in Formatter().parse(text) if field is not None}

    for key, (chinese, english) in catalogue.items():
        assert filled_in(chinese) == filled_in(english), key
        assert english and not re.search(r"[\u4e00-\u9fff]", english), key


def test_what_a_part_says_is_known_clause_by_clause() -> None:
    said = error_words.said("/a b.csv: is no recorded series: no row can be read", "zh-CN")
    assert said == "/a b.csv：不是可识别的序列：没有可读取的行"
    few = "before part 1 of 5 of the later half: 9 verdicts{} (5 real, 4 nuisance) are too few to learn from"
    for more in ("", " before the later ones that are to be foretold"):
        said = error_words.said(f"{few.format(more)}; 60 are needed, 15 of each", "zh-CN")
        assert said.startswith("后一半的第 1 段（共 5 段）之前，") and "before" not in said
    said = error_words.said("there is no series in a: CSV files with a column of times and one of numbers", "zh-CN")
    assert said == "a 中没有序列：须为有时间列和数值列的 CSV 文件"
    for unknown in ("nobody knows: this", "[Errno 5] disk; gone"):
        assert error_words.said(unknown, "zh-CN") == unknown
    assert error_words.said("no row can be read", "en") == "no row can be read"


def test_pictures_are_titled_in_the_language_of_the_page() -> None:
    times = np.arange(2.0)
    panel = Panel(
        "a/b.csv: false alarm", times, times, [Mark(1.0, "tilt")], [Band(0.0, 1.0, "labelled")],
        note="1 of 2 windows found, 3 false",
    )  # fmt: skip
    [drawn] = in_language([panel], "zh-CN")
    assert (drawn.title, drawn.note) == ("a/b.csv：误报", "找到 1 个时段（共 2 个），误报 3 次")
    assert (drawn.marks[0].text, drawn.bands[0].text) == ("tilt", "已标注")
    assert list(in_language([panel], "en")) == [panel]
    titles = {
        "level shift: called growing_noise": "水平突变：叫成噪声增大",
        "as it was: false: ramp": "原样：误报：持续爬升或下降",
        "dropout: missed": "数据中断：漏报",
        "a/b.csv": "a/b.csv",
    }
    panels = [Panel(title, times, times, [Mark(1.0, "freeze")]) for title in titles]
    said = list(in_language(panels, "zh-CN"))
    assert [one.title for one in said] == list(titles.values()) and said[0].marks[0].text == "数值冻结"


@pytest.mark.parametrize(
    ("locale", "language"), [("zh_CN.UTF-8", "zh-CN"), ("zh", "zh-CN"), ("de_DE", "en"), ("C", "en"), ("", "en")]
)
def test_the_locale_says_which_language(locale: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", locale)
    assert of_locale() == language

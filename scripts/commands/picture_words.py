"""What stands on the pictures of `foreshock evaluate`, in Chinese: their makers title and note them in English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from alerts.console.phrases import Phrases
from models.evaluation.plot import Panel
from scripts.commands.model_names import FAULTS
from scripts.commands.words import Language

_SAID: tuple[tuple[str, str], ...] = (
    ("missed", "漏报"),
    ("false alarm", "误报"),
    ("false warning", "误报的预警"),
    ("missed surge", "漏报的激增"),
    ("all readings", "全部读数"),
    ("warned {} h before", "提前 {} 小时预警"),
    ("as it was", "原样"),
    ("part {}", "第 {} 段"),
    ("labelled", "已标注"),
    ("put on, not found", "已加入，未找到"),
    ("nothing to find, {} false", "没有须找到的，误报 {} 次"),
    ("{} of {} windows found, {} false", "找到 {} 个时段（共 {} 个），误报 {} 次"),
    ("the score reaches {}; the threshold is {}", "评分达到 {}；阈值为 {}"),
    ("{} false alarms in {} days", "误报 {} 次，历时 {} 天"),
    (
        "{} false alarms in {} days; 0.999 comes {} times as often as it says (grey)",
        "误报 {} 次，历时 {} 天；0.999 出现的频率为标称的 {} 倍（灰色）",
    ),
    ("black: counted, blue: expected", "黑：计数，蓝：预期"),
    (
        "odds told; missed: real below {}, false: a nuisance from there on",
        "预测概率；漏报：属实而低于 {}，误报：不低于此的扰动",
    ),
)
_FAULTS: tuple[tuple[str, str], ...] = tuple(
    (before.format(name), after.format(chinese))
    for fault, chinese in FAULTS.items()
    for name in sorted({fault, fault.replace("_", " ")})
    for before, after in (("{}", "{}"), ("called {}", "叫成{}"), ("false: {}", "误报：{}"))
)
_PHRASES = Phrases((*_SAID, *_FAULTS))


def in_language(panels: Iterable[Panel], language: Language) -> Iterator[Panel]:
    """Give panels with the titles, notes and words of bands and marks in a language, as far as they are known in it."""
    for one in panels:
        if language == "en":
            yield one
            continue
        said = _PHRASES.told
        bands = [msgspec.structs.replace(band, text=said(band.text)) for band in one.bands]
        marks = [msgspec.structs.replace(mark, text=said(mark.text)) for mark in one.marks]
        yield msgspec.structs.replace(one, title=said(one.title), note=said(one.note), bands=bands, marks=marks)

"""Every kind of score says why in both languages: which detector, against what, since when, how far."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from alerts.outcome import AlarmTransition, Explanation
from models.counts import Counts
from streams.bundle import Bundle
from streams.engine import Engine
from tests.rules.stage import a_rule
from tests.streams import test_engine_counts, test_engine_together
from tests.streams.small_site import START, frame_of, published, site, tick
from tests.streams.test_engine import flat, play

HAN = re.compile(r"[\u3400-\u9fff]")
SPAN, SPAN_ZH = r"\d+ (d|h|min|s)\b", r"\d+ (天|小时|分钟|秒)"


def readings(values: Any, kind: str = "gauge", when: str = "score > 0.9999", unit: str = "mm") -> list[bytes]:
    """Have one point report values, ten seconds apart."""
    made = site(points=1)
    point = msgspec.structs.replace(made.points[0], kind=kind, unit=unit)
    content = Bundle(site=msgspec.structs.replace(made, points=(point,)), rules=(a_rule("odd", when=when),))
    found = [published(content), tick(START)]
    for number, value in enumerate(values):
        now = START + 10.0 * (number + 1)
        found += [frame_of([(0, now, float(value))], now), tick(now + 1.0)]
    return found


def draw(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def rising() -> list[bytes]:
    random = draw()
    calm, rise = random.normal(5.0, 0.05, 300), 5.0 + 0.12 * np.arange(200) + random.normal(0.0, 0.05, 200)
    return readings([*calm, *rise], when="eta('limit') < 30 min")


KINDS: dict[str, tuple[Callable[[], list[bytes]], str, str]] = {
    # what is played; what the reason must say in English and in Chinese
    "value above its range": (
        lambda: readings([*draw().normal(5.0, 0.3, 300), 9.0, 9.0]),
        rf"^value 9 above [\d.]+…[\d.]+ seen in the last {SPAN}, [\d.]+ (times|% of) the range beyond it",
        rf"^数值 9 高于最近 {SPAN_ZH}内的范围 [\d.]+…[\d.]+，超出幅度为范围的",
    ),
    "value below its range": (
        lambda: readings([*draw().normal(5.0, 0.3, 300), 1.0, 1.0]),
        rf"^value 1 below [\d.]+…[\d.]+ seen in the last {SPAN}, [\d.]+ (times|% of) the range beyond it",
        rf"^数值 1 低于最近 {SPAN_ZH}内的范围",
    ),
    "derived: short mean or its change": (
        lambda: readings([*draw().uniform(0.0, 10.0, 600), *draw(1).uniform(6.0, 10.0, 60)], when="score > 0.999"),
        rf"^(short mean \S+ (above|below)|(rise|fall) of the mean by \S+, outside) .*….* in the last {SPAN}, .* range",
        rf"^(短时均值|均值上升|均值下降) .*最近 {SPAN_ZH}内的(变化)?范围.*超出幅度为范围的",
    ),
    "code never seen": (
        lambda: readings([0, 1] * 60 + [0] * 300 + [2] * 3, "state", "score > 0.99", "1"),
        rf"^code 2 after 0, never seen in the last {SPAN}$",
        rf"^代码 2（此前为 0）在最近 {SPAN_ZH}内从未出现$",
    ),
    "code that comes seldom": (
        lambda: readings([0] * 60 + ([1] * 5 + [0] * 300) * 4 + [1] * 3, "switch", "score > 0.99 and value == 1", "1"),
        rf"^(change from 0 to 1, seen \d+ times in the last {SPAN}|code 1 after 0, never seen in the last {SPAN})$",
        rf"最近 {SPAN_ZH}内",
    ),
    "counts of events": (
        test_engine_counts.scene,
        r"^\d+ × person.* within 1 min, [\d.]+ are usual at this time of the week; so many come once in \d+ windows$",
        r"1 分钟内 person 出现 \d+ 次，每周同一时段通常为 [\d.]+ 次；约每 \d+ 个时段才有一次$",
    ),
    "the points of an area together": (
        test_engine_together.scene,
        r"unlike their history: p[03] \d+ %.*; Mahalanobis distance as far out as one row in \d+ of the [\d.]+ d ",
        r"与其历史不同：p[03] \d+ %.*；马氏距离的偏离程度在所学的 [\d.]+ 天中约每 \d+ 行才有一次$",
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let counts be known after some minutes, as the tests of counts do."""
    monkeypatch.setattr(Counts, "learning", lambda self: self.learnt < test_engine_counts.SOON)


def told(values: list[bytes]) -> Explanation:
    """Give the reasons of the first alarm."""
    first = next(one for one in flat(play(values, engine=Engine(0)), AlarmTransition) if one.edge == "alarm")
    assert first.explanation is not None
    found: Explanation = first.explanation
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_score_says_its_detector_its_range_since_when_and_how_far(kind: str) -> None:
    scene, english, chinese = KINDS[kind]
    why = told(scene())
    assert why.score is not None and why.score >= 0.99
    assert re.search(english, why.score_reason), why.score_reason
    assert re.search(chinese, why.score_reason_zh), why.score_reason_zh
    assert not HAN.search(why.score_reason) and HAN.search(why.score_reason_zh)


def test_a_rise_of_reports_says_how_many_by_week_and_against_what() -> None:
    records = play(test_engine_counts.scene())
    why = next(one for one in flat(records, AlarmTransition) if one.rule == "rise" and one.edge == "alarm").explanation
    assert re.search(r"^4 reports of .* within 28 d, by week 0 · 1 · 1 · 2 .*; [\d.]+ more were to", why.score_reason)
    assert re.search(r"28 天内被上报 .* 4 次，逐周 0 · 1 · 1 · 2（最近在后）；按其以往预计再有约", why.score_reason_zh)


def test_a_time_to_limit_says_from_where_to_what_in_how_long_and_between_what() -> None:
    why = told(rising())
    assert re.fullmatch(
        rf"trend from [\d.]+ mm reaches 40 mm in {SPAN}, (between [\d.]+ (min|s) and [\d.]+ (h|min)|.* at the soonest)",
        why.foreseen,
    ), why.foreseen
    assert re.fullmatch(r"按趋势将由 [\d.]+ mm 在 \d+ 分钟后达到 40 mm（.*）", why.foreseen_zh), why.foreseen_zh
    [term] = [one for one in why.terms if one.name == "eta('limit')"]
    assert term.value is not None and term.low is not None and term.low <= term.value
    assert not HAN.search(why.foreseen)

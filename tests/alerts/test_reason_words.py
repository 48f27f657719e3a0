"""Why an alarm of the product's own fired, in both languages; the log keeps one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest

from alerts import inhibition, itself, reported
from alerts.condition import in_short
from alerts.desk import Desk
from alerts.notifiers.notice import Notice
from alerts.notifiers.wording import Voice, say
from alerts.outcome import AlarmTransition, Explanation
from alerts.reason_words import in_both, said
from sensors.observation import Report, SystemEvent
from sensors.site import ReportKind
from tests.alerts.cases import SITE

HAN = re.compile(r"[\u4e00-\u9fff]")
DETAILS = [
    "", "ended with exit code 1, restart 2", "ended by SIGKILL, restart 1", "ended by signal 70, restart 1",
    "no connection", "cannot reach the MQTT broker at b:1883: refused", "1.2 GB free of /data",
    "partition 0: observations 1 to 9 are no longer in the log",
]  # fmt: skip


def reasons() -> Iterator[Explanation]:
    """Make the reasons of every kind that the product gives of itself."""
    desk = Desk(SITE)
    told = []
    for source in ("", "plc-1"):
        said = inhibition.Said(gateway=f"gw{source}", area="slope-1", points=("p0", "p1"), source=source)
        told += desk.gateway_gone(said, 1.0) + desk.gateway_back(said, 2.0, 10.0)
    found = [one.explanation for one in told if isinstance(one, AlarmTransition) and one.explanation is not None]
    assert len(found) >= 4
    yield from found
    for subject in (None, "h1"):
        report = Report(id="r", area="slope-1", category="smell", time=0.0, received=0.0, text="", subject=subject)
        yield from (reported._why(report, count) for count in (1, 2))
    yield itself.failing("", 0, "slope-1", 0.0).why
    for component in ("worker@n1", "outbox", "memory"):
        for detail in DETAILS:
            yield itself.change(SystemEvent(component=component, state="down", detail=detail, time=0.0), 0.0).why
    yield itself.change(SystemEvent(component="mqtt:yard", state="up", time=0.0), 0.0).why


def test_every_reason_of_the_products_own_is_said_in_chinese() -> None:
    for why in reasons():
        for text in (why.clause, why.clear, in_short(why)):
            assert not text or HAN.search(said(text, "zh-CN", "@engine")), text
            assert said(text, "en", "@engine") == text and not HAN.search(text)


@pytest.mark.parametrize(
    "clause", ["value > 20 and seen('debris', '5 min')", "rate('10m') > 0.2 [rate = 0.3 m]", "no error", "valve: up"]
)
def test_a_rules_own_clause_stays_as_the_site_writes_it(clause: str) -> None:
    assert said(clause, "zh-CN", "creep") == clause
    assert in_both({"clause": clause, "clear": "no error"}, "creep") == {"clause": clause, "clear": "no error"}
    assert in_both({"clause": "x", "clear": "no error"}, "@engine")["clear_zh"] == "没有错误"


def test_what_its_values_say_is_said_in_chinese_too() -> None:
    reason = "age > 60 s [age = 70 s, plc-1 offline, p1, p2 not confirmed by neighbours]"
    assert said(reason, "zh-CN", "silent") == "age > 60 s [age = 70 s, plc-1 自报离线, p1, p2 未获邻近测点印证]"


def test_a_mail_says_why_in_the_language_of_each_part() -> None:
    kinds = (ReportKind(category="smell", name=SITE.areas[0].name, levels=("orange",)),)
    desk = Desk(msgspec.structs.replace(SITE, reports=kinds))
    report = Report(id="r", area="slope-1", category="smell", time=0.0, received=0.0, text="", actor="user:li")
    event = next(one.event for one in desk.report(report, 1.0) if getattr(one, "event", None))
    notice = Notice(
        id="1", kind="dispatch", area="slope-1", unit="u", simulated=False, time=0.0, payload=event,
    )  # fmt: skip
    bodies = say(notice, Voice(site="test")).bodies
    assert "原因：本区域的 1 条上报（smell）\n" in bodies["zh"]
    assert "Why: 1 report of smell about this area\n" in bodies["en"]

"""A notice in words: which step is due or overdue, how often it was said again, and nothing left in one language."""

from __future__ import annotations

import re

import msgspec
import pytest

from alerts import ending_soon
from alerts.desk import Desk
from alerts.dispatch import OPEN
from alerts.hush import Silenced
from alerts.notifiers.file import EDGES
from alerts.notifiers.notice import Notice
from alerts.notifiers.notifier import concerns
from alerts.notifiers.pacing import digest
from alerts.notifiers.targets import ChatTarget
from alerts.notifiers.wording import Message, Voice, say
from alerts.outcome import AnyOutcome
from sensors.site import Link
from tests.alerts.cases import SITE, change, command

VOICE = Voice(site="test", name={"zh": "测试", "en": "Test"})
OF_INCIDENTS = ("undispatched", "reminded", "silence_ends", "mode_ends")


def told(out: list[AnyOutcome]) -> list[Message]:
    """Put what the world is told of into words."""
    return [
        say(
            Notice(
                id=one.id, kind="dispatch", area="slope-1", unit=getattr(one, "unit", ""), simulated=False,
                time=0.0, payload=one.event,
            ),
            VOICE,
        )
        for one in out
        if getattr(one, "event", None)
    ]  # fmt: skip


def line(message: Message, language: str, begin: str) -> str:
    return next(one for one in message.bodies[language].splitlines() if one.startswith(begin))


def test_it_names_the_step_that_is_due_and_how_often_it_was_said() -> None:
    desk = Desk(SITE)
    (issued,) = told(desk.condition(change(3), 0.0))
    assert line(issued, "zh", "须在").endswith("前接单") and line(issued, "en", "Accept by")
    order = next(iter(desk.book.cases.dispatches))
    desk.command(command("accept", order, "1"), 1.0)
    (late,) = told(desk.tick(1801.0))
    assert line(late, "zh", "状态：") == "状态：到场超时" and line(late, "en", "State:") == "State: Arrive: overdue"
    (again,) = told(desk.tick(2101.0))
    assert line(again, "zh", "状态：") == "状态：到场超时（第 1 次提醒）"
    assert line(again, "en", "State:") == "State: Arrive: overdue (reminder 1)"


def test_an_incident_that_is_asked_for_again_says_so() -> None:
    desk = Desk(SITE)
    desk.condition(change(1), 0.0)
    (asked,) = told(desk.tick(300.0))
    assert (
        asked.subject.endswith("仍未确认（第 1 次提醒）") and "still unacknowledged (reminder 1)" in asked.bodies["en"]
    )


def test_of_linked_areas_a_title_names_the_one_whose_level_it_tells() -> None:
    link = Link(areas=("river-1", "slope-1"), kind="upstream")
    desk = Desk(msgspec.structs.replace(SITE, links=(link,)))
    (below,) = told(desk.condition(change(4), 0.0))
    assert below.subject.startswith("slope 1区：")
    desk.condition(change(3, rule="r2", scope="p2", area="river-1"), 1.0)
    (incident,) = desk.book.cases.incidents
    above, *_ = told(desk.command(command("dispatch", incident, "0", unit="u-c2", area="river-1"), 1.5))
    assert above.subject.startswith("river 1区：") and "（橙色）" in above.subject, (
        "red is the slope, which the cause is not"
    )
    order = next(one.id for one in desk.book.cases.dispatches.values() if one.area == "slope-1")
    (late,) = told(desk.command(command("accept", order, "1"), 2.0))
    assert late.subject.startswith("slope 1区（红色）· 起因 river 1区："), "it goes to the slope"
    assert line(late, "en", "slope 1").startswith("slope 1 (red) · cause river 1: ")


def test_of_linked_areas_that_nobody_acknowledges_the_worst_is_named() -> None:
    link = Link(areas=("river-1", "slope-1"), kind="upstream")
    desk = Desk(msgspec.structs.replace(SITE, links=(link,)))
    desk.condition(change(1, rule="r2", scope="p2", area="river-1"), 0.0)
    desk.condition(change(2), 1.0)
    (asked, *_) = told(desk.tick(301.0))
    assert asked.subject.startswith("slope 1区（黄色）· 起因 river 1区：")
    assert line(asked, "zh", "区域：") == "区域：slope 1区（黄色）"


def test_what_is_nearly_over_in_one_area_keeps_its_own_title() -> None:
    desk = Desk(SITE)
    silence = Silenced(id="s1", since=0.0, until=900.0, by="user:chen", reason="works", rank=2, areas=("slope-1",))
    event = ending_soon.of_silence(desk.book, silence, 0.0)
    notice = Notice(id="1", kind="dispatch", area="slope-1", unit="", simulated=False, time=0.0, payload=event)
    said = say(notice, VOICE)
    assert said.subject.startswith("静默即将结束：slope 1区 ·")
    assert said.bodies["en"].splitlines()[0] == "A silence ends soon: slope 1"
    (item,) = digest([notice]).payload["items"]
    assert item["title"] == event["data"]["title"]


@pytest.mark.parametrize("leg", OPEN)
@pytest.mark.parametrize("edge", EDGES)
def test_no_edge_and_no_step_is_told_in_the_other_language(edge: str, leg: str) -> None:
    data = {"edge": edge, "leg": leg, "level": "red", "reminders": 2, "deadline": "2026-11-27T00:00:00Z"}
    unit = "" if edge in OF_INCIDENTS else "u"
    notice = Notice(id="1", kind="dispatch", area="", unit=unit, simulated=True, time=0.0, payload={"data": data})
    bodies = say(notice, VOICE).bodies
    assert not re.search(r"[A-Za-z]", bodies["zh"].replace("level", ""))
    assert not re.search(r"[\u4e00-\u9fff]", bodies["en"]) and "." not in bodies["en"].replace("u.", "")


@pytest.mark.parametrize("legs", [("accept",), ("accept", "on_scene")])
def test_a_unit_hears_that_it_is_called_back_and_of_no_ordinary_end(legs: tuple[str, ...]) -> None:
    ends = []
    for steps in (legs, (*legs, "on_scene", "resolve")[-4:]):
        desk = Desk(SITE)
        desk.condition(change(3), 0.0)
        order = next(iter(desk.book.cases.dispatches))
        for at, leg in enumerate(dict.fromkeys(steps)):
            desk.command(command(leg, order, str(at)), at + 1.0)
        ends.append(desk.command(command("close", order, "end", reason="false alarm"), 9.0))
    called, ended = ([one for one in out if getattr(one, "event", None)][:1] for out in ends)
    target = ChatTarget(name="team", units=(ended[0].unit,))
    notices = [
        Notice(id="1", kind="dispatch", area="", unit=one.unit, simulated=False, time=0.0, payload=one.event)
        for (one,) in (called, ended)
    ]
    assert [concerns(target, one) for one in notices] == [True, False]
    every = ChatTarget(name="every", edges=("closed",))
    assert [concerns(every, one) for one in notices] == [True, True]
    (message,) = told(called)
    assert (
        line(message, "zh", "状态：") == "状态：撤回，无需再处置"
        and line(message, "en", "Note:") == "Note: false alarm"
    )
    assert "called back" in line(message, "en", "State:")

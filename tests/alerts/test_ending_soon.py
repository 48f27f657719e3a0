"""A silence or a mode that is nearly over is told to people, once, whatever it hides and wherever it holds."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.desk import Desk
from alerts.journal import Journal
from alerts.notifiers.notice import Notice
from alerts.notifiers.notifier import concerns
from alerts.notifiers.targets import ChatTarget
from alerts.notifiers.wording import Voice, say
from alerts.outcome import AnyOutcome, Record
from sensors.observation import Silence, SiteMode
from tests.alerts.cases import SITE

HOUR = 3600.0
AREAS = [area.id for area in SITE.areas]


def silence(*areas: str) -> Silence:
    return Silence(
        id="q1", until=1000.0 + HOUR, actor="user:li", reason="works", time=1000.0, areas=areas, level="orange"
    )


def mode(*areas: str) -> SiteMode:
    return SiteMode(
        id="m1", mode="maintenance", until=1000.0 + HOUR, actor="user:li", reason="pumps", time=1000.0, areas=areas
    )


def play(what: Silence | SiteMode, partition: int = 0) -> list[list[AnyOutcome]]:
    """Order it, and let all its time pass; nothing rings meanwhile."""
    desk = Desk(SITE, partition=partition)
    order = desk.silence if isinstance(what, Silence) else desk.mode
    turns = [order(what, AREAS, 1000.0)]  # type: ignore[arg-type]
    return turns + [desk.tick(1000.0 + seconds) for seconds in (HOUR - 601.0, HOUR - 600.0, HOUR - 599.0, HOUR)]


def rows(journal: Journal, turns: list[list[AnyOutcome]], partition: int = 0) -> None:
    for offset, out in enumerate(turns):
        journal.record([Record(partition, offset, tuple(out))])


def notices(journal: Journal) -> list[Notice]:
    found = []
    for row in journal.outbox(0):
        kept: dict[str, Any] = {name: row[name] for name in Notice.__struct_fields__ if name in row}
        found.append(Notice(**kept))
    return found


@pytest.mark.parametrize(
    ("what", "area", "level", "title"),
    [
        (silence("slope-1"), "slope-1", "orange", "A silence ends soon: slope 1"),
        (silence("slope-1", "river-1"), "@system", "orange", "A silence ends soon: slope 1, river 1"),
        (mode("slope-1"), "slope-1", "yellow", "The mode maintenance ends soon: slope 1"),
        (mode("slope-1", "river-1"), "@system", "yellow", "The mode maintenance ends soon: slope 1, river 1"),
        (mode(), "@system", "yellow", "The mode maintenance ends soon"),
    ],
)
def test_it_is_told_once_ten_minutes_before_its_end(
    journal: Journal, what: Silence | SiteMode, area: str, level: str, title: str
) -> None:
    turns = play(what)
    rows(journal, turns[:2])
    assert notices(journal) == []
    rows(journal, turns)
    rows(journal, turns[2:3], partition=0)  # again, as after a crash
    (notice,) = notices(journal)
    assert (notice.area, notice.level, notice.unit, notice.time) == (area, level, "", 1000.0 + HOUR - 600.0)
    assert notice.payload["type"].endswith(".ends") and notice.data["title"]["en"] == title
    said = say(notice, Voice(zone="Asia/Shanghai", language="en"))
    assert title in said.bodies["en"] and "nearly over" in said.bodies["en"] and "即将结束" in said.bodies["zh"]


@pytest.mark.parametrize("what", [silence(), mode()])
def test_two_partitions_say_the_same_under_the_same_id(journal: Journal, what: Silence | SiteMode) -> None:
    if isinstance(what, Silence):
        what = Silence(**{**{f: getattr(what, f) for f in what.__struct_fields__}, "rules": ("creep",)})
    for partition in (0, 1):
        rows(journal, play(what, partition), partition)
    assert len({notice.id for notice in notices(journal)}) == 1


def test_who_asked_for_some_areas_is_told_of_what_is_about_them_or_about_many(journal: Journal) -> None:
    rows(journal, play(silence("slope-1")))
    rows(journal, play(mode()), partition=1)
    one, many = notices(journal)
    river, slope = (ChatTarget(name=area, areas=(area,)) for area in ("river-1", "slope-1"))
    assert [concerns(target, notice) for notice in (one, many) for target in (river, slope)] == [
        *(False, True),
        *(True, True),
    ]
    assert not concerns(ChatTarget(name="few", edges=("issued",)), one)

"""Silences: what they cover, what they pause, what they never hide, and how they end."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from alerts.desk import Desk
from alerts.journal import Journal
from alerts.load import rings
from alerts.outcome import AlarmTransition, AnyOutcome, CommandResult, IncidentChange, Record, SilenceChange
from alerts.queries import Reader
from sensors.observation import Silence, decode, encode
from tests.alerts.cases import SITE, change, command, edges

HOUR = 3600.0
AREAS = ("slope-1", "river-1")


def silence(until: float = 1000.0 + HOUR, id: str = "s1", **facts: Any) -> Silence:
    facts = {"reason": "blasting", "level": "orange"} | facts
    if not facts.keys() & {"areas", "scopes", "rules", "of"}:
        facts["areas"] = ("slope-1",)
    return Silence(id=id, until=until, actor="user:an", time=0.0, **facts)


def put(desk: Desk, what: Silence, clock: float = 1000.0) -> list[AnyOutcome]:
    return desk.silence(what, AREAS, clock)


@pytest.fixture
def desk() -> Desk:
    return Desk(SITE)


def test_what_is_raised_under_it_is_listed_marked_and_sends_nobody(desk: Desk) -> None:
    assert edges(put(desk, silence())) == ["silence began", "ok"]
    out = desk.condition(change(3), 1010.0)
    assert edges(out) == ["alarm", "incident opened"]
    step = out[0]
    assert isinstance(step, AlarmTransition) and step.marks == ("silenced",) and step.after == "UNACK"
    assert not rings({"after": "UNACK", "edge": "alarm", "kind": "risk", "marks": ["silenced"]})
    assert edges(desk.condition(change(0), 1020.0)) == ["return", "incident calmed"], "recovery goes on"


@pytest.mark.parametrize(
    ("matcher", "covered"),
    [
        ({"areas": ("slope-1",)}, True),
        ({"areas": ("river-1",)}, False),
        ({"scopes": ("p1", "p7")}, True),
        ({"scopes": ("p2",)}, False),
        ({"rules": ("r1",)}, True),
        ({"rules": ("r2",), "areas": ("slope-1",)}, False),
        ({"level": "yellow", "areas": ("slope-1",)}, False),
    ],
)
def test_it_covers_what_every_part_of_its_matcher_names(desk: Desk, matcher: dict[str, Any], covered: bool) -> None:
    put(desk, silence(**matcher))
    assert ("dispatch issued" not in edges(desk.condition(change(3), 1010.0))) == covered


def test_a_worse_level_calls_at_once_also_within_what_it_covers(desk: Desk) -> None:
    put(desk, silence())
    desk.condition(change(2), 1010.0)
    out = desk.condition(change(3), 1020.0)
    assert "dispatch issued" in edges(out)
    assert isinstance(out[0], AlarmTransition) and out[0].marks == ()


def test_what_stands_falls_silent_and_its_order_goes_up_no_more_until_the_end(desk: Desk) -> None:
    desk.condition(change(3), 1000.0)
    assert edges(put(desk, silence(1000.0 + HOUR))) == ["silence began", "hush", "ok"]
    assert not [word for word in edges(desk.tick(1000.0 + 1500.0)) if word.startswith(("dispatch", "incident"))]
    state = desk.state()
    desk = Desk(SITE)
    desk.restore(state)  # a crash between
    out = edges(desk.tick(1000.0 + HOUR))
    assert out[:2] == ["silence over", "unhush"] and "dispatch overdue" in out and "dispatch reassigned" in out


def test_a_worse_alarm_in_the_same_incident_has_what_was_put_off_go_on(desk: Desk) -> None:
    desk.condition(change(3), 1000.0)
    put(desk, silence(1000.0 + HOUR))
    desk.tick(1000.0 + 1500.0)
    desk.condition(change(4, rule="r2", scope="p2"), 1000.0 + 1600.0)
    assert "dispatch overdue" in edges(desk.tick(1000.0 + 1601.0))


def test_what_was_put_off_goes_on_where_it_is_merged_with_what_is_not_silent(desk: Desk) -> None:
    first = next(one.incident for one in desk.condition(change(3), 1000.0) if isinstance(one, IncidentChange))
    desk.condition(change(2, rule="r2", scope="p2"), 1000.0)
    put(desk, silence(1000.0 + HOUR, areas=(), scopes=("p1",)))
    alarm = next(one.id for one in desk.book.cases.alarms.values() if one.scope == "p1")
    (order,) = desk.book.cases.dispatches
    out = desk.command(command("split", first, "c1", alarms=[alarm], dispatches=[order]), 1100.0)
    assert "ok" in edges(out)
    other = next(id for id in desk.book.cases.incidents if id != first)
    assert "dispatch overdue" not in edges(desk.tick(2500.0))
    assert "ok" in edges(desk.command(command("merge", first, "c2", incidents=[other]), 2600.0))
    assert "dispatch overdue" in edges(desk.tick(2601.0))


def test_nobody_is_reminded_until_it_ends(desk: Desk) -> None:
    desk.condition(change(2), 1000.0)
    put(desk, silence(1000.0 + HOUR))
    assert "incident reminded" not in [word for at in (400, 1000, 1700) for word in edges(desk.tick(1000.0 + at))]
    put(desk, silence(0.0, "s2", of="s1"), 1000.0 + 1800.0)
    assert "incident reminded" in edges(desk.tick(1000.0 + 1800.0 + 301.0))


def test_it_is_said_before_it_ends_once_and_what_is_active_calls_then(desk: Desk) -> None:
    put(desk, silence(1000.0 + HOUR))
    desk.condition(change(3), 1010.0)
    assert edges(desk.tick(1000.0 + HOUR - 601.0)) == []
    assert edges(desk.tick(1000.0 + HOUR - 600.0)) == ["silence warned", "warn"]
    assert edges(desk.tick(1000.0 + HOUR - 500.0)) == []
    assert edges(desk.tick(1000.0 + HOUR)) == ["silence over", "unhush", "incident dispatched", "dispatch issued"]


def test_it_is_prolonged_and_ended_by_order(desk: Desk) -> None:
    put(desk, silence(1000.0 + HOUR))
    desk.condition(change(3), 1010.0)
    assert edges(put(desk, silence(1000.0 + 2 * HOUR, "s2", of="s1"))) == ["silence changed", "ok"]
    assert edges(desk.tick(1000.0 + HOUR + 1.0)) == []
    ended = put(desk, silence(0.0, "s3", of="s1", reason=""), 1000.0 + HOUR + 2.0)
    assert edges(ended) == ["silence ended", "unhush", "incident dispatched", "dispatch issued", "ok"]
    assert put(desk, silence(0.0, "s4", of="s1")) == [], "no partition has it: none answers"


def test_another_that_covers_the_same_goes_on(desk: Desk) -> None:
    put(desk, silence())
    put(desk, silence(1000.0 + 2 * HOUR, "s2", rules=("r1",)))
    desk.condition(change(3), 1010.0)
    put(desk, silence(0.0, "s3", of="s2"))
    assert desk.book.cases.silences.keys() == {"s1"}
    assert [one.silence for one in desk.book.cases.alarms.values()] == ["s1"]


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (silence(reason=" "), "reason_needed"),
        (silence(reason="x" * 4001), "too_long"),
        (silence(999.0), "silence.past"),
        (silence(math.nan), "silence.past"),
        (silence(math.inf), "silence.too_long"),
        (silence(1000.0 + 25 * HOUR), "silence.too_long"),
        (silence(areas=()), "silence.too_wide"),
        (silence(level="red"), "silence.red"),
        (silence(level="mauve"), "bad_argument"),
        (silence(scopes=("p",) * 201), "too_many"),
        (silence(rules=("r" * 129,)), "too_many"),
    ],
)
def test_what_cannot_be_is_refused(desk: Desk, what: Silence, why: str) -> None:
    out = put(desk, what)
    assert edges(out) == [why]
    assert isinstance(out[0], CommandResult) and out[0].id == what.id
    assert not desk.book.cases.silences


def test_a_partition_without_its_areas_says_nothing_and_a_repeat_does_nothing(desk: Desk) -> None:
    assert put(desk, silence(areas=("nowhere",))) == []
    assert put(desk, silence()) and put(desk, silence()) == []
    assert decode(encode(silence())) == silence()


def test_a_clock_that_is_set_back_leaves_as_much_time_as_before(desk: Desk) -> None:
    put(desk, silence(1000.0 + HOUR))
    desk.step(-500.0)
    assert desk.book.cases.silences["s1"].until == 500.0 + HOUR
    assert "silence over" in edges(desk.tick(500.0 + HOUR))


def test_an_acknowledged_alarm_stays_so_when_it_ends(desk: Desk) -> None:
    put(desk, silence())
    desk.condition(change(2), 1010.0)
    (alarm,) = desk.book.cases.alarms
    desk.command(command("acknowledge", alarm, "c1"), 1020.0)
    assert edges(desk.tick(1000.0 + HOUR)) == ["silence over", "unhush"]


def test_the_journal_lists_what_lasts_and_what_is_over(desk: Desk, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.record([Record(0, 1, tuple(put(desk, silence())))])
    journal.record([Record(0, 2, tuple(put(desk, silence(id="s2", rules=("r9",)))))])
    reader = Reader(tmp_path / "journal.sqlite")
    assert {one["id"] for one in reader.silences()} == {"s1", "s2"}
    out = put(desk, silence(0.0, "s3", of="s1", reason="done"))
    journal.record([Record(0, 3, tuple(out)), Record(0, 3, tuple(out))])
    (left,) = reader.silences()
    assert (left["id"], left["rules"], left["level"]) == ("s2", ["r9"], "orange")
    over = next(one for one in reader.silences(only_on=False) if one["id"] == "s1")
    assert (over["state"], over["ended_by"], over["by"], over["reason"]) == ("ended", "user:an", "user:an", "blasting")
    assert isinstance(out[0], SilenceChange)
    reader.close()
    journal.close()


def test_the_journal_lists_all_that_lasts_however_many_partitions_say_so(desk: Desk, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    (began,) = (one for one in put(desk, silence(rules=("r1",))) if isinstance(one, SilenceChange))
    told = [
        replace(began, id=f"s{number}-{at}-began", silence=f"s{number}", partition=at, until=9000.0 + number)
        for number in range(70)
        for at in range(8)
    ]
    journal.record([Record(0, 1, tuple(told))])
    assert [one["id"] for one in journal.silences()] == [f"s{number}" for number in range(70)]
    journal.close()

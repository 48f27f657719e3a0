"""Modes of the site: what gives way to them, for how long, and what never does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from alerts.desk import Desk
from alerts.outcome import AlarmTransition, AnyOutcome, CommandResult, DispatchChange, IncidentChange, ModeChange
from rules.rule import Suppress
from sensors.observation import SiteMode
from tests.alerts.cases import SITE, Change, Rule, change, command, edges

HOUR = 3600.0
AREAS = ("slope-1", "river-1")


@dataclass(frozen=True)
class Yielding(Rule):
    suppress: Suppress | None = field(default_factory=lambda: Suppress(modes=("maintenance",)))


def to(rank: int, up_to: Any = "orange", **other: Any) -> Change:
    plain = change(rank, **other)
    rule = Yielding(plain.rule.id, kind=plain.rule.kind, suppress=Suppress(modes=("maintenance",), up_to=up_to))
    return replace(plain, rule=rule)


def mode(until: float, *areas: str, id: str = "m1", name: str = "maintenance", reason: str = "pumps") -> SiteMode:
    return SiteMode(id=id, mode=name, until=until, actor="user:li", reason=reason, time=0.0, areas=areas)


def put(desk: Desk, what: SiteMode, clock: float = 10.0) -> list[AnyOutcome]:
    return desk.mode(what, AREAS, clock)


def alarms(out: list[AnyOutcome]) -> list[AlarmTransition]:
    return [one for one in out if isinstance(one, AlarmTransition)]


@pytest.fixture
def desk() -> Desk:
    return Desk(SITE)


def test_an_alarm_under_a_mode_is_listed_and_rings_nowhere(desk: Desk) -> None:
    assert edges(put(desk, mode(HOUR, "slope-1"))) == ["mode began", "ok"]
    out = desk.condition(to(3), 20.0)
    (step,) = alarms(out)
    assert (step.edge, step.before, step.after, step.level) == ("suppress", "NORM", "DSUPR", "orange")
    assert step.aside is not None and step.explanation is not None and step.title["en"] == "creep"
    assert (step.aside.mode, step.aside.by, step.aside.reason, step.aside.until, step.aside.hidden) == (
        "maintenance", "user:li", "pumps", HOUR, 1,
    )  # fmt: skip
    assert not [one for one in out if isinstance(one, IncidentChange | DispatchChange)]


def test_a_rule_that_names_no_mode_rings_in_every_mode(desk: Desk) -> None:
    put(desk, mode(HOUR))
    assert "dispatch issued" in edges(desk.condition(change(3), 20.0))


@pytest.mark.parametrize(("area", "name"), [("river-1", "maintenance"), ("slope-1", "exercise")])
def test_another_area_or_mode_suppresses_nothing(desk: Desk, area: str, name: str) -> None:
    put(desk, mode(HOUR, area, name=name))
    assert alarms(desk.condition(to(3), 20.0))[0].edge == "alarm"


def test_a_mode_of_the_whole_site_is_in_every_area(desk: Desk) -> None:
    put(desk, mode(HOUR))
    assert alarms(desk.condition(to(3), 20.0))[0].edge == "suppress"


def test_red_rings_unless_its_rule_says_otherwise(desk: Desk) -> None:
    put(desk, mode(HOUR))
    assert "dispatch issued" in edges(desk.condition(to(4), 20.0))
    assert alarms(desk.condition(to(4, up_to="red", rule="r2"), 20.0))[0].edge == "suppress"


def test_an_alarm_that_rises_above_what_a_mode_suppresses_rings_at_once(desk: Desk) -> None:
    put(desk, mode(HOUR))
    desk.condition(to(2), 20.0)
    assert alarms(desk.condition(to(3), 30.0))[0].edge == "hide"
    out = desk.condition(to(4), 40.0)
    (step,) = alarms(out)
    assert (step.edge, step.after, step.level, step.reason) == ("unsuppress", "UNACK", "red", "alarm.worsened")
    assert "dispatch issued" in edges(out)


def test_what_stands_when_a_mode_begins_gives_way_and_is_counted_no_more(desk: Desk) -> None:
    desk.condition(to(2), 0.0)
    desk.condition(to(4, rule="r2"), 0.0)
    out = put(desk, mode(HOUR))
    assert [(one.rule, one.edge, one.actor) for one in alarms(out)] == [("r1", "suppress", "user:li")]
    assert alarms(out)[0].aside.hidden == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize("how", ["time", "order"])
def test_when_a_mode_ends_it_rings_if_it_still_holds(desk: Desk, rank: int, how: str) -> None:
    put(desk, mode(HOUR))
    desk.condition(to(2), 20.0)
    if not rank:
        desk.condition(to(0), 30.0)
    if how == "time":
        desk.tick(HOUR - 1)
        out = desk.tick(HOUR)
    else:
        out = put(desk, mode(0.0, id="m2", reason="done early"), 100.0)
    first = out[0]
    assert (
        isinstance(first, ModeChange) and first.order == "m1" and first.edge == ("over" if how == "time" else "ended")
    )
    (step,) = alarms(out)
    assert (step.edge, step.after) == ("unsuppress", "UNACK" if rank else "NORM")
    assert ("incident opened" in edges(out)) == bool(rank)
    assert alarms(desk.tick(HOUR + 60.0)) == []


def test_a_longer_mode_takes_over_what_a_shorter_one_suppressed(desk: Desk) -> None:
    put(desk, mode(HOUR, "slope-1"))
    put(desk, mode(2 * HOUR, id="m2"), 15.0)
    desk.condition(to(2), 20.0)
    assert alarms(desk.tick(HOUR)) == []
    assert alarms(desk.tick(2 * HOUR - 1)) != [], "it is said before it ends"
    assert alarms(desk.tick(2 * HOUR))[0].edge == "unsuppress"


def test_a_mode_is_prolonged_by_beginning_it_anew(desk: Desk) -> None:
    put(desk, mode(HOUR))
    desk.condition(to(2), 20.0)
    assert edges(put(desk, mode(2 * HOUR, id="m2"), 30.0)) == ["mode replaced", "mode began", "ok"]
    assert alarms(desk.tick(HOUR + 1.0)) == []
    assert alarms(desk.tick(2 * HOUR))[-1].edge == "unsuppress"


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (mode(HOUR, name="holiday"), "mode.unknown"),
        (mode(HOUR, reason="  "), "reason_needed"),
        (mode(5.0), "mode.over"),
        (mode(25 * HOUR), "mode.too_long"),
        (mode(float("inf")), "mode.too_long"),
        (mode(float("nan")), "mode.over"),
        (mode(0.0), "mode.not_on"),
    ],
)
def test_an_order_is_refused_with_its_reason(desk: Desk, what: SiteMode, why: str) -> None:
    out = put(desk, what)
    assert edges(out) == ["mode refused", why]
    assert alarms(desk.condition(to(2), 20.0))[0].edge == "alarm"


def test_an_order_about_areas_of_others_is_not_answered(desk: Desk) -> None:
    assert desk.mode(mode(HOUR, "nowhere"), AREAS, 10.0) == []


def test_modes_live_in_the_state_of_the_desk(desk: Desk) -> None:
    put(desk, mode(HOUR))
    desk.condition(to(2), 20.0)
    again = Desk(SITE)
    again.restore(desk.state())
    assert alarms(again.condition(to(2, rule="r2"), 30.0))[0].edge == "suppress"
    assert edges(again.tick(HOUR)) == [*edges(desk.tick(HOUR)), "unsuppress", "incident joined"]


def test_a_publication_that_no_longer_yields_is_heeded_by_what_stands(desk: Desk) -> None:
    desk.condition(to(2), 0.0)
    desk.publish(SITE, [Rule("r1")])
    assert alarms(put(desk, mode(HOUR))) == []


def test_a_clock_that_is_set_back_leaves_a_mode_as_much_time(desk: Desk) -> None:
    put(desk, mode(HOUR))
    desk.step(-600.0)
    assert [one for one in desk.tick(HOUR - 600.0) if isinstance(one, ModeChange)]


def test_a_person_may_end_one_alarms_suppression_before_the_mode_ends(desk: Desk) -> None:
    put(desk, mode(HOUR))
    alarm = alarms(desk.condition(to(2), 20.0))[0].alarm
    out = desk.command(command("unsuppress", alarm, "c1"), 30.0)
    assert alarms(out)[0].after == "UNACK" and isinstance(out[-1], CommandResult)

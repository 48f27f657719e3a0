"""Alarms that stay until a person resets them."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.desk import Desk
from alerts.outcome import AlarmTransition, AnyOutcome, CommandResult
from tests.alerts.cases import SITE, change, command, edges


def condition(desk: Desk, rank: int, clock: float = 0.0, **other: Any) -> list[AlarmTransition]:
    out = desk.condition(change(rank, latch=True, **other), clock)
    return [step for step in out if isinstance(step, AlarmTransition)]


@pytest.fixture
def desk() -> Desk:
    return Desk(SITE)


def order(desk: Desk, kind: str, alarm: str, id: str, clock: float = 50.0, **args: Any) -> list[AnyOutcome]:
    return desk.command(command(kind, alarm, id, **args), clock)


def answer(out: list[AnyOutcome]) -> str:
    result = out[-1]
    assert isinstance(result, CommandResult)
    return "" if result.ok else result.reason


def test_it_stays_when_its_condition_is_gone_and_ends_by_a_reset(desk: Desk) -> None:
    (raised,) = condition(desk, 2)
    (latched,) = condition(desk, 0, 20.0)
    assert (latched.edge, latched.before, latched.after, latched.level) == ("latch", "UNACK", "UNACK", "yellow")
    assert latched.marks == ("latched",)
    assert condition(desk, 0, 21.0) == []
    assert answer(order(desk, "reset", raised.alarm, "1")) == "alarm.acknowledge_first"
    order(desk, "acknowledge", raised.alarm, "2")
    out = order(desk, "reset", raised.alarm, "3", reason="went there")
    (ended,) = [one for one in out if isinstance(one, AlarmTransition)]
    assert (ended.edge, ended.before, ended.after, ended.actor) == ("return", "ACKED", "NORM", "user:an")
    assert (ended.reason, ended.marks) == ("went there", ())
    assert answer(order(desk, "reset", raised.alarm, "4")) == "alarm.normal"


def test_it_cannot_be_reset_while_its_condition_holds_nor_when_it_does_not_latch(desk: Desk) -> None:
    (raised,) = condition(desk, 2)
    order(desk, "acknowledge", raised.alarm, "1")
    assert answer(order(desk, "reset", raised.alarm, "2")) == "alarm.still_active"
    plain = next(one for one in desk.condition(change(2, scope="p2"), 0.0) if isinstance(one, AlarmTransition))
    order(desk, "acknowledge", plain.alarm, "3")
    assert answer(order(desk, "reset", plain.alarm, "4")) == "alarm.not_latched"


@pytest.mark.parametrize(("acknowledged", "edge"), [(True, "realarm"), (False, "raise")])
@pytest.mark.parametrize("rank", [1, 2])
def test_a_condition_that_comes_back_asks_again_at_the_level_it_had(
    desk: Desk, acknowledged: bool, edge: str, rank: int
) -> None:
    (raised,) = condition(desk, 2)
    if acknowledged:
        order(desk, "acknowledge", raised.alarm, "1", 5.0)
    condition(desk, 0, 20.0)
    (again,) = condition(desk, rank, 30.0)
    assert (again.edge, again.after, again.level, again.marks) == (edge, "UNACK", "yellow", ())


def test_it_keeps_its_level_until_it_is_reset_and_follows_it_up(desk: Desk) -> None:
    condition(desk, 3)
    assert condition(desk, 1, 10.0) == []
    (higher,) = condition(desk, 4, 20.0)
    assert (higher.edge, higher.level) == ("raise", "red")


def test_it_comes_back_from_the_shelf_as_it_would_stand_without(desk: Desk) -> None:
    (raised,) = condition(desk, 2)
    order(desk, "shelve", raised.alarm, "1", seconds=100.0, reason="cleaned")
    condition(desk, 0, 60.0)
    out = [one for one in desk.tick(200.0) if isinstance(one, AlarmTransition)]
    assert [(one.edge, one.after) for one in out] == [("unshelve", "UNACK")]
    assert out[0].marks == ("latched",)


def test_a_rule_that_is_withdrawn_ends_it(desk: Desk) -> None:
    condition(desk, 2)
    condition(desk, 0, 10.0)
    out = [one for one in desk.withdraw("r1", "p1", 20.0) if isinstance(one, AlarmTransition)]
    assert [(one.edge, one.after, one.reason) for one in out] == [("return", "RTNUN", "alarm.rule_withdrawn")]


def test_a_real_danger_takes_over_from_a_latched_exercise(desk: Desk) -> None:
    condition(desk, 2, simulated=True)
    out = condition(desk, 2, 10.0)
    assert [(one.edge, one.simulated) for one in out] == [("return", True), ("alarm", False)]


def test_its_incident_is_not_calm_before_the_reset_and_a_restart_forgets_nothing(desk: Desk) -> None:
    (raised,) = condition(desk, 2)
    condition(desk, 0, 10.0)
    twin = Desk(SITE)
    twin.restore(desk.state())
    for one in (desk, twin):
        assert edges(order(one, "close", raised.incident, "1", disposition="real")) == ["incident.active"]
        order(one, "acknowledge", raised.alarm, "2")
        assert "incident calmed" in edges(order(one, "reset", raised.alarm, "3"))

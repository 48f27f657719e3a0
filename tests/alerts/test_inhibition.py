"""A gateway that is gone, at the desk: whom it sends, and what else suppresses its points' alarms."""

from __future__ import annotations

from typing import Any

import msgspec

from alerts.alarm import Alarm
from alerts.desk import Desk
from alerts.inhibition import Said
from alerts.outcome import AnyOutcome, DispatchChange
from rules.rule import Level, Levels, Suppress
from sensors.observation import SiteMode
from sensors.site import GATEWAY_RULE, Gateway, Point
from tests.alerts.cases import SITE, Change, Rule, change, command, edges, name

SAID = Said(gateway="gw", area="slope-1", points=("p1", "p2"))
PLACE = msgspec.structs.replace(
    SITE,
    points=tuple(
        Point(id=id, name=name(id), areas=("slope-1",), quantity="tilt", unit="°", gateway="gw") for id in ("p1", "p2")
    ),
    gateways=(Gateway(id="gw", name=name("box")),),
)


class Silent(Rule):
    """A rule on missing data, which gives way to maintenance."""

    levels = Levels(blue=Level(when="age > 2 min"))
    suppress = Suppress(modes=("maintenance",))


def silence(after: int, scope: str = "p1", when: str = "age > 2 min") -> Change:
    rule = Silent("no-data", kind="data_quality")
    object.__setattr__(rule, "levels", Levels(blue=Level(when=when)))
    found: dict[str, Any] = {**vars(change(after, scope=scope, kind="data_quality")), "rule": rule}
    return Change(**found)


def alarm(desk: Desk, scope: str) -> Alarm:
    return next(one for one in desk.book.cases.alarms.values() if one.scope == scope)


def orders(out: list[AnyOutcome]) -> list[tuple[str, str]]:
    return [(one.unit, one.edge) for one in out if isinstance(one, DispatchChange)]


def test_its_alarm_sends_maintenance_where_the_site_says_so_and_takes_it_back() -> None:
    desk = Desk(msgspec.structs.replace(PLACE, maintenance="yellow"))
    out = desk.gateway_gone(SAID, 10.0)
    assert edges(out)[0] == "alarm" and orders(out) == [("u-mend", "issued")]
    assert orders(desk.condition(silence(1), 20.0)) == []
    assert orders(desk.gateway_back(SAID, 30.0, 60.0)) == [("u-mend", "closed")]
    assert Desk(PLACE).gateway_gone(SAID, 10.0) and orders(Desk(PLACE).gateway_gone(SAID, 10.0)) == []


def test_what_is_known_changes_nothing() -> None:
    desk = Desk(PLACE)
    assert desk.gateway_back(SAID, 5.0, 60.0) == []
    assert desk.gateway_gone(SAID, 10.0) and desk.gateway_gone(SAID, 11.0) == []
    assert desk.gateway_back(SAID, 30.0, 60.0) and desk.gateway_back(SAID, 31.0, 60.0) == []


def test_other_trouble_of_its_points_rings() -> None:
    desk = Desk(PLACE)
    desk.gateway_gone(SAID, 10.0)
    desk.condition(silence(1, when="flat('30m')"), 20.0)
    desk.condition(change(3, scope="p2"), 21.0)
    assert [alarm(desk, scope).state for scope in ("p1", "p2")] == ["UNACK", "UNACK"]


def test_a_mode_that_outlasts_the_gateway_goes_on_suppressing() -> None:
    desk = Desk(PLACE)
    desk.gateway_gone(SAID, 10.0)
    desk.condition(silence(1), 20.0)
    works = SiteMode(id="m1", mode="maintenance", until=500.0, actor="user:li", reason="new box", time=21.0)
    desk.mode(works, ["slope-1"], 21.0)
    desk.gateway_back(SAID, 30.0, 60.0)
    assert desk.tick(89.0) == [] and alarm(desk, "p1").state == "DSUPR"
    assert edges(desk.tick(90.0)) == []
    shelf = alarm(desk, "p1").shelf
    assert shelf is not None and (shelf.mode, shelf.gateway, shelf.until) == ("maintenance", "", 500.0)
    out = desk.tick(500.0)
    assert "unsuppress" in edges(out) and alarm(desk, "p1").state == "UNACK"


def test_a_person_may_have_a_symptom_ring_for_itself() -> None:
    desk = Desk(PLACE)
    desk.gateway_gone(SAID, 10.0)
    desk.condition(silence(1), 20.0)
    one = alarm(desk, "p1")
    assert one.incident == alarm(desk, "gw").incident and alarm(desk, "gw").rule == GATEWAY_RULE
    assert edges(desk.command(command("unsuppress", one.id, "c1"), 30.0))[0] == "unsuppress"
    assert alarm(desk, "p1").state == "UNACK"


def test_a_snapshot_holds_which_gateways_are_gone() -> None:
    desk, other = Desk(PLACE), Desk(PLACE)
    desk.gateway_gone(SAID, 10.0)
    desk.condition(silence(1), 20.0)
    desk.gateway_back(SAID, 30.0, 60.0)
    other.restore(desk.state())
    assert other.tick(95.0) == desk.tick(95.0) != []

"""Maintenance is sent to each sensor that is in trouble, once, and taken back; dangers know nothing of it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from alerts.desk import Desk
from alerts.outcome import AnyOutcome, DispatchChange, IncidentChange
from sensors.renames import Renames
from tests.alerts.cases import command, edges
from tests.alerts.test_duty import SEATS, SHIFTS, at
from tests.alerts.test_inhibition import PLACE, SAID, change, silence

SITE = replace(PLACE, maintenance="blue")


@pytest.fixture
def desk() -> Desk:
    return Desk(SITE)


def trouble(desk: Desk, level: int, clock: float, *, rule: str = "stuck", scope: str = "p1") -> list[AnyOutcome]:
    return desk.condition(change(level, rule=rule, scope=scope, kind="data_quality"), clock)


def orders(out: list[AnyOutcome]) -> list[tuple[str, str, str]]:
    """List the changes of orders: device, edge, reason."""
    return [
        ((one.repair or {}).get("device", ""), one.edge, one.reason) for one in out if isinstance(one, DispatchChange)
    ]


def test_a_sensor_in_trouble_gives_one_order_whatever_else_is_wrong_with_it(desk: Desk) -> None:
    out = trouble(desk, 1, 0.0)
    assert orders(out) == [("p1", "issued", "dispatch.repair_sensor")]
    order = next(one for one in out if isinstance(one, DispatchChange))
    assert (order.unit, order.level, order.repair) == ("u-mend", "blue", {"kind": "sensor", "device": "p1"})
    assert order.event is not None and order.event["data"]["repair"] == order.repair
    assert orders(trouble(desk, 1, 1.0, rule="no-data")) == []
    assert orders(trouble(desk, 2, 2.0)) == [("p1", "raised", "dispatch.level_raised")]


def test_maintenance_whose_shift_it_is_goes_before_who_is_off() -> None:
    here = next(unit for unit in SITE.units if unit.id == "u-mend")
    staff = (replace(here, shifts=("night",)), replace(here, id="u-mend-d", place="d"))
    units = (*(unit for unit in SITE.units if unit is not here), *staff)
    desk = Desk(replace(SITE, units=units, seats=SEATS, shifts=SHIFTS))
    for hour, first, next_one in (("12:00", "u-mend-d", "u-mend"), ("23:00", "u-mend", "u-mend-d")):
        now = at(f"2026-11-27 {hour}")
        (order,) = [one for one in trouble(desk, 1, now) if isinstance(one, DispatchChange)]
        assert order.unit == first
        out = desk.command(command("refuse", order.dispatch, hour, reason="busy"), now)
        assert [one.unit for one in out if isinstance(one, DispatchChange) and one.edge == "reassigned"] == [next_one]
        trouble(desk, 0, now + 1.0)


def test_each_sensor_has_an_order_of_its_own_that_ends_with_its_own_trouble(desk: Desk) -> None:
    trouble(desk, 1, 0.0)
    assert orders(trouble(desk, 1, 1.0, scope="p2")) == [("p2", "issued", "dispatch.repair_sensor")]
    trouble(desk, 1, 2.0, rule="no-data")
    assert orders(trouble(desk, 0, 3.0)) == [], "something else is wrong with it still"
    assert orders(trouble(desk, 0, 4.0, rule="no-data")) == [("p1", "closed", "dispatch.well_again")]
    assert {one.device for one in desk.book.cases.dispatches.values()} == {"p2"}
    assert orders(trouble(desk, 1, 5.0)) == [("p1", "issued", "dispatch.repair_sensor")], "the next trouble sends again"


@pytest.mark.parametrize(
    ("legs", "closed"),
    [((), True), (("accept",), True), (("accept", "on_scene"), False)],
    ids=["issued", "accepted", "on scene"],
)
def test_it_closes_by_itself_when_the_sensor_is_well_until_somebody_has_arrived(
    desk: Desk, legs: tuple[str, ...], closed: bool
) -> None:
    order = next(one.dispatch for one in trouble(desk, 1, 0.0) if isinstance(one, DispatchChange))
    for n, leg in enumerate(legs):
        assert edges(desk.command(command(leg, order, str(n), actor="unit:u-mend"), 1.0 + n))[-1] == "ok"
    assert orders(trouble(desk, 0, 9.0)) == ([("p1", "closed", "dispatch.well_again")] if closed else [])


def test_what_maintenance_has_closed_is_not_ordered_again_while_the_trouble_lasts(desk: Desk) -> None:
    order = next(one.dispatch for one in trouble(desk, 1, 0.0) if isinstance(one, DispatchChange))
    for n, leg in enumerate(("accept", "on_scene", "resolve", "close")):
        desk.command(command(leg, order, str(n), actor="unit:u-mend", note="ordered a new one"), 1.0 + n)
    assert orders(trouble(desk, 2, 9.0)) == []


def test_sensors_behind_a_dead_gateway_are_not_mended_one_by_one(desk: Desk) -> None:
    desk.condition(silence(1), 0.0)
    out = desk.gateway_gone(SAID, 10.0)
    assert sorted(orders(out)) == [("gw", "issued", "dispatch.repair"), ("p1", "closed", "gateway.gone")]
    assert orders(desk.condition(silence(1, "p2"), 20.0)) == []
    assert orders(desk.gateway_back(SAID, 30.0, 60.0)) == [("gw", "closed", "dispatch.well_again")]
    assert sorted(orders(desk.tick(90.0))) == [
        ("p1", "issued", "dispatch.repair_sensor"),
        ("p2", "issued", "dispatch.repair_sensor"),
    ], "what is silent still once the gateway is back is broken itself"


def test_a_danger_in_the_same_place_is_dispatched_as_ever(desk: Desk) -> None:
    trouble(desk, 4, 0.0)
    out = desk.condition(change(3, scope="p1"), 1.0)
    danger = next(one for one in out if isinstance(one, DispatchChange))
    assert danger.unit == "u-c1" and not danger.repair
    late = [one for one in desk.tick(5.0e5) if isinstance(one, DispatchChange) and one.repair]
    assert late and {one.unit for one in late} == {"u-mend"}, "no answer calls none of those for dangers"


@pytest.mark.parametrize("site", [PLACE, replace(PLACE, maintenance="yellow")], ids=["never", "yellow"])
def test_below_the_sites_level_nobody_is_sent(site: object) -> None:
    assert orders(trouble(Desk(site), 1, 0.0)) == []  # type: ignore[arg-type]


def test_a_sensor_that_is_set_aside_needs_nobody(desk: Desk) -> None:
    alarm = trouble(desk, 1, 0.0)[0].alarm  # type: ignore[union-attr]
    out = desk.command(command("out_of_service", alarm, "1", reason="spare parts", seconds=3600.0), 1.0)
    assert orders(out) == [("p1", "closed", "dispatch.aside")]


def test_an_order_follows_its_sensor_to_another_name_and_over_a_restart(desk: Desk) -> None:
    trouble(desk, 1, 0.0)
    again = Desk(SITE)
    again.restore(desk.state())
    again.rename(Renames(points={"p1": "p9"}), {"stuck": "point"})
    assert orders(trouble(again, 0, 1.0, scope="p9")) == [("p9", "closed", "dispatch.well_again")]


def test_trouble_that_comes_back_is_seen_to_by_who_is_still_there(desk: Desk) -> None:
    first = next(one.dispatch for one in trouble(desk, 1, 0.0) if isinstance(one, DispatchChange))
    for number, leg in enumerate(("accept", "on_scene")):
        desk.command(command(leg, first, f"c{number}"), 1.0)
    trouble(desk, 0, 2.0)
    assert orders(trouble(desk, 1, 3.0)) == []
    assert orders(trouble(desk, 2, 4.0)) == [("p1", "raised", "dispatch.level_raised")]
    desk.command(command("resolve", first, "c3"), 5.0)
    trouble(desk, 0, 6.0)
    assert orders(trouble(desk, 1, 7.0)) == [("p1", "issued", "dispatch.repair_sensor")]


def test_trouble_that_came_back_as_a_new_incident_is_left_when_who_was_still_there_is_recalled(desk: Desk) -> None:
    first = next(one for one in trouble(desk, 1, 0.0) if isinstance(one, DispatchChange))
    for number, leg in enumerate(("accept", "on_scene")):
        desk.command(command(leg, first.dispatch, f"c{number}"), 1.0)
    trouble(desk, 0, 2.0)
    later = desk.book.settings.join_after_calm + 10.0
    out = trouble(desk, 1, later)
    assert (edges(out)[-1], orders(out)) == ("incident opened", [])
    new = next(one.incident for one in out if isinstance(one, IncidentChange))
    assert new != first.incident
    out = desk.command(command("close", first.dispatch, "e", reason="needed elsewhere"), later + 1.0)
    (left,) = [one for one in out if isinstance(one, IncidentChange) and one.incident == new]
    assert (left.edge, left.reason, left.event is not None) == ("undispatched", "dispatch.no_unit", True)
    said = [one for one in desk.tick(later + 400.0) if isinstance(one, IncidentChange)]
    assert [(one.incident, one.edge) for one in said] == [(new, "undispatched")]
    assert orders(trouble(desk, 2, later + 500.0)) == [("p1", "issued", "dispatch.repair_sensor")]

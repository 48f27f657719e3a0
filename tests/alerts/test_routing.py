"""Whom the router sends, and why in that order."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from alerts.desk import Desk
from alerts.outcome import AnyOutcome, DispatchChange
from alerts.routing import Router
from sensors.site import Area
from tests.alerts.cases import SITE, change, command

ROUTER = Router(SITE)


def test_the_nearest_place_first_then_its_own_unit_then_the_nearer_department() -> None:
    assert ROUTER.suggest("slope-1") == ["u-c1", "u-s1", "u-s1-near", "u-s1-far", "u-d"]


def test_departments_of_other_hazards_are_left_out() -> None:
    assert ROUTER.suggest("river-1") == ["u-c2", "u-s1", "u-s1-water", "u-d"]


def test_units_that_were_tried_are_left_out() -> None:
    assert ROUTER.suggest("slope-1", tried=["u-c1", "u-s1"])[0] == "u-s1-near"


def test_data_quality_goes_to_maintenance_first() -> None:
    assert ROUTER.suggest("slope-1", "data_quality")[0] == "u-mend"
    assert "u-mend" not in ROUTER.suggest("slope-1", "risk")


def test_no_answer_goes_up_a_place() -> None:
    assert ROUTER.above("slope-1", "u-c1") == "u-s1"
    assert ROUTER.above("slope-1", "u-s1") == "u-d"
    assert ROUTER.above("slope-1", "u-d") is None
    assert ROUTER.above("slope-1", "u-c1", tried=["u-s1", "u-s1-near", "u-s1-far"]) == "u-d"


def test_a_unit_from_elsewhere_is_followed_by_the_areas_own() -> None:
    assert ROUTER.above("slope-1", "u-c2") == "u-c1"


def test_what_went_up_once_does_not_come_down_by_way_of_a_unit_from_elsewhere() -> None:
    assert ROUTER.above("slope-1", "u-c2", before=["u-c1"]) == "u-s1"
    assert ROUTER.above("slope-1", "u-c2", before=["u-c1", "u-s1", "u-c2"]) == "u-d"
    assert ROUTER.above("slope-1", "u-c1", before=["u-d"]) == "u-s1", "one of the area's own stands where it stands"


def test_an_unknown_area_or_one_without_units_has_none() -> None:
    assert ROUTER.suggest("no-such-area") == []
    assert ROUTER.suggest("nowhere") == []
    assert ROUTER.above("nowhere", "u-c1") is None


class TestLoad:
    """Of units that stand alike, who has less to do goes first."""

    def test_of_those_of_one_place_the_one_with_fewer_orders_goes_before_the_nearer_one(self) -> None:
        assert ROUTER.suggest("slope-1", load={"u-s1-near": 1}) == ["u-c1", "u-s1", "u-s1-far", "u-s1-near", "u-d"]
        assert ROUTER.suggest("slope-1", load={"u-s1-near": 1, "u-s1-far": 1}) == ROUTER.suggest("slope-1")

    def test_the_hierarchy_stays_whatever_the_load(self) -> None:
        assert ROUTER.suggest("slope-1", load={"u-c1": 9, "u-s1": 9})[:2] == ["u-c1", "u-s1"]

    def test_who_has_as_many_as_it_takes_at_once_comes_after_all_that_have_not(self) -> None:
        units = tuple(msgspec.structs.replace(unit, at_once=2 * (unit.id == "u-c1")) for unit in SITE.units)
        router = Router(msgspec.structs.replace(SITE, units=units))
        assert router.suggest("slope-1", load={"u-c1": 1})[0] == "u-c1"
        assert router.suggest("slope-1", load={"u-c1": 2}) == ["u-s1", "u-s1-near", "u-s1-far", "u-d", "u-c1"]

    @given(st.dictionaries(st.sampled_from([unit.id for unit in SITE.units]), st.integers(0, 5)))
    def test_load_moves_units_and_never_loses_or_adds_one(self, load: dict[str, int]) -> None:
        found = ROUTER.suggest("slope-1", load=load)
        assert sorted(found) == sorted(ROUTER.suggest("slope-1"))
        assert found == ROUTER.suggest("slope-1", load=dict(reversed(list(load.items()))))


class TestRefusals:
    """Who has refused an incident is not asked again by itself, by whichever of its orders."""

    @staticmethod
    def scene() -> tuple[Desk, str]:
        desk = Desk(SITE)
        out = desk.condition(change(3), 0.0)
        return desk, next(one for one in out if isinstance(one, DispatchChange)).dispatch

    @staticmethod
    def moved(out: list[AnyOutcome]) -> list[tuple[str, str]]:
        return [(one.edge, one.unit) for one in out if isinstance(one, DispatchChange)]

    def test_neither_escalation_nor_a_refusal_goes_back_to_who_refused_another_order_of_it(self) -> None:
        desk, first = self.scene()
        desk.command(command("refuse", first, "1", reason="away"), 1.0)
        incident = desk.book.cases.dispatches[first].incident
        sent = desk.command(command("dispatch", incident, "2", unit="u-talk"), 2.0)
        second = next(one for one in sent if isinstance(one, DispatchChange)).dispatch
        desk.command(command("accept", first, "3", "unit:u-s1"), 3.0)
        assert self.moved(desk.tick(302.0)) == [("overdue", "u-talk"), ("reassigned", "u-s1-near")]
        asked = desk.command(command("refuse", second, "4", reason="no"), 303.0)
        assert self.moved(asked)[-1] == ("reassigned", "u-s1-far"), "the nearest is the one that refused"

    def test_it_is_remembered_beyond_the_order_that_was_refused(self) -> None:
        desk, first = self.scene()
        desk.command(command("refuse", first, "1", reason="away"), 1.0)
        desk.command(command("close", first, "2", reason="called off"), 2.0)
        other = Desk(SITE)
        other.restore(desk.state())
        assert self.moved(other.condition(change(4), 3.0)) == [("issued", "u-s1")]

    def test_when_all_have_refused_a_new_danger_asks_again(self) -> None:
        desk, first = self.scene()
        for number in range(5):
            desk.command(command("refuse", first, str(number), reason="away"), 1.0)
        assert first not in desk.book.cases.dispatches
        assert self.moved(desk.condition(change(4), 3.0)) == [("issued", "u-c1")]

    def test_who_accepts_one_after_all_is_asked_again(self) -> None:
        desk, first = self.scene()
        desk.command(command("refuse", first, "1", reason="away"), 1.0)
        incident = desk.book.cases.dispatches[first].incident
        sent = desk.command(command("dispatch", incident, "2", unit="u-c1"), 2.0)
        second = next(one for one in sent if isinstance(one, DispatchChange)).dispatch
        desk.command(command("accept", second, "3", "unit:u-c1"), 3.0)
        for number, one in enumerate((first, second)):
            desk.command(command("close", one, f"c{number}", reason="over"), 4.0)
        assert self.moved(desk.condition(change(4), 5.0)) == [("issued", "u-c1")]


class TestDeskByLoad:
    """The desk counts the orders that its units have open."""

    @staticmethod
    def desk() -> Desk:
        """Make a desk whose slopes are seen to by two departments, of which one is nearer."""
        units = tuple(unit for unit in SITE.units if unit.id.startswith("u-s1-"))
        more = Area(id="slope-2", name=SITE.areas[0].name, type="slope", place="c1", group="s1", location=(22.7, 113.8))
        return Desk(msgspec.structs.replace(SITE, units=units, areas=(*SITE.areas, more)))

    @staticmethod
    def orders(out: list[AnyOutcome]) -> list[DispatchChange]:
        return [one for one in out if isinstance(one, DispatchChange)]

    def test_who_is_on_its_way_already_leaves_the_next_order_to_another_and_the_order_says_why(self) -> None:
        desk = self.desk()
        (first,) = self.orders(desk.condition(change(3), 0.0))
        assert (first.unit, first.reason) == ("u-s1-near", "dispatch.by_level")
        (second,) = self.orders(desk.condition(change(3, scope="p2", area="slope-2"), 1.0))
        assert (second.unit, second.reason) == ("u-s1-far", "dispatch.by_load")
        assert second.event is not None and second.event["data"]["passed_over"] == {"u-s1-near": 1}

    def test_what_was_dealt_with_is_no_burden(self) -> None:
        desk = self.desk()
        (first,) = self.orders(desk.condition(change(3), 0.0))
        for n, leg in enumerate(("accept", "on_scene", "resolve")):
            desk.command(command(leg, first.dispatch, str(n), note="done"), 1.0 + n)
        (second,) = self.orders(desk.condition(change(3, scope="p2", area="slope-2"), 9.0))
        assert (second.unit, second.reason) == ("u-s1-near", "dispatch.by_level")

    def test_a_drill_keeps_nobody_from_a_danger(self) -> None:
        desk = self.desk()
        (played,) = self.orders(desk.condition(change(3, simulated=True), 0.0))
        (real,) = self.orders(desk.condition(change(3, scope="p2", area="slope-2"), 1.0))
        assert played.unit == real.unit == "u-s1-near"

    def test_the_burden_is_known_after_a_restart(self) -> None:
        desk, again = self.desk(), self.desk()
        desk.condition(change(3), 0.0)
        again.restore(desk.state())
        (second,) = self.orders(again.condition(change(3, scope="p2", area="slope-2"), 1.0))
        assert second.unit == "u-s1-far"

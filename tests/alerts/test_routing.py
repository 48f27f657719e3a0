"""Whom the router sends, and why in that order."""

from __future__ import annotations

from alerts.routing import Router
from tests.alerts.cases import SITE

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


def test_an_unknown_area_or_one_without_units_has_none() -> None:
    assert ROUTER.suggest("no-such-area") == []
    assert ROUTER.suggest("nowhere") == []
    assert ROUTER.above("nowhere", "u-c1") is None

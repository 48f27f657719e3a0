"""How long objects have been in zones."""

from __future__ import annotations

from sensors.dialects import dwell
from sensors.dialects.dwell import Dwell


def test_an_object_loiters_once_it_is_longer_in_a_zone_than_the_site_says() -> None:
    held = Dwell({"gate": 60.0})
    assert held.take("o", ["gate", "road"], 0.0, is_over=False) == []
    assert held.take("o", ["gate"], 59.0, is_over=False) == []
    assert held.take("o", ["gate"], 60.0, is_over=False) == [("gate", "new")]
    assert held.take("o", ["gate"], 70.0, is_over=False) == [("gate", "update")]
    assert held.take("o", [], 80.0, is_over=False) == [("gate", "end")]
    assert held.take("o", ["gate"], 90.0, is_over=False) == []  # it has come again


def test_an_object_that_goes_without_a_word_between_was_there_all_the_while() -> None:
    held = Dwell({"gate": "1 min"})
    assert held.take("long", ["gate"], 0.0, is_over=False) == []
    assert held.take("short", ["gate"], 0.0, is_over=False) == []
    assert held.take("long", ["gate"], 61.0, is_over=True) == [("gate", "new")]
    assert held.take("short", ["gate"], 59.0, is_over=True) == []


def test_each_object_and_each_zone_is_for_itself() -> None:
    held = Dwell({"gate": 60.0, "yard": 10.0})
    held.take("a", ["gate", "yard"], 0.0, is_over=False)
    held.take("b", ["yard"], 20.0, is_over=False)
    assert held.take("a", ["gate", "yard"], 25.0, is_over=False) == [("yard", "new")]
    assert held.take("b", ["yard"], 26.0, is_over=False) == []


def test_only_so_many_objects_are_remembered() -> None:
    held = Dwell({"gate": 60.0})
    for place in range(dwell.MOST_OBJECTS + 1):
        held.take(str(place), ["gate"], 0.0, is_over=False)
    assert held.take("0", ["gate"], 61.0, is_over=False) == []  # forgotten, so it begins anew
    assert held.take("2", ["gate"], 61.0, is_over=False) == [("gate", "new")]


def test_a_lane_keeps_one() -> None:
    cache: dict[object, object] = {}
    assert Dwell.of(cache, {"gate": 1.0}) is Dwell.of(cache, {"gate": 1.0})


def test_another_version_of_the_site_goes_on_and_ends_what_has_no_time_any_more() -> None:
    held = Dwell({"gate": 60.0, "yard": 60.0})
    held.take("1", ["gate", "yard"], 0.0, is_over=False)
    held.take("2", ["yard"], 0.0, is_over=False)
    assert held.take("1", ["gate", "yard"], 61.0, is_over=False) == [("gate", "new"), ("yard", "new")]
    after = Dwell({"gate": 60.0, "road": 5.0})
    after.succeed(held)
    assert after.take("1", ["gate", "yard"], 62.0, is_over=False) == [("gate", "update"), ("yard", "end")]
    assert after.take("2", ["yard"], 70.0, is_over=True) == []

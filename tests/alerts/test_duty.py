"""Who is on duty: daily shifts, dated duties, and the turn that is taken over."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from alerts.duty import Roster
from alerts.routing import Router
from sensors.site import Duty, Seat, Shift, Site
from tests.alerts.cases import SITE, name

SEATS = (Seat(id="lead", name=name("lead")), Seat(id="north", name=name("north"), subdistricts=("s1",)))
SHIFTS = (
    Shift(id="day", name=name("day"), start="08:30", end="17:30", staff={"lead": "li", "north": "wu"}),
    Shift(id="night", name=name("night"), start="17:30", end="08:30", staff={"lead": "an"}),
)


def site(*duties: Duty, zone: str = "Asia/Shanghai", shifts: tuple[Shift, ...] = SHIFTS) -> Site:
    return msgspec.structs.replace(SITE, seats=SEATS, shifts=shifts, duties=duties, zone=zone)


def at(local: str, zone: str = "Asia/Shanghai") -> float:
    return datetime.strptime(local, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(zone)).timestamp()


def who(roster: Roster, local: str, zone: str = "Asia/Shanghai") -> dict[str, str]:
    return {one.seat: one.account for one in roster.at(at(local, zone))}


@pytest.mark.parametrize(
    ("local", "wanted"),
    [
        ("2026-11-27 08:30", {"lead": "li", "north": "wu"}),  # it begins at its minute
        ("2026-11-27 17:29", {"lead": "li", "north": "wu"}),
        ("2026-11-27 17:30", {"lead": "an"}),
        ("2026-11-28 03:00", {"lead": "an"}),  # past midnight
        ("2026-11-28 08:29", {"lead": "an"}),
    ],
)
def test_daily_shifts_run_past_midnight_in_the_sites_zone(local: str, wanted: dict[str, str]) -> None:
    assert who(Roster(site()), local) == wanted


def test_a_dated_duty_goes_before_the_daily_shift_of_its_seat_alone() -> None:
    duty = Duty(seat="lead", account="bo", start="2026-11-27 12:00", end="2026-11-27 14:00")
    roster = Roster(site(duty))
    assert who(roster, "2026-11-27 11:59") == {"lead": "li", "north": "wu"}
    assert who(roster, "2026-11-27 12:00") == {"lead": "bo", "north": "wu"}
    assert who(roster, "2026-11-27 14:00") == {"lead": "li", "north": "wu"}


def test_a_duty_repeats_by_its_rule_and_days_can_be_left_out() -> None:
    duty = Duty(
        seat="lead",
        account="bo",
        start="2026-11-02 20:00",
        end="2026-11-03 06:00",
        repeat="FREQ=WEEKLY;BYDAY=MO,FR;UNTIL=20261231T000000",
        omit=("2026-11-27 20:00",),
    )
    roster = Roster(site(duty, shifts=()))
    assert who(roster, "2026-11-23 21:00") == {"lead": "bo"}  # a Monday
    assert who(roster, "2026-11-24 05:59") == {"lead": "bo"}
    assert who(roster, "2026-11-24 21:00") == {}
    assert who(roster, "2026-11-27 21:00") == {}  # left out
    assert who(roster, "2026-10-30 21:00") == {}  # before it began
    assert who(roster, "2027-01-04 21:00") == {}  # after its end


def test_a_shift_keeps_its_local_hours_when_the_clock_changes() -> None:
    roster = Roster(site(zone="Europe/Berlin"))
    (before,) = [one for one in roster.at(at("2026-10-24 12:00", "Europe/Berlin")) if one.seat == "lead"]
    (after,) = [one for one in roster.at(at("2026-10-25 12:00", "Europe/Berlin")) if one.seat == "lead"]
    assert after.begin - before.begin == 25 * 3600


def test_a_turn_is_named_by_its_beginning_and_may_be_taken_over_a_little_before() -> None:
    roster = Roster(site())
    now = roster.turn(at("2026-11-27 17:00"))
    soon = roster.turn(at("2026-11-27 17:16"))
    assert now is not None and soon is not None
    assert (now.key, now.shift, now.accounts) == ("2026-11-27T08:30", "day", {"li", "wu"})
    assert (soon.key, soon.shift, soon.accounts) == ("2026-11-27T17:30", "night", {"an"})
    before = roster.turn_before(soon.begin)
    assert before is not None and before.begin == now.begin
    assert Roster(site(shifts=())).turn(at("2026-11-27 17:00")) is None


def test_a_unit_out_of_its_shifts_comes_last_when_somebody_is_to_be_sent() -> None:
    units = tuple(
        msgspec.structs.replace(unit, shifts=("night",)) if unit.id == "u-c1" else unit for unit in SITE.units
    )
    router = Router(msgspec.structs.replace(site(), units=units))
    assert router.suggest("slope-1", at=at("2026-11-27 23:00"))[0] == "u-c1"
    by_day = router.suggest("slope-1", at=at("2026-11-27 12:00"))
    assert by_day[0] == "u-s1" and by_day[-1] == "u-c1"  # better late than nobody
    assert router.suggest("slope-1")[0] == "u-c1"

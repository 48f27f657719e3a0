"""Periods of the site's calendar: where they begin and end, also where clocks are changed and while they last."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.situation.period import PERIODS, Period, latest, parts, span_of

ZONES = st.sampled_from(("Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC"))
DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 30))


@given(period=st.sampled_from(PERIODS), day=DAYS, zone=ZONES)
def test_periods_follow_each_other_without_a_gap(period: Period, day: date, zone: str) -> None:
    span = span_of(period, day, zone)
    assert span.before(zone).end == span.begin
    assert list(span.marks) == sorted(set(span.marks))
    assert span.first <= day
    after = span_of(period, day + timedelta(days={"day": 1, "week": 7, "month": 31}[period]), zone)
    assert after.begin >= span.end


@given(period=st.sampled_from(PERIODS), day=DAYS, zone=ZONES, part=st.floats(0.001, 0.999))
def test_one_that_lasts_is_compared_with_as_much_of_the_one_before(
    period: Period, day: date, zone: str, part: float
) -> None:
    whole = span_of(period, day, zone)
    span = whole.until(whole.begin + part * (whole.end - whole.begin))
    before = span.before(zone)
    assert before.begin == whole.before(zone).begin
    assert before.end - before.begin <= span.end - span.begin + 1.0
    assert len(parts(span)) == len(span.marks) - 1 >= 1


def test_a_week_is_from_monday_and_a_month_has_its_days() -> None:
    assert span_of("week", date(2026, 11, 22), "Asia/Shanghai").first == date(2026, 11, 16)
    assert len(parts(span_of("month", date(2024, 2, 9), "Asia/Shanghai"))) == 29
    assert datetime.fromtimestamp(span_of("day", date(2026, 11, 22), "Asia/Shanghai").begin, UTC).hour == 16


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
def test_a_day_on_which_clocks_are_changed_has_another_number_of_hours(day: date, hours: int) -> None:
    assert len(parts(span_of("day", day, "Europe/Berlin"))) == hours


def test_the_latest_is_the_last_that_is_over() -> None:
    now = datetime(2026, 11, 27, 23, 30, tzinfo=UTC).timestamp()  # in Shenzhen it is the 28th already, a Saturday
    assert latest("day", now, "Asia/Shanghai").name == "2026-11-27"
    assert latest("week", now, "Asia/Shanghai").name == "2026-11-16"
    assert latest("month", now, "Asia/Shanghai").name == "2026-10-01"

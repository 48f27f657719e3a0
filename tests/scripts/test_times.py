"""Times as people and loggers write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from scripts.times import Times

NEW_YEAR = 1767225600.0  # 2026


@pytest.mark.parametrize(
    "text",
    [
        *("1767225600", "1767225600.0", "1767225600000", "1767225600000000", "1767225600000000000"),
        *("2026-01-01", "20260101", "202601010000", "20260101000000", "20260101T0000", "20260101T000000Z"),
        *("2026-01-01 00:00", "2026/1/1 0:00", "2026-01-01T08:00:00+08:00", "2026-01-01T00:00:00.000Z"),
        *("2026-01-01T00:00:00,000", "2026-01-01 00:00:00 UTC", "2026-01-01 00:00 GMT", "2026-01-01 00:00:00 EST"),
        *("1/1/2026 0:00", "1/1/2026 12:00:00 AM", "1/1/26 0:00", "01.01.2026 00:00", "2025-12-31 24:00"),
        *("01-Jan-2026 00:00", "1 January 2026", "Thu Jan  1 00:00:00 2026", "Thu, 01 Jan 2026 00:00:00 GMT"),
        *("2026年1月1日", "2026年1月1日 0时0分", "2026/1/1 上午 0:00", " 2026-01-01 00:00:00 "),
    ],
)
def test_times_are_read_as_people_write_them(text: str) -> None:
    assert Times(UTC).read(text) == NEW_YEAR


def test_times_without_a_zone_are_in_the_zone_given() -> None:
    times = Times(ZoneInfo("Asia/Shanghai"))
    assert (
        times.read("2026-01-01 08:00") == times.read("1/1/2026 8:00 AM") == times.read("2026年1月1日 8:00") == NEW_YEAR
    )
    assert times.read("2026-01-01T00:00:00Z") == times.read("Thu, 01 Jan 2026 00:00:00 GMT") == NEW_YEAR


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "inf", "nan", "1e400", "2026-13-01", "99/99/2026", "20261301", "yesterday", "May", "Jan 2026"),
        *("12:30", "10:14:33", "200 m", "a" * 100, "9" * 100, "1 2 3", "\ud83d", "1/1/2026 25:00", "2026-02-30 24:00"),
    ],
)
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Times().read(text)


@pytest.mark.parametrize(
    ("first", "third_of_april"),
    [
        (["3/4/2026 00:00", "13/4/2026 00:00"], True),  # no month has that number
        (["3/4/2026 00:00", "3/13/2026 00:00"], False),
        (["3.4.2026"], True),  # points: days first
        (["3/4/2026 22:00", "3/4/2026 23:00", "4/4/2026 00:00"], True),  # two hours, not a month
        (["3/4/2026 22:00", "3/4/2026 23:00", "3/5/2026 00:00"], False),
        (["3/4/2026 00:00"], False),
        ([], False),
    ],
)
def test_whether_days_or_months_come_first_is_told_by_the_first_times(first: list[str], third_of_april: bool) -> None:
    april = Times(UTC, first).read("3/4/2026") == Times().read("2026-04-03")
    assert april is third_of_april


@pytest.mark.parametrize("order", [1, -1])
def test_the_hour_that_comes_twice_goes_on_from_the_row_before(order: int) -> None:
    written = [f"27.10.2024 {hour:02}:{minute:02}" for hour in (1, 2, 2, 3) for minute in range(0, 60, 15)][::order]
    times = Times(ZoneInfo("Europe/Berlin"), written)
    told = [times.following(text) for text in written][::order]
    assert [later - sooner for sooner, later in pairwise(told)] == [900.0] * 15
    assert Times(ZoneInfo("Europe/Berlin")).read("27.10.2024 02:30", fold=1) == told[4 + 4 + 2]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("odd", [100, 500])
def test_a_row_that_stands_twice_or_is_late_in_that_hour_costs_no_hour(order: int, odd: int) -> None:
    zone, start = ZoneInfo("America/New_York"), datetime(2021, 11, 7, 4, 30, tzinfo=UTC)  # until past both hours
    moments = [start + timedelta(seconds=10 * n) for n in range(1000)]
    moments[odd:odd] = [moments[odd - 1], moments[odd - 1] - timedelta(seconds=1)]
    moments = moments[::order]
    written = [one.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") for one in moments]
    times = Times(zone, written)
    assert [times.following(text) for text in written] == [one.timestamp() for one in moments]


def test_a_day_that_was_read_says_nothing_of_another_order_of_days_and_months() -> None:
    months = Times(UTC)
    assert months.read("3/4/2026 00:00") == months.read("3/4/2026 0:00:00.0") == months.read("2026-03-04")
    days = Times(UTC, ["13/4/2026 00:00"])
    assert days.read("3/4/2026 00:00") == days.read("2026-04-03")
    assert days.read("3/4/2026 11:59:59,5 pm") - days.read("2026-04-03") == 86399.5

"""Dated duties from YAML, CSV and iCalendar: what they become, and every mistake with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors.registry import check_site, load_site
from sensors.site import Duty
from tests.sensors.test_registry import FILES, write

CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:1
SUMMARY:wang
LOCATION:长
DTSTART;TZID=Asia/Shanghai:20261127T200000
DTEND;TZID=Asia/Shanghai:20261128T080000
RRULE:FREQ=WEEKLY;BYDAY=FR;UNTIL=20261231T160000Z
EXDATE;TZID=Asia/Shanghai:20261204T200000
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:li
LOCATION:north
DTSTART:20261127T000000Z
DTEND:20261127T080000Z
END:VEVENT
BEGIN:VEVENT
UID:3
STATUS:CANCELLED
SUMMARY:nobody
DTSTART:20261127T000000Z
DTEND:20261127T080000Z
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")
TABLE = (
    "seat,account,start,end\n"
    "lead,zhao,2026-11-29 08:00,2026-11-29 20:00\n"
    "North,qian,2026-11-29 08:00,2026-11-29 20:00\n"
)
ROSTER = FILES["roster.yaml"] + (
    "duty:\n  - {seat: lead, account: sun, start: 2026-11-28 08:00, end: 2026-11-28 20:00}\n"
    "csv: [more.csv]\nicalendar: [more.ics]\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = write(tmp_path / "site", {**FILES, "roster.yaml": ROSTER, "more.csv": TABLE})
    (folder / "more.ics").write_bytes(CALENDAR.encode())
    return folder


def test_duties_come_from_all_three_in_the_sites_zone(folder: Path) -> None:
    assert load_site(folder).duties == (
        Duty(seat="lead", account="sun", start="2026-11-28 08:00", end="2026-11-28 20:00"),
        Duty(seat="lead", account="zhao", start="2026-11-29 08:00", end="2026-11-29 20:00"),
        Duty(seat="north", account="qian", start="2026-11-29 08:00", end="2026-11-29 20:00"),
        Duty(
            seat="lead",
            account="wang",
            start="2026-11-27 20:00",
            end="2026-11-28 08:00",
            repeat="FREQ=WEEKLY;UNTIL=20270101T000000;BYDAY=FR",
            omit=("2026-12-04 20:00",),
        ),
        Duty(seat="north", account="li", start="2026-11-27 08:00", end="2026-11-27 16:00"),
    )


@pytest.mark.parametrize(
    ("old", "new", "field", "said"),
    [
        ("seat: lead, account: sun", "seat: load, account: sun", "duty[0].seat", "unknown seat"),
        ("account: sun", "account: '!'", "duty[0]", "no account"),
        ("end: 2026-11-28 20:00", "end: 2026-11-28 07:00", "duty[0]", "does not end after"),
        ("end: 2026-11-28 20:00", "end: 2027-11-28 20:00", "duty[0]", "longer than seven days"),
        ("start: 2026-11-28 08:00", "start: 28.11.2026", "duty[0]", "write local times"),
        ("20:00}", "20:00, repeat: FREQ=SECONDLY}", "duty[0]", "cannot repeat a duty"),
        ("20:00}", "20:00, repeat: FREQ=DAILY;INTERVAL=x}", "duty[0]", "no rule of iCalendar"),
        ("more.csv", "none.csv", "csv[0]", "no file none.csv"),
        ("more.csv", "../x.csv", "csv[0]", "no name of a file"),
    ],
)
def test_mistakes_are_told_with_their_field(folder: Path, old: str, new: str, field: str, said: str) -> None:
    place = ROSTER.rindex(old) if old == "20:00}" else ROSTER.index(old)
    (folder / "roster.yaml").write_text(ROSTER[:place] + new + ROSTER[place + len(old) :], encoding="utf-8")
    _, problems = check_site(folder)
    assert [(one.file, one.field) for one in problems] == [("roster.yaml", field)]
    assert said in problems[0].message


@pytest.mark.parametrize(
    ("table", "line", "said"),
    [
        ("seat,account,start\n", 0, "end is missing"),
        (TABLE.replace("lead,", "load,"), 2, "unknown seat 'load'"),
        (TABLE + "lead,zhao\n", 4, "write local times"),
        ("", 0, "seat is missing"),
        ("seat\raccount\r", 0, "cannot be read: new-line character"),
    ],
)
def test_mistakes_of_a_table_are_told_with_their_line(folder: Path, table: str, line: int, said: str) -> None:
    (folder / "more.csv").write_text(table, encoding="utf-8")
    _, problems = check_site(folder)
    assert [(one.file, one.line) for one in problems] == [("more.csv", line)]
    assert said in problems[0].message


AFTER = "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:3"
TIMES = "DTSTART:20261127T000000Z\r\nDTEND:20261127T080000Z\r\n"
DAYS = "DTSTART;VALUE=DATE:20261127\r\nDTEND;VALUE=DATE:20261128\r\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("LOCATION:north", "LOCATION:moon", "unknown seat 'moon'"),
        ("DTEND:20261127T080000Z\r\n" + AFTER, AFTER, "no DTEND"),
        (TIMES + AFTER, DAYS + AFTER, "whole days"),
        (TIMES + AFTER, TIMES + "RRULE:FREQ=DAILY\r\n" * 2 + AFTER, "or one twice"),
        (CALENDAR, "no calendar", "cannot be read"),
    ],
)  # fmt: skip
def test_mistakes_of_a_calendar_are_told_with_their_event(folder: Path, old: str, new: str, said: str) -> None:
    assert old in CALENDAR
    (folder / "more.ics").write_bytes(CALENDAR.replace(old, new, 1).encode())
    _, problems = check_site(folder)
    assert [one.file for one in problems] == ["more.ics"]
    assert said in problems[0].message

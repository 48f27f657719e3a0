"""Who sits where and when: dated duties beside the daily shifts, from YAML, CSV or iCalendar."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path as FilePath
from typing import Any
from zoneinfo import ZoneInfo

from sensors.document import Document, Path, Problem
from sensors.findings import Findings
from sensors.site import Duty, Seat
from sensors.site_files import RosterFile

MAX_BYTES = 2 * 1024 * 1024
MAX_DUTIES = 20_000
LONGEST = 7 * 86400
"""Seconds that one duty lasts at most: longer is a mistake in a date."""

WRITTEN = "%Y-%m-%d %H:%M"
COLUMNS = ("seat", "account", "start", "end")

_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\Z")
_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\Z")
_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTH", "BYMONTHDAY", "WKST"}
_FREQUENCIES = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}


def read_duties(
    document: Document, file: RosterFile, folder: FilePath, zone: str, findings: Findings
) -> tuple[Duty, ...]:
    """Gather the dated duties of a roster: those written in it, and those of the files that it names.

    CSV has the columns seat, account, start and end. In iCalendar an event's SUMMARY is the account and its LOCATION
    the seat, by id or name; RRULE and EXDATE repeat it and leave days out. Times are of the site's zone unless the
    calendar says otherwise.
    """
    found: list[tuple[Path, Duty]] = [(("duty", i), duty) for i, duty in enumerate(file.duty)]
    seats = {seat.id: seat for seat in file.seats}
    for where, duty in found:
        _check(document, where, duty, seats, findings)
    duties = [duty for _, duty in found]
    for name, reader in (("csv", _read_csv), ("icalendar", _read_calendar)):
        for i, one in enumerate(getattr(file, name)):
            path: Path = (name, i)
            content = _content(document, path, one, folder, findings)
            if content is not None:
                try:
                    duties += reader(content, one, seats, zone, findings)
                except ValueError as error:
                    findings.extend([Problem(one, 0, "", f"cannot be read: {error}")])
    if len(duties) > MAX_DUTIES:
        findings.add(document, ("duty",), f"a roster holds at most {MAX_DUTIES:,} duties, not {len(duties):,}")
    return tuple(duties)


def _check(document: Document, path: Path, duty: Duty, seats: dict[str, Seat], findings: Findings) -> None:
    findings.reference("seat", duty.seat, seats, document, (*path, "seat"))
    trouble = trouble_of(duty)
    if trouble:
        findings.add(document, path, trouble)


def trouble_of(duty: Duty) -> str:
    """Say what is wrong with a duty but for its seat; empty when nothing is."""
    if not _ACCOUNT.match(duty.account):
        return f"'{duty.account[:64]}' is no account: letters, digits and . _ - @, as `foreshock users list` names them"
    try:
        start, end = (datetime.strptime(time, WRITTEN) for time in (duty.start, duty.end))
    except ValueError:
        return f"'{duty.start[:40]}' to '{duty.end[:40]}': write local times as 2026-11-27 08:30"
    if not timedelta() < end - start <= timedelta(seconds=LONGEST):
        return f"{duty.start} to {duty.end} does not end after it begins, or lasts longer than seven days"
    parts = dict(part.partition("=")[::2] for part in duty.repeat.upper().split(";")) if duty.repeat else {}
    if set(parts) - _PARTS or (duty.repeat and parts.get("FREQ") not in _FREQUENCIES) or len(duty.repeat) > 200:
        return f"'{duty.repeat[:80]}' cannot repeat a duty: it has {', '.join(sorted(_PARTS))}, FREQ from DAILY on"
    if duty.repeat:
        from dateutil.rrule import rrulestr  # here: few rosters repeat

        try:
            rrulestr(duty.repeat, dtstart=start)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            return f"'{duty.repeat[:80]}' is no rule of iCalendar: {error}"
    return ""


def _content(document: Document, path: Path, name: str, folder: FilePath, findings: Findings) -> bytes | None:
    if not _FILE.match(name):
        findings.add(document, path, f"'{name[:100]}' is no name of a file in the site's folder")
        return None
    try:
        with (folder / name).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError:
        findings.add(document, path, f"there is no file {name}")
        return None
    if len(content) > MAX_BYTES:
        findings.add(document, path, f"{name} is larger than {MAX_BYTES:,} bytes")
        return None
    return content


def _read_csv(content: bytes, name: str, seats: dict[str, Seat], zone: str, findings: Findings) -> Iterator[Duty]:
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    try:
        missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            raise ValueError(f"its first line must name the columns {', '.join(COLUMNS)}; {missing[0]} is missing")
        for row in rows:
            said = {column: (row[column] or "").strip() for column in COLUMNS}
            duty = Duty(seat=_seat(said["seat"], seats), account=said["account"], start=said["start"], end=said["end"])
            trouble = trouble_of(duty) if duty.seat else f"unknown seat '{said['seat'][:64]}'"
            if trouble:
                findings.extend([Problem(name, rows.line_num, "", trouble)])
            else:
                yield duty
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _read_calendar(content: bytes, name: str, seats: dict[str, Seat], zone: str, findings: Findings) -> Iterator[Duty]:
    from icalendar import Calendar  # here: it takes long to load, and few rosters are calendars

    site = ZoneInfo(zone)
    calendar = Calendar.from_ical(content)
    for number, event in enumerate(calendar.walk("VEVENT"), 1):
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        said = str(event.get("LOCATION", "")).strip()
        place = f"VEVENT {number}"
        try:
            start, end = event.decoded("DTSTART"), event.decoded("DTEND")
        except (KeyError, AttributeError, TypeError):
            findings.extend([Problem(name, 0, place, "has no DTSTART or no DTEND, or one twice")])
            continue
        if not isinstance(start, datetime) or not isinstance(end, datetime):
            findings.extend([Problem(name, 0, place, "lasts whole days: a duty has times")])
            continue
        rule = event.get("RRULE")
        try:
            duty = Duty(
                seat=_seat(said, seats),
                account=str(event.get("SUMMARY", "")).strip(),
                start=_local(start, site),
                end=_local(end, site),
                repeat=_rule(rule.to_ical().decode(), site) if rule is not None else "",
                omit=tuple(_local(one, site) for one in _dates(event.get("EXDATE"))),
            )
        except (AttributeError, TypeError, OverflowError):  # a property that stands twice, or is of no time there is
            findings.extend([Problem(name, 0, place, "has a property that cannot be understood, or one twice")])
            continue
        trouble = trouble_of(duty) if duty.seat else f"unknown seat '{said[:64]}' in its LOCATION"
        if trouble:
            findings.extend([Problem(name, 0, place, trouble)])
        else:
            yield duty


def _dates(omitted: Any) -> list[datetime]:
    listed = omitted if isinstance(omitted, list) else [] if omitted is None else [omitted]
    return [one.dt for dates in listed for one in dates.dts if isinstance(one.dt, datetime)]


def _rule(rule: str, site: ZoneInfo) -> str:
    """Have a rule's UNTIL stand in the site's time, without a zone, as the duty's own times do."""

    def local(found: re.Match[str]) -> str:
        until = datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        return f"UNTIL={until.astimezone(site):%Y%m%dT%H%M%S}"

    return re.sub(r"UNTIL=(\d{8}T\d{6})Z", local, rule)


def _local(time: datetime | date, site: ZoneInfo) -> str:
    """Write a time in the site's zone; one without a zone is of it already."""
    if isinstance(time, datetime) and time.tzinfo is not None:
        time = time.astimezone(site)
    return time.strftime(WRITTEN)


def _seat(said: str, seats: dict[str, Seat]) -> str:
    """Find a seat by its id or one of its names; empty when there is none."""
    if said in seats:
        return said
    return next((seat.id for seat in seats.values() if said and said in (seat.name.zh, seat.name.en)), "")

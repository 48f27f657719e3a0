"""`foreshock roster` and `foreshock handover`: who is on duty, and what one turn leaves to the next."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.table import Table

from alerts.duty import Roster
from scripts.commands.spoken import heads, language, said, speak_as
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    SiteOption,
    configured,
    done,
    fail,
    local,
    out,
    plain,
    require_journal,
    site_in_force,
    tell,
)
from scripts.commands.words import LanguageOption
from sensors.document import DocumentError
from sensors.registry import load_site


def roster(
    at: Annotated[str | None, typer.Option("--at", help="A local time, as 2026-11-27 08:30; now by default.")] = None,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say who is on duty: by the daily shifts, dated duties, CSV and iCalendar files of a site's roster.

    foreshock roster

    foreshock roster --at "2026-11-28 03:00" --site my-site
    """
    found = configured(site=site)
    try:
        loaded = load_site(found.site_folder)
    except DocumentError as error:
        fail(f"{error.problems[0]}; `foreshock check` names all mistakes")
    speak_as(loaded.language)
    try:
        moment = (
            time.time()
            if at is None
            else datetime.strptime(at, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(loaded.zone)).timestamp()
        )
    except ValueError:
        fail(f"--at {at}: write a local time as 2026-11-27 08:30")
    people = Roster(loaded).at(moment)
    if as_json:
        print(msgspec.json.encode(people).decode())
        return
    names = {seat.id: f"{seat.name.zh} {seat.name.en}" for seat in loaded.seats}
    table = Table(*heads("seat", "name", "account", "shift", "from", "until"))
    for one in people:
        row = (one.seat, names[one.seat], one.account, one.shift or said("dated"))
        table.add_row(*map(plain, row), local(one.begin, loaded.zone), local(one.end, loaded.zone))
    out.print(table if people else said(f"nobody is on duty at {local(moment, loaded.zone)}"))


def handover(
    file: Annotated[Path | None, typer.Option("--out", help="Write the sheet as PDF.")] = None,
    signed: Annotated[str | None, typer.Option("--signed", help="One that was signed, by its id.")] = None,
    language: LanguageOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the handover sheet as things stand: open, overdue, silenced, degraded, floods, comments of the turn.

    It is signed on the page, by somebody of the turn that comes on duty, and then kept as it was.

    foreshock handover --out handover.pdf

    foreshock handover --signed handover-2026-11-27T17:30 --out signed.pdf
    """
    from alerts import handover as sheets  # here: what follows is asked for once a shift
    from alerts import paper
    from alerts.queries import JournalMissing, Reader

    found = configured(data=data)
    require_journal(found)
    site = site_in_force(found)
    now = time.time()
    try:
        reader = Reader(found.journal_url)
    except JournalMissing as error:
        fail(str(error))
    if signed is not None:
        whole = reader.handover(signed)
        if whole is None:
            known = ", ".join(one["id"] for one in reader.handovers(5)) or said("none")
            fail(f"no handover {signed} was signed; the latest are: {known}")
    else:
        people = Roster(site)
        turn = people.turn(now)
        begin = now if turn is None else turn.begin
        before = people.turn_before(begin)
        since = min(max(before.begin if before is not None else 0.0, now - 86400.0), now)
        whole = {
            "shift": turn.shift if turn is not None else "",
            "begin": begin,
            "people": {one.seat: one.account for one in turn.people} if turn is not None else {},
            "sheet": sheets.sheet(reader, now, since),
        }
    if file is not None:
        from alerts.duty_sheets import handover_pdf

        try:
            body = handover_pdf(whole, site, language or site.language, now, font=paper.find_font(found.pdf_font))
            file.write_bytes(body)
        except paper.NoFont as error:
            fail(str(error))
        except OSError as error:
            fail(f"{file} cannot be written: {error.strerror}")
        done(f"{file} is written")
        return
    if as_json:
        print(msgspec.json.encode(whole).decode())
        return
    _show(whole, site.zone)


def _show(whole: dict[str, Any], zone: str) -> None:
    sheet = whole["sheet"]
    people = ", ".join(f"{seat} {who}" for seat, who in whole["people"].items()) or said("nobody on the roster")
    tell(f"to {whole['shift']} {local(whole['begin'], zone)}: {people}")
    load = sheet["load"]
    tell(f"alarms that rang: {load['rings']}, at most {load['peak']} in ten minutes; floods: {load['floods']}")
    for part in ("open", "outside", "overdue", "shelved", "silences", "modes", "degraded", "comments"):
        if part not in sheet:
            continue  # signed with an older version
        items = sheet[part]["items"]
        out.print(f"[bold]{plain(said(part))}[/bold] {len(items) + sheet[part]['more']}")
        for one in items:
            title = one.get("title") or one.get("rule_title") or {}
            text = (
                one.get("text")
                or title.get("en" if language() == "en" else "zh")
                or one.get("unit")
                or one.get("reason")
                or ""
            )
            where = one["area"] if "area" in one else " ".join([*one["areas"], *one["scopes"], *one["rules"]])
            until = ""
            if "soon" in one:
                until = "  " + said(f"until {local(one['until'], zone)}") + (said(" (soon)") if one["soon"] else "")
            name = one.get("mode") or one.get("id", "")
            out.print(plain(f"  {said(one.get('level', ''))} {where} {text} {name}{until}"))

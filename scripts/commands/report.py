"""`foreshock report`: what a day, a week or a month came to, in the terminal or as PDF."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from alerts.situation.period import Period, latest, span_of
from scripts.commands.spoken import heads, near, said
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    configured,
    done,
    fail,
    out,
    plain,
    require_journal,
    site_in_force,
)
from scripts.commands.words import LanguageOption
from streams.figures import read_figures

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Reports of what happened, from the journal.")
app.callback()(lambda: None)  # a command stays a command where there is only one


@app.command("situation")
def situation(
    period: Annotated[Period, typer.Option("--period", help="Over what it goes; a week is from Monday.")] = "week",
    day: Annotated[
        str | None,
        typer.Option("--date", help="A day in it, as 2026-11-27; by default the last that is over.", metavar="DAY"),
    ] = None,
    place: Annotated[
        str | None, typer.Option("--place", help="District, subdistrict or community, by its id; the whole by default.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--pdf", help="Write it as PDF, with plots.")] = None,
    language: LanguageOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report a place: alarms, response times, overdue orders, nuisance, lead times, data, and what got worse.

    It is of the site's calendar, and compares with the period before. One that is not over is told as far as it goes.

    foreshock report situation --period week --pdf week.pdf

    foreshock report situation --period day --date 2026-11-27 --place xixiang --json
    """
    from alerts.queries import JournalMissing, Reader  # here: help needs none of it
    from alerts.situation.report import reported, top_place

    found = configured(data=data)
    require_journal(found)
    site, now = site_in_force(found), time.time()
    where = place or top_place(site)
    known = [one.id for one in site.places]
    if where not in known:
        fail(said(f"the site has no place {where}") + near(where, known))
    try:
        span = latest(period, now, site.zone) if day is None else span_of(period, date.fromisoformat(day), site.zone)
    except (ValueError, OverflowError):
        fail(f"--date {day}: write a day as 2026-11-27")
    if span.begin > now:
        fail(f"--date {day} is yet to come")
    try:
        never = read_figures(found.data_folder).get("console", {}).get("never", ())  # while it runs
        told = reported(Reader(found.journal_url), site, where, span.until(now), set(never))
    except JournalMissing as error:
        fail(str(error))
    if file is not None:
        from alerts import paper  # here: printing takes what nothing else needs
        from alerts.situation.sheet import situation_pdf

        try:
            font = paper.find_font(found.pdf_font)
            file.write_bytes(situation_pdf(told, site, language or site.language, now, font=font))
        except paper.NoFont as error:
            fail(str(error))
        except OSError as error:
            fail(f"{file} cannot be written: {error.strerror}")
        done(f"{file} is written")
    elif as_json:
        print(msgspec.json.encode(told).decode())
    else:
        _show(told, site, language or site.language)


def _show(told: dict[str, Any], site: Any, language: str) -> None:
    from alerts.situation.sheet import lasting, summary, title_of

    out.print(f"[bold]{plain(title_of(told, site, language))}[/bold]")
    for line in summary(told, site, language):
        out.print(plain(f"  {line}"))
    table = Table(*heads("leg", "count", "median", "nine in ten within", "median before"))
    for leg, mine in told["now"]["times"].items():
        past = told["past"]["times"][leg]["median"] if told["compared"] else None
        table.add_row(
            said(leg), str(mine["count"]), *(lasting(one, language) for one in (mine["median"], mine["most"], past))
        )
    out.print(table)

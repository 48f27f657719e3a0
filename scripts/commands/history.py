"""`foreshock history`: what InfluxDB has to hold for a site, and what is kept as a file for others."""

from __future__ import annotations

import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from scripts.commands.moment import moment
from scripts.commands.spoken import said
from scripts.commands.terminal import DataOption, JsonOption, configured, done, fail, out, plain, site_in_force, tell
from streams.settings import Settings

app = typer.Typer(help="Set up where readings, scores and alarms are kept for long.", no_args_is_help=True)
app.callback()(lambda: None)

MARKS = {"create": "[green]+[/green]", "configure": "[yellow]~[/yellow]"}

Yes = Annotated[bool, typer.Option("--yes", help="Do it; without, what would be done is only printed.")]


@app.command("apply")
def apply(data: DataOption = None, yes: Yes = False, as_json: JsonOption = False) -> None:
    """Make the buckets and tasks that InfluxDB lacks, and set right those that differ. Only says so, unless --yes.

    Buckets are those of readings, minutes, hours and alarms, each kept for as long as the settings say; tasks sum
    readings up as minutes and hours. Nothing is deleted, but a shorter retention lets go of what is older.

    FORESHOCK_INFLUX_URL=https://desk.example.org:8086 FORESHOCK_INFLUX_TOKEN_FILE=token foreshock history apply

    Exit code 0 when all is as it should be, 1 when InfluxDB cannot be asked, 2 when something is left to be done.
    """
    found = configured(data=data)
    _require(found)
    from streams.history.influx import Influx, InfluxError  # here: help need not wait for its client
    from streams.history.influx_setup import Setup

    influx = Influx(found)
    try:
        setup = Setup(influx, found)
        changes = setup.plan()
        if yes:
            setup.apply(changes)
    except InfluxError as error:
        fail(f"{found.influx_url} {error}")
    finally:
        influx.close()
    left = bool(changes) and not yes
    if as_json:
        print(msgspec.json.encode({"done": yes, "changes": changes}).decode())
    else:
        for one in changes:
            out.print(
                f"{MARKS[one.action]} {said(one.kind)} {plain(one.name)}: {said(one.action)}, {plain(said(one.detail))}"
            )
        if left:
            tell(f"{len(changes)} to be done; `foreshock history apply --yes` does it")
        elif changes:
            done(f"{len(changes)} done")
        else:
            done(f"all {len(setup.buckets)} buckets and {len(setup.tasks)} tasks are as they should be")
    raise typer.Exit(2 if left else 0)


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="The file that is made: .parquet, .csv or .arrow.")],
    points: Annotated[list[str] | None, typer.Option(help="Ids, with * and ?; may be repeated; else all.")] = None,
    tier: Annotated[str, typer.Option("--of", help="readings, minutes or hours.")] = "readings",
    begin_: Annotated[str, typer.Option("--from", help="When: 2026-05-03 14:00, 14:00, or how long ago: 3 d.")] = "1 d",
    end_: Annotated[str, typer.Option("--to", help="Until before when, as --from.", show_default="now")] = "",
    data: DataOption = None,
) -> None:
    """Write what is kept of readings to a file: Parquet, CSV or Arrow (Feather).

    Of each reading time (UTC), point, value, score and flags; of minutes and hours lowest, highest, mean, last value,
    how many readings, and the highest score. It comes from InfluxDB or the data folder, and what these do not have yet
    from the log. Works beside a running Foreshock.

    foreshock history export slope.parquet --points 'slope-01-*' --from 30d

    foreshock history export year.csv --of hours --from 365d
    """
    from streams.history import exporting  # here: help need not wait for its libraries
    from streams.history.influx import InfluxError

    found = configured(data=data)
    site = site_in_force(found)
    form = exporting.SUFFIXES.get(file.suffix.lower())
    if form is None:
        fail(f"{file.name}: name a file that ends in {', '.join(exporting.SUFFIXES)}")
    if tier not in ("readings", "minutes", "hours"):
        fail(f"--of {tier}: there are readings, minutes and hours")
    wanted = points or ["*"]
    chosen = [point for point in site.points if any(fnmatchcase(point.id, name) for name in wanted)]
    if not chosen:
        fail(f"the site has no point {', '.join(wanted)}")
    now = time.time()
    try:
        begin, end = moment(begin_, now, site.zone), moment(end_, now, site.zone) if end_ else now
    except ValueError as error:
        fail(str(error))
    if begin >= end:
        fail(f"--from {begin_} is not before --to {end_ or said('now')}")
    asked = exporting.Asked(chosen, tier, begin, end)
    schema = exporting.READINGS if tier == "readings" else exporting.SPANS
    try:
        count = exporting.write(exporting.tables(found, site, asked), schema, file, form)
    except InfluxError as error:
        fail(f"{found.influx_url} {error}")
    except OSError as error:
        fail(f"{file}: cannot be written: {error.strerror or error}")
    done(f"{count} {tier} of {len(chosen)} point(s) in {file}, {file.stat().st_size / 1e6:.1f} MB")


def _require(found: Settings) -> None:
    if not found.influx_url:
        fail("this is of InfluxDB: set FORESHOCK_INFLUX_URL. A history in the data folder needs no set-up")

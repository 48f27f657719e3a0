"""`foreshock history`: what InfluxDB has to hold for a site."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from scripts.commands.terminal import DataOption, JsonOption, configured, done, fail, out, plain
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

    FORESHOCK_INFLUX_URL=https://influx.example:8086 FORESHOCK_INFLUX_TOKEN_FILE=token foreshock history apply

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
            out.print(f"{MARKS[one.action]} {one.kind} {plain(one.name)}: {one.action}, {plain(one.detail)}")
        if left:
            out.print(f"{len(changes)} to be done; `foreshock history apply --yes` does it")
        elif changes:
            done(f"{len(changes)} done")
        else:
            done(f"all {len(setup.buckets)} buckets and {len(setup.tasks)} tasks are as they should be")
    raise typer.Exit(2 if left else 0)


def _require(found: Settings) -> None:
    if not found.influx_url:
        fail("the history is in the data folder, which needs no set-up; set FORESHOCK_INFLUX_URL for InfluxDB")

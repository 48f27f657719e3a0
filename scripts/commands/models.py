"""`foreshock models`: learn how an area's points go together, and put what was learnt in force."""

from __future__ import annotations

import getpass
import time as clock
from importlib import metadata
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from models.area.store import Facts, Stored, encode
from scripts.commands import triage
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    configured,
    done,
    fail,
    local,
    out,
    plain,
    site_in_force,
    wrong,
)
from streams import area_models, running
from streams import reload as reloading
from streams.area_models import ModelsError
from streams.supervisor import holder

app = typer.Typer(
    no_args_is_help=True, help="Learn how an area's points go together, and put what was learnt in force."
)

app.add_typer(triage.app, name="triage")


@app.command()
def train(
    file: Annotated[Path, typer.Argument(help="CSV file of the area's history, a quiet time, with a header line.")],
    area: Annotated[str, typer.Option(help="The area.")],
    time: Annotated[str, typer.Option(help="Column of times.")],
    column: Annotated[list[str], typer.Option(help="column=point, once for each point; at least two.")],
    data: DataOption = None,
    zone: Annotated[str, typer.Option(help="Zone of times that name none.")] = "UTC",
) -> None:
    """Learn a model of an area from a recording, and keep it. Nothing changes until it is promoted.

    Candidates are tried on the later part of the recording; see docs/models/area.md. Values are in the points' units.

    foreshock models train slope.csv --area north-slope --time t --column rain=ns-rain --column tilt=ns-tilt
    """
    from models.area.fitting import FitError, fit  # here: scikit-learn takes a second to load
    from models.interval import usual_interval
    from scripts.score import ScoreError
    from scripts.score_area import read_history

    found = configured(data=data)
    pairs = [one.partition("=") for one in column]
    if len(pairs) < 2 or not all(name and point for name, _, point in pairs):
        fail("name at least two columns and their points, as in --column rain=ns-rain")
    site = site_in_force(found)
    points = {point.id: point for point in site.points}
    if area not in {one.id for one in site.areas}:
        fail(f"the site has no area {area}")
    for _, _, point in pairs:
        if point not in points or area not in points[point].areas:
            fail(f"area {area} has no point {point}")
    try:
        times, values = read_history(file, time, [name for name, _, _ in pairs], zone)
        fitted = fit(times, values, [point for _, _, point in pairs], usual_interval(times.tolist()))
    except (ScoreError, FitError) as error:
        fail(str(error))
    facts = Facts(
        begin=float(times[0]),
        end=float(times[-1]),
        rows=len(times),
        code=metadata.version("foreshock"),
        source=file.name[:200],
        trained=clock.time(),
    )
    stored = area_models.keep(found.data_folder, encode(area, fitted, facts))
    for trial in fitted.trials:
        if trial.false == trial.false:  # tried
            out.print(f"  {trial.kind}: {trial.found:.0%} of faults put on found, {trial.false:.2%} of rows false")
    done(f"{stored.version}: {stored.model.kind} of {len(pairs)} points from {len(times)} rows; not in force yet")


@app.command(name="list")
def list_models(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the models that were learnt, the latest first; a dot marks those in force."""
    found = configured(data=data)
    try:
        stored, problems = area_models.listed(found.data_folder)
        current = {versions[-1] for versions in area_models.promoted(found.data_folder).values()}
    except ModelsError as error:
        fail(str(error))
    if as_json:
        print(msgspec.json.encode([_plain(one, one.version in current) for one in stored]).decode())
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("", "version", "area", "kind", "points", "rows", "from", "to", "code"):
        table.add_column(heading)
    for one in stored:
        facts = one.facts
        table.add_row(
            "[green]●[/green]" if one.version in current else "",
            one.version,
            plain(one.area),
            one.model.kind,
            plain(", ".join(one.model.names)),
            str(facts.rows),
            local(facts.begin, "UTC"),
            local(facts.end, "UTC"),
            plain(facts.code),
        )
    out.print(table)
    for problem in problems:
        wrong(problem)


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="The model's version, or the beginning of it.")],
    data: DataOption = None,
    reason: Annotated[str, typer.Option(help="Why, for those who read the list of publications later.")] = "",
) -> None:
    """Put a model in force for its area, without a restart; at the next start when nothing runs."""
    folder = configured(data=data).data_folder
    try:
        stored = area_models.take(folder, version)
        order = area_models.promoted(folder)
    except ModelsError as error:
        fail(str(error))
    if order.get(stored.area, [""])[-1] == stored.version:
        done(f"{stored.version} is in force for {stored.area} already")
        return
    changed = order | {stored.area: [*order.get(stored.area, []), stored.version]}
    _publish(folder, order, changed, reason or f"model {stored.version} of {stored.area}")


@app.command()
def rollback(
    area: Annotated[str, typer.Argument(help="The area.")],
    data: DataOption = None,
    reason: Annotated[str, typer.Option(help="Why, for those who read the list of publications later.")] = "",
) -> None:
    """Put the model in force that was before the present one of an area; none when it was the first."""
    folder = configured(data=data).data_folder
    try:
        order = area_models.promoted(folder)
    except ModelsError as error:
        fail(str(error))
    if not order.get(area):
        fail(f"no model is in force for {area}")
    _publish(folder, order, order | {area: order[area][:-1]}, reason or f"back from model {order[area][-1]} of {area}")


def _publish(folder: Path, before: dict[str, list[str]], after: dict[str, list[str]], reason: str) -> None:
    """Write what is promoted and publish it in the Foreshock that runs; as it was where that is refused."""
    area_models.set_promoted(folder, after)
    if holder(folder) is None:
        done("nothing runs: it takes force at the next `foreshock run`")
        return
    try:
        source = running.site_of(folder) or folder
        prepared, _ = reloading.reload(source, folder, f"cli:{getpass.getuser()}", reason, only_models=True)
    except (ValueError, OSError) as error:
        area_models.set_promoted(folder, before)
        fail(str(error))
    done(f"version {prepared.version} is in force: {reason}")


def _plain(one: Stored, in_force: bool) -> dict[str, object]:
    return {
        "version": one.version,
        "area": one.area,
        "kind": one.model.kind,
        "points": list(one.model.names),
        "interval": one.model.interval,
        "in_force": in_force,
        **msgspec.to_builtins(one.facts),
    }

"""`foreshock mode`: put the site or a part of it into a mode such as maintenance, end it, and list what lasts."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer

from alerts.queries import Reader
from scripts.commands.listing import Row, left, listing
from scripts.commands.ordering import instruct, opened
from scripts.commands.terminal import DataOption, JsonOption, done, fail, local, who
from sensors.duration import seconds
from sensors.observation import SiteMode
from sensors.problem import suggest
from sensors.site import Site
from streams.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Modes of the site, such as maintenance: alarms of rules that give way to one (`suppress`) are suppressed by "
    "design while it lasts, and listed.",
)

ModeArgument = Annotated[str, typer.Argument(help="The mode, as site.yaml names it: maintenance, exercise.")]
AreaOption = Annotated[list[str] | None, typer.Option("--area", help="An area; again for more. Without: everywhere.")]


@app.command("begin")
def begin(
    mode: ModeArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why: it stands at each alarm that it suppresses.")],
    how_long: Annotated[str, typer.Option("--for", help="For how long: 30 min, 2 h. It ends by itself.")],
    area: AreaOption = None,
    data: DataOption = None,
) -> None:
    """Put areas, or the whole site, into a mode for a time; again to prolong or shorten it.

    What stands gives way as well, if its rule says so. What is worse than a rule lets a mode suppress rings all the
    same.

    foreshock mode begin maintenance --area underpass-01 --for "2 h" --reason "pumps are exchanged"
    """
    if not reason.strip():
        fail("--reason: say why, whoever looks at a silent alarm has to know")
    try:
        length = seconds(how_long)
    except ValueError as error:
        fail(f"--for: {error}")
    found, content, queries = opened(data)
    site = content.site
    known = {one.id: one for one in site.modes}
    if mode not in known:
        fail(f"{mode}: this site has no such mode{suggest(mode, known)}; it has {', '.join(known) or 'none'}")
    if not 0 < length <= known[mode].longest:
        fail(f"--for: {mode} lasts more than 0 and at most {timedelta(seconds=known[mode].longest)} here")
    areas = _areas(site, area)
    _order(found, site, queries, mode, areas, time.time() + length, reason.strip())
    done(f"{mode} {_where(areas)} for {how_long}; `foreshock alarms shelved` lists what it suppresses")


@app.command("end")
def end(
    mode: ModeArgument,
    area: AreaOption = None,
    reason: Annotated[str, typer.Option("--reason", help="Why before its time, if there is something to say.")] = "",
    data: DataOption = None,
) -> None:
    """End a mode before its time, where it was begun: what still holds then rings.

    foreshock mode end maintenance --area underpass-01
    """
    found, content, queries = opened(data)
    site = content.site
    areas = _areas(site, area)
    _order(found, site, queries, mode, areas, 0.0, reason.strip())
    done(f"{mode} has ended {_where(areas)}")


@app.command("list")
def list_modes(
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the modes that last, with the time left, who began them and why.

    foreshock mode list --all
    """
    _, content, queries = opened(data)
    zone = content.site.zone

    def cells(row: Row) -> Sequence[object]:
        over = left(row["until"]) if row["state"] == "on" else ""
        times = local(row["since"], zone), local(row["until"], zone), over
        return row["mode"], row["area"] or "everywhere", row["state"], *times, row["by"], row["reason"]

    columns = ("mode", "area", "state", "since", "until", "left", "by", "reason")
    listing(queries.modes(only_on=not every), columns, cells, "no mode lasts", as_json)


def _areas(site: Site, named: list[str] | None) -> tuple[str, ...]:
    known = [area.id for area in site.areas]
    for name in named or ():
        if name not in known:
            fail(f"--area {name}: the site has no such area{suggest(name, known)}")
    return tuple(named or ())


def _where(areas: tuple[str, ...]) -> str:
    return f"in {', '.join(areas)}" if areas else "everywhere"


def _order(
    found: Settings, site: Site, queries: Reader, mode: str, areas: tuple[str, ...], until: float, reason: str
) -> None:
    what = SiteMode(
        id=uuid.uuid4().hex, mode=mode, until=until, actor=who(), reason=reason, time=time.time(), areas=areas
    )
    action = "mode.begin" if until else "mode.end"
    instruct(found, site, queries, what, action, mode, areas=list(areas), until=until, reason=reason)

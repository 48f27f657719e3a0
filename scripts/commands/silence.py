"""`foreshock silence`: have alarms call nobody for a time, end that, and list what is silent."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from scripts.commands.listing import Row, left, listing
from scripts.commands.ordering import instruct, opened
from scripts.commands.terminal import DataOption, JsonOption, done, fail, local, who
from sensors.duration import seconds
from sensors.observation import Silence
from sensors.problem import suggest

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Silences: alarms of areas, points or rules are listed as ever, and call nobody for a time.",
)
LEVELS = ("blue", "yellow", "orange")

ForOption = Annotated[str, typer.Option("--for", help="For how long, from now: 30 min, 2 h; at most a day.")]
WhyOption = Annotated[str, typer.Option("--reason", help="Why: it stands in the history of each alarm.")]
Names = Annotated[list[str] | None, typer.Option("--area", help="An area; again for more.")]


@app.command("begin")
def begin(
    reason: WhyOption,
    how_long: ForOption = "1 h",
    level: Annotated[str, typer.Option("--level", help="The worst that is silent: blue, yellow, orange.")] = "yellow",
    area: Names = None,
    point: Annotated[list[str] | None, typer.Option("--point", help="A point or camera; again for more.")] = None,
    rule: Annotated[list[str] | None, typer.Option("--rule", help="A rule; again for more.")] = None,
    data: DataOption = None,
) -> None:
    """Silence alarms in your own name: nobody is sent, reminded or called up the ladder; they return as ever.

    What several options name must all fit. An alarm that rises above the level at which it fell silent calls at once,
    red always does. It is said ten minutes before the end, and what is active then calls.

    foreshock silence begin --area slope-01 --for "2 h" --reason "blasting in the quarry"
    """
    if level not in LEVELS:
        fail(f"--level {level}: one of {', '.join(LEVELS)}; red cannot be silenced")
    if not (area or point or rule):
        fail("name what to silence: --area, --point or --rule; a silence never covers all")
    _, content, _ = opened(data)
    known = {
        "--area": (area, [one.id for one in content.site.areas]),
        "--point": (point, [one.id for one in (*content.site.points, *content.site.cameras, *content.site.areas)]),
        "--rule": (rule, [one.id for one in content.rules]),
    }
    for option, (named, there) in known.items():
        for name in named or ():
            if name not in there:
                fail(f"{option} {name}: the site has none of that name{suggest(name, there)}")
    facts = {"areas": tuple(area or ()), "scopes": tuple(point or ()), "rules": tuple(rule or ()), "level": level}
    id = _order(data, "silence.begin", _until(how_long), reason, **facts)
    done(f"silent for {how_long}: {id}")


@app.command("prolong")
def prolong(
    id: Annotated[str, typer.Argument(help="The silence's id.")],
    reason: WhyOption,
    how_long: ForOption = "1 h",
    data: DataOption = None,
) -> None:
    """Have a silence end at another time, counted from now; also sooner.

    foreshock silence prolong 4b1f0c9a2d --for "1 h" --reason "the crane is late"
    """
    _order(data, "silence.prolong", _until(how_long), reason, of=id)
    done(f"{id} is silent for {how_long} from now")


@app.command("end")
def end(
    id: Annotated[str, typer.Argument(help="The silence's id.")],
    reason: Annotated[str, typer.Option("--reason", help="Why before its time, if there is something to say.")] = "",
    data: DataOption = None,
) -> None:
    """End a silence before its time: what is still active calls.

    foreshock silence end 4b1f0c9a2d
    """
    _order(data, "silence.end", 0.0, reason, of=id)
    done(f"{id} has ended")


@app.command("list")
def list_silences(
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what is silent, with the time left, who silenced it and why; what ends first leads.

    foreshock silence list
    """
    _, content, queries = opened(data)

    def cells(row: Row) -> Sequence[object]:
        covers = "; ".join(", ".join(row[name]) for name in ("areas", "scopes", "rules") if row[name])
        until = local(row["until"], content.site.zone), left(row["until"]) if row["state"] == "on" else ""
        return covers, row["level"], row["state"], *until, row["by"], row["reason"], row["id"]

    columns = ("covers", "up to", "state", "until", "left", "by", "reason", "id")
    listing(queries.silences(only_on=not every), columns, cells, "nothing is silent", as_json)


def _until(how_long: str) -> float:
    try:
        return time.time() + seconds(how_long)
    except ValueError as error:
        fail(f"--for: {error}")


def _order(data: DataOption, action: str, until: float, reason: str, **facts: Any) -> str:
    """Give an order and wait for its answer; return the silence's id. End with a sentence when it is not done."""
    if until and not reason.strip():
        fail("--reason: say why, whoever looks at a silent alarm has to know")
    found, content, queries = opened(data)
    of = facts.get("of", "")
    if of and of not in {one["id"] for one in queries.silences()}:
        fail(f"there is no silence {of} that lasts; `foreshock silence list` names them")
    what = Silence(id=uuid.uuid4().hex, until=until, actor=who(), reason=reason.strip(), time=time.time(), **facts)
    instruct(found, content.site, queries, what, action, of or what.id, until=until, reason=reason)
    return of or what.id

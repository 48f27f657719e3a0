"""`foreshock incidents`: list and show incidents, merge those that are one matter, split off what is another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer

from alerts import messages
from alerts.queries import MAX_PAGE, Reader
from scripts.commands.listing import SIMULATED, Row, listing, mark
from scripts.commands.ordering import give, opened
from scripts.commands.terminal import LEVEL_STYLE, DataOption, JsonOption, done, fail, local, out, plain

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Incidents: list, show one with its alarms and orders, merge and split by hand.",
)
STATES = ("open", "closed", "all", "acknowledged", "dispatched", "calm")
ReasonOption = Annotated[str, typer.Option("--reason", help="Why: it stands in the history.")]


@app.command("list")
def list_incidents(
    state: Annotated[str, typer.Option(help="open, closed, all, acknowledged, dispatched or calm.")] = "open",
    area: Annotated[str | None, typer.Option(help="Only this area.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_PAGE, help="At most so many.")] = 50,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List incidents, the newest first.

    foreshock incidents list --area slope-01
    """
    if state not in STATES:
        fail(f"--state {state}: there is no such state; there are {', '.join(STATES)}")
    _, content, queries = opened(data)
    page = queries.incidents(state, area, limit)

    def cells(one: Row) -> Sequence[object]:
        counts = len(one["alarms"]), len(one["dispatches"])
        what = mark(one), local(one["opened"], content.site.zone), one["area"], one["title"].get("zh", "")
        return one["level"], one["state"], *what, *counts, one["id"]

    columns = ("level", "state", "simulated", "opened", "area", "title", "alarms", "orders", "id")
    listing(page.items, columns, cells, "no incidents", as_json)
    if page.next is not None and not as_json:
        out.print(f"the newest {len(page.items)}; older ones are left out: see --limit")


@app.command("show")
def show(
    id: Annotated[str, typer.Argument(help="The incident's id.")], data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Show one incident: its alarms, its orders, and what was done.

    foreshock incidents show i-8c4a09f8525909502bc3
    """
    _, content, queries = opened(data)
    one = _found(queries, id)
    if as_json:
        print(msgspec.json.encode(one).decode())
        return
    mark = f"  [bold yellow]{SIMULATED}[/bold yellow]" if one["simulated"] else ""
    title = f"{one['title'].get('zh', '')} {one['title'].get('en', '')}"
    out.print(f"[{LEVEL_STYLE[one['level']]}] {one['level']} [/] {one['state']}{mark}  {plain(title)}")
    for alarm in one["alarm_details"]:
        cause = "cause" if alarm["id"] == one["cause"] else "     "
        out.print(
            plain(f"{cause}  {alarm['id']}  {alarm['state']}  {alarm['level']}  {alarm['scope']}  {alarm['rule']}")
        )
    for dispatch in one["dispatch_details"]:
        out.print(plain(f"order  {dispatch['id']}  {dispatch['leg']}  {dispatch['unit']}"))
    for change in one["history"]:
        said = messages.text(f"incident.edge.{change['edge']}", "en")
        args = change.get("args", {})
        other = args.get("into") or args.get("from") or " ".join(args.get("incidents", ()))
        line = f"{local(change['time'], content.site.zone)}  {said}  {other}  {change.get('actor', '')}"
        out.print(plain(f"{line}  {messages.text(change.get('reason', ''), 'en')}"))


@app.command("merge")
def merge(
    into: Annotated[str, typer.Argument(help="The incident that goes on.")],
    others: Annotated[list[str], typer.Argument(help="Those that become part of it.")],
    reason: ReasonOption = "",
    data: DataOption = None,
) -> None:
    """Make several incidents one, in your own name: alarms, orders and pictures go along with their history.

    They have to be of one kind and of areas that are watched together (a subdistrict, unless the site says otherwise).
    What their areas raise later joins the one that goes on.

    foreshock incidents merge i-8c4a09f8525909502bc3 i-03d26f1e77c0a19be541 --reason "one slide"
    """
    _order(into, "merge", {"incidents": others, "reason": reason.strip()}, data)
    done(f"{', '.join(others)}: part of {into} now")


@app.command("split")
def split(
    id: Annotated[str, typer.Argument(help="The incident.")],
    alarms: Annotated[list[str], typer.Argument(help="The alarms that are another matter.")],
    order: Annotated[list[str] | None, typer.Option("--order", help="A dispatch that goes along.")] = None,
    reason: ReasonOption = "",
    data: DataOption = None,
) -> None:
    """Put alarms of an incident into one of their own, in your own name. At least one alarm stays.

    The new incident sends a unit by its level like any other, unless an order goes along.

    foreshock incidents split i-8c4a09f8525909502bc3 a-8f09f8525909502bc3a8 --reason "another slope"
    """
    _order(id, "split", {"alarms": alarms, "dispatches": order or [], "reason": reason.strip()}, data)
    _, _, queries = opened(data)
    into = [one["args"]["into"] for one in _found(queries, id)["history"] if one["edge"] == "split"]
    done(f"{', '.join(alarms)}: in {into[-1]} now")


@app.command("together")
def together(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List incidents of several areas of a subdistrict that rose together: they may be one matter.

    foreshock incidents together
    """
    _, content, queries = opened(data)

    def cells(row: Row) -> Sequence[object]:
        names = ", ".join(row["areas"]), "\n".join(row["incidents"])
        return local(row["since"], content.site.zone), row["place"], *names, row["id"]

    columns = ("since", "place", "areas", "incidents", "id")
    listing(queries.candidates(), columns, cells, "nothing rose together", as_json)


@app.command("join")
def join(
    id: Annotated[str, typer.Argument(help="What rose together, as `together` names it.")],
    reason: ReasonOption = "",
    drop: Annotated[bool, typer.Option("--drop", help="They are different matters: merge nothing.")] = False,
    data: DataOption = None,
) -> None:
    """Merge incidents that rose together into the worst of them, in your own name; or say that they are apart.

    foreshock incidents join k-5d0c1f7782aa90be4431 --reason "one cloudburst"
    """
    found, content, queries = opened(data)
    row = queries.candidate(id)
    if row is None or not row["areas"]:
        fail(f"nothing of the name {id} rose together; `foreshock incidents together` lists what did")
    give(found, content.site, queries, "drop" if drop else "merge", id, row["areas"][0], {"reason": reason.strip()})
    done(f"{id}: {'different matters' if drop else 'one incident now'}")


def _order(id: str, kind: str, args: dict[str, Any], data: DataOption) -> None:
    found, content, queries = opened(data)
    give(found, content.site, queries, kind, id, _found(queries, id)["area"], args)


def _found(queries: Reader, id: str) -> dict[str, Any]:
    one = queries.incident(id)
    if one is None:
        fail(f"there is no incident {id}; `foreshock incidents list --state all` names them")
    return one

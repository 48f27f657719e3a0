"""`foreshock incidents`: list and show incidents, merge those that are one matter, split off what is another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer
from rich.cells import cell_len

from alerts import messages
from alerts.queries import MAX_PAGE
from scripts.commands.listing import SIMULATED, Row, listing, mark, titled
from scripts.commands.ordering import Opened, give, opened
from scripts.commands.speaking import hint
from scripts.commands.terminal import LEVEL_STYLE, DataOption, JsonOption, done, fail, local, out, plain
from scripts.commands.words import LanguageOption, Words

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
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """List incidents, the newest first.

    foreshock incidents list --area slope-01
    """
    run = opened(data, language)
    words = run.words
    if state not in STATES:
        known = words("joined").join(STATES)
        fail(words("no_state", state=state, near=hint(state, STATES, words), known=known))
    page = run.queries.incidents(state, area, limit)

    def cells(one: Row) -> Sequence[object]:
        counts = len(one["alarms"]), len(one["dispatches"])
        what = mark(one), local(one["opened"], words.zone), one["area"], titled(one, words)
        return one["level"], _state(one, words), *what, *counts, one["id"]

    columns = ("level", "state", "simulated", "opened", "area", "title", "alarms", "orders", "id")
    listing(page.items, columns, cells, words("no_incidents"), as_json, words)
    if page.next is not None and not as_json:
        out.print(words("newest_only", shown=len(page.items)))


@app.command("show")
def show(
    id: Annotated[str, typer.Argument(help="The incident's id.")],
    data: DataOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one incident: its alarms, its orders, and what was done.

    foreshock incidents show i-8c4a09f8525909502bc3
    """
    run = opened(data, language)
    words = run.words
    one = _found(run, id)
    if as_json:
        print(msgspec.json.encode(one).decode())
        return
    mark = f"  [bold yellow]{SIMULATED}[/bold yellow]" if one["simulated"] else ""
    level = f"[{LEVEL_STYLE[one['level']]}] {words(one['level'])} [/]"
    out.print(f"{level} {_state(one, words)}{mark}  {plain(titled(one, words))}")
    cause = words("cause")
    for alarm in one["alarm_details"]:
        first = cause if alarm["id"] == one["cause"] else " " * cell_len(cause)
        state, level = (
            f"{alarm['state']} {messages.text('state.' + alarm['state'], words.language)}",
            words(alarm["level"]),
        )
        out.print(plain(f"{first}  {alarm['id']}  {state}  {level}  {alarm['scope']}  {alarm['rule']}"))
    for dispatch in one["dispatch_details"]:
        leg = messages.text(f"leg.{dispatch['leg']}", words.language)
        out.print(plain(f"{words('order')}  {dispatch['id']}  {leg}  {dispatch['unit']}"))
    for change in one["history"]:
        said = messages.text(f"incident.edge.{change['edge']}", words.language)
        args = change.get("args", {})
        other = args.get("into") or args.get("from") or " ".join(args.get("incidents", ()))
        line = f"{local(change['time'], words.zone)}  {said}  {other}  {change.get('actor', '')}"
        out.print(plain(f"{line}  {messages.text(change.get('reason', ''), words.language)}"))


@app.command("merge")
def merge(
    into: Annotated[str, typer.Argument(help="The incident that goes on.")],
    others: Annotated[list[str], typer.Argument(help="Those that become part of it.")],
    reason: ReasonOption = "",
    data: DataOption = None,
    language: LanguageOption = None,
) -> None:
    """Make several incidents one, in your own name: alarms, orders and pictures go along with their history.

    They have to be of one kind and of areas that are watched together (a subdistrict, unless the site says otherwise).
    What their areas raise later joins the one that goes on.

    foreshock incidents merge i-8c4a09f8525909502bc3 i-03d26f1e77c0a19be541 --reason "one slide"
    """
    words = _order(into, "merge", {"incidents": others, "reason": reason.strip()}, opened(data, language)).words
    done(words("merged", others=words("joined").join(others), into=into))


@app.command("split")
def split(
    id: Annotated[str, typer.Argument(help="The incident.")],
    alarms: Annotated[list[str], typer.Argument(help="The alarms that are another matter.")],
    order: Annotated[list[str] | None, typer.Option("--order", help="A dispatch that goes along.")] = None,
    reason: ReasonOption = "",
    data: DataOption = None,
    language: LanguageOption = None,
) -> None:
    """Put alarms of an incident into one of their own, in your own name. At least one alarm stays.

    The new incident sends a unit by its level like any other, unless an order goes along.

    foreshock incidents split i-8c4a09f8525909502bc3 a-8f09f8525909502bc3a8 --reason "another slope"
    """
    args = {"alarms": alarms, "dispatches": order or [], "reason": reason.strip()}
    run = _order(id, "split", args, opened(data, language))
    into = [one["args"]["into"] for one in _found(run, id)["history"] if one["edge"] == "split"]
    done(run.words("split", alarms=run.words("joined").join(alarms), into=into[-1]))


@app.command("together")
def together(data: DataOption = None, language: LanguageOption = None, as_json: JsonOption = False) -> None:
    """List incidents of several areas of a subdistrict that rose together: they may be one matter.

    foreshock incidents together
    """
    run = opened(data, language)
    words = run.words

    def cells(row: Row) -> Sequence[object]:
        names = words("joined").join(row["areas"]), "\n".join(row["incidents"])
        return local(row["since"], words.zone), row["place"], *names, row["id"]

    columns = ("since", "place", "areas", "incidents", "id")
    listing(run.queries.candidates(), columns, cells, words("none_together"), as_json, words)


@app.command("join")
def join(
    id: Annotated[str, typer.Argument(help="What rose together, as `together` names it.")],
    reason: ReasonOption = "",
    drop: Annotated[bool, typer.Option("--drop", help="They are different matters: merge nothing.")] = False,
    data: DataOption = None,
    language: LanguageOption = None,
) -> None:
    """Merge incidents that rose together into the worst of them, in your own name; or say that they are apart.

    foreshock incidents join k-5d0c1f7782aa90be4431 --reason "one cloudburst"
    """
    run = opened(data, language)
    row = run.queries.candidate(id)
    if row is None or not row["areas"]:
        fail(run.words("not_together", id=id))
    give(run, "drop" if drop else "merge", id, row["areas"][0], {"reason": reason.strip()})
    done(run.words("kept_apart" if drop else "joined_as_one", id=id))


def _order(id: str, kind: str, args: dict[str, Any], run: Opened) -> Opened:
    give(run, kind, id, _found(run, id)["area"], args)
    return run


def _found(run: Opened, id: str) -> dict[str, Any]:
    one = run.queries.incident(id)
    if one is None:
        fail(run.words("no_incident", id=id))
    return one


def _state(one: Row, words: Words) -> str:
    return messages.text(f"incident.state.{one['state']}", words.language)

"""`foreshock alarms`: list, show, acknowledge and shelve alarms from the terminal of the machine that runs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from alerts import messages
from alerts.alarm import STATES
from alerts.load import DAY_MINUTES, MINUTE, Load
from alerts.queries import MAX_PAGE, Reader
from alerts.reason_words import said
from rules.explanation import Term
from scripts.commands.listing import SIMULATED, Row, left, listing, mark
from scripts.commands.ordering import give, opened
from scripts.commands.speaking import at_folder, hint, span
from scripts.commands.terminal import (
    LEVEL_STYLE,
    DataOption,
    JsonOption,
    configured,
    done,
    fail,
    local,
    out,
    plain,
)
from scripts.commands.terms import shown
from scripts.commands.words import Language, LanguageOption, Words
from sensors.lookup import Registry
from sensors.site import RANK

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Alarms: list, show one with its reasons, acknowledge, shelve, and the load that they are.",
)
CHOICES = ("open", "all", *STATES)
PRIORITY = {"high": 0, "normal": 1, "low": 2}
"""The order of a rule's `priority` among alarms of one level."""


@app.command("list")
def list_alarms(
    state: Annotated[str, typer.Option(help="open, all, or an ISA-18.2 state such as UNACK.")] = "open",
    area: Annotated[str | None, typer.Option(help="Only this area.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_PAGE, help="At most so many.")] = 50,
    data: DataOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """List alarms, the most severe first, of these by priority, then the newest; with `--state all` the newest first.

    foreshock alarms list --area slope-01

    foreshock alarms list --state all --json
    """
    _, content, queries, words = opened(data, language)
    if state not in CHOICES:
        near = hint(state, CHOICES, words) or hint(state.upper(), CHOICES, words)
        fail(words("no_state", state=state, near=near, known=", ".join(CHOICES)))
    found, more = _listed(queries, state, area, limit)
    if area is not None and not found:
        known = [one.id for one in content.site.areas]
        if area not in known and not queries.alarms("all", area, 1).items:  # one that left the site may have alarms
            fail(words("no_area", area=area, near=hint(area, known, words)))

    def cells(one: Row) -> Sequence[object]:
        raised = local(one["opened"], words.zone)
        return one["level"], one["state"], mark(one), raised, one["area"], one["scope"], one["rule"], one["id"]

    columns = ("level", "state", "simulated", "raised", "area", "scope", "rule", "id")
    listing(found, columns, cells, words("no_alarms"), as_json, words)
    if more and not as_json:
        left_out = words("older") if more is True else words("so_many_more", count=more)
        out.print(words("cut", shown=len(found), more=left_out))


def _listed(queries: Reader, state: str, area: str | None, limit: int) -> tuple[list[dict[str, Any]], int | bool]:
    """Give the alarms to list, and how many more there are, True where nobody counts: a red one must not hide."""
    if state == "all":
        page = queries.alarms(state, area, limit)
        return page.items, page.next is not None
    found: list[dict[str, Any]] = []
    before: int | None = None
    while True:
        page = queries.alarms(state, area, MAX_PAGE, before)
        found += page.items
        before = page.next
        if before is None:
            break
    found.sort(key=lambda one: (-RANK[one["level"]], PRIORITY.get((one.get("rationale") or {}).get("priority"), 1)))
    return found[:limit], max(len(found) - limit, 0)


@app.command("show")
def show_alarm(
    id: Annotated[str, typer.Argument(help="The alarm's id.")],
    data: DataOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one alarm: where, why it fired, what would clear it, and every transition.

    foreshock alarms show a-8f09f8525909502bc3a8
    """
    _, content, queries, words = opened(data, language)
    one = queries.alarm(id)
    if one is None:
        fail(words("no_alarm", id=id))
    if as_json:
        print(msgspec.json.encode(one).decode())
        return
    area = Registry(content.site).area(one["area"])
    level, state = one["level"], messages.text(f"state.{one['state']}", words.language)
    title = one["area"] if area is None else area.name.zh if words.language == "zh-CN" else area.name.en
    mark = f"  [bold yellow]{SIMULATED}[/bold yellow]" if one["simulated"] else ""
    out.print(f"[{LEVEL_STYLE[level]}] {words(level)} [/] {one['state']} {state}{mark}  {plain(title)}")
    named = {name: one[name] for name in ("scope", "rule", "incident")}
    out.print(plain(words("by_rule_of", **named, version=one["rule_version"])))
    out.print(f"{words('onset')}{local(one['onset'], words.zone)}")
    _show_why(one.get("explanation") or {}, one["rule"], words)
    for step in one["transitions"]:
        edge, reason = (messages.text(key, words.language) for key in (f"edge.{step['edge']}", step.get("reason", "")))
        level = words(step["level"]) if step["level"] in RANK else step["level"]
        line = f"{local(step['time'], words.zone)}  {step['before']} → {step['after']}  {edge}  {level}"
        place = words("log_place", version=step["rule_version"], partition=step["partition"], offset=step["offset"])
        out.print(plain(f"{line}  {step.get('actor', '')} {reason}  ({place})"))


def _show_why(why: dict[str, Any], rule: str, words: Words) -> None:
    """Print why an alarm fired and what clears it: each clause, and its terms below."""
    if not why:
        return
    for head, clause, terms in (("fired", "clause", "terms"), ("clears", "clear", "clear_terms")):
        out.print(plain(f"{words(head)}{said(why.get(clause, ''), words.language, rule)}"))
        for term in msgspec.convert(why.get(terms, ()), tuple[Term, ...]):
            out.print(f"        {shown(term, words)}")
        if clause == "clause" and why.get("gone"):
            out.print(plain(f"        {words('went_offline', source=why['gone'])}"))
    if why.get("score_reason"):
        out.print(plain(f"{words('score')}{why.get('score')} {why['score_reason']}"))


@app.command("ack")
def acknowledge(
    id: Annotated[str, typer.Argument(help="An alarm or incident.")],
    data: DataOption = None,
    language: LanguageOption = None,
) -> None:
    """Acknowledge an alarm, or all alarms of an incident, in your own name.

    foreshock alarms ack a-8f09f8525909502bc3a8
    """
    words = _order(id, "acknowledge", {}, data, language)
    done(words("acknowledged", id=id))


@app.command("reset")
def reset(
    id: Annotated[str, typer.Argument(help="The alarm's id.")],
    reason: Annotated[str, typer.Option("--reason", help="What you found, if there is something to say.")] = "",
    data: DataOption = None,
    language: LanguageOption = None,
) -> None:
    """End a latched alarm, in your own name: one that stays though its condition is gone. Acknowledge it first.

    foreshock alarms reset a-8f09f8525909502bc3a8 --reason "went there, the weld holds"
    """
    words = _order(id, "reset", {"reason": reason.strip()}, data, language)
    done(words("reset", id=id))


@app.command("shelve")
def shelve(
    id: Annotated[str, typer.Argument(help="The alarm's id.")],
    reason: Annotated[str, typer.Option("--reason", help="Why: it stands in the alarm's history.")],
    how_long: Annotated[str, typer.Option("--for", help="For how long: 30 min, 2 h.")] = "1 h",
    data: DataOption = None,
    language: LanguageOption = None,
) -> None:
    """Shelve an alarm for a time, in your own name: it is silent, and what it hides is counted.

    It rings at once when it rises above its level, and comes back by itself when the time is over. The site says for
    how long at most (`limits.shelve_longest`, 8 h).

    foreshock alarms shelve a-8f09f8525909502bc3a8 --for "2 h" --reason "the gauge is being cleaned"
    """
    words = at_folder(configured(data=data).data_folder, language)
    if not reason.strip():
        fail(words("shelve_why"))
    _order(id, "shelve", {"seconds": span(how_long, words), "reason": reason.strip()}, data, language)
    done(words("shelved", id=id, span=how_long))


@app.command("unshelve")
def unshelve(
    id: Annotated[str, typer.Argument(help="The alarm's id.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, if there is something to say.")] = "",
    data: DataOption = None,
    language: LanguageOption = None,
) -> None:
    """Take an alarm off the shelf before its time: it is active and unacknowledged, or normal, as things are now.

    foreshock alarms unshelve a-8f09f8525909502bc3a8
    """
    words = _order(id, "unshelve", {"reason": reason.strip()}, data, language)
    done(words("unshelved", id=id))


@app.command("shelved")
def shelved(data: DataOption = None, language: LanguageOption = None, as_json: JsonOption = False) -> None:
    """List what is shelved, suppressed or out of service, with the time left; what comes back first leads.

    foreshock alarms shelved
    """
    _, _, queries, words = opened(data, language)

    def cells(one: Row) -> Sequence[object]:
        aside = one["aside"]
        times = local(aside["until"], words.zone), left(aside["until"])
        why = aside["hidden"], aside["by"], messages.text(aside["reason"], words.language)
        return one["level"], one["state"], *times, *why, one["scope"], one["rule"], one["id"]

    columns = ("level", "state", "until", "left", "hidden", "by", "reason", "scope", "rule", "id")
    listing(queries.set_aside(), columns, cells, words("nothing_aside"), as_json, words)


@app.command("load")
def load(data: DataOption = None, language: LanguageOption = None, as_json: JsonOption = False) -> None:
    """Show what the last day's alarms asked of the desk: rings, floods (EEMUA 191), and who rang most.

    foreshock alarms load
    """
    _, _, queries, words = opened(data, language)
    now = time.time()
    counted = Load()
    counted.note(queries.transitions(now - DAY_MINUTES * MINUTE))
    found = counted.figures(now)
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    since = found.flood_since
    flood = "" if since is None else words("flood_since", since=local(since, words.zone))
    names = ("ten_minutes", "hour", "day", "peak", "floods", "flood_minutes")
    figures = {name: getattr(found, name) for name in names}
    out.print(words("load", **figures, band=words(found.band), flood=flood))
    levels = reversed(found.levels.items())
    shares = words("joined").join(f"{words(level)} {count}" for level, count in levels)
    out.print(words("by_level", shares=shares))
    listed = (("rang", found.actors), ("folded", found.chattering), ("went_stale", found.stale))
    for what, actors in listed:
        table = Table(*map(words, (what, "actor_share", "rule", "scope")))
        for actor in actors:
            table.add_row(str(actor.rings), f"{actor.share:.0%}", plain(actor.rule), plain(actor.scope))
        if actors:
            out.print(table)


def _order(id: str, kind: str, args: dict[str, Any], data: Path | None, language: Language | None) -> Words:
    """Give a command on an alarm (or, to acknowledge, an incident); end with a sentence when it is not done.

    Return what says that it is.
    """
    run = opened(data, language)
    queries, words = run.queries, run.words
    one = queries.alarm(id) or (queries.incident(id) if kind == "acknowledge" else None)
    if one is None:
        fail(words("neither_there" if kind == "acknowledge" else "not_there", id=id))
    give(run, kind, id, one["area"], args)
    return words

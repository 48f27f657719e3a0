"""`foreshock rules tune`: how rules fared, and what other thresholds and delays would have done."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.cells import cell_len
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from alerts.precision import Case, Precision, Share, cases, precision
from alerts.queries import JournalMissing, Reader
from rules.rule import Rule
from rules.variants import VariantError
from scripts.commands import error_words
from scripts.commands.moment import moment
from scripts.commands.speaking import hint, in_force, require_journal, sentence
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    configured,
    done,
    err,
    fail,
    out,
    plain,
)
from scripts.commands.words import LanguageOption, Words
from sensors.duration import seconds
from sensors.site import LEVELS
from streams.bundle import Bundle
from streams.durable import replace
from streams.settings import Settings
from streams.sweep import Tried, areas_of, covered, suggested
from streams.sweep import sweep as sweeping

BARS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
DAY = 86400.0


def tune(
    rule: Annotated[str, typer.Argument(help="Also sweep this rule's threshold and delay.", show_default="all")] = "",
    since: Annotated[str, typer.Option("--from", help="From when on: a time, or how long ago.")] = "30 d",
    level: Annotated[
        str, typer.Option(help="The level to vary.", show_default="the lowest, with --limit that goes by it")
    ] = "",
    limit: Annotated[
        str, typer.Option(help="Sweep this limit of the registry: limit, or a level's.", show_default="the rule's own")
    ] = "",
    delay: Annotated[list[str] | None, typer.Option(help="A delay to try, such as '2 min'; may be repeated.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Also draw the sweep into this .svg or .html file.")] = None,
    language: LanguageOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how often each rule was right, by what incidents were closed as; for one rule, what others would have done.

    Precision is the share of a rule's alarms that were real; recall that of the real incidents, in areas that it looks
    at, in which it rang. Intervals are of 95 %. With a rule, its threshold times its delay are swept over what was
    recorded: false alarms, real cases missed, lead time, and the alarms that each would flip. Where it has no number of
    its own, or --limit asks for it, a limit of the registry is swept: multiplied for all points that the rule covers.
    Nothing is changed.

    foreshock rules tune --from '7 d'

    foreshock rules tune slope-creep --delay '2 min' --plot creep.html

    foreshock rules tune charging-current --limit yellow
    """
    found = configured(data=data)
    require_journal(found, language)
    content, words = in_force(found.data_folder, language)
    try:
        start = moment(since, time.time(), content.site.zone)
        spans = [seconds(one) for one in delay or ()]
        judged = cases(Reader(found.journal_url).engine, start)
    except (OSError, JournalMissing) as error:
        fail(words("unreadable", folder=found.data_folder, error=sentence(error, words)))
    except ValueError as error:
        fail(sentence(error, words))
    known = {one.id: one for one in content.rules}
    if rule and rule not in known:
        fail(words("no_rule", rule=rule, near=hint(rule, known, words)))
    if level and level not in LEVELS:
        fail(words("no_level", level=level, known=words("joined").join(LEVELS)))
    if limit and limit not in ("limit", *LEVELS):
        fail(words("no_limit", limit=limit, known=words("joined").join(LEVELS)))
    if limit and not rule:
        fail(words("limit_of_rule"))
    if plot is not None and (not rule or plot.suffix not in (".svg", ".html")):
        fail(words("plot_of_rule"))
    covers = {one.id: areas_of(one, content.site) for one in content.rules}
    told = [one for one in precision(judged, content.site.zone, covers) if not rule or one.rule == rule]
    swept = sweep(found, known[rule], content, judged, start, level, spans, limit, words) if rule else []
    pick = suggested(swept) if swept else None
    moved = moves(known[rule], content, pick) if pick is not None else []
    if plot is not None:
        _draw(plot, rule, swept, words)
    if as_json:
        answer = {"rules": told, "sweep": swept, "suggested": pick, "registry": moved}
        print(msgspec.json.encode(answer).decode())
        return
    for one in told:
        if rule or sum(one.counts.values()):
            show(one, words, whole=bool(rule))
    if not judged:
        out.print(words("unjudged"))
    if swept:
        _show_sweep(swept, pick, moved, words)
    done(words("unchanged"))


def sweep(
    found: Settings,
    rule: Rule,
    content: Bundle,
    judged: list[Case],
    start: float,
    level: str,
    spans: list[float],
    limit: str,
    words: Words,
) -> list[Tried]:
    """Run a rule's variants over what was recorded since `start`; end the command when it cannot be."""
    from streams.embedded.schema import LogError  # here: to only count needs no log
    from streams.embedded.store import Log
    from streams.replay import ReplayError

    try:
        with Log.open_readonly(found.log_file) as log, Progress(*BARS, console=err, transient=True) as progress:
            task = progress.add_task(words("sweeping"), total=None)
            return sweeping(
                log,
                rule,
                content.site,
                judged,
                start,
                level=level,
                delays=spans,
                limit=limit,
                advance=lambda read, total: progress.update(task, completed=read, total=total),
            )
    except (LogError, ReplayError, VariantError) as error:
        fail(sentence(error, words))


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the registry: a limit of so many points of a quantity that have the same now."""

    quantity: str
    unit: str
    limit: str
    before: float
    after: float
    points: int


def moves(rule: Rule, content: Bundle, pick: Tried) -> list[Move]:
    """Say what a suggested limit is in the registry, by the points that a rule covers; nothing where it is its own."""
    if not pick.limit or pick.factor == 1.0:
        return []
    counts: dict[tuple[str, str, float], int] = {}
    for point in covered(rule, content.site):
        value = point.limit if pick.limit == "limit" else point.levels.get(pick.limit)
        if value is not None:
            key = point.quantity, point.unit, value
            counts[key] = counts.get(key, 0) + 1
    return [
        Move(
            quantity=quantity,
            unit=unit,
            limit=pick.limit,
            before=value,
            after=float(f"{value * pick.factor:.6g}"),
            points=count,
        )
        for (quantity, unit, value), count in sorted(counts.items())
    ]


def share(one: Share, words: Words) -> str:
    """Write a share with its interval."""
    if one.value is None or one.low is None or one.high is None:
        return words("unknown")
    return words("share", value=one.value, low=one.low, high=one.high, of=one.of)


def show(one: Precision, words: Words, *, whole: bool) -> None:
    """Print how a rule fared."""
    joined = words("joined")
    counts = joined.join(f"{count} {words(name)}" for name, count in one.counts.items())
    out.print(f"[bold]{plain(one.rule)}[/bold]  {counts}")
    rates = {"precision": share(one.precision, words), "recall": share(one.recall, words)}
    out.print(f"    {words('rates', **rates)}")
    worst = [f"{place.scope} {place.nuisance}" for place in one.places[: 10 if whole else 3] if place.nuisance]
    if worst:
        out.print(plain(f"    {words('nuisances', places=joined.join(worst))}"))
    if whole and any(one.by_hour):
        hours = [words("at_hour", hour=hour, count=count) for hour, count in enumerate(one.by_hour) if count]
        out.print(f"    {words('at_hours', hours=joined.join(hours))}")


_COLUMNS = {"threshold": 10, "delay": 8, "alarms": 7, "false": 6, "nuisance": 9, "missed": 7, "ahead": 8}
"""What is told of a variant, and how wide it stands."""


def _show_sweep(swept: list[Tried], pick: Tried | None, moved: list[Move], words: Words) -> None:
    names = [(words(key), wide) for key, wide in _COLUMNS.items()]
    out.print("  " + " ".join(" " * (wide - cell_len(name)) + name for name, wide in names))
    for one in swept:
        mark = "●" if one.as_it_is else "→" if one is pick else " "
        lead = "–" if one.lead is None else f"{one.lead:.0f} s"
        threshold = f"{one.limit} ×{one.factor:g}" if one.limit else f"{one.threshold:g}"
        out.print(
            f"{mark:2}{threshold:>10} {one.delay:6g} s {one.alarms:7} {one.false:6} {one.nuisance:9} "
            f"{one.missed:7} {lead:>8}"
        )
    if pick is None:
        out.print(f"  {words('no_better')}")
        return
    out.print(plain(f"  → {words('better', when=pick.when, delay=pick.delay)}"))
    for move in moved:
        out.print(plain(f"    {words('move', **msgspec.structs.asdict(move))}"))
    for name, flipped in (("silenced", pick.silenced), ("raised", pick.gained)):
        if flipped:
            told = words("joined").join(flipped[:20])
            out.print(plain(f"    {words(name, flipped=told)}"))


def _draw(file: Path, rule: str, swept: list[Tried], words: Words) -> None:
    from streams.sweep_plot import html, svg

    try:
        replace(file, (svg if file.suffix == ".svg" else html)(rule, swept, words.language).encode())
    except OSError as error:
        fail(words("cannot_write", file=file, error=error_words.said(error.strerror or str(error), words.language)))

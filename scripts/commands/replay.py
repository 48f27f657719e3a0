"""`foreshock replay`: does the log say the same again, and what would it say under other rules?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import SQLAlchemyError

from alerts.load import Load
from alerts.queries import Reader
from rules.rule import Rule, load_rules
from scripts.commands import error_words, replay_page, replay_tables
from scripts.commands.moment import moment
from scripts.commands.speaking import at_folder, in_force, name_problems, sentence
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    configured,
    done,
    err,
    fail,
    local,
    out,
    plain,
    wrong,
)
from scripts.commands.words import LanguageOption, Words
from sensors.document import DocumentError
from sensors.registry import load_site
from sensors.site import Site
from streams import bundle, publication, replaying
from streams.archive import choosing
from streams.archive.recorded import Recorded
from streams.comparing import as_plain, compared
from streams.course import Course, merged
from streams.embedded.schema import LogError
from streams.history import past as histories
from streams.history.past import reach
from streams.journalled import journalled
from streams.readable import Opened as Log
from streams.replay import Difference, First, LetGoError, ReplayError
from streams.replaying import Task
from streams.settings import Settings, SettingsError
from streams.stretch import Stretch, begun, stretch
from streams.tape_archive import FOLDER
from streams.topics import GROUP, OBSERVATIONS


class _Span(NamedTuple):
    """What is replayed: from when to when (unix seconds, None is without bound), the offsets that is, and of what."""

    begin: float | None
    end: float | None
    stretches: list[Stretch]
    source: Recorded

    @property
    def learnt(self) -> float | None:
        """Since when models learn, where it is of the history: their past is as short as that."""
        return None if self.source.past is None else float(self.source.past.begin)


def replay(
    data: DataOption = None,
    rules: Annotated[
        Path | None, typer.Option(help="A site's folder, or a folder or file of rules: what would they have done?")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="With --rules: other rules to compare with.", show_default="those published")
    ] = None,
    begin_: Annotated[
        str, typer.Option("--from", help="When: 14:00, 2026-05-03 14:00, or how long ago: 2 h.", show_default="the log")
    ] = "",
    archive: Annotated[
        str | None,
        typer.Option(
            help="Read this archive, a folder or s3://BUCKET/PREFIX, and no log.",
            show_default="where the log is silent",
        ),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="With --rules: over readings of the history, which has more than the log.")
    ] = False,
    end_: Annotated[str, typer.Option("--to", help="Until when, written likewise.", show_default="now")] = "",
    html: Annotated[Path | None, typer.Option(help="With --rules: also draw the comparison into this file.")] = None,
    language: LanguageOption = None,
    processes: Annotated[
        int, typer.Option(min=0, max=256, help="Processes to replay in; the result is the same.", show_default="cores")
    ] = 0,
    as_json: JsonOption = False,
    show: Annotated[int, typer.Option(min=0, help="Of each list, how many lines to show.")] = 10,
) -> None:
    """Run the recorded observations through a fresh engine: under the rules as they were, or under others.

    Without --rules every outcome, each alarm transition among them, is compared with what the live run wrote into the
    log and the journal. Exit code 0 when all are the same; 1 when not, and the first that differs is shown.

    With --rules the past is replayed as if those rules had been in force all along, and held against the published
    ones (or --against): alarms gained, lost, earlier, later, at another level, dispatches, the time before limits were
    crossed, and the load of the desk. What people did then they do again, to what stands in the same place.

    A replay begins with the newest state that was kept before --from (hourly for a day, then daily; other rules a day
    earlier, so that their windows are full). Readings are scored once for both sets, and the scores are kept in
    the data folder: the next replay of the same past costs its rules alone.

    Works beside a running Foreshock and on a data folder at rest. What the log no longer has, and any past of a log in
    Kafka, is read from the archive (FORESHOCK_ARCHIVE).

    With --history rules are tried over months that neither has any more: over the readings alone that InfluxDB or the
    data folder keeps, by their own time, against the rules in force now (or --against). No camera, report or person is
    in it, so nothing is compared with what was recorded. Models learn from a week before --from on.

    foreshock replay --data data --from 2h

    foreshock replay --data data --rules my-site --from 7d --html compared.html

    foreshock replay --data data --rules my-site --history --from 60d
    """
    chosen = configured(data=data)
    words = at_folder(chosen.data_folder, language)
    if rules is None and (against or html):
        fail(words("with_rules"))
    if history and (rules is None or archive is not None):
        fail(words("history_alone" if rules is None else "history_or_archive"))
    if html is not None and html.suffix.lower() not in (".html", ".htm"):
        fail(words("html_name", file=html))
    first: float | None = None
    try:
        content = in_force(chosen.data_folder, language)[0] if rules is not None else None
        first, last = _times(begin_, end_, words)
        if history:
            assert content is not None
            past = histories.past(chosen, content, first, last)
            source = Recorded(past=past, tapes=str(chosen.data_folder / FOLDER / "history"))
            stretches = [past.stretch(partition) for partition in range(content.site.partitions)]
            span = _Span(float(past.first), float(past.end), stretches, source)
        else:
            source = choosing.source(chosen, first, archive)
            with source.open() as log:
                span = _span(log, source, first, last)
        replaying.get_ready(span.stretches, processes)
        if rules is None:
            _check(chosen, span, processes, as_json, show, words)
        assert content is not None
        after = _rules(rules, content.site, words)
        before = _rules(against, content.site, words) if against is not None else content.rules if history else None
        _compare(chosen, span, processes, (before, after), content.site, words, as_json, html, show)
    except (LogError, ReplayError, SettingsError) as error:
        fail(sentence(error, words) + ("" if history or archive else _elsewhere(chosen, error, first, words)))


def _elsewhere(chosen: Settings, error: Exception, first: float | None, words: Words) -> str:
    """Say that the history has the readings of a time of which the log is gone, and how they are replayed."""
    if not chosen.keeps_history or (isinstance(error, ReplayError) and not isinstance(error, LetGoError)):
        return ""
    try:
        since, _ = reach(chosen, bundle.unpack(publication.read(chosen.data_folder)), time.time())
    except (LogError, OSError, ValueError):
        return ""
    if first is not None and since > first:
        return ""
    return words("in_history", since=words.time(since, "%Y-%m-%d %H:%M"))


def _times(begin_: str, end_: str, words: Words) -> tuple[float | None, float | None]:
    now = time.time()
    try:
        first = moment(begin_, now, words.zone) if begin_ else None
        last = moment(end_, now, words.zone) if end_ else None
    except ValueError as error:
        fail(sentence(error, words))
    if first is not None and last is not None and first >= last:
        fail(words("not_before", begin=begin_, end=end_))
    return first, last


def _span(log: Log, source: Recorded, first: float | None, last: float | None) -> _Span:
    stretches = []
    for partition in range(log.topics().get(OBSERVATIONS, 0)):
        stop = log.committed(GROUP, OBSERVATIONS, partition) or 0
        stretches.append(stretch(log, partition, stop, first, last))
    return _Span(first, last, stretches, source)


def _rules(folder: Path | None, site: Site, words: Words) -> tuple[Rule, ...]:
    """Load rules, checked against their own site where the folder is one, else against the one in force."""
    assert folder is not None
    if not folder.exists():
        fail(words("no_such", file=folder))
    whole = (folder / "site.yaml").exists()
    try:
        own = load_site(folder) if whole else site
        base = folder if folder.is_dir() else folder.parent
        return load_rules(folder / "rules" if (folder / "rules").is_dir() else folder, own, base)
    except DocumentError as error:
        name_problems(error.problems, words)
        fail(words("problems", count=len(error.problems), site=folder))


def _replayed(chosen: Settings, source: Recorded, tasks: Sequence[Task], processes: int, words: Words) -> list[Course]:
    columns = (
        TextColumn(words("replaying")),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}" if source.past is None else "{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with source.open() as log:
        total = sum(task.where.stop - log.start(OBSERVATIONS, task.where.partition) for task in tasks)
    with Progress(*columns, console=err, transient=True) as progress:
        bar = progress.add_task("replay", total=total)
        keep = chosen.replay_megabytes * 1e6 if any(task.rules is not None for task in tasks) else 0.0
        return replaying.replay(source, tasks, processes, lambda count: progress.advance(bar, count), keep)


def _check(chosen: Settings, span: _Span, processes: int, as_json: bool, show: int, words: Words) -> None:
    courses = _replayed(chosen, span.source, [Task(where) for where in span.stretches], processes, words)
    found, load = merged(courses), Load()
    for one in courses:
        load.note(
            msgspec.structs.asdict(change)
            for change, at in zip(one.transitions, one.transitions_at, strict=True)
            if at >= one.first
        )
    found.load = load.whole()
    kept = _journalled(chosen, span, words)
    agrees = found.agrees and (kept is None or kept.agrees)
    if as_json:
        answer = {**msgspec.to_builtins(found), "journal": msgspec.to_builtins(kept), "agrees": agrees}
        print(msgspec.json.encode(answer).decode())
        raise typer.Exit(0 if agrees else 1)
    if found.agrees:
        names = ("observations", "readings", "recorded", "transitions")
        done(words("all_same", **{name: getattr(found, name) for name in names}))
    else:
        _differs(found, show, words)
    if kept is not None and kept.agrees:
        done(words("journal_same", recorded=kept.recorded, transitions=kept.transitions))
    elif kept is not None:
        wrong(words("journal_differs"))
        _differs(kept, show, words)
    figures = {name: getattr(found.load, name) for name in ("rings", "peak", "floods")}
    out.print(words("desk_load", **figures, minutes=found.load.flood_minutes))
    raise typer.Exit(0 if agrees else 1)


def _journalled(chosen: Settings, span: _Span, words: Words) -> Difference | None:
    """Compare what was recorded with the journal; None where there is none."""
    try:
        journal = Reader(chosen.journal_url)
    except FileNotFoundError:
        return None
    found = Difference()
    try:
        with span.source.open() as log:
            for where in span.stretches:
                found.add(journalled(log, journal, where))
    except SQLAlchemyError as error:
        fail(words("journal_unread", error=error))
    finally:
        journal.close()
    return found


def _differs(found: Difference, show: int, words: Words) -> None:
    for name, ids in (("missing", found.missing), ("added", found.added), ("changed", found.changed)):
        if ids:
            some = f"{words('joined').join(ids[:show])}{' …' if len(ids) > show else ''}"
            wrong(words("outcomes", count=len(ids), how=words(f"outcome_{name}"), ids=some))
    if found.first is not None:
        _first(found.first, words)


def _first(first: First, words: Words) -> None:
    """Show the first outcome that differs, field by field."""
    one = first.recorded or first.replayed or {}
    at = local(one.get("time"), words.zone)
    named = " ".join(str(one[name]) for name in ("type", "rule", "scope", "edge") if one.get(name))
    how = "changed" if first.recorded and first.replayed else "missing" if first.recorded else "added"
    place = {"offset": first.offset, "partition": first.partition}
    wrong(words("first_outcome", id=first.id, **place, at=at, named=named, how=words(f"outcome_{how}")))
    if how == "changed":
        for name in first.fields[:12]:
            sides = [_short((side or {}).get(name)) for side in (first.recorded, first.replayed)]
            err.print(f"    {plain(name)}: {plain(sides[0])} → {plain(sides[1])}")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:200] + "…"


def _compare(
    chosen: Settings,
    span: _Span,
    processes: int,
    sides: tuple[tuple[Rule, ...] | None, tuple[Rule, ...]],
    site: Site,
    words: Words,
    as_json: bool,
    html: Path | None,
    show: int,
) -> None:
    packed = [None if rules is None else replaying.pack(rules) for rules in sides]
    started = time.perf_counter()
    tasks = [Task(where, rules) for where in span.stretches for rules in packed]
    courses = _replayed(chosen, span.source, tasks, processes, words)
    took = time.perf_counter() - started
    before, after = courses[::2], courses[1::2]
    found = compared(before, after, span.begin, span.end, site)
    checked = merged(before) if sides[0] is None else None
    if html is not None:
        try:
            replay_page.write(html, found, words, *_bounds(span, after), note=_note(span, words))
        except OSError as error:
            fail(
                words("page_unwritten", file=html, error=error_words.said(error.strerror or str(error), words.language))
            )
    if as_json:
        told = as_plain(found, after, checked, span.begin, span.end)
        print(msgspec.json.encode(told | {"history": span.learnt and {"learnt_from": span.learnt}}).decode())
    else:
        readings = sum(course.readings for course in courses)
        observations = sum(course.observations for course in after)
        done(words("replayed", observations=observations, readings=readings, took=took))
        if note := _note(span, words):
            out.print(plain(note))
        replay_tables.show(found, words, show)
        given = {name: sum(getattr(course, name) for course in after) for name in ("commands", "moved", "astray")}
        if given["commands"]:
            out.print(words("commands", same=given["commands"] - given["moved"] - given["astray"], **given))
        if html is not None:
            done(words("drawn", file=html))
    if checked is not None and not checked.agrees:
        wrong(words("not_as_recorded"))
        _differs(checked, show, words)
        raise typer.Exit(1)
    raise typer.Exit(0)


def _note(span: _Span, words: Words) -> str:
    """Say of what a comparison is that is of the history."""
    return "" if span.learnt is None else words("of_history", since=words.time(span.learnt, "%Y-%m-%d %H:%M"))


def _bounds(span: _Span, courses: Sequence[Course]) -> tuple[float, float]:
    """Return from when to when there was something to replay (unix seconds)."""
    if span.source.past is not None:
        return float(span.source.past.first), float(span.source.past.end)
    end = max((course.clock for course in courses), default=0.0)
    with span.source.open() as log:
        times = [time for where in span.stretches if (time := begun(log, where)) is not None]
    return min(times, default=end), end

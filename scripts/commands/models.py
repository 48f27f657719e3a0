"""`foreshock models`: learn how an area's points go together, compare what was learnt, and put it in force."""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
import typer
from rich.table import Table

from models.area.store import Facts, Stored, encode
from models.triage import drift as triage_drift
from scripts.commands import error_words, score_words, triage
from scripts.commands.model_names import MODELS, called
from scripts.commands.models_compare import compare
from scripts.commands.models_history import Own, area_named, when
from scripts.commands.models_promotion import announce
from scripts.commands.models_words import WORDS
from scripts.commands.speaking import at_site, sentence
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    done,
    err,
    fail,
    local,
    out,
    plain,
    warn,
    who,
    wrong,
)
from scripts.commands.words import LanguageOption, Words
from sensors.lookup import Registry
from sensors.site import Area, Point, Site
from streams import area_models, models_known, models_watch, promoting
from streams.history.area import standing
from streams.model_shelf import ModelsError

app = typer.Typer(
    no_args_is_help=True,
    help="Learn how an area's points go together, compare what was learnt, and put it in force.",
)
app.command()(compare)
app.add_typer(triage.app, name="triage")

DAY = 86400.0
Floats = npt.NDArray[np.float64]


@app.command()
def train(
    area: Annotated[str, typer.Argument(help="The area.")],
    since: Annotated[
        str, typer.Option("--from", help="Begin of the history: 2026-05-03 14:00, 14:00, or how long ago: 3 d.")
    ] = "",
    until: Annotated[str, typer.Option("--to", help="End of it, likewise.", show_default="now")] = "",
    point: Annotated[
        list[str] | None, typer.Option(help="A point to learn from; again for each.", show_default="all of the area")
    ] = None,
    without: Annotated[list[str] | None, typer.Option(help="A point to leave out; again for each.")] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="A rule whose alarms do not spoil the history; again for each.")
    ] = None,
    simulated: Annotated[bool, typer.Option("--simulated", help="Learn from simulated readings as well.")] = False,
    csv: Annotated[
        Path | None, typer.Option(help="A recording of a quiet time instead: a CSV file with a header line.")
    ] = None,
    time: Annotated[str, typer.Option(help="Its column of times.")] = "",
    column: Annotated[
        list[str] | None, typer.Option(help="Its columns: column=point, once for each point; at least two.")
    ] = None,
    zone: Annotated[str, typer.Option(help="Zone of times that name none.")] = "UTC",
    data: DataOption = None,
    language: LanguageOption = None,
) -> None:
    """Learn a model of an area, and keep it. Nothing changes until it is promoted.

    It learns from what the site itself has logged, running or not, between **--from** and **--to**; what the log has
    let go of is read from the history. What was under alarm, simulated, bad, or in a gap is left out. Or from a
    recording in the points' units, read as **foreshock score** reads it. Candidates are tried on the later part of
    the history; see docs/models/area.md.

    foreshock models train slope-01 --from '14 d'

    foreshock models train slope-01 --csv slope.csv --time t --column rain=slope-01-rain --column tilt=slope-01-tilt-1
    """
    found, site, words = at_site(data, language, WORDS)
    where = area_named(site, area, words)
    if csv is None:
        if time or column:
            fail(words("needs_csv"))
        if not since:
            fail(words("since_when"))
        points = _chosen(site, where, point, without or (), words)
        begin, end = when(since, site, 0.0, words), when(until, site, clock.time(), words)
        if end <= begin:
            fail(words("order"))
        rows = Own(found, site, where, words, ignore or (), simulated).rows(points, begin, end)
        left = "".join(
            words("left_out", count=count, why=error_words.said(why, words.language))
            for why, count in rows.left_out.items()
        )
        _require_moving(standing(rows, points), words)
        _learn(
            found.data_folder, where, points, rows.time[rows.clean], rows.values[rows.clean], rows.interval,
            source="the site's own log", words=words,
            note=words("of_rows", rows=len(rows.time), left=left) if left else "",
        )  # fmt: skip
        return
    if since or until or point or without or ignore or simulated:
        fail(words("own_only"))
    pairs = [one.partition("=") for one in column or ()]
    if not time or len(pairs) < 2 or not all(name and called for name, _, called in pairs):
        fail(words("columns"))
    if len({name for name, _, _ in pairs}) < len(pairs):
        fail(words("column_twice"))
    points = _chosen(site, where, [called for _, _, called in pairs], (), words)
    from models.interval import usual_interval
    from scripts.commands.score_area import say_unused
    from scripts.recording import ScoreError
    from scripts.score_area import read_history

    try:
        times, values, problems = read_history(csv, time, [name for name, _, _ in pairs], zone)
    except ScoreError as error:
        fail(sentence(error, words))
    say_unused(
        csv, problems.first, problems.count, Words(words.language, site.zone, score_words.WORDS), "unused_values"
    )
    _require_moving([one.id for at, one in enumerate(points) if np.ptp(values[:, at]) == 0.0], words, csv=True)
    interval = usual_interval(times.tolist())
    _learn(found.data_folder, where, points, times, values, interval, source=csv.name[:200], words=words)


def _learn(
    folder: Path,
    area: Area,
    points: Sequence[Point],
    times: Floats,
    values: Floats,
    interval: float,
    *,
    source: str,
    words: Words,
    note: str = "",
) -> None:
    """Fit, keep and tell."""
    from models.area.fitting import FitError, fit  # here: scikit-learn takes a second to load
    from scripts.commands.score_area import say_wild

    measured: list[Any] = [one.kind if one.kind in ("counter", "angle") else "gauge" for one in points]
    try:
        with err.status(words("learning", rows=len(times))):
            fitted = fit(times, values, [one.id for one in points], interval, measured=measured)
    except FitError as error:
        fail(f"{sentence(error, words)}{note}")
    say_wild(fitted.wild, Words(words.language, words.zone, score_words.WORDS))
    facts = Facts(
        begin=float(times[0]),
        end=float(times[-1]),
        rows=len(times),
        code=metadata.version("foreshock"),
        source=source,
        trained=clock.time(),
    )
    stored = area_models.keep(folder, encode(area.id, fitted, facts))
    for trial in fitted.trials:
        if trial.false == trial.false:  # tried
            out.print(
                words("trial", kind=called(trial.kind, words.language, MODELS), found=trial.found, false=trial.false)
            )
    counts = {"points": len(points), "rows": len(times)}
    done(
        words(
            "learnt",
            version=stored.version,
            kind=called(stored.model.kind, words.language, MODELS),
            **counts,
            note=note,
        )
    )


def _chosen(site: Site, area: Area, named: Sequence[str] | None, without: Sequence[str], words: Words) -> list[Point]:
    """Return the points to learn from; end the command with a sentence when one will not do."""
    registry = Registry(site)
    for name in (*(named or ()), *without):
        one = registry.point(name)
        if one is None or area.id not in one.areas:
            fail(words("no_point", area=area.id, point=name))
        if one.kind == "state" and name not in without:
            fail(words("is_state", point=name))
    left = {one.id for name in without if (one := registry.point(name)) is not None}
    if named:
        points = [one for name in named if (one := registry.point(name)) is not None and one.id not in left]
    else:
        points = [one for one in site.points if area.id in one.areas and one.kind != "state" and one.id not in left]
    if len({one.id for one in points}) < max(len(points), 2):
        fail(words("two_points", area=area.id, count=len(points)))
    return points


def _require_moving(still: Sequence[str], words: Words, csv: bool = False) -> None:
    if still:
        named = words("joined").join(still)
        if csv:
            fail(words("still_columns", points=named))
        fail(words("still", points=named, options=" ".join(f"--without {one}" for one in still)))


@app.command(name="list")
def list_models(data: DataOption = None, language: LanguageOption = None, as_json: JsonOption = False) -> None:
    """List the models that were learnt, the latest first; a dot marks those in force.

    `found` and `false` are of faults put on, and of quiet rows, when the kind was chosen. `age` is the time since what
    it was learnt from. A model in force whose area has moved away from that is in **drift**: train another; one of
    triage is when the alarms since were real much more or less often than it told (see `models triage list`).
    """
    found, site, words = at_site(data, language, WORDS)
    folder = found.data_folder
    try:
        stored, problems = area_models.listed(folder)
        watched = {(one.area, one.version): one for one in models_watch.watched(folder, site)}
        ranked = models_known.known(folder, site).triage
    except ModelsError as error:
        fail(sentence(error, words))
    since = triage.since_learnt(found, site, [one.version for one in ranked if one.in_force])
    registry = Registry(site)
    now = clock.time()

    def of(one: Stored) -> models_watch.Watched | None:
        area = registry.area(one.area)
        return watched.get((one.area if area is None else area.id, one.version))

    if as_json:
        areas = [_plain(one, of(one), site, now) for one in stored]
        print(msgspec.json.encode([*areas, *(triage.listed(one, since.get(one.version)) for one in ranked)]).decode())
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    for key in (
        "version", "area", "kind", "points", "rows", "from", "to", "age", "found", "false", "promoted", "drift",
    ):  # fmt: skip
        table.add_column(words(key))
    for one in stored:
        facts, live = one.facts, of(one)
        tried = next((trial for trial in facts.tried if trial.kind == one.model.kind and trial.found >= 0.0), None)
        by = live.promoted if live is not None else None
        table.add_row(
            "[green]●[/green]" if live is not None else "",
            one.version,
            plain(one.area),
            called(one.model.kind, words.language, MODELS),
            plain(", ".join(one.model.names)),
            str(facts.rows),
            local(facts.begin, site.zone)[:16],
            local(facts.end, site.zone)[:16],
            words("days", days=(now - facts.end) / DAY),
            "–" if tried is None else f"{tried.found:.0%}",
            "–" if tried is None else f"{tried.false:.2%}",
            ""
            if by is None
            else plain(f"{by.by or words('unknown')} {local(by.time, site.zone)[:16] if by.time else ''}"),
            _drift(live, words),
        )
    for own in ranked:
        table.add_row(*triage.row(own, since.get(own.version), now, words))
    out.print(table)
    for live in watched.values():
        if live.warning:
            warn(live.warning[words.language[:2]])
    for name, came in since.items():
        if told := triage_drift.said(came, name):
            warn(told[words.language[:2]])
    for one in stored:
        gone = area_models.missing(one, site)
        if gone and of(one) is not None:
            wrong(words("missing", version=one.version, points=words("joined").join(gone)))
    for problem in problems:
        wrong(error_words.said(problem, words.language))


def _drift(live: models_watch.Watched | None, words: Words) -> str:
    if live is None or live.drift is None:
        return ""
    if live.drift.drifted:
        return f"[yellow]{words('in_drift')}[/yellow]"
    return words("no_drift" if live.drift.independent >= models_watch.ENOUGH else "counting")


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="The model's version, or the beginning of it.")],
    data: DataOption = None,
    language: LanguageOption = None,
    reason: Annotated[str, typer.Option(help="Why, for those who read the list of publications later.")] = "",
) -> None:
    """Put a model of an area, or of triage, in force, without a restart; at the next start when nothing runs.

    It is a publication in the log. An area's model goes on from what the former one had smoothed, where that is of the
    same points at the same interval; one of triage is refused where it is no better than a constant.
    """
    found, site, words = at_site(data, language, WORDS)
    folder = found.data_folder
    announce(
        found, "models.promote", version, reason,
        lambda: promoting.promote(folder, site, version, who(), reason, clock.time()), words,
    )  # fmt: skip


@app.command()
def rollback(
    area: Annotated[str, typer.Argument(help="The area, or `triage`.")],
    data: DataOption = None,
    language: LanguageOption = None,
    reason: Annotated[str, typer.Option(help="Why, for those who read the list of publications later.")] = "",
) -> None:
    """Put the model in force that was before the present one of an area, or of triage; none when it was the first."""
    found, site, words = at_site(data, language, WORDS)
    folder = found.data_folder
    announce(
        found, "models.rollback", area, reason, lambda: promoting.rollback(folder, site, area, who(), reason), words
    )


def _plain(one: Stored, live: models_watch.Watched | None, site: Site, now: float) -> dict[str, object]:
    return {
        "version": one.version,
        "area": one.area,
        "kind": one.model.kind,
        "points": list(one.model.names),
        "interval": one.model.interval,
        "in_force": live is not None,
        **msgspec.to_builtins(one.facts),
        "age_days": round((now - one.facts.end) / DAY, 2),
        "missing": area_models.missing(one, site),
        "promoted": None if live is None else msgspec.to_builtins(live.promoted),
        "drift": None if live is None else msgspec.to_builtins(live.drift),
        "warning": {} if live is None else live.warning,
    }

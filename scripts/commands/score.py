"""`foreshock score`: score a recorded series reading by reading, as the live engine would."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from models.bank import Kind
from models.warning import HORIZON
from scripts.commands import score_words
from scripts.commands.lag import USUAL, seconds_of
from scripts.commands.score_area import say_late, say_unused, together
from scripts.commands.speaking import sentence
from scripts.commands.terminal import done, err, fail
from scripts.commands.words import LocaleOption, Words, of_locale
from scripts.foresight import Limit, creeps
from scripts.recording import ScoreError
from scripts.score import score_file
from sensors.duration import seconds

Circle = Literal["deg", "rad", "gon"]
CIRCLES: dict[Circle, float] = {"deg": 360.0, "rad": 2.0 * math.pi, "gon": 400.0}


def score(
    file: Annotated[Path, typer.Argument(help="CSV file with a header line.")],
    time: Annotated[
        str,
        typer.Option(
            help="Column of times: ISO 8601, dates as people write them, or unix time in any unit; day+hour of two."
        ),
    ],
    value: Annotated[list[str], typer.Option(help="Column of values; several with --train-rows are scored together.")],
    out_file: Annotated[Path, typer.Option("--out", help="Where to write time, value, score, alarm.")] = Path(
        "scores.csv"
    ),
    zone: Annotated[str, typer.Option(help="Zone of times that name none.")] = "UTC",
    limit: Annotated[
        float | None, typer.Option(help="A value that must not be reached: adds eta, eta_low, eta_high and warning.")
    ] = None,
    below: Annotated[bool, typer.Option("--below", help="The limit is a floor: oxygen, pressure.")] = False,
    horizon: Annotated[
        float | None,
        typer.Option(min=0.01, show_default="12", help="Hours ahead within which the limit is warned of."),
    ] = None,
    kind: Annotated[Kind, typer.Option(help="What the column holds, as in a site; a state is a code.")] = "gauge",
    unit: Annotated[Circle, typer.Option(help="What an angle is in: degrees, radians, or gon (grads).")] = "deg",
    quantity: Annotated[
        str, typer.Option(help="What is measured, as in a site; by default the name of the column.")
    ] = "",
    driver: Annotated[
        list[str] | None,
        typer.Option(help="With --limit: a column that foretells the value (rain, a level upstream); may be repeated."),
    ] = None,
    lag: Annotated[
        str | None,
        typer.Option(show_default=USUAL, help="How long what a driver brings takes to arrive, such as 90 min or 8 h."),
    ] = None,
    interval: Annotated[
        str,
        typer.Option(help="How often readings come, such as 15 min; by default as those that have come so far show."),
    ] = "",
    train_rows: Annotated[
        int, typer.Option(min=0, help="Rows to learn how the columns go together from, before scoring begins.")
    ] = 0,
    language: LocaleOption = None,
) -> None:
    """Score any series: how surprising each reading was when it came, and where an early alarm would have been.

    Writes the columns time, value, score, alarm, quality, quality_alarm. Nothing looks ahead: a row's score depends on
    the rows above it only. What fails of the sensor is told apart: **quality** is **gap** for the first reading after
    five intervals without any, **stuck** while the value has stood still for far longer than ever lately, else empty;
    **quality_alarm** is 1 where either begins.

    Rows that cannot be read are counted and named, those with no value (empty, NA, -9999) too. Columns are named by
    their heading, with or without its unit in brackets, or by number; a day and its time in two as **date+time**.
    Remarks before the heading, tabs, semicolons, spaces, decimal commas, units behind numbers, GBK and UTF-16 are
    understood, as is a file that begins with its newest row.

    With **--limit** it also writes when the limit will be reached: **eta**, **eta_low** and **eta_high** in seconds
    (inf: not in sight, empty: still learning), and **warning**, 1 while an early warning stands. A warning begins
    when the limit is foreseen well within the horizon, nearer the more of the series' warnings were in vain; it ends
    when the limit is reached, or when twice the horizon is over and it is foreseen no more. Displacement, tilt,
    cracks and settlement are also watched for failing (inverse velocity). With **--driver** the rise to come is also
    read off what has fallen, or come by upstream, and has not arrived yet.

    foreshock score river.csv --time datetime --value level --out scores.csv --zone Asia/Shanghai

    foreshock score river.csv --time datetime --value level --limit 5.7 --out foreseen.csv

    foreshock score river.csv --time datetime --value level --limit 5.7 --driver rain --lag 6h --out foreseen.csv

    With **--kind** what is no gauge is scored as what it is: a **counter** by its increase per interval (a fall is a
    reset), an **angle** by its turn across the wrap (**--unit** rad or gon where it is not in degrees), a **switch** or
    **state** by how seldom its code changes so.

    foreshock score meter.csv --time t --value kWh --kind counter --out scores.csv

    Several columns are scored together by a model of the first rows: a row's score is how unlike those it is in all,
    alarm is 1 for every row judged anomalous, and top names the column that contributes most. A column that has been
    blank for five of its intervals is left out until it is back.

    foreshock score pump.csv --time t --value pressure --value current --value flow --train-rows 400
    """
    words = Words(language or of_locale(), "UTC", score_words.WORDS)
    if not file.is_file():
        fail(words("no_file" if file.exists() else "missing_file", file=file))
    if limit is None:
        for option, given in (("--below", below), ("--horizon", horizon), ("--lag", lag), ("--quantity", quantity)):
            if given:
                fail(words("needs_limit", option=option))
    if train_rows or len(value) > 1:
        if limit is not None or driver:
            fail(words("limit_alone"))
        if interval:
            fail(words("interval_alone"))
        if kind != "gauge":
            fail(words("kind_alone"))
        together(file, time, value, train_rows, out_file, zone, words)
        return
    if unit != "deg" and kind != "angle":
        fail(words("unit_alone"))
    if driver and limit is None:
        fail(words("needs_limit", option="--driver"))
    if value[0] in (driver or ()):
        fail(words("own_driver", name=value[0]))
    if limit is not None and kind in ("switch", "state"):
        fail(words("no_limit_of", kind=kind))
    wanted = (
        None
        if limit is None
        else Limit(
            limit,
            below,
            HORIZON if horizon is None else 3600.0 * horizon,
            creeps(quantity or value[0]),
            tuple(driver or ()),
            seconds_of(lag, driver, words.language),
        )
    )
    every = None
    if interval:
        try:
            every = seconds(interval)
        except ValueError as error:
            fail(f"--interval: {sentence(error, words)}")
    bars = (TextColumn(words("scoring")), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*bars, console=err, transient=True) as progress:
        task = progress.add_task("score", total=file.stat().st_size)
        try:
            found = score_file(
                file,
                time,
                value[0],
                out_file,
                interval=every,
                kind=kind,
                period=CIRCLES[unit],
                zone=zone,
                limit=wanted,
                progress=lambda read, _: progress.update(task, completed=read),
            )
        except ScoreError as error:
            fail(sentence(error, words))
    warned = "" if limit is None else words("warned", count=found.warnings)
    quality = words("of_quality", count=found.quality) if found.quality else ""
    counts = {"scored": found.scored, "alarms": found.alarms, "quality": quality, "warned": warned}
    done(words("scored", **counts, file=out_file))
    say_late(found.rows - found.bad - found.scored, "late_scored", words)
    say_unused(file, found.problems, found.bad, words, "unused_rows")

"""`foreshock evaluate gauge`: how early a limit on a recorded series is foreseen, and how often wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from models.evaluation import gauge
from models.warning import GRACE, HORIZON
from scripts.commands import score_words
from scripts.commands.evaluating import draw, require_page, say_drawn, spoken
from scripts.commands.lag import USUAL, seconds_of
from scripts.commands.speaking import sentence
from scripts.commands.terminal import JsonOption, err, fail, out
from scripts.commands.words import LocaleOption, Words
from scripts.foresight import NO_LIMIT, brings, creeps
from scripts.recording import ScoreError
from scripts.score import read_series


def evaluate_gauge(
    file: Annotated[Path, typer.Argument(help="CSV file with a header line.")],
    time: Annotated[str, typer.Option(help="Column of times.")],
    value: Annotated[str, typer.Option(help="Column of values.")],
    limit: Annotated[float | None, typer.Option(help="The value that must not be reached.")] = None,
    quantile: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="The limit as a share of all values, where none is given.",
            show_default="0.95, of a floor 0.05",
        ),
    ] = None,
    below: Annotated[bool, typer.Option("--below", help="The limit is a floor.")] = False,
    horizon: Annotated[float, typer.Option(min=0.01, help="Hours ahead within which a limit is warned of.")] = 12.0,
    driver: Annotated[
        list[str] | None,
        typer.Option(help="A column that foretells the value (rain, a level upstream); may be repeated."),
    ] = None,
    lag: Annotated[
        str | None,
        typer.Option(show_default=USUAL, help="How long what a driver brings takes to arrive, such as 90 min or 8 h."),
    ] = None,
    zone: Annotated[str, typer.Option(help="Zone of times that name none.")] = "UTC",
    plot: Annotated[
        Path | None, typer.Option(help="Draw every miss and every false warning into this HTML file.")
    ] = None,
    every: Annotated[bool, typer.Option("--every", help="Draw what was foreseen as well.")] = False,
    language: LocaleOption = None,
    json_: JsonOption = False,
) -> None:
    """Measure how early the crossings of a limit are foreseen on a recorded series, and how often wrongly.

    A crossing is a reading at or past the limit after half a day short of it. A warning is right when the limit is
    reached within twice the horizon of its beginning, false otherwise; a crossing is foreseen when a warning stands as
    it happens, and its lead runs from that warning's beginning. Nothing looks ahead; only the limit of **--quantile**
    is taken from the whole series. **foreshock score --limit** writes the warnings reading by reading: the same ones.

    With **--driver** figures are told without and with the drivers.

    foreshock evaluate gauge river.csv --time datetime --value level --limit 5.7 --plot river.html

    foreshock evaluate gauge river.csv --time datetime --value level --driver rain --lag 8h
    """
    words = spoken(language)
    if not file.is_file():
        fail(words("no_file", file=file))
    require_page(plot, words)
    if not (np.isfinite(horizon) and (limit is None or np.isfinite(limit))):
        fail(sentence(ScoreError(NO_LIMIT), words))
    if value in (driver or ()):
        fail(Words(words.language, words.zone, score_words.WORDS)("own_driver", name=value))
    try:
        times, values, beside, bad = read_series(file, time, value, zone, driver or ())
    except ScoreError as error:
        fail(sentence(error, words))
    share = (0.05 if below else 0.95) if quantile is None else quantile
    level = limit if limit is not None else float(np.quantile(values, share))
    late = seconds_of(lag, driver, words.language)
    drivers = [gauge.Driven(one, late, brings(name)) for name, one in zip(driver or (), beside, strict=True)]
    bars = (TextColumn(words("foreseeing")), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*bars, console=err, transient=True) as progress:
        task = progress.add_task("", total=len(times) * (2 if drivers else 1))

        def foresee(known: Sequence[gauge.Driven], done: int) -> gauge.Foresight:
            eta = gauge.etas(
                times,
                values,
                level,
                below=below,
                creeps=creeps(value),
                drivers=known,
                progress=lambda place: progress.update(task, completed=done + place),
            )
            return gauge.foresee(
                times, values, eta, level, horizon=3600.0 * horizon, apart=HORIZON, grace=GRACE, below=below
            )

        alone = foresee((), 0)
        found = foresee(drivers, len(times)) if drivers else alone
    figures = {
        "file": file.name,
        "readings": len(times),
        "unreadable": bad,
        "limit": round(level, 6),
        "crossings": found.crossings,
        **_figures(found),
    }
    if drivers:
        figures |= {f"{name} without drivers": figure for name, figure in _figures(alone).items()}

    def called(name: str) -> str:
        """Name a figure: as JSON does, and as people do."""
        one, without, _ = name.partition(" without drivers")
        return words("without_drivers", name=words(one)) if without else words(one)

    if plot is not None:
        note = words("joined").join(f"{called(name)} {figure}" for name, figure in figures.items())
        draw(plot, gauge.panels(times, values, found, every=every), f"{file.name}: {value}", note, words)
    if json_:
        crossed = [{"time": one.time, "lead": one.lead} for one in found.crossed]
        warned = [msgspec.structs.asdict(one) for one in found.warned]
        told = msgspec.json.encode({**figures, "crossed": crossed, "warned": warned})
        print(msgspec.json.format(told).decode())
        return
    table = Table(box=None, header_style="bold", pad_edge=False, show_header=False)
    for name, figure in figures.items():
        table.add_row(called(name), str(figure))
    out.print(table)
    say_drawn(plot, words)


def _figures(found: gauge.Foresight) -> dict[str, float]:
    return {
        "foreseen": found.detected,
        "median lead h": round(found.median_lead / gauge.HOUR, 2),
        "warnings": found.warnings,
        "false": found.false,
        "false share": round(found.false_share, 3),
        "false a week": round(found.false_a_week, 3),
    }

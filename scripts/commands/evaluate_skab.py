"""`foreshock evaluate skab`: measure the models of many points at once by the SKAB protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from scripts.commands.evaluating import require_place, spoken
from scripts.commands.model_names import MODELS, called
from scripts.commands.speaking import sentence
from scripts.commands.terminal import JsonOption, done, err, fail, out
from scripts.commands.words import LocaleOption


def skab(
    folder: Annotated[Path, typer.Argument(help="A folder of runs (.csv with semicolons), as SKAB has them.")],
    json_: JsonOption = False,
    plot: Annotated[
        Path | None, typer.Option(help="Write a picture of every miss and false alarm there (.svg or .html).")
    ] = None,
    language: LocaleOption = None,
) -> None:
    """Measure the models of many points at once on SKAB: learn from a run's first 400 rows, judge the rest one by one.

    F1 is of rows judged anomalous, FAR the share of normal rows judged so, MAR the share of anomalous rows missed, over
    all runs and the rows after those learnt from. Also told is what comes of a rate chosen on one half of the runs, on
    the other half. Asked for: F1 of 0.80 at a FAR of at most 0.25. Ends with code 1 when that does not hold.

    foreshock evaluate skab ../shared/data/skab/valve1
    """
    from models.area.fitting import RATE
    from models.evaluation.skab import RATES, SkabError, crossed, figures, load, score

    words = spoken(language)
    if not folder.is_dir():
        fail(words("no_folder", folder=folder))
    if plot is not None and plot.suffix not in (".svg", ".html"):
        fail(words("no_picture", file=plot))
    require_place(plot, words)
    inner = folder / "valve1"
    try:
        runs = load(inner if inner.is_dir() else folder)
    except SkabError as error:
        fail(sentence(error, words))
    bars = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    scored = []
    with Progress(*bars, console=err, transient=True) as progress:
        task = progress.add_task("", total=len(runs))
        for run in runs:
            progress.update(task, description=run.name)
            scored.append(score(run))
            progress.advance(task)
    whole, halves = figures(scored), crossed(scored)
    if plot is not None:
        from models.evaluation.chart import skab_chart

        drawn = skab_chart(scored, RATE, words("skab_legend"), lambda kind: called(kind, words.language, MODELS))
        head = f'<html lang="{words.language}"><meta charset="utf-8"><title>SKAB</title>'
        html = f"<!doctype html>\n{head}\n{drawn}</html>\n"
        plot.write_text(html if plot.suffix == ".html" else drawn, encoding="utf-8")
    if json_:
        told = {
            "runs": {one.run.name: {"kind": one.kind, **figures([one])._asdict()} for one in scored},
            "all": whole._asdict(),
            "with the rows learnt from": figures(scored, skip=0)._asdict(),
            "rate": RATE,
            "by rate": {str(rate): figures(scored, rate)._asdict() for rate in RATES},
            "rate from one half, figures of the other": [{"rate": rate, **one._asdict()} for rate, one in halves],
        }
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for heading in ("run", "model"):
            table.add_column(words(heading))
        for heading in ("F1", "FAR", "MAR"):
            table.add_column(heading, justify="right")
        for one in scored:
            table.add_row(
                one.run.name, called(one.kind, words.language, MODELS), *(f"{each:.3f}" for each in figures([one]))
            )
        table.add_row(f"[bold]{words('all')}[/bold]", "", *(f"[bold]{each:.3f}[/bold]" for each in whole))
        for rate, other in halves:
            table.add_row(words("other_half"), words("rate", rate=rate), *(f"{each:.3f}" for each in other))
        out.print(table)
        out.print(words("skab_rate", rate=RATE, far=figures(scored, skip=0).far))
    if plot is not None and not json_:
        done(words("written", file=plot))
    if whole.f1 < 0.80 or whole.far > 0.25:
        raise typer.Exit(1)

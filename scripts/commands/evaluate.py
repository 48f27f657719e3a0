"""`foreshock evaluate`: measure what the product finds on recordings, and what it finds wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from scripts.commands import evaluate_bank
from scripts.commands.evaluate_counts import counts
from scripts.commands.evaluate_gauge import evaluate_gauge
from scripts.commands.evaluate_skab import skab
from scripts.commands.evaluate_triage import triage
from scripts.commands.terminal import JsonOption, err, fail, out
from sensors.camera.evaluation import AFTER, WITHIN, Trial, clips, trials
from sensors.camera.stream import StreamError

app = typer.Typer(no_args_is_help=True, help="Measure what is found on recordings, and what is found wrongly.")
app.command()(skab)


@app.callback()
def _evaluate() -> None:
    """Measure what is found on recordings, and what is found wrongly."""


app.command()(evaluate_bank.nab)
app.command()(evaluate_bank.budget)
app.command()(evaluate_bank.injected)


@app.command()
def camera(
    folder: Annotated[Path, typer.Argument(help="A folder with films of fixed cameras (.avi, .mp4, .mkv, .mov).")],
    json_: JsonOption = False,
    rate: Annotated[
        float, typer.Option(min=0.0, max=60.0, help="Frames a second of the film's own time; 0 takes every frame.")
    ] = 0.0,
) -> None:
    """Measure the health of cameras on films: clean, with every fault put on, and with what is no fault.

    Faults (black, freeze, blur, cover, shift, over-exposure, each in three strengths) are put on after the warm-up;
    told is after how many frames each was found. Dimmed light, a day's course, a change to infrared, rain and noise
    must raise nothing. Asked for: the strong faults within 10 frames (freeze 30), nothing where there is no fault; the
    weaker ones show how far it reaches. Ends with code 1 when that does not hold.

    foreshock evaluate camera ../shared/data/video
    """
    if not folder.is_dir():
        fail(f"there is no folder {folder}")
    films = clips(folder)
    if not films:
        fail(f"there is no film in {folder}")
    runs = [(film, run) for film in films for run in trials(film)]
    found: list[Trial] = []
    bars = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*bars, console=err, transient=True) as progress:
        task = progress.add_task("", total=len(runs))
        for film, run in runs:
            progress.update(task, description=film.name)
            try:
                found.append(run(rate))
            except StreamError as error:
                fail(str(error))
            progress.advance(task)
    if json_:
        print(msgspec.json.format(msgspec.json.encode([_plain(trial) for trial in found])).decode())
    else:
        _show(found)
    if any(not trial.good for trial in found if trial.strength in ("", "strong")):
        raise typer.Exit(1)


app.command("gauge")(evaluate_gauge)
app.command()(counts)
app.command()(triage)


def _plain(trial: Trial) -> dict[str, object]:
    return {**msgspec.structs.asdict(trial), "good": trial.good}


def _show(found: list[Trial]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("film", "put on", "strength", "found", "frames", "told", "false", "judged", "µs/frame"):
        table.add_column(heading, justify="right" if heading in ("frames", "false", "µs/frame") else "left")
    for trial in found:
        told = {None: "–", True: "yes", False: "[red]no[/red]" if trial.strength == "strong" else "[yellow]no[/yellow]"}
        table.add_row(
            trial.clip,
            trial.put_on,
            trial.strength or "–",
            told[trial.found],
            "–" if trial.frames is None else str(trial.frames),
            ", ".join(trial.told) or "–",
            str(trial.false) if not trial.false else f"[red]{trial.false}[/red]",
            "yes" if trial.judged else "[yellow]no[/yellow]",
            f"{trial.us_per_frame:.0f}",
        )
    out.print(table)
    limits = ", ".join(f"{fault} {frames}" for fault, frames in WITHIN.items())
    out.print(f"frames: from the first spoilt frame until it was told; 10 are allowed ({limits}), {AFTER} are tried")

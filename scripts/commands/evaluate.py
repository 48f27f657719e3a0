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
from scripts.commands.evaluating import spoken
from scripts.commands.model_names import PICTURES, called
from scripts.commands.speaking import sentence
from scripts.commands.terminal import JsonOption, err, fail, out
from scripts.commands.words import LocaleOption, Words
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
    language: LocaleOption = None,
) -> None:
    """Measure the health of cameras on films: clean, with every fault put on, and with what is no fault.

    Faults (black, freeze, blur, cover, shift, over-exposure, each in three strengths) are put on after the warm-up;
    told is after how many frames each was found. Dimmed light, a day's course, a change to infrared, rain and noise
    must raise nothing. Asked for: the strong faults within 10 frames (freeze 30), nothing where there is no fault; the
    weaker ones show how far it reaches. Ends with code 1 when that does not hold.

    foreshock evaluate camera ../shared/data/video
    """
    words = spoken(language)
    if not folder.is_dir():
        fail(words("no_folder", folder=folder))
    films = clips(folder)
    if not films:
        fail(words("no_films", folder=folder))
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
                fail(sentence(error, words))
            progress.advance(task)
    if json_:
        print(msgspec.json.format(msgspec.json.encode([_plain(trial) for trial in found])).decode())
    else:
        _show(found, words)
    if any(not trial.good for trial in found if trial.strength in ("", "strong")):
        raise typer.Exit(1)


app.command("gauge")(evaluate_gauge)
app.command()(counts)
app.command()(triage)


def _plain(trial: Trial) -> dict[str, object]:
    return {**msgspec.structs.asdict(trial), "good": trial.good}


def _show(found: list[Trial], words: Words) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    yes, no = words("yes"), words("no")

    def say(name: str) -> str:
        return called(name, words.language, PICTURES)

    for key in ("film", "put_on", "strength", "found", "frames", "told", "false", "judged", "us_a_frame"):
        table.add_column(words(key), justify="right" if key in ("frames", "false", "us_a_frame") else "left")
    for trial in found:
        colour = "red" if trial.strength == "strong" else "yellow"
        told = {None: "–", True: yes, False: f"[{colour}]{no}[/{colour}]"}
        table.add_row(
            trial.clip,
            say(trial.put_on),
            say(trial.strength) or "–",
            told[trial.found],
            "–" if trial.frames is None else str(trial.frames),
            words("joined").join(map(say, trial.told)) or "–",
            str(trial.false) if not trial.false else f"[red]{trial.false}[/red]",
            yes if trial.judged else f"[yellow]{no}[/yellow]",
            f"{trial.us_per_frame:.0f}",
        )
    out.print(table)
    limits = words("joined").join(f"{say(fault)} {frames}" for fault, frames in WITHIN.items())
    out.print(words("frames_meant", limits=limits, after=AFTER))

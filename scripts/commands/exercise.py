"""`foreshock exercise`: run a scripted drill through the real path, and report what it came to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import Progress
from rich.table import Table

from alerts import exercise as reports
from alerts import messages
from alerts.drill_script import Act, Script, read_script
from scripts.commands import error_words
from scripts.commands.listing import Row, listing, titled
from scripts.commands.ordering import Opened, opened
from scripts.commands.speaking import name_problems, sentence
from scripts.commands.terminal import DataOption, JsonOption, done, fail, local, out, plain, who
from scripts.commands.words import LanguageOption, Words
from sensors import tls
from sensors.document import DocumentError
from sensors.publisher import BrokerError
from sensors.site import Text
from streams import drilling
from streams.drilling import Heard
from streams.supervisor import holder

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Exercises (演练): run a scripted drill that can reach nobody but those who take part, and score it.",
)


@app.command("run")
def run(
    script: Annotated[Path, typer.Argument(help="The drill, as YAML.")],
    file: Annotated[Path | None, typer.Option("--out", help="Write the report as PDF.")] = None,
    speed: Annotated[float, typer.Option("--speed", min=0.1, max=1000, help="How many times as fast.")] = 1.0,
    language: LanguageOption = None,
    data: DataOption = None,
) -> None:
    """Run a drill: what cameras see is published over MQTT, marked as simulated, and goes the whole real way.

    Alarms, incidents, orders and notices of it are marked Exercise; no unit is sent that the script does not name, and
    no target is told that does not ask for exercises (`exercise: true`). Whoever takes part works on the page as ever;
    parts that nobody plays may be played by the script. At its end, or at Ctrl-C, everything of it is closed, and the
    time to acknowledge, dispatch, accept, arrive and close is scored against the objectives.

    foreshock exercise run examples/district/exercises/forest-fire.yaml --out report.pdf
    """
    product = opened(data, language)
    found, content, queries, words = product
    if holder(found.data_folder) is None:
        fail(words("nothing_runs", folder=found.data_folder))
    site = content.site
    try:
        drill = read_script(script, site)
    except DocumentError as error:
        name_problems(error.problems, words)
        fail(words("not_begun", count=len(error.problems), file=script))
    id = drilling.new_id()
    try:
        with Progress(transient=True) as progress:
            shown = _Shown(drill, progress, words)
            asyncio.run(drilling.play(found, site, drill, id, who(), queries, heard=shown, speed=speed))
    except KeyboardInterrupt:
        out.print(words("stopped_early"))
    except drilling.NotBegunError as error:
        fail(sentence(error, words))
    except (BrokerError, tls.TlsError) as error:
        fail(words("broke_off", error=sentence(error, words)))
    except (OSError, TimeoutError) as error:
        fail(words("no_answer", folder=found.data_folder, error=sentence(error, words) or words("time_out")))
    _tell(product, id, file, as_json=False)


@app.command("list")
def list_exercises(data: DataOption = None, language: LanguageOption = None, as_json: JsonOption = False) -> None:
    """List the drills that were run, the latest first.

    foreshock exercise list
    """
    _, _, queries, words = opened(data, language)

    def cells(one: Row) -> Sequence[object]:
        times = local(one["began"], words.zone), local(one["ended"], words.zone) or words("under_way")
        return titled(one, words), *times, one["actor"], one["id"]

    columns = ("title", "began", "ended", "by", "id")
    listing(queries.exercises(), columns, cells, words("no_exercise_yet"), as_json, words)


@app.command("report")
def report(
    id: Annotated[str, typer.Argument(help="The exercise's id.")],
    file: Annotated[Path | None, typer.Option("--out", help="Write the report as PDF.")] = None,
    language: LanguageOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report a drill: each leg's time against its objective, and the score.

    foreshock exercise report exercise-0f2a6c1b9d3e --out report.pdf
    """
    _tell(opened(data, language), id, file, as_json=as_json)


class _Shown(Heard):
    """Show on the terminal how a drill goes."""

    def __init__(self, drill: Script, progress: Progress, words: Words) -> None:
        self._progress, self._words = progress, words
        self._task = progress.add_task(self._of(drill.title), total=drill.lasting)

    def moved(self, seconds: float) -> None:
        self._progress.update(self._task, completed=seconds)

    def said(self, text: Text) -> None:
        self._progress.console.print(plain(self._of(text)))

    def missed(self, act: Act, reason: str) -> None:
        self._progress.console.print(plain(_came_to_nothing(act.do, act.unit or act.step, reason, self._words)))

    def _of(self, text: Text) -> str:
        return text.en if self._words.language == "en" else text.zh


def _came_to_nothing(do: str, of: str, reason: str, words: Words) -> str:
    act, why = (messages.text(key, words.language) for key in (f"sheet.leg.{do}", reason))
    return f"{act} {of}: {why}"


def _tell(run: Opened, id: str, file: Path | None, *, as_json: bool) -> None:
    found, content, queries, words = run
    drill = queries.exercise(id)
    if drill is None:
        fail(words("no_exercise", id=id))
    told = reports.report(drill)
    if as_json:
        print(msgspec.json.encode(told).decode())
    else:
        _show(told, words)
    if file is None:
        return
    from alerts import paper  # here: printing takes what nothing else needs
    from alerts.duty_sheets import exercise_pdf

    try:
        font = paper.find_font(found.pdf_font)
        file.write_bytes(exercise_pdf(told, content.site, words.language, time.time(), font=font))
    except paper.NoFont as error:
        fail(sentence(error, words))
    except OSError as error:
        fail(words("cannot_write", file=file, error=error_words.said(error.strerror or str(error), words.language)))
    done(words("written", file=file))


def _show(told: dict[str, Any], words: Words) -> None:
    none = told["score"] is None
    score = words("no_objective") if none else words("scored", score=told["score"], met=told["met"], of=told["of"])
    out.print(plain(f"{told['id']}: {score}"))
    table = Table(*(words(f"column_{one}") for one in ("incident", "leg", "took", "objective", "verdict")))
    for one in told["incidents"]:
        for leg in one["legs"]:
            took = words("not_reached") if leg["seconds"] is None else words.duration(leg["seconds"])
            wanted = "" if leg["objective"] is None else words.duration(leg["objective"])
            verdict = "" if leg["met"] is None else words("objective_met" if leg["met"] else "objective_missed")
            named = messages.text(f"sheet.leg.{leg['leg']}", words.language)
            table.add_row(plain(one["id"]), named, took, wanted, verdict)
    out.print(table if told["incidents"] else words("raised_none"))
    for one in told["missed"]:
        out.print(plain(_came_to_nothing(one["do"], one["of"], one["reason"], words)))

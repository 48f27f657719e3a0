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
from scripts.commands.listing import Row, listing
from scripts.commands.ordering import reader as journal
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    configured,
    done,
    fail,
    local,
    out,
    plain,
    require_journal,
    site_in_force,
    who,
    wrong,
)
from scripts.commands.words import LanguageOption
from sensors import tls
from sensors.document import DocumentError
from sensors.publisher import BrokerError
from sensors.site import Site, Text
from streams import drilling
from streams.drilling import Heard
from streams.settings import Settings
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
    found = configured(data=data)
    require_journal(found)
    if holder(found.data_folder) is None:
        fail(f"nothing runs on {found.data_folder}; start with `foreshock run`")
    site = site_in_force(found)
    try:
        drill = read_script(script, site)
    except DocumentError as error:
        for problem in error.problems:
            wrong(str(problem))
        fail(f"{len(error.problems)} problem(s) in {script}; nothing was begun")
    id = drilling.new_id()
    try:
        with Progress(transient=True) as progress:
            shown = _Shown(drill, progress)
            asyncio.run(drilling.play(found, site, drill, id, who(), journal(found), heard=shown, speed=speed))
    except KeyboardInterrupt:
        out.print("stopped: the exercise is closed")
    except drilling.NotBegunError as error:
        fail(str(error))
    except (BrokerError, tls.TlsError) as error:
        fail(f"{error}; the exercise is closed")
    except (OSError, TimeoutError) as error:
        fail(f"no running Foreshock answers on {found.data_folder}: {str(error) or 'time-out'}")
    _tell(found, site, id, file, language, as_json=False)


@app.command("list")
def list_exercises(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the drills that were run, the latest first.

    foreshock exercise list
    """
    found = configured(data=data)
    items = journal(found).exercises()
    zone = site_in_force(found).zone if items else ""

    def cells(one: Row) -> Sequence[object]:
        title = f"{one['title'].get('zh', '')} {one['title'].get('en', '')}"
        return title, local(one["began"], zone), local(one["ended"], zone) or "running", one["actor"], one["id"]

    listing(items, ("title", "began", "ended", "by", "id"), cells, "no exercise was run yet", as_json)


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
    found = configured(data=data)
    require_journal(found)
    _tell(found, site_in_force(found), id, file, language, as_json=as_json)


class _Shown(Heard):
    """Show on the terminal how a drill goes."""

    def __init__(self, drill: Script, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task(drill.title.en, total=drill.lasting)

    def moved(self, seconds: float) -> None:
        self._progress.update(self._task, completed=seconds)

    def said(self, text: Text) -> None:
        self._progress.console.print(plain(f"{text.zh} {text.en}"))

    def missed(self, act: Act, reason: str) -> None:
        self._progress.console.print(plain(f"{act.do} {act.unit or act.step}: {messages.text(reason, 'en')}"))


def _tell(found: Settings, site: Site, id: str, file: Path | None, language: str | None, *, as_json: bool) -> None:
    drill = journal(found).exercise(id)
    if drill is None:
        fail(f"there is no exercise {id}; `foreshock exercise list` names them")
    told = reports.report(drill)
    if as_json:
        print(msgspec.json.encode(told).decode())
    else:
        _show(told)
    if file is None:
        return
    from alerts import paper  # here: printing takes what nothing else needs
    from alerts.duty_sheets import exercise_pdf

    try:
        font = paper.find_font(found.pdf_font)
        file.write_bytes(exercise_pdf(told, site, language or site.language, time.time(), font=font))
    except paper.NoFont as error:
        fail(str(error))
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}")
    done(f"{file} is written")


def _show(told: dict[str, Any]) -> None:
    score = "no objective" if told["score"] is None else f"{told['score']:.0%}, {told['met']} of {told['of']} met"
    out.print(plain(f"{told['id']}: {score}"))
    table = Table("incident", "leg", "took", "objective", "")
    for one in told["incidents"]:
        for leg in one["legs"]:
            took = "never" if leg["seconds"] is None else f"{leg['seconds']:.0f} s"
            wanted = "" if leg["objective"] is None else f"{leg['objective']:.0f} s"
            verdict = "" if leg["met"] is None else "met" if leg["met"] else "missed"
            table.add_row(plain(one["id"]), leg["leg"], took, wanted, verdict)
    out.print(table if told["incidents"] else "it raised no incident")
    for one in told["missed"]:
        out.print(plain(f"{one['do']} {one['of']}: {messages.text(one['reason'], 'en')}"))

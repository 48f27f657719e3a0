"""`foreshock exercise`: run a scripted drill through the real path, and report what it came to."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import Progress
from rich.table import Table

from alerts import exercise as reports
from alerts import messages
from alerts.queries import Reader
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
from scripts.drill_script import Act, Script, read_script
from scripts.drill_signals import Signals
from scripts.simulator.publish import BrokerError
from sensors import observation, tls
from sensors.document import DocumentError
from sensors.lookup import Registry
from sensors.observation import SIMULATED, CameraEvent, Command, Exercise, Report
from sensors.site import Site
from streams.hub import HubClient
from streams.settings import Settings
from streams.supervisor import holder
from streams.topics import OBSERVATIONS

ANSWERED = 5.0
"""Seconds within which the engine answers what the script does."""

GRACE = 120.0
"""Seconds after its last step at which a drill ends by itself: should this process be gone by then."""

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
    id = f"exercise-{uuid.uuid4().hex[:12]}"
    try:
        asyncio.run(_play(found, site, drill, id, speed))
    except KeyboardInterrupt:
        out.print("stopped: the exercise is closed")
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


async def _play(found: Settings, site: Site, drill: Script, id: str, speed: float) -> None:
    """Play a drill from its beginning to its end, whatever happens between."""
    registry = Registry(site)
    partitions = sorted({registry.partition(area) for area in drill.areas})
    actor = who()
    hub, reader, signals = HubClient(found.hub_path), journal(found), Signals(found, site)
    facts: dict[str, Any] = {
        "title": {"zh": drill.title.zh, "en": drill.title.en},
        "areas": drill.areas,
        "units": drill.units,
        "objectives": drill.seconds(),
        "until": time.time() + drill.lasting / speed + GRACE,
    }

    async def say(edge: Any) -> None:
        what = observation.encode(Exercise(id=id, edge=edge, actor=actor, time=time.time(), **facts))
        async with asyncio.timeout(10):
            await hub.produce([(OBSERVATIONS, partition, None, what) for partition in partitions])

    async def wait(condition: Any, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.1)
        return True

    try:
        await say("begin")
        if not await wait(lambda: reader.exercise(id) is not None, 15.0):
            raise TimeoutError("the exercise was not begun: does another one run in its areas?")
        begun = time.monotonic()
        with Progress(transient=True) as progress:
            task = progress.add_task(drill.title.en, total=drill.lasting)
            for number, (at, step) in enumerate(drill.ordered()):
                while (left := begun + at / speed - time.monotonic()) > 0:
                    await asyncio.sleep(min(left, 0.5))
                    progress.update(task, completed=(time.monotonic() - begun) * speed)
                if step.say is not None:
                    progress.console.print(plain(f"{step.say.zh} {step.say.en}"))
                await _step(hub, signals, registry, reader, id, step, actor)
                if step.act is not None:
                    missed = await _act(hub, registry, reader, id, number, step.act)
                    if missed:
                        progress.console.print(plain(f"{step.act.do} {step.act.unit or step.act.step}: {missed}"))
            while (left := begun + drill.lasting / speed - time.monotonic()) > 0:
                await asyncio.sleep(min(left, 0.5))
                progress.update(task, completed=(time.monotonic() - begun) * speed)
    finally:
        await asyncio.shield(say("end"))
        await wait(lambda: (reader.exercise(id) or {"ended": 1.0})["ended"] is not None, 15.0)
        await asyncio.to_thread(signals.close)
        await hub.close()


async def _step(
    hub: HubClient, signals: Signals, registry: Registry, reader: Reader, id: str, step: Any, actor: str
) -> None:
    now = time.time()
    if step.event is not None:
        camera = registry.cameras[step.event.camera]
        named = f"{id}-{uuid.uuid4().hex[:8]}"
        if not await asyncio.to_thread(signals.see, named, camera.id, step.event.kind):
            # the site takes no events of cameras from a broker: it goes into the log as the bridge would put it
            seen = CameraEvent(
                area=camera.areas[0],
                camera=camera.id,
                kind=step.event.kind,
                event=named,
                time=now,
                received=now,
                quality=SIMULATED,
            )
            await _produce(hub, registry, camera.areas[0], seen)
    if step.report is not None:
        told = Report(
            id=f"{id}-{uuid.uuid4().hex[:8]}",
            area=step.report.area,
            category=step.report.category,
            time=now,
            received=now,
            text=f"【演练 EXERCISE】{step.report.text}",
            actor=actor,
            quality=SIMULATED,
        )
        await _produce(hub, registry, step.report.area, told)


async def _act(hub: HubClient, registry: Registry, reader: Reader, id: str, number: int, act: Act) -> str:
    """Play a part of the script; say, and have the journal keep, why it came to nothing. Empty: it was done.

    An act that finds nothing is an order without an object: the engine refuses it, under the drill's id.
    """
    ids, drill = [], reader.exercise(id)
    for target, kind, area, args in _orders(drill, act):
        ids.append(uuid.uuid4().hex)
        await _produce(hub, registry, area, _order(ids[-1], kind, target, area, id, args))
    answers: dict[str, Row] = {}
    end = time.monotonic() + ANSWERED
    while len(answers) < len(ids) and time.monotonic() < end:
        await asyncio.sleep(0.05)
        answers |= {one: found for one in ids if one not in answers and (found := reader.result(one)) is not None}
    if any(answer["ok"] for answer in answers.values()):
        return ""
    refused = next((str(answer["reason"]) for answer in answers.values()), "no_answer" if ids else reports.NOTHING)
    area = drill["areas"][0] if drill else next(iter(registry.areas))
    target = reports.missed_target(act.do, act.unit or act.step, refused)
    await _produce(hub, registry, area, _order(reports.missed_id(id, number), "act", target, area, id, {}))
    return messages.text(refused, "en")


def _order(named: str, kind: str, target: str, area: str, id: str, args: dict[str, Any]) -> Command:
    return Command(id=named, kind=kind, target=target, area=area, actor=f"exercise:{id}", time=time.time(), args=args)


async def _produce(hub: HubClient, registry: Registry, area: str, what: Any) -> None:
    async with asyncio.timeout(10):
        await hub.produce([(OBSERVATIONS, registry.partition(area), None, observation.encode(what))])


def _orders(drill: Row | None, act: Act) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Make the orders by which the script plays a part: target, kind, area and arguments of each."""
    found: list[tuple[str, str, str, dict[str, Any]]] = []
    for incident in drill["incidents"] if drill else ():
        if incident["state"] == "closed":
            continue
        at = incident["id"], incident["area"]
        if act.do == "acknowledge":
            found.append((at[0], "acknowledge", at[1], {}))
        elif act.do == "dispatch":
            found.append((at[0], "dispatch", at[1], {"unit": act.unit, "note": "演练 Exercise"}))
        elif act.do == "tick":
            found.append((at[0], "tick", at[1], {"step": act.step}))
        elif act.do == "close":
            found.append((at[0], "close", at[1], {"disposition": "test", "reason": "演练 Exercise"}))
        else:
            kind = "close" if act.do == "close_dispatch" else act.do
            for dispatch in incident["dispatch_details"]:
                if dispatch["leg"] not in ("closed", "refused") and act.unit in ("", dispatch["unit"]):
                    found.append((dispatch["id"], kind, at[1], {"reason": "演练 Exercise"}))
    return found


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

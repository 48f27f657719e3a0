"""`foreshock simulate`: a district, or a recorded series, over real MQTT."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from scripts.commands.spoken import heads, near, said, speak_as
from scripts.commands.terminal import DataOption, SiteOption, aside, configured, done, err, fail, local, out, warn
from scripts.recording import Problems, ScoreError, number, read_rows
from scripts.simulator import FILMED
from scripts.simulator.footage import Film
from scripts.simulator.publish import Play, play_series
from scripts.simulator.scenes import SCENES, Scene
from scripts.simulator.world import World
from sensors import tls
from sensors.document import DocumentError
from sensors.duration import seconds as seconds_of
from sensors.lookup import Registry
from sensors.publisher import BrokerError, Publisher
from sensors.registry import load_site
from sensors.site import Point, Site
from streams import publication, settings
from streams.brokers import brokers
from streams.embedded.schema import LogError
from streams.processes import child
from streams.settings import Settings, SettingsError

FASTEST = 3600.0


def simulate(
    scene: Annotated[str, typer.Option(help=f"One of {', '.join(SCENES)}.")] = "quiet-night",
    speed: Annotated[
        float, typer.Option(help="1 to 3600 times as fast as life; with --csv, 0 is as fast as the broker takes it.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same district.")] = 1,
    history: Annotated[
        float, typer.Option(min=0, max=720, help="Hours of the past to deliver first, as a gateway would.")
    ] = 0.0,
    seconds: Annotated[float | None, typer.Option(min=0, help="Stop after so many seconds of the scene.")] = None,
    footage: Annotated[
        Path | None, typer.Option(help="Draw what the scene's camera sees into this AVI file, in step with the scene.")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Play this recorded series instead of a scene.")
    ] = None,
    record: Annotated[
        str, typer.Option(help="Write so long a past into a new data folder, at once.", show_default="none")
    ] = "",
    every: Annotated[str, typer.Option(help="With --record: time between the readings of a point.")] = "10 min",
    data: DataOption = None,
    point: Annotated[str | None, typer.Option(help="With --csv: the point that the series is played into.")] = None,
    time_column: Annotated[str, typer.Option("--time", help="With --csv: column of times.")] = "datetime",
    value_column: Annotated[str, typer.Option("--value", help="With --csv: column of values.")] = "value",
    site: SiteOption = None,
    host: Annotated[
        str | None, typer.Option("--mqtt-host", "--host", help="MQTT broker.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--mqtt-port", "--port", help="Port of the MQTT broker.", show_default="1883")
    ] = None,
    list_scenes: Annotated[bool, typer.Option("--list", help="Name the scenes and stop.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but what went wrong.")] = False,
) -> None:
    """Publish the example district, or a recorded series, over real MQTT; every reading is marked as simulated.

    A scene is played with times of the past, so that it ends now: no reading comes from the future, however fast it is
    played. Afterwards the district goes on at the pace of the world until Ctrl-C (or stop after --seconds).

    foreshock simulate --scene gas-leak --speed 10 --history 30

    foreshock simulate --csv river.csv --point river-01-level-1 --time datetime --value level --speed 0

    A point takes readings in the order of their time only: play a series into one that nothing newer was sent to.

    With --record nothing is published: the past, its alarms and what incidents were closed as are written into a data
    folder in which nothing ran yet, to practise on; `foreshock run` goes on from there. It stands for a recording, so
    its readings are not marked.

    foreshock simulate --record '7 d' --data my-data
    """
    if list_scenes:
        table = Table(*heads("scene", "中文", "English", "lasts"))
        for one in SCENES.values():
            table.add_row(one.name, one.title[0], one.title[1], f"{one.lasts / 60:.0f} min")
        out.print(table)
        return
    if scene not in SCENES:
        fail(said(f"there is no scene {scene}; there are {', '.join(SCENES)}") + near(scene, SCENES))
    if not (1 <= speed <= FASTEST or (speed == 0 and csv_file)):
        fail(f"--speed {speed:g}: must be 1 to {FASTEST:g} (or 0, as fast as the broker takes it, with --csv)")
    if csv_file is None and point is not None:
        fail("--point goes with --csv, the file with the series")
    if footage is not None and (csv_file is not None or scene not in FILMED):
        fail(f"--footage: there is a camera to film for in {', '.join(FILMED)} only")
    if record:
        _record(configured(data=data, site=site), record, every, seed, quiet)
        return
    try:
        found = settings.load(site=str(site) if site else None, mqtt_host=host, mqtt_port=port)
        loaded = load_site(found.site_folder)
        speak_as(loaded.language)
        encrypted = brokers(found)[0].encrypted
        context = tls.context(encrypted) if encrypted else None
    except (SettingsError, tls.TlsError) as error:
        fail(str(error))
    except DocumentError as error:
        fail(f"the site is not sound: {error.problems[0]} (see `foreshock check {found.site_folder}`)")
    if os.environ.get(child.PARENT):
        child.follow_parent()
    stop = threading.Event()
    for ends in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ends, lambda *_: stop.set())
    try:
        rows = None if csv_file is None else _series_rows(loaded, csv_file, point, time_column, value_column)
        publisher = Publisher(
            found.mqtt_host or "127.0.0.1",
            found.mqtt_port,
            found.mqtt_username,
            found.mqtt_password,
            stop=stop,
            tell=warn,
            context=context,
        )
        try:
            if rows is not None and csv_file is not None:
                _series(publisher, loaded, csv_file, str(point), rows, speed, stop, quiet)
            else:
                course = _Course(SCENES[scene], speed, seed, history * 3600, seconds, footage)
                _scene(publisher, loaded, course, stop, quiet)
        finally:
            publisher.close()
    except BrokerError as error:
        fail(f"{error}; `foreshock run` starts one, --host and --port name another")


def _record(found: Settings, record: str, every: str, seed: int, quiet: bool) -> None:
    """Write a past into a new data folder; end the command where there is one already."""
    from scripts.simulator import past  # here: it takes the engine along, which plays no scene

    try:
        lasts, apart = seconds_of(record), seconds_of(every)
    except ValueError as error:
        fail(str(error))
    if not (past.SHORTEST <= lasts <= past.LONGEST and past.MOST_OFTEN <= apart <= past.HOUR):
        fail(f"--record takes {past.SHORTEST / 3600:g} h to {past.LONGEST / 86400:g} d, --every 1 to 60 min")
    if (there := past.exists(found)) is not None:
        fail(f"{there} is there already: a past is written into a new data folder only")
    try:
        found.data_folder.mkdir(parents=True, exist_ok=True)
        content = publication.resolve(found.site_folder, found.data_folder)
        stop = time.time() - past.UNTIL
        with _bar(quiet) as progress:
            task = progress.add_task(said(f"{record} of the past"), total=lasts)
            told = past.record(
                found, content, stop - lasts, stop, every=apart, seed=seed,
                advance=lambda passed: progress.advance(task, passed),
            )  # fmt: skip
    except DocumentError as error:
        fail(f"the site is not sound: {error.problems[0]} (see `foreshock check {found.site_folder}`)")
    except (OSError, LogError, publication.IndicesError) as error:
        fail(f"cannot write {found.data_folder}: {error}")
    done(f"{told.readings} readings recorded, {told.incidents} incidents judged")


class _Course(NamedTuple):
    """What is asked of a scene. Times are seconds."""

    scene: Scene
    speed: float
    seed: int
    history: float
    seconds: float | None
    footage: Path | None


def _bar(quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=quiet or not err.is_terminal,
    )


def _scene(publisher: Publisher, site: Site, course: _Course, stop: threading.Event, quiet: bool) -> None:
    scene, speed = course.scene, course.speed
    lasts = scene.lasts if course.seconds is None else course.seconds
    world = World(site, course.seed, scene, time.time() - lasts * (1 - 1 / speed))
    play = Play(site, world, publisher, speed)
    say = Console(quiet=True).print if quiet else err.print
    say(f"[bold]SIMULATION 模拟[/bold] {scene.title[0]} · {scene.title[1]}, {speed:g}×, seed {course.seed}")
    film = None if course.footage is None else Film(course.footage, scene, world.start, lasts, speed, site.zone)
    try:
        _play(play, course, lasts, film, stop, say, quiet)
    finally:
        if film is not None:
            film.close()
    say(f"{play.sent} readings published")


def _play(
    play: Play,
    course: _Course,
    lasts: float,
    film: Film | None,
    stop: threading.Event,
    say: Callable[[str], None],
    quiet: bool,
) -> None:
    with _bar(quiet) as progress:
        if course.history:
            task = progress.add_task(said(f"{course.history / 3600:g} h of history"), total=course.history)
            play.history(course.history, lambda count: progress.advance(task, count), stop)
            play.publisher.flush()
            progress.remove_task(task)
        if film is not None and not stop.is_set():
            film.show()
        task = progress.add_task(course.scene.name, total=lasts)
        played = 0.0

        def advance(passed: float) -> None:
            nonlocal played
            before, played = played, played + passed
            if before < lasts <= played:
                progress.remove_task(task)
                if film is not None:
                    film.end()
                if course.seconds is None:
                    say("the scene is over; the district goes on at the pace of the world (Ctrl-C stops)")
            elif played < lasts:
                progress.advance(task, passed)

        play.live(stop, course.seconds, advance)


def _series_rows(
    site: Site, file: Path, point: str | None, time_column: str, value_column: str
) -> list[tuple[float, float]]:
    if not point:
        fail("--csv needs --point, the point to play into")
    if Registry(site).point(point) is None:
        fail(said(f"--point {point}: the site has no such point") + near(point, [one.id for one in site.points]))
    rows = sorted(_rows(file, time_column, value_column, site.zone))
    if not rows:
        fail(f"{file} has no row with both a time in {time_column} and a number in {value_column}")
    return rows


def _series(
    publisher: Publisher,
    site: Site,
    file: Path,
    point: str,
    rows: list[tuple[float, float]],
    speed: float,
    stop: threading.Event,
    quiet: bool,
) -> None:
    target: Point = Registry(site).points[point]
    shift = time.time() - rows[-1][0] if speed != 1 else time.time() - rows[0][0]
    topic = f"{site.signals.native}/readings/{target.areas[0]}/{target.id}"
    with _bar(quiet) as progress:
        task = progress.add_task(said("playing"), total=len(rows))
        sent = play_series(
            publisher,
            topic,
            rows,
            speed=speed,
            shift=shift,
            simulated=True,
            advance=lambda count: progress.advance(task, count),
            stop=stop,
        )
    if sent < len(rows):
        aside(f"stopped after {sent} of {len(rows)} readings")
        return
    first, last = (local(rows[place][0] + shift, site.zone) for place in (0, -1))
    done(f"{sent} readings of {file.name} published to {topic}, stamped {first} to {last}")


def _rows(file: Path, time_column: str, value_column: str, zone: str) -> Iterator[tuple[float, float]]:
    """Read (unix time, value) pairs as `foreshock score` does; rows without a number are passed over."""
    try:
        with file.open("rb") as source:
            for row in read_rows(file, source, time_column, (value_column,), ZoneInfo(zone), Problems()):
                value = number(row.values[0])
                if math.isfinite(value):
                    yield row.time, value
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")
    except ScoreError as error:
        fail(str(error))

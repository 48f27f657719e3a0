"""`foreshock simulate`: a district, or a recorded series, over real MQTT."""

from __future__ import annotations

import csv
import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from scripts.commands.terminal import SiteOption, err, fail, out
from scripts.simulator.publish import BrokerError, Play, Publisher, play_series
from scripts.simulator.scenes import SCENES
from scripts.simulator.world import World
from sensors.document import DocumentError
from sensors.lookup import Registry
from sensors.registry import load_site
from sensors.site import Point, Site
from streams import settings

FASTEST = 3600.0


def simulate(
    scene: Annotated[str, typer.Option(help=f"One of {', '.join(SCENES)}.")] = "quiet-night",
    speed: Annotated[float, typer.Option(help="1 to 3600 times as fast as life; 0 with --csv is flat out.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same district.")] = 1,
    history: Annotated[float, typer.Option(help="Hours of the past to deliver first, as a gateway would.")] = 0.0,
    seconds: Annotated[float | None, typer.Option(help="Stop after so many seconds of the scene.")] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Play this recorded series instead of a scene.")
    ] = None,
    point: Annotated[str | None, typer.Option(help="The point that the series is played into.")] = None,
    time_column: Annotated[str, typer.Option("--time", help="Column of times in the CSV.")] = "datetime",
    value_column: Annotated[str, typer.Option("--value", help="Column of values in the CSV.")] = "value",
    site: SiteOption = None,
    host: Annotated[str | None, typer.Option(help="MQTT broker.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the MQTT broker.", show_default="1883")] = None,
    list_scenes: Annotated[bool, typer.Option("--list", help="Name the scenes and stop.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """Publish the example district, or a recorded series, over real MQTT; every reading is marked as simulated.

    A scene that lasts an hour at --speed 30 starts with times two minutes of waiting away from catching up with now: no
    reading ever comes from the future. After the scene the district goes on at the pace of the world.
    """
    if list_scenes:
        table = Table("scene", "", "", "lasts")
        for one in SCENES.values():
            table.add_row(one.name, one.title[0], one.title[1], f"{one.lasts / 60:.0f} min")
        out.print(table)
        return
    found = settings.load(site=str(site) if site else None, mqtt_host=host, mqtt_port=port)
    if scene not in SCENES:
        fail(f"there is no scene {scene}; there are {', '.join(SCENES)}")
    if not (1 <= speed <= FASTEST or (speed == 0 and csv_file)):
        fail(f"--speed {speed:g}: must be 1 to {FASTEST:g} (or 0, flat out, with --csv)")
    try:
        loaded = load_site(found.site_folder)
    except DocumentError as error:
        fail(f"the site is not sound: {error.problems[0]} (see `foreshock check {found.site_folder}`)")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        publisher = Publisher(found.mqtt_host or "127.0.0.1", found.mqtt_port, found.mqtt_username, found.mqtt_password)
        try:
            if csv_file is not None:
                _series(publisher, loaded, csv_file, point, time_column, value_column, speed, stop, quiet)
            else:
                _scene(publisher, loaded, scene, speed, seed, history * 3600, seconds, stop, quiet)
        finally:
            publisher.close()
    except BrokerError as error:
        fail(str(error))


def _bar(quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=quiet or not err.is_terminal,
    )


def _scene(
    publisher: Publisher,
    site: Site,
    name: str,
    speed: float,
    seed: int,
    history: float,
    seconds: float | None,
    stop: threading.Event,
    quiet: bool,
) -> None:
    scene = SCENES[name]
    lasts = scene.lasts if seconds is None else seconds
    start = time.time() - lasts * (1 - 1 / speed)
    world = World(site, seed, scene, start)
    play = Play(site, world, publisher, speed)
    err.print(f"[bold]SIMULATION 模拟[/bold] {scene.title[0]} · {scene.title[1]}, {speed:g}×, seed {seed}")
    with _bar(quiet) as progress:
        if history:
            task = progress.add_task("history, s", total=int(history))
            play.history(history, lambda count: progress.advance(task, count), stop)
            publisher.flush()
        os.environ.pop("FORESHOCK_READY_FD", None)
        play.live(stop, seconds)
    err.print(f"{play.sent} readings published")


def _series(
    publisher: Publisher,
    site: Site,
    file: Path,
    point: str | None,
    time_column: str,
    value_column: str,
    speed: float,
    stop: threading.Event,
    quiet: bool,
) -> None:
    target: Point | None = Registry(site).point(point or "")
    if target is None:
        fail(f"--point {point}: the site has no such point" if point else "--csv needs --point, the point to play into")
    rows = list(_rows(file, time_column, value_column, site.zone))
    if not rows:
        fail(f"{file} has no row with both {time_column} and {value_column}")
    shift = time.time() - rows[-1][0] if speed != 1 else time.time() - rows[0][0]
    topic = f"{site.signals.native}/readings/{target.areas[0]}/{target.id}"
    with _bar(quiet) as progress:
        task = progress.add_task("playing", total=len(rows))
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
    out.print(f"[green]✓[/green] {sent} readings of {file.name} published to {topic}, the last one stamped now")


def _rows(file: Path, time_column: str, value_column: str, zone: str) -> Iterator[tuple[float, float]]:
    """Read (unix time, value) pairs; rows without a number are passed over."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            for column in (time_column, value_column):
                if column not in (reader.fieldnames or ()):
                    fail(f"{file} has no column {column}; it has {', '.join(reader.fieldnames or ())}")
            for row in reader:
                try:
                    at = datetime.fromisoformat(row[time_column])
                    value = float(row[value_column])
                except (ValueError, TypeError):
                    continue
                if at.tzinfo is None:
                    at = at.replace(tzinfo=ZoneInfo(zone))
                if value == value:
                    yield at.timestamp(), value
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")

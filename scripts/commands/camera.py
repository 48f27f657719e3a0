"""`foreshock camera`: look at a camera as the product does."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from alerts.operations import begun, operations
from alerts.queries import JournalMissing, Reader
from scripts.commands.spoken import heads, said
from scripts.commands.terminal import DataOption, JsonOption, aside, configured, fail, out, plain, require_journal
from sensors.camera.eye import reader_of
from sensors.camera.health import Health, Judgement
from sensors.camera.still import PREFIX
from sensors.camera.stream import Frame, Stream, redacted
from sensors.site import HealthSettings
from streams import bundle, publication, shelf
from streams.figures import read_figures

app = typer.Typer(no_args_is_help=True, help="Look at a camera as the product does; list how all fare.")

SCHEMES = ("rtsp", "rtsps", "http", "https")
"""Streams that are read; anything else is a file."""

LATE = 60.0
"""Seconds without a frame after which a camera is not read any more."""

STYLE = {"good": "green", "learning": "dim", "unjudged": "yellow", "fault": "red", "lost": "red"}


@app.callback()
def _camera() -> None:
    """Look at a camera as the product does; list how all fare."""


@app.command("list")
def list_cameras(
    days: Annotated[float, typer.Option(min=0.01, max=366.0, help="Days that the figures are of.")] = 30.0,
    by: Annotated[str, typer.Option(help="camera, area or supplier.")] = "camera",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List how cameras fare, the worst first: what is wrong now, share of time in order, troubles, time to repair.

    Counted from the alarms of data quality about cameras: a camera that no rule watches has no troubles.

    foreshock camera list --by supplier

    foreshock camera list --days 7 --json
    """
    if by not in ("camera", "area", "supplier"):
        fail(f"--by {by}: must be camera, area or supplier")
    found = configured(data=data)
    folder = found.data_folder
    require_journal(found)
    try:
        site = bundle.unpack(publication.read(folder)).site
        with contextlib.closing(Reader(found.journal_url)) as reader:
            now = time.time()
            published = [one.time for one in shelf.listed(folder)]
            since = max(now - 86400.0 * days, begun(published, reader.first()))
            changes = reader.camera_transitions([one.id for one in site.cameras], since)
    except (OSError, ValueError, JournalMissing) as error:
        fail(f"cannot read {folder}: {error}; `foreshock doctor` may say more")
    figures = read_figures(folder)  # the worker's know cameras that only send events, too
    seen = {**figures.get("worker", {}).get("cameras", {}), **figures.get("camera", {}).get("seen", {})}
    live = {name: "live" if now - at < LATE else "stale" for name, at in seen.items()}
    told = operations(site.cameras, changes, live, since, now)
    if as_json:
        print(json.dumps(told))
        return
    named = "camera" if by == "camera" else "name"
    columns = ("area", "supplier", "read") if by == "camera" else ("cameras", "read")
    table = Table(*heads(by, *columns, "troubled", "in order", "troubles", "repaired", "hours to repair"))
    for one in told[f"{by}s"]:
        own = (one["area"], one["supplier"], said(one["state"])) if by == "camera" else (one["cameras"], one["online"])
        hours = "" if one["time_to_repair"] is None else f"{one['time_to_repair'] / 3600:.1f}"
        troubled = (said("yes") if one["troubled"] else "") if by == "camera" else one["troubled"]
        order = "" if one["in_order"] is None else f"{100 * one['in_order']:.2f} %"
        row = (one[named], *own, troubled, order, one["troubles"], one["repairs"], hours)
        table.add_row(*(plain(str(cell)) for cell in row))
    out.print(table if told["cameras"] else said("the site has no cameras"))


@app.command()
def check(
    source: Annotated[str, typer.Argument(help="A file, an rtsp:// or http(s):// stream.")],
    json_: JsonOption = False,
    still: Annotated[bool, typer.Option("--still", help="SOURCE is the address of a still: ask for it again.")] = False,
    rate: Annotated[
        float, typer.Option(min=0.1, max=30.0, help="Frames a second; all limits count frames at one a second.")
    ] = 1.0,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Stop after so long; a file ends by itself.", show_default="never")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.5, max=60.0, help="Seconds that opening or an answer may take.")
    ] = 5.0,
    fast: Annotated[bool, typer.Option("--fast", help="Read a file as fast as it goes, with its own times.")] = False,
    ignore: Annotated[
        list[str] | None, typer.Option(help="A fault not to be told; may be repeated.", show_default="none")
    ] = None,
) -> None:
    """Judge a camera's picture: a line whenever its state changes.

    States: *learning* (the first half minute), *good*, *fault* (black, freeze, blur, cover, shift, overexposed, each
    with a confidence from 0 to 1), *unjudged* (too little in the view to tell blur, cover and shift), *lost*.
    Ends with code 1 when the last state is a fault or loss.

    foreshock camera check rtsp://127.0.0.1:8554/slope --seconds 60

    foreshock camera check film.avi --fast --json
    """
    scheme = source.partition("://")[0].lower() if "://" in source else ""
    if scheme and scheme not in SCHEMES:
        fail(f"{redacted(source)}: a stream is one of {', '.join(f'{one}://' for one in SCHEMES)}, or a file")
    if not scheme and Path(source).is_dir():
        fail(f"{source} is a folder; name a file of it")
    try:
        health = Health(_settings(ignore or []))
    except ValueError as error:
        fail(str(error))
    stop, begun = threading.Event(), time.monotonic()
    file = "://" not in source
    reader = (
        reader_of(PREFIX + source, timeout)
        if still
        else Stream(source, rate, pace=not (file and fast), loop=False, timeout=timeout)
    )
    reader.rate = rate
    frames = 0

    def say(change: Judgement | None) -> None:
        if change is None:
            return
        faults = {str(fault): sure for fault, sure in sorted(change.faults.items())}
        if json_:
            line = {"time": round(change.time, 3), "state": change.state, "confidences": faults}
            print(json.dumps(line | {"judged": change.judged}), flush=True)
            return
        when = datetime.fromtimestamp(change.time).strftime("%H:%M:%S")
        listed = "  ".join(f"{said(fault)} {sure:.2f}" for fault, sure in faults.items())
        style = STYLE[change.state]
        out.print(f"{when}  [{style}]{said(change.state):<9}[/{style}]  {plain(listed)}".rstrip())

    def take(at: float, frame: Frame) -> None:
        nonlocal frames
        frames += 1
        say(health.feed(at, frame))
        if seconds is not None and time.monotonic() - begun >= seconds:
            stop.set()

    def trouble(sentence: str) -> None:
        aside(sentence)
        say(health.lost(time.time()))
        if file:
            stop.set()

    timer = threading.Timer(seconds, stop.set) if seconds is not None else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        reader.run(take, stop, trouble)
    except KeyboardInterrupt:
        stop.set()
    if not frames and (health.now is None or file):
        fail(f"{redacted(source)} gave no frame")
    if health.now is not None and health.now.faults:
        raise typer.Exit(1)


def _settings(ignore: list[str]) -> HealthSettings:
    import msgspec

    try:
        return msgspec.convert({"ignore": ignore}, HealthSettings)
    except msgspec.ValidationError as error:
        raise ValueError(f"--ignore takes black, freeze, blur, cover, shift and overexposed: {error}") from error

"""`foreshock camera`: look at a camera as the product does."""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime
from typing import Annotated

import typer

from scripts.commands.terminal import JsonOption, err, fail, out, plain
from sensors.camera.eye import reader_of
from sensors.camera.health import Health, Judgement
from sensors.camera.still import PREFIX
from sensors.camera.stream import Frame, Stream, redacted
from sensors.site import HealthSettings

app = typer.Typer(no_args_is_help=True, help="Look at a camera as the product does.")

STYLE = {"good": "green", "learning": "dim", "unjudged": "yellow", "fault": "red", "lost": "red"}


@app.callback()
def _camera() -> None:
    """Look at a camera as the product does."""


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
        listed = "  ".join(f"{fault} {sure:.2f}" for fault, sure in faults.items())
        style = STYLE[change.state]
        out.print(f"{when}  [{style}]{change.state:<9}[/{style}]  {plain(listed)}".rstrip())

    def take(at: float, frame: Frame) -> None:
        nonlocal frames
        frames += 1
        say(health.feed(at, frame))
        if seconds is not None and time.monotonic() - begun >= seconds:
            stop.set()

    def trouble(sentence: str) -> None:
        err.print(plain(sentence))
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

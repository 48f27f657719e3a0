"""`foreshock status`: what is running, and how the district is."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import typer
from rich.cells import cell_len

from alerts.queries import JournalMissing, Reader
from scripts.commands.spoken import language, said
from scripts.commands.terminal import (
    LEVEL_STYLE,
    DataOption,
    JsonOption,
    configured,
    done,
    local,
    out,
    plain,
    site_in_force,
    tell,
)
from sensors.site import Site
from streams import models_watch, settings
from streams.figures import read_figures, silent
from streams.hub import HubClient
from streams.model_shelf import ModelsError
from streams.supervisor import holder
from streams.topics import PULSE

WAIT = 3.0
WRONG, DOUBT = "[red]✗[/red] ", "[yellow]![/yellow] "


def status(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Say whether Foreshock runs on this data folder, what flows, and what is open.

    Exit code 3 when it does not run; 4 when it runs and its worker says nothing for three seconds, because it starts
    or catches up after a break.
    """
    found = configured(data=data)
    folder = found.data_folder
    site = site_in_force(found)
    try:
        pulse = asyncio.run(_pulse(found))
    except (OSError, TimeoutError):
        pulse = None
    counts = _counts(found)
    processes, process = read_figures(folder), holder(folder)
    warnings = _warnings(found, site)
    if as_json:
        answer = {
            "running": pulse is not None or process is not None,
            "pulse": pulse,
            "open": counts,
            "processes": processes,
            "silent": silent(folder) if process is not None else {},
            "models": warnings,
        }
        print(msgspec.json.encode(answer).decode())
    else:
        _print(pulse, counts, processes, site.zone, process)
        for name, age in silent(folder).items() if process is not None else ():
            tell(f"{name} has written no figures for {age:.0f} s: a full disk, or it hangs", DOUBT)
        for one in warnings:
            tell(_warned(one["warning"]), DOUBT)
    if pulse is None:
        raise typer.Exit(3 if process is None else 4)


def _print(
    pulse: dict[str, Any] | None, counts: dict[str, int], processes: dict[str, Any], zone: str, process: str | None
) -> None:
    if pulse is None and process is not None:
        tell(f"running (process {process}), but the worker is silent: it starts or catches up", DOUBT)
    elif pulse is None:
        tell("not running", WRONG)
    else:
        done(f"running, {local(pulse['time'], zone)} at the site")
        if pulse.get("trouble"):
            tell(pulse["trouble"], WRONG)
        _row("readings", said(f"{pulse['readings_per_second']:g}/s, {pulse['readings']} since start"))
        _row("points", said(f"{pulse['points_live']} of {pulse['points_total']} live"))
        _row("engine", said(f"{pulse['engine_lag']} records behind, {pulse['gaps']} gaps"))
        if pulse.get("guessed"):  # of points that declare no kind
            _row("guessed", ", ".join(f"{id}: {kind}" for id, kind in sorted(pulse["guessed"].items())))
        if pulse["quarantine"]:  # by bridges and cameras as well as by the engine
            _row("refused", ", ".join(f"{n} {reason}" for reason, n in pulse["quarantine"].items()))
    for name, figures in processes.items():
        line = ", ".join(f"{key} {value}" for key, value in figures.items() if isinstance(value, int | float | bool))
        out.print(f"  {plain(name):<9} {plain(line)}")
        if figures.get("trouble") and name != "worker":
            tell(f"{name}: {figures['trouble']}", WRONG)
    levels = " ".join(f"[{LEVEL_STYLE[level]}] {counts.get(level, 0)} {said(level)} [/]" for level in LEVEL_STYLE)
    note = plain(said("(risk incidents with an active alarm; `foreshock alarms list` has all)"))
    out.print(f"{_name('open')}{levels}  {note}")


def _row(name: str, figures: str) -> None:
    out.print(f"{_name(name)}{plain(figures)}")


def _name(name: str) -> str:
    """Say what figures are of, in a column of its own."""
    shown = said(name)
    return f"  {plain(shown)}{' ' * max(1, 10 - cell_len(shown))}"


def _warned(warning: dict[str, str]) -> str:
    """Give a model's warning in the language that is spoken."""
    return warning.get("en" if language() == "en" else "zh") or warning["en"]


def _warnings(found: settings.Settings, site: Site) -> list[dict[str, Any]]:
    """List the areas' models that are in drift."""
    try:
        watched = models_watch.watched(found.data_folder, site)
    except ModelsError as error:
        return [{"area": "", "warning": {"en": str(error)}}]
    return [models_watch.as_plain(one) for one in watched if one.warning]


def _counts(found: settings.Settings) -> dict[str, int]:
    """Count the open incidents by level; nothing before there is a journal."""
    try:
        reader = Reader(found.journal_url)
    except JournalMissing:
        return {}
    try:
        return dict(reader.counts())
    finally:
        reader.close()


async def _pulse(found: settings.Settings) -> dict[str, Any]:
    """Wait for the worker's next pulse. Raise TimeoutError when there is none in three seconds."""
    if not found.hub_path.exists():
        raise TimeoutError
    client = HubClient(found.hub_path)
    begun = time.monotonic()
    try:
        async with asyncio.timeout(WAIT):
            async for topic, _, _, value in client.subscribe([PULSE]):
                if topic == PULSE:
                    return dict(msgspec.msgpack.decode(value))
    finally:
        await client.close()
    raise TimeoutError(time.monotonic() - begun)

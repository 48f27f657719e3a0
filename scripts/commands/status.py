"""`foreshock status`: what is running, and how the district is."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import typer

from alerts.queries import JournalMissing, Reader
from scripts.commands.terminal import (
    LEVEL_STYLE,
    DataOption,
    JsonOption,
    configured,
    local,
    out,
    plain,
    site_in_force,
)
from sensors.site import Site
from streams import models_watch, settings
from streams.figures import read_figures, silent
from streams.hub import HubClient
from streams.model_shelf import ModelsError
from streams.supervisor import holder
from streams.topics import PULSE

WAIT = 3.0


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
            out.print(
                f"[yellow]![/yellow] {plain(name)} has written no figures for {age:.0f} s: a full disk, or it hangs"
            )
        for one in warnings:
            for said in one["warning"].values():
                out.print(f"[yellow]![/yellow] {plain(said)}")
    if pulse is None:
        raise typer.Exit(3 if process is None else 4)


def _print(
    pulse: dict[str, Any] | None, counts: dict[str, int], processes: dict[str, Any], zone: str, process: str | None
) -> None:
    if pulse is None and process is not None:
        out.print(f"[yellow]![/yellow] running (process {process}), but the worker is silent: it starts or catches up")
    elif pulse is None:
        out.print("[red]✗[/red] not running")
    else:
        out.print(f"[green]✓[/green] running, {local(pulse['time'], zone)} at the site")
        if pulse.get("trouble"):
            out.print(f"[red]✗[/red] {plain(pulse['trouble'])}")
        out.print(f"  readings  {pulse['readings_per_second']:g}/s, {pulse['readings']} since start")
        out.print(f"  points    {pulse['points_live']} of {pulse['points_total']} live")
        out.print(f"  engine    {pulse['engine_lag']} records behind, {pulse['gaps']} gaps")
        if pulse.get("guessed"):  # of points that declare no kind
            out.print(
                "  guessed   " + ", ".join(f"{plain(id)} a {kind}" for id, kind in sorted(pulse["guessed"].items()))
            )
        if pulse["quarantine"]:  # by bridges and cameras as well as by the engine
            out.print("  refused   " + ", ".join(f"{n} {plain(reason)}" for reason, n in pulse["quarantine"].items()))
    for name, figures in processes.items():
        line = ", ".join(f"{key} {value}" for key, value in figures.items() if isinstance(value, int | float | bool))
        out.print(f"  {plain(name):<9} {plain(line)}")
        if figures.get("trouble") and name != "worker":
            out.print(f"[red]✗[/red] {plain(name)}: {plain(figures['trouble'])}")
    levels = " ".join(f"[{LEVEL_STYLE[level]}] {counts.get(level, 0)} {level} [/]" for level in LEVEL_STYLE)
    out.print(f"  open      {levels}  (risk incidents with an active alarm; `foreshock alarms list` has all)")


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

"""`foreshock quality`: the points whose data are poor, the worst first."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec
import numpy as np
import typer
from rich.table import Table

from alerts.console.quality import QualityStore
from alerts.console.rates import ENOUGH, LEVELS, ScoreRates
from scripts.commands.spoken import heads, near, said
from scripts.commands.terminal import DataOption, JsonOption, configured, fail, local, out, plain, site_in_force
from sensors.lookup import Registry
from streams.figures import read_figures
from streams.processes.console import Backlog, decode_scores
from streams.settings import Settings


def quality(
    area: Annotated[str | None, typer.Option(help="Only this area.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    rates: Annotated[
        bool,
        typer.Option(
            "--rates",
            help="How often scores come, over how often they should (1 is right), and alarms against the budget.",
        ),
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the points whose readings were late, repeated, out of range, stuck and so on within a day, the worst first.

    Cameras whose clock is wrong come last.

    foreshock quality

    foreshock quality --area slope-01 --json

    foreshock quality --rates
    """
    found = configured(data=data)
    site = site_in_force(found)
    registry = Registry(site)
    if area is not None and registry.area(area) is None:
        fail(said(f"no area '{area}'") + near(area, registry.areas))
    if rates:
        _rates(found, registry, area, limit, as_json)
        return
    store = QualityStore(registry)
    for partition, _, record in Backlog(found).scores({}):
        try:
            point, times, values, _, flags = decode_scores(record)
        except ValueError:
            continue  # of another version
        store.append(np.full(len(point), partition), point, times, values, flags, None)
    clocks: dict[str, float] = {}
    of_cameras: dict[str, float] = {}
    for figures in read_figures(found.data_folder).values():  # each broker has a bridge of its own
        clocks |= figures.get("clocks", {})
        of_cameras |= figures.get("camera_clocks", {})
    listed = store.worst(time.time(), clocks, area=area, limit=limit)
    cameras = store.cameras(of_cameras, area=area)[:limit]
    if as_json:
        listed += cameras
        print(msgspec.json.encode(listed).decode())
        return
    table = Table(*heads("point", "readings by flag, within a day", "clock", "last good reading"))
    for one in listed:
        counts = ", ".join(
            f"{count} {said(name)}" for name, count in sorted(one["day"].items(), key=lambda pair: -pair[1])
        )
        clock = "" if one["clock"] is None else f"{one['clock']:+.1f} s"
        table.add_row(plain(one["point"]), counts, clock, local(one["last_good"], site.zone) or said("never"))
    for one in cameras:
        table.add_row(plain(said(f"camera {one['camera']}")), "", f"{one['clock']:+.1f} s", "")
    out.print(table if listed or cameras else said("no reading was flagged within a day"))


def _rates(found: Settings, registry: Registry, area: str | None, limit: int, as_json: bool) -> None:
    store = ScoreRates(registry)
    for partition, _, record in Backlog(found).scores({}):
        try:
            point, _, _, scores, flags = decode_scores(record)
        except ValueError:
            continue  # of another version
        store.append(np.full(len(point), partition), point, scores, flags)
    listed = store.listed(area=area, limit=limit)
    if as_json:
        print(msgspec.json.encode(listed).decode())
        return
    table = Table(*heads("point", "scored readings", *(f"at {level}" for level in LEVELS), "alarms", "allowed"))
    for one in listed:
        ratios = [f"{ratio:.2f}" for ratio in one["ratios"].values()]
        table.add_row(
            plain(one["point"]),
            str(one["scored"]),
            *ratios,
            str(one["alarms"]),
            said(f"{one['allowed']:.2g} in {one['days']:.2g} d"),
        )
    out.print(table if listed else said(f"no point has {ENOUGH} scored readings yet"))

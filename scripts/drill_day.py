"""Play a day of 5 000 readings/s in an hour, or a part of one: memory, files, disk and latency stay as they are.

Frames come at QoS 1 as fast as `--speedup` says, stamped with the time they are sent: a day's readings, and the day's
retention scaled down with it, so that the log fills to its bound and is cut from then on. Meanwhile one point after the
other crosses its limit, and its order is waited for. What each process holds is noted all along, and the last quarter
is held against the second: the first is for what fills once. Prints a JSON line; exit code 1 where a reading that was
acknowledged is not taken, an order is missing, something grows, or the log is larger than its policy allows.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts.bench_pipeline import PROBES, content, listening, load, settled, taken
from scripts.drill_flood import LATE, RATED, megabytes
from scripts.product import Product

DAY = 24.0
"""Hours of a day, and so how many times faster than life it passes in an hour."""

LOG_GIGABYTES = 20.0 / DAY
"""What of the default retention's gigabytes (`FORESHOCK_RETENTION_GIGABYTES`) an hour may hold of a day's."""

OVERHEAD = 1.5
"""Bytes on the disk for one of the policy's: a quarter is for scores, the rest for pages that are not full."""

FIXED_MEGABYTES = 300.0
"""What the data folder holds besides: snapshots, moments, journal, and the log's own log before it is taken over."""

MORE_MEGABYTES, MORE_SHARE = 24.0, 0.1
MORE_FILES = 8
MORE_SECONDS = 0.25


def files(product: Product) -> dict[str, int]:
    """Count each process's open files."""
    pids = {**product.pids(), **product.pids(broker=True)}
    return {name: len([*Path(f"/proc/{pid}/fd").iterdir()]) for name, pid in pids.items()}


def folder_megabytes(folder: Path) -> float:
    """Measure what a folder takes of the disk; what is removed meanwhile counts for nothing."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += (Path(root) / name).stat().st_blocks * 512
    return total / 1e6


def quarters(samples: Sequence[float]) -> tuple[float, float]:
    """Give the medians of the second quarter and of the last."""
    size = max(1, len(samples) // 4)
    return statistics.median(samples[size : 2 * size] or samples), statistics.median(samples[-size:])


def grown(samples: Sequence[dict[str, float]], most: Callable[[float], float]) -> dict[str, list[float]]:
    """Name what has grown by more than it may, from the second quarter to the last: from where, and to where."""
    found = {}
    for name in samples[-1]:
        before, after = quarters([one[name] for one in samples if name in one])
        if after > before + most(before):
            found[name] = [round(before, 1), round(after, 1)]
    return found


def drill(product: Product, seconds: float, rate: float) -> dict[str, Any]:
    """Play it, and count."""
    got: dict[str, float] = {}
    sent: dict[str, float] = {}
    memory: list[dict[str, float]] = []
    handles: list[dict[str, float]] = []
    disk: list[float] = []
    pids, began = product.pids(), taken(product)
    with listening(product, got) as client:
        player = load(product, "frames", rate, seconds, qos=1)
        end, begun = time.monotonic() + seconds, time.monotonic()
        while time.monotonic() < end:
            if len(sent) < min(PROBES, (time.monotonic() - begun) / seconds * PROBES):
                number = len(sent)
                sent[f"probe{number}"] = time.time()
                client.publish(f"foreshock/readings/probe{number}/x{number}", b'{"value": 200}', qos=1)
            memory.append(megabytes(product))
            handles.append({**files(product)})
            disk.append(folder_megabytes(product.settings.data_folder))
            time.sleep(1.0)
        figures = json.loads(player.communicate(timeout=120)[0])
        deadline = time.monotonic() + LATE
        while len(got) < len(sent) and time.monotonic() < deadline:
            time.sleep(0.1)
        reached, _ = settled(product)
    took = [got[area] - at for area, at in sent.items() if area in got]
    early, late = quarters(took) if took else (0.0, LATE)
    more_memory = grown(memory, lambda before: MORE_MEGABYTES + MORE_SHARE * before)
    more_files = grown(handles, lambda _: MORE_FILES)
    bound = product.settings.retention_gigabytes * 1000 * OVERHEAD + FIXED_MEGABYTES
    return {
        "drill": "day",
        "seconds": round(seconds),
        "rate": figures["rate"],
        "sent": figures["readings"],
        "hours_of_a_day": round(figures["readings"] / RATED / 3600, 2),
        "lost": max(0, figures["readings"] + len(got) - (reached - began)),
        "orders": len(sent),
        "orders_missing": len(sent) - len(took),
        "order_seconds_early": round(early, 3),
        "order_seconds_late": round(late, 3),
        "order_seconds_most": round(max(took, default=LATE), 3),
        "memory_megabytes": {
            name: [round(part, 1) for part in quarters([one[name] for one in memory])] for name in pids
        },
        "memory_grown": len(more_memory),
        "files": {name: [round(part) for part in quarters([one[name] for one in handles])] for name in pids},
        "files_grown": len(more_files),
        "disk_megabytes_most": round(max(disk)),
        "disk_megabytes_bound": round(bound),
        "disk_megabytes_quarters": [round(part) for part in quarters(disk)],
        "processes_restarted": sum(product.pids().get(name) != pid for name, pid in pids.items()),
        "met": late <= early + MORE_SECONDS,
    }


def main(
    minutes: Annotated[float, typer.Option(help="Minutes that it is played for; 60 are a whole day.")] = 60.0,
    speedup: Annotated[float, typer.Option(help="How many times faster than life.")] = DAY,
    gigabytes: Annotated[float, typer.Option(help="Most that the log may hold.")] = LOG_GIGABYTES,
    timely: Annotated[bool, typer.Option("--timely", help="Fail where orders take longer in the end.")] = False,
) -> None:
    """Run the drill and print what was counted."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Product(Path(folder), content(), retention_gigabytes=gigabytes) as product,
    ):
        time.sleep(2.0)
        line = drill(product, minutes * 60.0, speedup * RATED)
    print(json.dumps(line))
    names = ("lost", "orders_missing", "memory_grown", "files_grown", "processes_restarted")
    too_large = line["disk_megabytes_most"] > line["disk_megabytes_bound"]
    if any(line[name] for name in names) or too_large or (timely and not line["met"]):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)

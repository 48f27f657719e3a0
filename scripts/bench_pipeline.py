"""What the whole product costs: broker and load generator apart, its processes together, over real MQTT.

Prints one JSON line a figure: CPU microseconds a reading (user + system of the product's processes, from /proc) for
single readings and for frames, readings a second end to end, milliseconds from publish to the dispatch event on MQTT,
time to ready, and the p99 of an API request meanwhile. Latency depends on the broker's TCP_NODELAY: the embedded one
sets it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import numpy as np
import paho.mqtt.client as mqtt
import typer

from alerts.console.accounts.store import open_accounts
from alerts.console.accounts.tokens import add_token
from rules.rule import Rule
from scripts.bench_engine import POINTS, rules
from scripts.load import bench_site
from scripts.product import Product
from sensors.site import Area, Point, Site, Unit
from streams.bundle import Bundle

PROBES = 240
"""Areas with one point that nothing else writes: each gives one dispatch event, once."""

TICKS = os.sysconf("SC_CLK_TCK")


def probed(site: Site) -> Site:
    """Add areas with a point each, whose rule dispatches at once."""
    places = [place.id for place in site.places if place.kind == "community"]
    name, kind = site.name, site.area_types[0].id
    areas = [
        Area(id=f"probe{k}", name=name, type=kind, place=places[k % len(places)], group=f"s{k % 10}")
        for k in range(PROBES)
    ]
    points = [
        Point(id=f"x{k}", name=name, areas=(f"probe{k}",), quantity="probe", unit="mm", index=POINTS + k)
        for k in range(PROBES)
    ]
    unit = Unit(id="team", name=name, kind="district", place="d")
    return msgspec.structs.replace(site, areas=(*site.areas, *areas), points=(*site.points, *points), units=(unit,))


def content(partitions: int = 1, count: int = 100) -> Bundle:
    """Make the bench's site: a thousand points with so many rules, and the probes with theirs."""
    listed = msgspec.to_builtins(rules(count, everywhere=False))
    probe = {
        **listed[0],
        "id": "probe",
        "where": {"quantity": "probe"},
        "levels": {"red": {"when": "value > 100", "clear": "value < 50"}},
    }
    site = probed(bench_site(POINTS, partitions=partitions))
    return Bundle(site=site, rules=msgspec.convert([*listed, probe], tuple[Rule, ...]))


def cpu(pids: dict[str, int]) -> dict[str, float]:
    """Read each process's user and system seconds."""
    used = {}
    for name, pid in pids.items():
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        used[name] = (int(fields[11]) + int(fields[12])) / TICKS
    return used


def say(figure: str, value: float, unit: str, bar: float | None = None, *, most: bool = True, **more: Any) -> None:
    """Print one figure; `most` says whether the bar is an upper one."""
    line = {"bench": "pipeline", "figure": figure, "value": round(value, 3), "unit": unit, "bar": bar, **more}
    if bar is not None:
        line["met"] = value <= bar if most else value >= bar
    print(json.dumps(line), flush=True)


def load(product: Product, mode: str, rate: float, seconds: float, qos: int = 0) -> subprocess.Popen[str]:
    """Start the load generator in a process of its own."""
    arguments = ["--port", str(product.settings.mqtt_port), "--mode", mode, "--rate", str(rate)]
    arguments += ["--duration", str(seconds), "--qos", str(qos), "--points", str(POINTS)]
    return subprocess.Popen([sys.executable, "-m", "scripts.load", *arguments], stdout=subprocess.PIPE, text=True)


def taken(product: Product) -> int:
    """Count the readings that the engine has taken, as of its last pulse."""
    return int(product.figures("worker").get("readings", 0))


def settled(product: Product, patience: float = 60.0) -> tuple[int, float]:
    """Wait until nothing more arrives; return the readings taken, and when (monotonic) the last were seen taken."""
    last, reached, deadline = -1, time.monotonic(), time.monotonic() + patience
    while time.monotonic() - reached < 2.2 and time.monotonic() < deadline:
        now = taken(product)
        if now != last:
            last, reached = now, time.monotonic()
        time.sleep(0.1)
    return last, reached


def cost(product: Product, mode: str, rate: float, seconds: float, bar: float | None) -> None:
    """Measure CPU a reading at an offered rate."""
    pids = product.pids()
    before, started, begun = taken(product), cpu(pids), time.monotonic()
    generator = load(product, mode, rate, seconds)
    sent = json.loads(generator.communicate(timeout=seconds + 120)[0])
    after, reached = settled(product)
    wall = time.monotonic() - begun
    readings = after - before
    used = {name: value - started[name] for name, value in cpu(pids).items()}
    idle = IDLE * wall
    total = max(0.0, sum(used.values()) - idle)
    parts = {name: round(value / max(readings, 1) * 1e6, 2) for name, value in used.items()}
    name = f"{mode} at {rate / 1000:g} k/s" if rate else f"{mode} flat out"
    say(
        name,
        total / max(readings, 1) * 1e6,
        "us/reading",
        bar,
        parts=parts,
        sent=sent["readings"],
        taken=readings,
        sent_rate=sent["rate"],
    )
    if mode == "frames" and not rate:
        rate = readings / (reached - begun)
        say("frames end to end", rate, "readings/s", 100_000, most=False, sent=sent["readings"], taken=readings)


IDLE = 0.0
"""CPU seconds a second of the product at rest, measured before; taken off what a load costs."""


def measure_idle(product: Product, seconds: float) -> float:
    """Measure what the product costs at rest."""
    pids = product.pids()
    before = cpu(pids)
    time.sleep(seconds)
    return sum(value - before[name] for name, value in cpu(pids).items()) / seconds


@contextlib.contextmanager
def listening(product: Product, got: dict[str, float]) -> Iterator[mqtt.Client]:
    """Subscribe to dispatch events and note when each area's first arrives."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)

    def on_message(_client: Any, _data: Any, message: Any) -> None:
        now = time.time()
        event = msgspec.json.decode(message.payload)
        got.setdefault(str(event["data"]["area"]["id"]), now)

    client.on_message = on_message
    client.connect("127.0.0.1", product.settings.mqtt_port)
    client.subscribe("foreshock/dispatches/#", qos=0)
    client.loop_start()
    yield client
    client.loop_stop()


def latency(product: Product, rate: float, token: str) -> None:
    """Measure publish → dispatch event, and API requests meanwhile, at a background rate."""
    got: dict[str, float] = {}
    sent: dict[str, float] = {}
    requests: list[float] = []
    done = threading.Event()

    def ask() -> None:
        url = f"http://127.0.0.1:{product.settings.port}/api/v1/incidents"
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=5) as client:
            while not done.wait(0.05):
                begun = time.perf_counter()
                client.get(url).raise_for_status()
                requests.append((time.perf_counter() - begun) * 1000)

    with listening(product, got) as client:
        background = load(product, "singles", rate, PROBES * 0.1 + 6)
        time.sleep(3)
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        for k in range(PROBES):
            sent[f"probe{k}"] = time.time()
            client.publish(f"foreshock/readings/probe{k}/x{k}", b'{"value": 200}', qos=0)
            time.sleep(0.1)
        background.communicate(timeout=120)
        deadline = time.monotonic() + 10
        while len(got) < PROBES and time.monotonic() < deadline:
            time.sleep(0.1)
        done.set()
        asking.join(5)
    taken_ms = np.array([(got[area] - sent[area]) * 1000 for area in sent if area in got])
    missed = PROBES - len(taken_ms)
    if len(taken_ms):
        for share, bar in ((50, 20.0), (99, 60.0)):
            value = float(np.percentile(taken_ms, share))
            say(f"publish to dispatch event p{share} at {rate:g}/s", value, "ms", bar, missed=missed, tcp_nodelay=True)
    if requests:
        say("API request p99 meanwhile", float(np.percentile(requests, 99)), "ms", 50.0, requests=len(requests))


def main(
    seconds: Annotated[float, typer.Option(help="Seconds of each load.")] = 8.0,
    quick: Annotated[bool, typer.Option("--quick", help="Only 60 k/s, frames and latency.")] = False,
) -> None:
    """Print the pipeline's figures."""
    global IDLE
    with tempfile.TemporaryDirectory() as name, Product(Path(name), content()) as product:
        say("ready", product.ready, "s", 3.0)
        accounts = open_accounts(product.settings.data_folder / "accounts.sqlite")
        token = add_token(accounts, "bench", ["viewer"])[1]
        accounts.close()
        time.sleep(2)
        IDLE = measure_idle(product, 4.0)
        say("at rest", IDLE * 1000, "ms CPU a second")
        for rate, bar in ((2000.0, None), (20_000.0, None), (60_000.0, 8.0)):
            if quick and bar is None:
                continue
            cost(product, "singles", rate, seconds, bar)
        cost(product, "frames", 60_000.0, seconds, 2.5)
        cost(product, "frames", 200_000.0, seconds, 2.5)
        cost(product, "frames", 0.0, seconds, 2.5)
        latency(product, 5000.0, token)
        for name, pid in product.pids().items():
            memory = next(x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmRSS"))
            say(f"memory of {name}", int(memory.split()[1]) / 1024, "MB")


if __name__ == "__main__":
    typer.run(main)

"""What the console takes: a change to fifty viewers while readings flow, the first view's size, and a month's trace.

Prints one JSON line a figure. The product's real processes run under a load over MQTT; viewers are open event streams,
and a change is a comment on an incident: from the moment it is sent until each viewer has it. Sizes are what Chromium
takes over the wire until the page stands, signed in, with an incident that has a history and pictures; without Chromium
a line says so. By the clock, but for the trace.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import cv2
import httpx
import numpy as np
import paho.mqtt.publish as publish
import typer

from alerts.console.accounts import add_token, add_user, open_accounts
from alerts.console.exploring import gather
from alerts.console.traces import decimate
from scripts import bench_pipeline as pipeline
from scripts.product import Product
from sensors import frame
from sensors.camera.snapshot import encode, keep
from sensors.observation import Command
from sensors.observation import encode as encoded
from streams.embedded.reader import LogReader
from streams.embedded.store import Log, TopicSpec
from streams.history.newest import newest
from streams.hub import HubClient
from streams.settings import Settings
from streams.topics import OBSERVATIONS

VIEWERS, CHANGES, APART = 50, 100, 0.1  # seconds between two changes
REACHES = 300.0  # ms to all viewers, p99
DUTY_BYTES, PHONE_BYTES = 500_000, 150_000
MONTH, READINGS, MOST_SECONDS = 30 * 86400.0, 1_000_000, 1.0
PICTURES = 21  # of the incident that the duty page opens with, as a night on the slope has them
PATIENCE = 30.0  # seconds
QUIET = 1.0  # seconds without anything more that came, after which the page stands
CHROMIUM = "/usr/bin/chromium"
PASSWORD = "a bench's password"  # noqa: S105 - of accounts in a folder that is thrown away


def say(figure: str, value: float, unit: str, bar: float | None = None, **more: Any) -> None:
    """Print one figure."""
    line = {"bench": "console", "figure": figure, "value": round(value, 3), "unit": unit, "bar": bar, **more}
    if bar is not None:
        line["met"] = value <= bar
    print(json.dumps(line), flush=True)


async def watch(client: httpx.AsyncClient, got: dict[str, list[float]], ready: asyncio.Semaphore) -> None:
    """Follow changes until it is cancelled; note when each comment of the bench came."""
    async with client.stream("GET", "/changes") as answer:
        answer.raise_for_status()
        ready.release()
        async for line in answer.aiter_lines():
            if line.startswith("data: ") and '"bench-' in line:
                now = time.perf_counter()
                key = line.split('"bench-', 1)[1].split('"', 1)[0]
                got.setdefault(key, []).append(now)


async def changes(product: Product, tokens: list[str], incident: str, viewers: int, count: int) -> None:
    """Send comments while viewers watch; print how long each took to reach them."""
    got: dict[str, list[float]] = {}
    sent: dict[str, float] = {}
    ready = asyncio.Semaphore(0)
    url = f"http://127.0.0.1:{product.settings.port}/api/v1"
    limits = httpx.Limits(max_connections=None)
    clients = [
        httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(PATIENCE, read=60.0),
            limits=limits,
        )
        for token in tokens
    ]
    watching = [asyncio.create_task(watch(clients[n % len(clients)], got, ready)) for n in range(viewers)]
    async with asyncio.timeout(PATIENCE):
        for _ in watching:
            await ready.acquire()
    before, began = pipeline.taken(product), time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number * APART - time.monotonic()))
        sent[str(number)] = time.perf_counter()
        answer = await clients[0].post(f"/incidents/{incident}/comment", json={"text": f"bench-{number}"})
        answer.raise_for_status()
    flowed = (pipeline.taken(product) - before) / (time.monotonic() - began)
    deadline = time.monotonic() + PATIENCE
    while sum(map(len, got.values())) < viewers * count and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    for client in clients:
        await client.aclose()
    took = [(at - sent[key]) * 1000 for key, times in got.items() for at in times]
    more = {"viewers": viewers, "missed": viewers * count - len(took), "readings_per_second": round(flowed)}
    say("a change to a viewer, p50", float(np.percentile(took, 50)), "ms", None, **more)
    say("a change to a viewer, p99", float(np.percentile(took, 99)), "ms", REACHES, **more)


async def photograph(product: Product, incident: str) -> int:
    """Put pictures of a camera with an incident, as the camera process does; return the bytes of one."""
    rng, now, size = np.random.default_rng(3), time.time(), 0
    hub = HubClient(product.settings.hub_path)
    for number in range(PICTURES):
        coarse = rng.integers(40, 200, (9, 16, 3), np.uint8)
        seen = encode(cv2.resize(coarse, (1280, 720), interpolation=cv2.INTER_CUBIC))  # type: ignore[arg-type]
        args = {
            "camera": "cam",
            "sha": keep(product.settings.data_folder / "snapshots", seen),
            "time": now - 10 * number,
        }
        taken = Command(
            id=f"picture-{number}",
            kind="snapshot",
            target=incident,
            area="probe0",
            actor="camera:cam",
            time=now,
            args=args,
        )
        await hub.produce([(OBSERVATIONS, 0, None, encoded(taken))])
        size = len(seen)
    await hub.close()
    return size


def sizes(url: str) -> None:
    """Load the duty page and the phone page in a fresh browser; print what came over the wire until they stood."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print(json.dumps({"bench": "console", "figure": "first view", "skipped": "playwright is not installed"}))
        return
    if not Path(CHROMIUM).exists():
        print(json.dumps({"bench": "console", "figure": "first view", "skipped": f"there is no {CHROMIUM}"}))
        return
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, path, who, stands, most in (
            ("first view of the duty page", "/", "officer", "[data-test=queue] li", DUTY_BYTES),
            ("first view of the phone page", "/field/", "team", "main.field h1", PHONE_BYTES),
        ):
            page = browser.new_context(service_workers="block").new_page()
            taken: list[float] = []
            wire = page.context.new_cdp_session(page)
            wire.send("Network.enable")
            wire.on("Network.loadingFinished", lambda event, taken=taken: taken.append(event["encodedDataLength"]))
            page.goto(url + path)
            page.locator("input[autocomplete=username]").fill(who)
            page.locator("input[type=password]").fill(PASSWORD)
            began = time.monotonic()
            page.keyboard.press("Enter")
            page.locator(stands).first.wait_for()
            page.wait_for_load_state("load")
            seconds, came = round(time.monotonic() - began, 2), -1
            while came < len(taken):
                came = len(taken)
                page.wait_for_timeout(1000 * QUIET)
            say(name, sum(taken), "bytes", most, requests=len(taken), after_signing_in_s=seconds)
            page.context.close()
        browser.close()


def month() -> None:
    """Read a point's month of a million readings out of a log, and gather it into 2 000 spans; CPU seconds."""
    start, size = 1_790_000_000.0, 200
    at = start + np.arange(READINGS) * (MONTH / READINGS)
    with tempfile.TemporaryDirectory() as folder:
        path = Settings(data=folder).log_file
        records = []
        for first in range(0, READINGS, size):
            times = at[first : first + size]
            blank = np.zeros(len(times), np.uint32), np.zeros(len(times), np.uint8)
            packed = frame.encode(
                blank[0], times, np.sin(times / 86400), blank[1], registry="v", received=float(times[-1])
            )
            records.append((OBSERVATIONS, 0, None, packed))
        with Log(path, {OBSERVATIONS: TopicSpec(1)}) as log:
            for first in range(0, len(records), 1000):
                log.write(records[first : first + 1000])
        began = time.process_time()
        with LogReader(path) as reader:
            found = gather(newest(reader, 0, start, float(at[-1])), [0], start, float(at[-1]), seconds=60.0)
        spans = decimate(found.series[0], 2000)
        used = time.process_time() - began
    say("a month of a point, CPU", used, "s", MOST_SECONDS, readings=len(found.series[0].time), spans=len(spans.time))


def main(
    rate: Annotated[float, typer.Option(help="Readings a second while changes are sent.")] = 5000.0,
    viewers: Annotated[int, typer.Option(help="Open event streams.")] = VIEWERS,
    count: Annotated[int, typer.Option(help="Changes that are sent.")] = CHANGES,
) -> None:
    """Print the console's figures."""
    month()
    with tempfile.TemporaryDirectory() as name, Product(Path(name), pipeline.content()) as product:
        accounts = open_accounts(product.settings.data_folder / "accounts.sqlite")
        tokens = [add_token(accounts, f"bench{n}", ["duty"])[1] for n in range(1 + viewers // 50)]
        add_user(accounts, "officer", PASSWORD, ["duty"])
        add_user(accounts, "team", PASSWORD, ["field"], unit="team")
        accounts.close()
        publish.single(
            "foreshock/readings/probe0/x0",
            b'{"value": 200}',
            qos=1,
            hostname="127.0.0.1",
            port=product.settings.mqtt_port,
        )
        url = f"http://127.0.0.1:{product.settings.port}"
        incident = _first(url, tokens[0])
        background = pipeline.load(product, "singles", rate, count * APART + 8)
        time.sleep(3)  # until the load flows
        asyncio.run(changes(product, tokens, incident, viewers, count))
        background.communicate(timeout=120)
        size = asyncio.run(photograph(product, incident))
        print(json.dumps({"bench": "console", "figure": "pictures", "value": PICTURES, "bytes_each": size}))
        sizes(url)


def _first(url: str, token: str) -> str:
    deadline = time.monotonic() + PATIENCE
    with httpx.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}) as client:
        while time.monotonic() < deadline:
            if found := client.get("/incidents").json()["items"]:
                return str(found[0]["id"])
            time.sleep(0.1)
    raise SystemExit("no incident came of the reading that should raise one")


if __name__ == "__main__":
    typer.run(main)

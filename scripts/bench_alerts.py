"""What alarms cost: in the engine, from a command to the journal, as pages of a journal of years, and in a flood.

Prints one JSON line a figure. The journal of years is made once, in `--journal`, if it is not there: ten million rows
(`--rows 10000000`) take about ten minutes and 10 GB; the default is a tenth of that, and says so. What the product does
is measured on its real processes: commands over HTTP while 5 000 readings a second flow, and 5 000 alarms within ten
seconds with a mail server that takes one notice a minute. CPU time where one process is measured, wall time elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import numpy as np
import paho.mqtt.client as mqtt
import typer
from aiosmtpd.controller import Controller
from rich.console import Console
from rich.progress import Progress

from alerts.console.accounts.store import open_accounts
from alerts.console.accounts.tokens import add_token
from alerts.desk import Desk
from alerts.notifiers.deliveries import Deliveries
from alerts.outcome import AlarmTransition
from alerts.queries import Reader
from rules.rule import Rule
from scripts import bench_pipeline as pipeline
from scripts.bench_engine import rules
from scripts.load import bench_site
from scripts.ports import free_port
from scripts.product import Product
from scripts.years import Turn, fill
from sensors.observation import Command
from sensors.site import Site, Unit
from streams.bundle import Bundle

BEGIN = 1.6e9
OPEN = 10_000
FLOOD, FLOOD_SECONDS = 5000, 10.0


def say(figure: str, value: float, unit: str, bar: float | None = None, **more: Any) -> None:
    """Print one figure."""
    line = {"bench": "alerts", "figure": figure, "value": round(value, 3), "unit": unit, "bar": bar, **more}
    if bar is not None:
        line["met"] = value <= bar
    print(json.dumps(line), flush=True)


def manned(site: Site) -> Site:
    """Give a site one unit, that of the whole district."""
    return msgspec.structs.replace(site, units=(Unit(id="team", name=site.name, kind="district", place="d"),))


# Pages


def pages(reader: Reader) -> dict[str, Callable[[], object]]:
    """Name the pages that people turn, in the middle of the journal as well as at its end."""
    middle, area, unit = reader.position() // 2, "a7", "team"
    some = [area, "a8", "gone"]  # an account's places
    return {
        "alarms that are open": lambda: reader.alarms("open"),
        "all alarms": lambda: reader.alarms("all"),
        "all alarms, years back": lambda: reader.alarms("all", before=middle),
        "alarms in a state": lambda: reader.alarms("UNACK"),
        "alarms of an area": lambda: reader.alarms("all", area),
        "alarms of an area, years back": lambda: reader.alarms("all", area, before=middle),
        "alarms of an area in a state": lambda: reader.alarms("NORM", area),
        "alarms set aside": lambda: reader.set_aside(),
        "incidents that are open": lambda: reader.incidents("open"),
        "incidents that are closed": lambda: reader.incidents("closed"),
        "incidents in a state": lambda: reader.incidents("calm"),
        "incidents of an area, years back": lambda: reader.incidents("all", area, before=middle),
        "incidents of an area in a state": lambda: reader.incidents("calm", area),
        "all dispatches, years back": lambda: reader.dispatches(state="all", before=middle),
        "dispatches at a leg": lambda: reader.dispatches(state="accepted"),
        "dispatches of a unit, years back": lambda: reader.dispatches(unit, state="all", before=middle),
        "dispatches of two units": lambda: reader.dispatches([unit, "none"], state="all"),
        "alarms of some areas": lambda: reader.alarms("all", some),
        "closed incidents of some areas": lambda: reader.incidents("closed", some),
        "dispatches of an area without any": lambda: reader.dispatches(state="all", area="gone"),
        "dispatches of some areas at a leg": lambda: reader.dispatches(state="closed", area=some),
        "changes, years back": lambda: reader.changes(middle),
        "an area's summary": lambda: reader.summary(area),
        "open incidents by level": lambda: reader.counts(),
        "one incident with its history": lambda: reader.incident(reader.incidents("all", limit=1).items[0]["id"]),
    }


def measure_pages(path: Path, rows: int) -> None:
    """Measure each page, the better of two; say the slowest, and which."""
    if not path.exists():
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("years", total=None)
            site, rule = manned(bench_site(1000)), rules(1, everywhere=False)[0]
            fill(path, site, rule, rows, BEGIN, lambda n, total: progress.update(task, completed=n, total=total))
    reader = Reader(path)
    with reader.engine.connect() as connection:
        names = ("alarms", "transitions", "incidents", "incident_changes", "dispatches", "dispatch_changes", "results")
        query = " + ".join(f"(SELECT count(*) FROM {name})" for name in names)  # noqa: S608 - our own names
        rows = int(connection.exec_driver_sql(f"SELECT {query}").scalar() or 0)
    took = {}
    for name, page in pages(reader).items():
        times = []
        for _ in range(2):
            begun = time.perf_counter()
            page()
            times.append(time.perf_counter() - begun)
        took[name] = min(times) * 1000
    reader.close()
    slowest = sorted(took, key=lambda name: -took[name])
    for name in slowest[:3]:
        say(name, took[name], "ms", 100.0, rows=rows)
    say("median page", float(np.median([*took.values()])), "ms", None, rows=rows, pages=len(took))


# The engine


def measure_desk() -> None:
    """Measure what a transition costs the desk at ten thousand open alarms: CPU microseconds an alarm's transition."""
    site, rule = manned(bench_site(OPEN)), rules(1, everywhere=False)[0]
    desk, at = Desk(site), BEGIN
    made: dict[str, str] = {}
    for point in site.points:
        at += 0.01
        out = desk.condition(Turn(rule, point.id, point.areas[0], 0, 2, at, at), at)
        made[point.id] = next(one.alarm for one in out if isinstance(one, AlarmTransition))
    chosen = site.points[:: OPEN // 1000]

    def cost(name: str, work: Callable[[Any, float], list[Any]]) -> None:
        nonlocal at
        begun, count = time.process_time(), 0
        for point in chosen:
            at += 0.01
            count += sum(isinstance(one, AlarmTransition) for one in work(point, at))
        used = (time.process_time() - begun) / max(count, 1)
        say(name, used * 1e6, "us/transition", 50.0, open=len(desk.book.cases.alarms), transitions=count)

    def turned(before: int, after: int) -> Callable[[Any, float], list[Any]]:
        return lambda point, now: desk.condition(Turn(rule, point.id, point.areas[0], before, after, now, now), now)

    def ordered(kind: str) -> Callable[[Any, float], list[Any]]:
        def work(point: Any, now: float) -> list[Any]:
            id, area = made[point.id], point.areas[0]
            return desk.command(
                Command(id=f"{kind}-{id}", kind=kind, target=id, area=area, actor="user:li", time=now), now
            )

        return work

    cost("raise to a higher level", turned(2, 3))
    cost("acknowledge", ordered("acknowledge"))
    cost("return to normal", turned(3, 0))
    cost("alarm", turned(0, 2))
    begun = time.process_time()
    for _ in range(100):
        at += 0.001
        desk.tick(at)
    say("tick with nothing due", (time.process_time() - begun) * 1e4, "us", None, open=len(desk.book.cases.alarms))


# The running product


@contextlib.contextmanager
def client(product: Product) -> Iterator[httpx.Client]:
    """Give a client that may order."""
    accounts = open_accounts(product.settings.data_folder / "accounts.sqlite")
    token = add_token(accounts, "bench", ["duty"])[1]
    accounts.close()
    url = f"http://127.0.0.1:{product.settings.port}/api/v1"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=10) as made:
        yield made


def listed(http: httpx.Client, path: str) -> list[dict[str, Any]]:
    """Read all pages of a list."""
    items: list[dict[str, Any]] = []
    before: int | None = None
    while True:
        asked = {"limit": 500, **({"before": before} if before else {})}
        page = http.get(path, params=asked).raise_for_status().json()
        items += page["items"]
        before = page["next"]
        if before is None:
            return items


def wait(what: Callable[[], bool], seconds: float) -> bool:
    """Wait until something holds; tell whether it came to."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def measure_commands(rate: float) -> None:
    """Measure acknowledgements over HTTP, which answer once the journal has the transition, while readings flow."""
    with (
        tempfile.TemporaryDirectory() as name,
        Product(Path(name), pipeline.content()) as product,
        client(product) as http,
    ):
        radio = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        radio.connect("127.0.0.1", product.settings.mqtt_port)
        radio.loop_start()
        for k in range(pipeline.PROBES):
            radio.publish(f"foreshock/readings/probe{k}/x{k}", b'{"value": 200}', qos=1)
        wait(lambda: len(listed(http, "/alarms")) >= pipeline.PROBES, 30)
        alarms = [one["id"] for one in listed(http, "/alarms")]
        background = pipeline.load(product, "singles", rate, len(alarms) * 0.08 + 8)
        time.sleep(3)
        took, before = [], pipeline.taken(product)
        begun = time.monotonic()
        for number, id in enumerate(alarms):
            time.sleep(max(0.0, begun + number * 0.08 - time.monotonic()))
            sent = time.perf_counter()
            http.post(f"/alarms/{id}/acknowledge", json={}).raise_for_status()
            took.append((time.perf_counter() - sent) * 1000)
        flowed = (pipeline.taken(product) - before) / (time.monotonic() - begun)
        background.communicate(timeout=120)
        reader = Reader(product.settings.journal_url)
        acked = sum(row["acknowledged_by"] is not None for id in alarms if (row := reader.alarm(id)) is not None)
        reader.close()
        radio.loop_stop()
    more = {"commands": len(took), "journalled": acked, "readings_per_second": round(flowed)}
    say("command to journalled transition, p50", float(np.percentile(took, 50)), "ms", None, **more)
    say("command to journalled transition, p99", float(np.percentile(took, 99)), "ms", 150.0, **more)


class Letters:
    """A mail server that notes when each letter came."""

    def __init__(self) -> None:
        self.came: list[float] = []

    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802 - aiosmtpd's own name
        """Take a letter in."""
        self.came.append(time.monotonic())
        return "250 OK"


def flooded() -> Bundle:
    """Make a site whose every point raises an alarm above 100."""
    [first] = msgspec.to_builtins(rules(1, everywhere=True))
    levels = {"orange": {"when": "value > 100", "clear": "value < 50"}}
    site = manned(bench_site(FLOOD, partitions=2))
    return Bundle(site=site, rules=msgspec.convert([{**first, "levels": levels}], tuple[Rule, ...]))


def measure_flood() -> None:
    """Raise 5 000 alarms within ten seconds; count incidents, notices a minute and target, and what is lost."""
    letters, port, content = Letters(), free_port(), flooded()
    server = Controller(letters, hostname="127.0.0.1", port=port)
    server.start()
    with tempfile.TemporaryDirectory() as name:
        notify = Path(name) / "notify.yaml"
        notify.write_text(
            f"targets:\n  - {{kind: mail, name: duty, host: 127.0.0.1, port: {port}, tls: none, allow_private: true, "
            "sender: f@example.org, to: [li@example.org], per_minute: 1}\n"
        )
        data = Path(name) / "data"
        with Product(data, content, notify=str(notify)) as product, client(product) as http:
            radio = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
            radio.max_inflight_messages_set(1000)
            radio.connect("127.0.0.1", product.settings.mqtt_port)
            radio.loop_start()
            begun = time.monotonic()
            for number, point in enumerate(content.site.points):
                time.sleep(max(0.0, begun + number * FLOOD_SECONDS / FLOOD - time.monotonic()))
                radio.publish(f"foreshock/readings/{point.areas[0]}/{point.id}", b'{"value": 200}', qos=1)
            sent = time.monotonic() - begun
            reader = Reader(product.settings.journal_url)
            wait(lambda: sum(row["count"] for row in map(reader.summary, reader.areas())) >= FLOOD, 60)
            settled = time.monotonic() - begun
            incidents = listed(http, "/incidents")
            each = Counter(row["area"] for row in incidents)
            alarms = sum(reader.summary(area)["count"] for area in each)
            orders = {row["id"] for row in reader.outbox(0, 100_000) if row["kind"] == "dispatch"}
            deliveries = Deliveries(data / "outbox.sqlite")
            wait(lambda: not _untold(orders, deliveries), 200)
            lost = len(_untold(orders, deliveries))
            deliveries.close()
            reader.close()
            radio.loop_stop()
    server.stop()
    times = letters.came
    closest = min((after - before for before, after in pairwise(times)), default=60.0)
    more = {"sent_in": round(sent, 1), "journalled_after": round(settled, 1), "areas": len(each)}
    say("flood: alarms that were lost", FLOOD - alarms, "alarms", 0, alarms=alarms, **more)
    say("flood: incidents an area, at most", max(each.values(), default=0), "incidents", 1, incidents=len(incidents))
    per_minute = max((sum(at <= one < at + 59.5 for one in times) for at in times), default=0)
    say(
        "flood: notices a minute and target, at most",
        per_minute,
        "notices",
        1,
        notices=len(times),
        apart=round(closest, 1),
    )
    say("flood: dispatch events that nobody was told of", lost, "events", 0, events=len(orders))


def _untold(orders: set[str], deliveries: Deliveries) -> set[str]:
    """Name the events that the one who gets mail was told of neither by themselves nor in a digest."""
    return {id for id in orders if not deliveries.is_delivered("duty:li@example.org", id)}


def main(
    rows: Annotated[int, typer.Option(help="Rows of the journal of years, if it is to be made.")] = 1_000_000,
    journal: Annotated[Path | None, typer.Option(help="Where it is, or is to be kept; else it is thrown away.")] = None,
    rate: Annotated[float, typer.Option(help="Readings a second while commands are given.")] = 5000.0,
    only: Annotated[str, typer.Option(help="Only this part: desk, pages, commands or flood.")] = "",
) -> None:
    """Print the figures of alarms."""
    parts = {
        "desk": measure_desk,
        "pages": lambda: measure_pages(journal or Path(folder) / "journal.sqlite", rows),
        "commands": lambda: measure_commands(rate),
        "flood": measure_flood,
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, part in parts.items():
            if only in ("", name):
                part()


if __name__ == "__main__":
    typer.run(main)

"""Send ten times the readings that a site is planned for, and count: memory is bounded, alarms come, all is counted.

Single readings come at `--times` the rated 5 000 a second, at QoS 0: what the product cannot take is let go of by the
MQTT broker, and counted there. Meanwhile one point after the other crosses its limit, at QoS 1 as a source does that
must be heard. At the end each reading that was sent was taken, refused or dropped, and every order was heard. Prints a
JSON line; exit code 1 where a reading is not accounted for, an order is missing or a process has grown beyond its
bound, and with `--timely` also where an order took longer than two seconds.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts.bench_pipeline import PROBES, content, listening, load, settled, taken
from scripts.product import Product

RATED = 5000.0
"""Readings a second that one box is planned for."""

MOST_GROWTH = 512.0
"""Megabytes by which a process may grow in a flood."""

PROMPT = 2.0
"""Seconds within which an order has to be heard, from the reading on."""

LATE = 30.0
"""Seconds after which an order that was not heard is missing."""


def megabytes(product: Product) -> dict[str, float]:
    """Read each process's resident memory."""
    found = {}
    for name, pid in {**product.pids(), **product.pids(broker=True)}.items():
        fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        found[name] = int(fields["VmRSS"].split()[0]) / 1024
    return found


def let_go(product: Product) -> dict[str, int]:
    """Count by where and why what did not become a reading of the engine."""
    places = (("broker", "dropped"), ("broker", "refused"), ("bridge", "refused"), ("worker", "refused"))
    return {
        f"{process} {reason}": count
        for process, kind in places
        for reason, count in product.figures(process).get(kind, {}).items()
        if count
    }


def drill(product: Product, seconds: float, rate: float) -> dict[str, Any]:
    """Flood it, and count."""
    got: dict[str, float] = {}
    sent: dict[str, float] = {}
    before, began = megabytes(product), taken(product)
    most = dict(before)
    with listening(product, got) as client:
        flood = load(product, "singles", rate, seconds)
        end = time.monotonic() + seconds
        while time.monotonic() < end and len(sent) < PROBES:
            number = len(sent)
            sent[f"probe{number}"] = time.time()
            client.publish(f"foreshock/readings/probe{number}/x{number}", b'{"value": 200}', qos=1)
            time.sleep(1.0)
            most = {name: max(most.get(name, 0.0), now) for name, now in megabytes(product).items()}
        figures = json.loads(flood.communicate(timeout=seconds + 120)[0])
        deadline = time.monotonic() + LATE
        while len(got) < len(sent) and time.monotonic() < deadline:
            time.sleep(0.1)
        reached, _ = settled(product)
    gone = let_go(product)
    took = sorted(got[area] - at for area, at in sent.items() if area in got)
    return {
        "drill": "flood",
        "rate": round(figures["readings"] / seconds),
        "sent": figures["readings"],
        "taken": reached - began - len(got),
        "let_go": gone,
        "unaccounted": figures["readings"] + len(sent) - (reached - began) - sum(gone.values()),
        "orders": len(sent),
        "orders_missing": len(sent) - len(took),
        "order_seconds_p50": round(took[len(took) // 2], 3) if took else None,
        "order_seconds_most": round(took[-1], 3) if took else None,
        "grown_most_megabytes": round(max(most[name] - before.get(name, most[name]) for name in most), 1),
        "met": bool(took) and took[-1] <= PROMPT,
    }


def main(
    seconds: Annotated[float, typer.Option(help="Seconds of the flood.")] = 60.0,
    times: Annotated[float, typer.Option(help="How many times what is planned for.")] = 10.0,
    timely: Annotated[bool, typer.Option("--timely", help="Fail where an order was long in coming.")] = False,
) -> None:
    """Run the drill and print what was counted."""
    with tempfile.TemporaryDirectory() as folder, Product(Path(folder), content()) as product:
        time.sleep(2.0)
        line = drill(product, seconds, times * RATED)
    print(json.dumps(line))
    grown = line["grown_most_megabytes"] > MOST_GROWTH
    if line["unaccounted"] or line["orders_missing"] or grown or (timely and not line["met"]):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)

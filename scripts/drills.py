"""Run all drills, in a short form or a long one, and write down what they counted.

python -m scripts.drills                 a short form of most: three minutes of CPU in all
python -m scripts.drills --long          the long forms
python -m scripts.drills --long --write  and their figures into docs/reliability.md
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"
TABLE = re.compile(r"(<!-- drills: [^\n]* -->\n).*?(<!-- end of drills -->)", re.DOTALL)
MOST = 3600.0
"""Seconds that one drill may take."""

NOTHING_TO_RUN_ON = 77
"""Exit code of a drill whose server this machine does not have: it says so, and is not counted."""


class Drill(NamedTuple):
    """One drill: what it is called, its module, and its arguments in either form."""

    name: str
    module: str
    short: Sequence[str]
    long: Sequence[str]


DRILLS = (
    Drill("kill", "drill_kill", ("--kills", "5"), ("--kills", "60")),
    Drill("kill, on Kafka", "drill_kill", ("--kills", "7", "--on", "kafka"), ("--kills", "60", "--on", "kafka")),
    Drill("network", "drill_network", ("--times", "1", "--rate", "500"), ("--times", "5")),
    Drill(
        "network, Mosquitto, MQTT 5",
        "drill_network",
        (),
        ("--times", "5", "--broker", "mosquitto", "--version", "5"),
    ),
    Drill("InfluxDB away", "drill_influx", ("--away", "10", "--kills", "1"), ("--away", "600")),
    Drill(
        "faults",
        "drill_faults",
        ("--seconds", "1", "--rate", "300", "--only", "full disk"),
        ("--seconds", "60"),
    ),
    Drill("faults, on Kafka", "drill_faults", (), ("--seconds", "60", "--on", "kafka")),
    Drill(
        "faults, three brokers",
        "drill_faults",
        (),
        ("--seconds", "60", "--on", "kafka", "--brokers", "3", "--only", "leader,rolling,kafka"),
    ),
    Drill(
        "faults, PostgreSQL away",
        "drill_faults",
        (),
        ("--seconds", "600", "--rate", "200", "--on", "kafka", "--only", "postgresql"),
    ),
    Drill("flood", "drill_flood", ("--seconds", "3", "--times", "2"), ("--timely",)),
    Drill("day", "drill_day", (), ("--minutes", "55", "--timely")),
    Drill(
        "rebalance",
        "drill_rebalance",
        ("--times", "1", "--steps", "machine", "--rate", "300"),
        ("--times", "5", "--standby", "--timely"),
    ),
)
"""All drills. One without a short form is only run in its long one. No time fails a short form: a busy machine is no
loss."""


class Result(NamedTuple):
    """What came of a drill."""

    drill: Drill
    arguments: Sequence[str]
    passed: bool
    lines: list[dict[str, Any]]
    seconds: float
    cpu: float


def run(drill: Drill, arguments: Sequence[str]) -> Result | None:
    """Run one drill in a process of its own, which says its trouble on the terminal; None: it has no server."""
    begun, before = time.monotonic(), _cpu()
    try:
        command = [sys.executable, "-m", f"scripts.{drill.module}", *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=MOST)
        if done.returncode == NOTHING_TO_RUN_ON:
            return None
        passed, text = done.returncode == 0, done.stdout
    except subprocess.TimeoutExpired:
        passed, text = False, ""
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return Result(drill, arguments, passed and bool(lines), lines, time.monotonic() - begun, _cpu() - before)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(results: Sequence[Result], day: str) -> str:
    """Write results as Markdown."""
    lines = ["| drill | run | what it counted | passed |", "|---|---|---|---|"]
    for one in results:
        told = "; ".join(_told(line) for line in one.lines) or "nothing"
        command = f"`python -m scripts.{one.drill.module} {' '.join(one.arguments)}`"
        passed = "yes" if one.passed else "**no**"
        lines.append(f"| {one.drill.name} | {command}, {day}, {one.seconds:.0f} s | {told} | {passed} |")
    return "\n".join(lines) + "\n"


def _told(line: dict[str, Any]) -> str:
    head = line.get("fault") or line.get("step") or line.get("on") or ""
    told = [f"{name.replace('_', ' ')} {value}" for name, value in line.items() if isinstance(value, int | float)]
    return f"{head}: {', '.join(told)}" if head else ", ".join(told)


def main(
    long: Annotated[bool, typer.Option("--long", help="The long forms.")] = False,
    only: Annotated[str, typer.Option(help="Only drills whose name begins so.")] = "",
    write: Annotated[bool, typer.Option("--write", help="Write the figures into docs/reliability.md.")] = False,
) -> None:
    """Run the drills; end with 1 when one fails."""
    results = []
    for drill in DRILLS:
        arguments = drill.long if long else drill.short
        if not arguments or not drill.name.startswith(only):
            continue
        print(f"drill {drill.name}: {' '.join(arguments)}", flush=True)
        one = run(drill, arguments)
        if one is None:
            print("  not run: there is no server for it")
            continue
        results.append(one)
        for line in one.lines:
            print(json.dumps(line))
        print(f"  {'passed' if one.passed else 'FAILED'} in {one.seconds:.0f} s, {one.cpu:.0f} s of CPU", flush=True)
    print(f"{len(results)} drills, {sum(one.cpu for one in results):.0f} s of CPU")
    if write:
        text = PAGE.read_text(encoding="utf-8")
        fresh = table(results, time.strftime("%Y-%m-%d"))
        PAGE.write_text(TABLE.sub(lambda found: found[1] + fresh + found[2], text), encoding="utf-8")
    if not results or not all(one.passed for one in results):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)

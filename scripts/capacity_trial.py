"""Try what `scripts/capacity.py` assumes: how long readings wait, how uneven partitions are, how a backlog goes.

A worker goes round its partitions and takes of each what has piled up; what comes meanwhile waits for the next round.
Readings come by chance and in bursts. Time and chance are simulated: a seed gives the same again.
"""

from __future__ import annotations

import json
import math
from typing import NamedTuple

import numpy as np

from scripts.capacity import BATCH, SITES, SKEW, cpu, drain, each, needs, pause, wait
from sensors.partition import partition_of

BURST = 20
"""Readings that come together."""


class Waited(NamedTuple):
    """Busy share of the worker's core, and within how many seconds 99 of 100 readings were worked on."""

    busy: float
    wait: float


def queue(
    readings: float, single: float, partitions: int, seconds: float = 20.0, away: float = 0.0, seed: int = 7
) -> tuple[Waited, float]:
    """Let a worker live for a while, after `away` seconds without it; return how it went, and when it had caught up.

    `caught up`: seconds until a round was no longer than twice what it is at rest.
    """
    chance = np.random.default_rng(seed)
    rate = readings / partitions
    between, rest = pause(rate), wait(readings, single, partitions) / 2
    begun = np.full(partitions, -away)  # when each partition's backlog began
    due = np.zeros(partitions)
    now = busy = 0.0
    caught = math.inf
    waits: list[float] = []
    counts: list[int] = []
    while now < seconds:
        started = now
        for one in range(partitions):
            now = max(now, due[one])
            count = BURST * chance.poisson(rate * (now - begun[one]) / BURST)
            if count == 0:
                begun[one], due[one] = now, now + between
                continue
            cost = BATCH + count * each(single)
            # those who came while the one before was worked on: evenly over that time
            came = chance.uniform(begun[one], now, 4)
            begun[one], due[one] = now, now + between
            now, busy = now + cost, busy + cost
            if not away:
                waits += [now - at for at in came]
                counts += [count] * 4
        if now - started <= 2 * rest:
            caught = min(caught, now)
    order = np.argsort(waits)
    share = np.cumsum(np.asarray(counts)[order])
    quantile = 0.0 if not counts else float(np.asarray(waits)[order][np.searchsorted(share, 0.99 * share[-1])])
    return Waited(busy / now, quantile), caught


def skew(groups: int, partitions: int, workers: int) -> float:
    """Return by how much the busiest worker has more groups than the mean, as their names fall to partitions."""
    counts = np.zeros(workers)
    for number in range(groups):
        counts[partition_of(f"group-{number}", partitions) % workers] += 1
    return float(counts.max() / counts.mean())


def main() -> None:
    """Print one JSON line a trial: what the model says, and what came."""
    for rate, single, partitions in ((2_000, 1.0, 1), (60_000, 1.0, 4), (150_000, 0.0, 4), (200_000, 0.0, 8)):
        found, _ = queue(rate, single, partitions)
        said = cpu(rate, single, partitions), wait(rate, single, partitions)
        print(json.dumps({"readings": rate, "partitions": partitions, "model": said, "simulated": found}))
    for load in (0.5, 0.75):
        _, caught = queue(load / each(0.0), 0.0, 1, away=10.0, seconds=60.0)
        print(json.dumps({"load": load, "model": drain(load, 10.0), "simulated": caught}))
    for site in SITES:
        need = needs(site)
        found_skew = skew(site.groups, need.partitions, need.workers)
        print(json.dumps({"site": site.name, "model": SKEW, "simulated": found_skew}))


if __name__ == "__main__":
    main()

"""Feed a dialect's decoder with hostile payloads, and look for what must not be: exceptions, hangs, invented readings.

The payloads are made from the good ones of the dialect's tests (so it runs in a source tree): by atheris, led by what
the decoder's code does with them, where that can be imported; else, or with `--own`, by a mutator that edits what they
mean and then their bytes. Each is decoded, every 16th between two good neighbours. Asserted are the suite's invariants,
that neighbours come through whole, that no payload takes more than 50 ms of CPU, and that every reading is one that a
slow plain decoder finds too, where there is one. Prints a JSON line for each of the dialect's suites; exit code 1 when
something was found.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import Progress

from scripts.fuzz.mutator import Mutator
from scripts.fuzz.plain import PLAIN, Plain
from sensors.dialects.dialect import Decoded, Lane
from sensors.quarantine import REASONS
from sensors.topics import DIALECTS

SLOWEST = 0.05
"""Seconds of CPU that a payload may take."""

REMEMBERING = {"sparkplug"}
"""Dialects in which a message may rightly change what the next one says: a birth gives aliases their meaning."""

RATIONING = {"native", "sparkplug", "homeassistant"}
"""Dialects that look up so much in a second of arrival: each payload arrives in another."""

RECEIVED = 1_763_900_000.0
_STUCK = 120.0  # seconds without a thousand payloads done: the traceback is printed and the process ends
_TOLD = 10  # failures told in full


class Failure(msgspec.Struct):
    """Say what was wrong with which payload."""

    what: str
    payload: str  # hexadecimal


class Report(msgspec.Struct):
    """Count what was done; `slowest_ms` is CPU."""

    fuzz: str
    suite: str
    mutator: str
    seed: int
    payloads: int = 0
    taken: int = 0
    refused: int = 0
    readings: int = 0
    compared: int = 0
    slowest_ms: float = 0.0
    slowest: str = ""
    failed: int = 0
    failures: list[Failure] = []


class Subject:
    """Try payloads on one suite's dialect and configuration."""

    def __init__(self, suite: Any, report: Report) -> None:
        self.report = report
        self.good: tuple[bytes, ...] = suite.good
        self._dialect: ModuleType = suite.dialect
        self._lane, self._point = suite.lane()
        self._plain: Plain | None = PLAIN.get(report.fuzz)
        self._neighbour = self._decode(list(self.good[:1]))

    def attempt(self, payload: bytes) -> None:
        """Decode a payload and note what is wrong."""
        report = self.report
        report.payloads += 1
        begun = time.thread_time()
        try:
            decoded = self._decode([payload])
        except Exception as error:
            self._fail(f"raised {type(error).__name__}: {error}", payload)
            return
        spent = time.thread_time() - begun
        if spent > SLOWEST:  # a collection of garbage or a busy machine takes as long now and then: once more
            spent = min(spent, *(self._spent(payload) for _ in range(3)))
        if spent * 1e3 > report.slowest_ms:
            report.slowest_ms, report.slowest = round(spent * 1e3, 3), f"{len(payload)} bytes: {payload[:60]!r}"
        if spent > SLOWEST:
            self._fail(f"took {spent * 1e3:.1f} ms", payload)
        report.readings += len(decoded)
        said = len(decoded) > 0 or bool(decoded.events or decoded.wanted)
        report.taken += said
        report.refused += bool(decoded.refused)
        for what in wrongs(decoded, self._lane, 1, said):
            self._fail(what, payload)
        if self._plain is not None and len(decoded):
            report.compared += 1
            found = list(zip(decoded.point.tolist(), decoded.value.tolist(), strict=True))
            for one in invented(found, self._plain(self._lane, self._point, payload)):
                self._fail(f"reads {one}, which is not there", payload)
        if report.payloads % 16 == 0 and report.fuzz not in REMEMBERING:
            self._between(payload)

    def _spent(self, payload: bytes) -> float:
        begun = time.thread_time()
        self._decode([payload])
        return time.thread_time() - begun

    def _between(self, payload: bytes) -> None:
        good = self.good[0]
        decoded = self._decode([good, payload, good])
        for place in (0, 2):
            rows = decoded.message == place
            same = np.array_equal(decoded.value[rows], self._neighbour.value, equal_nan=True)
            events = [event for at, event in decoded.events if at == place]
            if not same or events != [event for _, event in self._neighbour.events]:
                self._fail("changed what its neighbours say", payload)

    def _decode(self, payloads: list[bytes]) -> Decoded:
        received = RECEIVED + (self.report.payloads if self.report.fuzz in RATIONING else 0)
        decoded: Decoded = self._dialect.decode(self._lane, np.full(len(payloads), self._point), payloads, received)
        return decoded

    def _fail(self, what: str, payload: bytes) -> None:
        self.report.failed += 1
        if len(self.report.failures) < _TOLD:
            self.report.failures.append(Failure(what[:300], payload[:4096].hex()))


def wrongs(decoded: Decoded, lane: Lane, count: int, said: bool) -> Iterator[str]:
    """Find what breaks the contract of `Decoded`."""
    columns = (decoded.message, decoded.point, decoded.time, decoded.value, decoded.quality)
    if len({len(column) for column in columns}) != 1:
        yield "columns of different lengths"
        return
    if len(decoded) and not (decoded.message.min() >= 0 and decoded.message.max() < count):
        yield "a reading of a message that was not sent"
    if (np.diff(decoded.message) < 0).any():
        yield "messages out of order"
    if not all(index in lane.registry.by_index for index in set(decoded.point.tolist())):
        yield "a reading of a point that the site does not have"
    if any(one.reason not in REASONS or one.readings < 1 or not 0 <= one.message < count for one in decoded.refused):
        yield f"an improper refusal: {decoded.refused[:3]}"
    if np.isinf(decoded.time).any():
        yield "a time that is not finite"
    if not said and not decoded.refused and lane.kind != "frame":
        yield "neither taken nor refused"
    if said and decoded.refused and lane.kind == "reading":
        yield "both taken and refused"


def invented(found: Sequence[tuple[int, float]], there: Sequence[tuple[int, float]]) -> Iterator[tuple[int, float]]:
    """Find the readings that are not among those that are there, each of which stands for one."""
    left: dict[int, list[float]] = {}
    for point, value in there:
        left.setdefault(point, []).append(value)
    for point, value in found:
        near = next((one for one in left.get(point, ()) if _same(value, one)), None)
        if near is None:
            yield point, value
        else:
            left[point].remove(near)


def _same(one: float, other: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def suites(dialect: str) -> list[Any]:
    """Make the test suites of a dialect; they say what is good. Raise `LookupError` when there is none."""
    folder = Path(__file__).resolve().parent.parent / "tests" / "sensors" / "dialects"
    found = []
    for file in sorted(folder.glob("test_*.py")):
        module = importlib.import_module(f"tests.sensors.dialects.{file.stem}")
        for one in vars(module).values():
            spoken = getattr(one, "dialect", None)
            if (
                isinstance(one, type)
                and hasattr(one, "good")
                and getattr(spoken, "__name__", "").endswith(f".{dialect}")
            ):
                found.append(one())
    if not found:
        raise LookupError(f"no suite of the dialect {dialect} under {folder}")
    return found


def engine() -> ModuleType | None:
    """Import atheris where it is installed."""
    try:
        return importlib.import_module("atheris")
    except ImportError:
        return None


def fuzz(suite: Any, dialect: str, payloads: int, seed: int, tick: Callable[..., object] = dict) -> Report:
    """Try so many payloads of the own mutator on a suite; `tick` is told how many are done."""
    subject = Subject(suite, Report(dialect, type(suite).__name__, "own", seed))
    mutator = Mutator(subject.good, seed)
    for done in range(payloads):
        if done % 1000 == 0:
            faulthandler.dump_traceback_later(_STUCK, exit=True, file=sys.__stderr__)
            tick(completed=done)
        subject.attempt(mutator.next())
    faulthandler.cancel_dump_traceback_later()
    tick(completed=payloads)
    return subject.report


def fuzz_with(atheris: Any, suite: Any, dialect: str, payloads: int, seed: int) -> None:
    """Try so many payloads of atheris on a suite, print its report, and end the process: atheris never returns."""
    subject = Subject(suite, Report(dialect, type(suite).__name__, "atheris", seed))
    mutator = Mutator(subject.good, seed)

    def mutate(data: bytes, most: int, number: int) -> bytes:
        if number % 2:
            return bytes(atheris.Mutate(data, most))[:most]
        return (mutator.next() if not data or number % 3 == 0 else mutator.damaged(data, number))[:most]

    def attempt(data: bytes) -> None:
        subject.attempt(data)
        if subject.report.payloads == payloads:
            print(msgspec.json.encode(subject.report).decode(), flush=True)

    for name, module in list(sys.modules.items()):
        if name.startswith("sensors.dialects."):
            for one in vars(module).values():
                if isinstance(one, FunctionType) and one.__module__ == name:
                    atheris.instrument_func(one)
    atheris.Setup(
        [
            sys.argv[0],
            f"-atheris_runs={payloads}",
            f"-runs={payloads}",
            f"-seed={seed}",
            "-max_len=65536",
            "-verbosity=0",
        ],
        attempt,
        custom_mutator=mutate,
    )
    atheris.Fuzz()


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.fuzz_dialects", description=__doc__)
    names = ("native", *DIALECTS)
    parser.add_argument("--dialect", choices=(*names, "all"), default="all")
    parser.add_argument("--payloads", type=int, default=100_000, help="for each dialect, shared by its suites")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--own", action="store_true", help="use the own mutator even where atheris is installed")
    parser.add_argument("--suite", default="", help="only this suite of the dialect")
    given = parser.parse_args(argv)
    atheris = None if given.own else engine()
    failed = 0
    with Progress(console=Console(stderr=True)) as progress:
        for dialect in names if given.dialect == "all" else [given.dialect]:
            made = [suite for suite in suites(dialect) if given.suite in ("", type(suite).__name__)]
            share = -(-given.payloads // max(1, len(made)))
            for suite in made:
                if atheris is not None and given.suite:
                    progress.stop()
                    fuzz_with(atheris, suite, dialect, share, given.seed)
                task = progress.add_task(f"{dialect}: {type(suite).__name__}", total=share)
                if atheris is not None:
                    line = in_its_own_process(dialect, type(suite).__name__, share, given.seed)
                    progress.update(task, completed=share)
                else:
                    done = fuzz(suite, dialect, share, given.seed, partial(progress.update, task))
                    line = msgspec.json.encode(done).decode()
                print(line, flush=True)
                failed += json.loads(line)["failed"]
    return 1 if failed else 0


def in_its_own_process(dialect: str, suite: str, payloads: int, seed: int) -> str:
    """Run a suite under atheris, which ends the process that it runs in; give its report's line."""
    words = ["--dialect", dialect, "--suite", suite, "--payloads", str(payloads), "--seed", str(seed)]
    command = [sys.executable, "-m", "scripts.fuzz_dialects", *words]
    child = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    lines = [line for line in child.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise SystemExit(f"{suite} ended without a report, with {child.returncode}: see above")
    return lines[-1]


if __name__ == "__main__":
    sys.exit(main())

"""The fuzzing script finds what it looks for, and nothing in the dialects as they are."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from scripts import fuzz_dialects
from scripts.fuzz.mutator import Mutator
from scripts.fuzz.plain import PLAIN
from scripts.fuzz_dialects import fuzz, invented, suites
from sensors.dialects import native
from sensors.dialects.dialect import Decoded, Lane
from sensors.topics import DIALECTS

DIALECT_NAMES = ["native", *DIALECTS]


@pytest.mark.parametrize("dialect", DIALECT_NAMES)
def test_no_dialect_yields_to_a_thousand_hostile_payloads(dialect: str) -> None:
    for suite in suites(dialect):
        report = fuzz(suite, dialect, 1000 // len(suites(dialect)), seed=3)
        faults = [one for one in report.failures if not one.what.startswith("took")]  # time is not ours alone here
        assert not faults
        assert report.taken and report.refused, "both are tried"


@pytest.mark.parametrize("dialect", PLAIN)
def test_the_plain_decoders_find_all_that_good_payloads_say(dialect: str) -> None:
    for suite in suites(dialect):
        lane, point = suite.lane()
        for payload in suite.good:
            decoded = suite.decode(payload)
            found = list(zip(decoded.point.tolist(), decoded.value.tolist(), strict=True))
            there = PLAIN[dialect](lane, point, payload)
            assert not list(invented(found, there)) and len(found) <= len(there), payload


def suite(decode: Any) -> Any:
    """Make a suite of the native dialect with a decoder of its own."""
    [made] = [one for one in suites("native") if type(one).__name__ == "TestNativeReadings"]
    return SimpleNamespace(dialect=SimpleNamespace(decode=decode), good=made.good, lane=made.lane)


def raising(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
    if any(b"NaN" in payload for payload in payloads):
        raise KeyError("NaN")
    return native.decode(lane, points, payloads, received)


def inventing(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
    decoded = native.decode(lane, points, payloads, received)
    decoded.value = np.where(decoded.value < 0, 42.125, decoded.value)
    return decoded


def shifting(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
    decoded = native.decode(lane, points, payloads, received)
    if len(payloads) > 1 and decoded.refused:
        decoded.value = decoded.value[::-1] + 1
    return decoded


def losing(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
    decoded = native.decode(lane, points, payloads, received)
    decoded.refused.clear()
    return decoded


def slow(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
    if b"" in payloads:
        end = time.thread_time() + 0.06
        while time.thread_time() < end:
            pass
    return native.decode(lane, points, payloads, received)


@pytest.mark.parametrize(
    ("decode", "words"),
    [
        (raising, "raised KeyError"),
        (inventing, "42.125), which is not there"),
        (shifting, "changed what its neighbours say"),
        (losing, "neither taken nor refused"),
        (slow, "took 6"),
    ],
)
def test_a_broken_decoder_is_found(decode: Any, words: str) -> None:
    report = fuzz(suite(decode), "native", 1500, seed=1)
    assert report.failed and any(words in one.what for one in report.failures)
    assert bytes.fromhex(report.failures[0].payload) is not None


def test_the_same_seed_makes_the_same_payloads() -> None:
    good = [b'{"value": 1}', b"2"]
    one, other, another = Mutator(good, 1), Mutator(good, 1), Mutator(good, 2)
    made = [one.next() for _ in range(50)]
    assert made == [other.next() for _ in range(50)] != [another.next() for _ in range(50)]
    assert len(set(made)) > 20


def test_it_prints_a_line_for_each_suite(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz_dialects.main(["--dialect", "native", "--payloads", "200", "--own"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["suite"] for line in lines] == ["TestNativeReadings", "TestNativeFrames"]
    assert all(line["payloads"] == 100 and line["mutator"] == "own" and not line["failed"] for line in lines)

"""A stretch of the past: from when to when, in offsets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.embedded.store import Log
from streams.stretch import Stretch, begun, stretch, time_of
from streams.topics import OBSERVATIONS
from tests.streams.small_site import START, debris, frame_of, tick
from tests.streams.test_station import TOPICS, fill


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log(tmp_path / "log.sqlite", TOPICS) as opened:
        yield opened


class Listed:
    """A log of records in memory."""

    def __init__(self, values: list[bytes]) -> None:
        self.values = values

    def topics(self) -> dict[str, int]:
        return {OBSERVATIONS: 1}

    def start(self, topic: str, partition: int) -> int:
        return 0

    def end(self, topic: str, partition: int) -> int:
        return len(self.values)

    def read(
        self, topic: str, partition: int, start: int, stop: int | None = None, limit: int = 1000
    ) -> list[tuple[int, bytes | None, bytes]]:
        return [(at, None, value) for at, value in enumerate(self.values)][start:stop][:limit]


def test_it_begins_with_the_first_that_came_then_and_ends_before_the_first_that_came_later(log: Log) -> None:
    fill(log)
    stop = log.end(OBSERVATIONS, 0)
    found = stretch(log, 0, stop, START + 50, START + 90)
    inside = log.read(OBSERVATIONS, 0, found.first, found.stop)
    timed = [at for _, _, value in inside if (at := time_of(value)) is not None]
    assert (timed[0], timed[-1]) == (START + 50, START + 81)
    assert begun(log, found) == START + 50
    assert stretch(log, 0, stop, None, None) == Stretch(0, 0, stop)
    assert stretch(log, 0, stop, START + 9000, None) == Stretch(0, stop, stop)
    assert stretch(log, 0, stop, START - 9000, START - 8000) == Stretch(0, 1, 1)


def test_what_tells_no_time_goes_with_what_came_before_it() -> None:
    log = Listed([tick(START), debris(START), b"", b"\x01broken", tick(START + 10), debris(START + 10)])
    assert stretch(log, 0, 6, START, START + 10) == Stretch(0, 0, 4)
    assert stretch(log, 0, 6, START + 1, START + 11) == Stretch(0, 4, 6)


@given(st.lists(st.tuples(st.sampled_from("tfd"), st.integers(0, 3)), max_size=60), st.integers(0, 100))
def test_the_search_finds_what_reading_from_the_start_would(made: list[tuple[str, int]], seconds: int) -> None:
    values, now = [], START
    for kind, step in made:
        now += step
        values.append({"t": tick(now), "f": frame_of([(0, now, 1.0)], now), "d": debris(now)}[kind])
    slow = next((at for at, one in enumerate(values) if (time_of(one) or 0.0) >= START + seconds), len(values))
    assert stretch(Listed(values), 0, len(values), START + seconds, None).first == slow

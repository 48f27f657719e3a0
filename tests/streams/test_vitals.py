"""What the engine is told of the product's own parts, and by which name."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors import observation
from sensors.observation import SystemEvent
from streams import vitals
from streams.vitals import ARCHIVE, COMPONENTS, HISTORY_FOLDER, INFLUXDB, Vitals


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Collect what is told instead of sending it."""
    heard: list[tuple[str, str]] = []

    class Producer:
        def __init__(self, path: Path) -> None:
            """Nobody is there."""

        def produce(self, records: list[tuple[str, int, bytes]], settled: object) -> None:
            events = [observation.decode(value) for _, _, value in records]
            heard.extend((one.component, one.state) for one in events if isinstance(one, SystemEvent))

    monkeypatch.setattr(vitals, "HubProducer", Producer)
    return heard


def test_a_start_takes_back_what_an_earlier_run_left_standing(said: list[tuple[str, str]]) -> None:
    Vitals(Path("hub")).started(["bridge-gone"], [INFLUXDB])
    assert set(said) == {(part, "up") for part in (*COMPONENTS, "bridge-gone", INFLUXDB)}
    assert {ARCHIVE, HISTORY_FOLDER, "history", "archiver"} < set(COMPONENTS)


def test_parts_of_a_run_of_a_cluster_bear_its_name_and_those_of_all_do_not(said: list[tuple[str, str]]) -> None:
    one = Vitals(Path("hub"), node="0a1b")
    one.started([], [INFLUXDB])
    assert {part for part, _ in said} == {*(f"{part}@0a1b" for part in COMPONENTS), INFLUXDB}
    said.clear()
    one.lost("archiver", 1, 1)
    one.returned("archiver")
    one.down(ARCHIVE, "the bucket is away")
    one.back(ARCHIVE)
    assert said == [
        ("archiver@0a1b", "down"),
        ("archiver@0a1b", "up"),
        ("archive@0a1b", "down"),
        ("archive@0a1b", "up"),
    ]

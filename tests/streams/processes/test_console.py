from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from alerts import messages
from sensors import quarantine
from sensors.observation import BAD, OUT_OF_RANGE
from streams import run
from streams.bundle import Bundle
from streams.embedded.store import Log, TopicSpec
from streams.processes.console import Backlog
from streams.settings import Settings
from streams.station import Station
from streams.topics import OBSERVATIONS, OUTCOMES, QUARANTINE, SCORES, SNAPSHOTS
from tests.streams.small_site import START, frame_of, published, rules, site, tick


@pytest.fixture
def backlog(tmp_path: Path) -> Backlog:
    """Fill a log with what a bridge and an engine refused."""
    found = Settings(data=str(tmp_path))
    topics = dict.fromkeys((OBSERVATIONS, OUTCOMES, SCORES, SNAPSHOTS, QUARANTINE), TopicSpec())
    with Log(found.log_file, topics) as log:
        refused = quarantine.Refused(time=START + 2, source="bridge", topic="t", reason="malformed", raw=b"\xff{")
        log.write([(QUARANTINE, 0, None, quarantine.encode(refused))])
        station = Station(0, log, 0)
        values = [
            published(Bundle(site=site(), rules=rules())),
            tick(START),
            frame_of([(0, START + 1, 50.0), (1, START + 1, 1.0)], START + 1, BAD),
            frame_of([(0, START + 3, 1e9)], START + 3, OUT_OF_RANGE),
            frame_of([(0, START + 4, 1.0)], START + 4),
        ]
        log.write([(OBSERVATIONS, 0, None, value) for value in values])
        log.write(station.take(list(enumerate(values))))
    return Backlog(found, {0: "p0", 1: "p1"})


def test_what_bridge_and_engine_refused_is_listed_together_the_newest_first(backlog: Backlog) -> None:
    listed = backlog.refused(None, None, 10)
    assert [(one["source"], one["reason"], one["readings"]) for one in listed] == [
        ("engine", "out_of_range", 1),
        ("bridge", "malformed", 1),
        ("engine", "bad_quality", 2),
    ]
    assert listed[2]["detail"] == "p0, p1"
    assert msgspec.json.decode(listed[0]["raw"]) == [{"point": "p0", "time": START + 3, "value": 1e9}]
    assert listed[1]["raw"] == "\\xff{"


def test_what_was_refused_is_chosen_by_reason_source_and_number(backlog: Backlog) -> None:
    assert [one["reason"] for one in backlog.refused("bad_quality", None, 10)] == ["bad_quality"]
    assert [one["reason"] for one in backlog.refused(None, "bridge", 10)] == ["malformed"]
    assert [one["reason"] for one in backlog.refused(None, None, 1)] == ["out_of_range"]


@pytest.mark.parametrize("reason", [*quarantine.REASONS, *run.REASONS, "undecodable", "engine_error"])
def test_every_reason_has_words_in_both_languages(reason: str) -> None:
    words = messages.both(f"refused.{reason}")
    assert words["zh"] and words["en"]
    assert f"refused.{reason}" not in words.values()

"""`foreshock quality`: the points whose data are poor, from the log."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from sensors.flags import EARLY
from sensors.observation import BAD, OUT_OF_RANGE
from streams import bundle, publication
from streams.bundle import Bundle
from streams.embedded.store import Log, TopicSpec
from streams.history import columns
from streams.settings import Settings
from streams.station import Station
from streams.topics import OBSERVATIONS, OUTCOMES, QUARANTINE, SCORES, SNAPSHOTS
from tests.scripts.test_cli import english as run
from tests.scripts.test_cli import sentence
from tests.streams.small_site import frame_of, published, rules, site, tick


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Fill a log: p0 is bad twice, p1 out of range once, p2 is well."""
    now = time.time() - 60
    content = Bundle(site=site(), rules=rules())
    publication.write(tmp_path, bundle.pack(content))
    topics = dict.fromkeys((OBSERVATIONS, OUTCOMES, SCORES, SNAPSHOTS, QUARANTINE), TopicSpec())
    with Log(Settings(data=str(tmp_path)).log_file, topics) as log:
        station = Station(0, log, 0)
        values = [
            published(content, time=now),
            tick(now),
            frame_of([(0, now + 1, 5.0), (2, now + 1, 1.0)], now + 1),
            frame_of([(0, now + 2, 5.0), (0, now + 3, 6.0)], now + 3, BAD),
            frame_of([(1, now + 4, 1e9)], now + 4, OUT_OF_RANGE),
        ]
        log.write([(OBSERVATIONS, 0, None, value) for value in values])
        log.write(station.take(list(enumerate(values))))
    return tmp_path


def test_the_worst_come_first_with_what_is_wrong_of_them(folder: Path) -> None:
    listed = json.loads(run("quality", "--json", "--data", folder).output)
    assert [(one["point"], one["day"]) for one in listed] == [("p0", {"bad": 2}), ("p1", {"out_of_range": 1})]
    assert listed[0]["last_good"] is not None and listed[1]["last_good"] is None
    shown = run("quality", "--data", folder).output
    assert "2 bad" in shown and "never" in shown and "p2" not in shown


def test_an_area_may_be_asked_for_and_must_be_one_of_the_site(folder: Path) -> None:
    listed = json.loads(run("quality", "--area", "a1", "--json", "--data", folder).output)
    assert [one["point"] for one in listed] == ["p1"]
    assert "no area" in run("quality", "--area", "a2", "--data", folder).output + sentence(
        run("quality", "--area", "a9", "--data", folder)
    )


def test_cameras_whose_clock_is_wrong_come_last(folder: Path) -> None:
    (folder / "run").mkdir(exist_ok=True)
    figures = {"time": time.time(), "clocks": {"p0": 20.0}, "camera_clocks": {"cam": -25200.0, "gone": 60.0}}
    (folder / "run" / "bridge.json").write_text(json.dumps(figures))
    listed = json.loads(run("quality", "--json", "--data", folder).output)
    assert listed[0]["point"] == "p0" and listed[0]["clock"] == 20.0
    assert listed[-1] == {"camera": "cam", "areas": ["a0"], "clock": -25200.0}
    assert not any("camera" in one for one in listed[:-1]), "a camera that the site does not have is not listed"
    shown = run("quality", "--data", folder).output
    assert "camera cam" in shown and "-25200.0 s" in shown
    assert "camera" not in run("quality", "--area", "a1", "--data", folder).output


def test_before_anything_ran_it_says_so(tmp_path: Path) -> None:
    assert run("quality", "--data", tmp_path).exit_code == 3


def test_rates_are_told_once_enough_readings_were_scored(folder: Path) -> None:
    assert json.loads(run("quality", "--rates", "--json", "--data", folder).output) == []
    assert "no point has" in run("quality", "--rates", "--data", folder).output
    now = time.time() - 60
    with Log(Settings(data=str(folder)).log_file, {SCORES: TopicSpec()}) as log:
        score = np.zeros(2000, np.float32)
        score[:40] = 0.995
        times, flags = now + np.arange(2000.0), np.zeros(2000, np.uint16)
        flags[:2] = EARLY
        record = columns.encode(columns.Scored(np.zeros(2000, np.uint32), times, np.ones(2000), score, flags))
        log.write([(SCORES, 0, None, record)])
    [one] = json.loads(run("quality", "--rates", "--json", "--data", folder).output)
    assert (one["point"], one["ratios"]) == ("p0", {"0.99": 2.0, "0.999": 0.0})
    assert (one["alarms"], one["allowed"] > 0.0) == (2, True)
    assert "2.00" in run("quality", "--rates", "--data", folder).output

"""What a run begins with: a scene in a folder that holds readings already, and to whom its signs of life go."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scripts.commands.run import HISTORY_HOURS, SPEED, Pace, _former, _mailing, _newest_reading, _pace, common_children
from sensors import frame, observation
from sensors.observation import Tick
from streams import settings
from streams.embedded.store import Log, TopicSpec
from streams.settings import Settings
from streams.supervisor import StartError
from streams.topics import OBSERVATIONS
from tests.streams.small_site import site


def folder_with(folder: Path, ages: list[float], ticks: int = 0) -> Settings:
    """Make a log with readings of these ages (seconds), and ticks after them."""
    found = settings.load({}, data=str(folder))
    with Log(found.log_file, {OBSERVATIONS: TopicSpec(2)}) as log:
        for number, age in enumerate(ages):
            one = frame.encode(
                np.zeros(900, "u4"),
                np.full(900, time.time() - age),
                np.zeros(900),
                np.zeros(900, "u1"),
                registry="v1",
                received=time.time(),
            )
            log.write([(OBSERVATIONS, number % 2, None, one)])
        log.write([(OBSERVATIONS, 0, None, observation.encode(Tick(time=time.time()))) for _ in range(ticks)])
    return found


def test_a_new_folder_gets_the_history_and_the_scene_fast(tmp_path: Path) -> None:
    assert _pace(settings.load({}, data=str(tmp_path)), "landslide") == Pace(SPEED, HISTORY_HOURS)
    assert _pace(folder_with(tmp_path, [], ticks=3), "landslide") == Pace(SPEED, HISTORY_HOURS)


def test_a_folder_with_readings_of_the_last_hour_gets_the_scene_at_the_pace_of_life(tmp_path: Path) -> None:
    assert _pace(folder_with(tmp_path, [90_000.0, 80_000.0, 60.0, 86_000.0], ticks=1500), "landslide") == Pace(1.0, 0.0)


def test_a_folder_with_older_readings_gets_no_history_that_would_be_out_of_order(tmp_path: Path) -> None:
    pace = _pace(folder_with(tmp_path, [3 * 3600.0] * 3), "landslide")
    assert pace.speed == SPEED
    assert pace.history == pytest.approx(2.0, abs=0.01)


def test_the_newest_reading_is_found_however_many_records_a_read_gives(tmp_path: Path) -> None:
    found = folder_with(tmp_path, [float(age) for age in range(1200, 0, -3)])
    newest = _newest_reading(found)
    assert newest is not None
    assert time.time() - newest < 60.0


def test_a_record_that_is_no_frame_after_all_holds_up_no_start(tmp_path: Path) -> None:
    found = folder_with(tmp_path, [60.0])
    with Log(found.log_file, {OBSERVATIONS: TopicSpec(2)}) as log:
        log.write([(OBSERVATIONS, 0, None, bytes((observation.FRAME,)) + b"damaged")])
    assert _pace(found, "landslide") == Pace(1.0, 0.0)


def test_what_a_further_broker_left_standing_is_over_when_it_is_listed_no_more(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for name in ("bridge.log", "bridge-gone.log", "bridge-gone.log.1", "bridge-north.log"):
        (tmp_path / "run" / name).touch()
    found = settings.load({}, data=str(tmp_path), mqtt_brokers="- {name: north, host: h}")
    assert _former(found) == ["bridge-gone", "bridge-north", "mqtt:gone"]


def test_each_broker_has_a_bridge_of_its_own(tmp_path: Path) -> None:
    found = settings.load({}, data=str(tmp_path), mqtt_brokers="- {name: north, host: h}")
    bridges = {child.name: child.arguments[-1] for child in common_children(found) if "bridge" in child.name}
    assert bridges == {"bridge": "main", "bridge-north": "north"}


def test_a_history_is_kept_by_a_process_of_its_own_where_it_is_switched_on(tmp_path: Path) -> None:
    def started(**given: Any) -> set[str]:
        return {child.name for child in common_children(settings.load({}, data=str(tmp_path), **given))}

    assert "history" not in started() and "history" in started(history_gigabytes=1.0)
    assert "history" in started(influx_url="http://127.0.0.1:8086", influx_token="t")


def test_a_scene_that_there_is_not_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"there is no scene nope; there are .*landslide"):
        _pace(settings.load({}, data=str(tmp_path)), "nope")


def test_signs_of_life_are_mailed_to_each_recipient_of_the_target_that_is_named(tmp_path: Path) -> None:
    file = tmp_path / "notify.yaml"
    file.write_text(
        "targets:\n  - {kind: mail, name: duty, host: h, tls: none, sender: f@example.org, "
        "to: [an@example.org, bo@example.org]}\n  - {kind: chat, name: group, url_env: X}\n"
    )

    def ways(name: str) -> list[Any]:
        found = settings.load({"FORESHOCK_NOTIFY": str(file), "FORESHOCK_HEARTBEAT_MAIL": name})
        return _mailing(found, site())

    assert [way.sender.target.to for way in ways("duty")] == [("an@example.org",), ("bo@example.org",)]
    assert {(way.every, way.pause) for way in ways("duty")} == {(86400.0, 60.0)} and ways("") == []
    for other in ("group", "duty:an@example.org"):
        with pytest.raises(StartError, match="names no mail target"):
            ways(other)

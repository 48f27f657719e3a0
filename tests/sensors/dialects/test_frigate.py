"""The Frigate dialect: tracked objects become camera events."""

from __future__ import annotations

import json
from typing import Any

from sensors.dialects import frigate
from sensors.observation import SIMULATED
from sensors.site import Frigate
from tests.sensors.dialects.suite import RECEIVED, DialectSuite


def message(phase: str = "new", **after: Any) -> bytes:
    state = {
        "id": "1763900000.1-ab",
        "camera": "cam-1",
        "label": "debris",
        "frame_time": 1763900000.5,
        "start_time": 1763900000.1,
        "end_time": None,
        "score": 0.6,
        "top_score": 0.83,
        "false_positive": False,
        "box": [1, 2, 3, 4],
        "sub_label": ["x", 0.5],
        "current_zones": ["road"],
        "entered_zones": ["slope", "road"],
        **after,
    }
    return json.dumps({"type": phase, "before": None, "after": state}).encode()


class TestFrigate(DialectSuite):
    dialect = frigate
    config = Frigate()
    topic = "frigate/events"
    good = (message(), message("end", end_time=1763900009.0), message("update", camera="yard", simulated=True))
    bad = {  # noqa: RUF012
        b"": "malformed",
        b"{}": "malformed",
        b'{"type": "new", "after": {}}': "malformed",
        message("gone"): "malformed",
        message(camera="nowhere"): "unknown_camera",
        message(false_positive=True): "false_positive",
        message(label=None): "malformed",
    }

    def test_an_event_goes_to_every_area_of_its_camera(self) -> None:
        events = [event for _, event in self.decode(message()).events]
        assert [event.area for event in events] == ["a0", "a1"]
        first = events[0]
        assert (first.camera, first.kind, first.phase, first.confidence) == ("cam-1", "debris", "new", 0.83)
        assert first.zones == ("slope", "road")
        assert (first.time, first.received) == (1763900000.5, RECEIVED)

    def test_an_end_carries_its_own_time(self) -> None:
        assert self.decode(message("end", end_time=1763900009.0)).events[0][1].time == 1763900009.0

    def test_a_camera_is_found_by_its_source_and_a_simulation_is_marked(self) -> None:
        [(_, event)] = self.decode(message(camera="yard", simulated=True)).events
        assert (event.camera, event.area, event.quality) == ("cam-2", "a2", SIMULATED)

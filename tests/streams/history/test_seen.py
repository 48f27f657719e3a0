"""What cameras saw, out of the log."""

from __future__ import annotations

from pathlib import Path

from sensors import observation
from sensors.observation import CameraEvent
from streams.embedded.reader import LogReader
from streams.embedded.store import Log, TopicSpec
from streams.history.seen import seen
from streams.topics import OBSERVATIONS
from tests.streams.small_site import START, frame_of, tick


def saw(at: float) -> CameraEvent:
    return CameraEvent(area="a0", camera="k0", kind="debris", event=f"e{at:.0f}", time=at, received=at + 1)


def test_camera_events_of_a_time_come_the_newest_first_among_all_else(tmp_path: Path) -> None:
    records = [tick(START)]
    for row in range(40):
        at = START + 10.0 * row
        records += [frame_of([(0, at, 1.0)], at + 0.5), tick(at + 1.0)]
        records += [observation.encode(saw(at))] if row % 10 == 0 else []
    topics = {OBSERVATIONS: TopicSpec(1)}
    with Log(tmp_path / "log.sqlite", topics) as log:
        log.write([(OBSERVATIONS, 0, None, record) for record in [*records, b"\x01camera_event"]])
    with LogReader(tmp_path / "log.sqlite") as reader:
        found = [*seen(reader, 0, START + 50, START + 250)]
        assert [one.time for one in found if one is not None] == [START + 200.0, START + 100.0]
        assert found.count(None) > 20, "who takes them may look at the clock"
        assert [*seen(reader, 7, START, START + 400)] == []

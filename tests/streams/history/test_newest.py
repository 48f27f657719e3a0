"""What a log holds of a time: scores while they are kept, before that what was observed, the newest first."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from alerts.console.exploring import gather
from sensors.observation import BAD
from streams.embedded.reader import LogReader
from streams.embedded.store import Log, TopicSpec
from streams.history import columns
from streams.history.newest import newest
from streams.topics import OBSERVATIONS, SCORES
from tests.streams.history.recorded import pair, recorded
from tests.streams.small_site import START


def test_what_was_observed_is_read_where_no_score_is_kept(tmp_path: Path) -> None:
    values = pair(60)
    data = recorded(tmp_path / "data", values, quality={5: BAD})
    with LogReader(data / "log.sqlite") as log:
        found = gather(newest(log, 0, START + 100, START + 300), [0, 3], START + 100, START + 300, seconds=60.0)
        all_ = gather(newest(log, 0, START, START + 1000), [0], START, START + 1000, seconds=60.0).series[0]
        times = [part[1].max() for part in newest(log, 0, START, START + 1000)]
    assert found.complete
    assert found.series[0].time.tolist() == [START + 10.0 * row for row in range(10, 31)]
    assert found.series[3].value.tolist() == values[10:31, 1].tolist()
    assert np.isnan(found.series[0].score).all()
    assert np.flatnonzero(np.isnan(all_.value)).tolist() == [5]
    assert times == sorted(times, reverse=True)


def test_a_reading_with_its_score_goes_before_the_same_as_it_was_observed(tmp_path: Path) -> None:
    values = pair(20)
    data = recorded(tmp_path / "data", values)
    topics = {OBSERVATIONS: TopicSpec(1), SCORES: TopicSpec(1)}
    at = np.array([START + 100.0])
    scored = columns.Scored(np.zeros(1, np.uint32), at, np.array([4.5]), np.array([0.75], np.float32))
    with Log(data / "log.sqlite", topics) as log:
        log.write([(SCORES, 0, None, columns.encode(scored)), (SCORES, 0, None, b"of another version")])
    with LogReader(data / "log.sqlite") as reader:
        kept = list(newest(reader, 0, START, 4e9))
        found = gather(kept, [0], START, 4e9, seconds=60.0).series[0]
        assert not list(newest(reader, 5, START, 4e9))  # a partition that there is not
    assert len(found.time) == 20
    assert (found.value[10], found.score[10]) == (4.5, 0.75)

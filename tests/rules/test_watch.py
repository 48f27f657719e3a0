"""Since when, and but for which outages, somebody listens."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import watch as watching
from rules.watch import SHARE, Watch


def whole(watch: Watch, duration: float, now: float) -> bool:
    return bool(watch.whole("debris", duration, np.array([now]))[0])


def test_what_is_told_late_begins_the_watch_when_it_is_told() -> None:
    watch = Watch(["debris"])
    watch.heard("debris", 7200.0)  # of an hour ago: nobody knows what else there was since
    assert not whole(watch, 3600.0, 7201.0) and whole(watch, 3600.0, 10800.0)


def test_an_outage_leaves_a_sixteenth_of_a_time_watched_and_no_more() -> None:
    watch = Watch(["debris"])
    watch.tick(0.0)
    watch.pause(10_000.0, 10_226.0)  # the second between two ticks is none
    assert whole(watch, 3600.0, 10_300.0)
    watch.pause(11_000.0, 11_002.0)
    assert not whole(watch, 3600.0, 11_002.0)
    assert whole(watch, 7200.0, 11_002.0), "of two hours it is less"
    assert whole(watch, 3600.0, 10_002.0 + 3600.0), "what lies longer ago counts no more"


def test_an_outage_outlasts_a_restart_and_a_clock_that_is_set_back() -> None:
    watch, again = Watch(["debris"]), Watch(["debris", "smoke"])
    watch.tick(0.0)
    watch.pause(5000.0, 9000.0)
    again.restore(watch.state(), watch.outages())
    assert not whole(again, 3600.0, 12_000.0) and whole(again, 3600.0, 12_600.0)
    again.step(8000.0)
    assert not whole(again, 3600.0, 8001.0) and whole(again, 3600.0, 8001.0 + 3600.0)


@given(
    st.lists(st.tuples(st.integers(1, 3000), st.integers(2, 900)), min_size=1, max_size=12),
    st.integers(1, 20_000),
    st.integers(0, 5000),
)
def test_what_was_missed_is_the_sum_of_the_outages_within_the_time(
    turns: list[tuple[int, int]], duration: int, after: int
) -> None:
    watch, now, missed = Watch(["debris"]), 0.0, []
    watch.tick(-1e9)
    for heard, away in turns:
        since, until = now + heard, now + heard + away
        watch.pause(since, until)
        missed += [(since, until, (away - 1) / away)]
        now = until
    now += after
    lost = sum(max(min(until, now) - max(since, now - duration), 0) * share for since, until, share in missed)
    if not math.isclose(lost, duration * SHARE, rel_tol=1e-9):
        assert whole(watch, duration, now) == (lost < duration * SHARE)


def test_the_oldest_of_many_outages_are_taken_together_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST_OUTAGES", 3)
    watch = Watch(["debris"])
    watch.tick(0.0)
    for minute in range(1, 21):
        watch.pause(minute * 60.0, minute * 60.0 + 11.0)
    assert len(watch.outages()) == 3 and sum(missed for *_, missed in watch.outages()) == 200.0
    assert not whole(watch, 1200.0, 1220.0), "a sixth of it"

"""Recorded events: read as they are or refused, scored by the past alone, and surges put on quiet stretches."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.counts import DAY, HOUR, WEEK
from models.evaluation import tally
from models.evaluation.folder import FolderError

WINDOW = 900.0
START = 1.7e9 // WEEK * WEEK


def write(path: Path, counts: np.ndarray, zone: str = "gate", **more: str) -> Path:  # type: ignore[type-arg]
    rows = ["time,zone,count"]
    rows += [f"{START + at * WINDOW:.0f},{zone},{int(count)}" for at, count in enumerate(counts.tolist()) if count]
    path.write_text("\n".join(rows))
    return path


def drawn(weeks: float, seed: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    """Draw counts with a day: few at night, many at noon."""
    at = np.arange(int(weeks * WEEK / WINDOW)) * WINDOW
    rate = 10.0 * (1.0 - 0.8 * np.cos(2.0 * np.pi * (at % DAY) / DAY))
    return np.random.default_rng(seed).poisson(rate)


def test_quiet_counts_come_as_often_as_they_say_and_surges_are_found(tmp_path: Path) -> None:
    [stream] = tally.read(write(tmp_path / "a.csv", drawn(6)), WINDOW)
    judged = tally.judge(stream, WINDOW)
    surges = tally.put_on(stream, WINDOW, 3.0, 20, 1)
    told = tally.told(stream, judged, WINDOW, surges)
    assert stream.name == "a.csv:gate" and told.weeks == pytest.approx(6 - 2 / 7, abs=0.1)
    assert 0.4 <= told.often <= 2.0
    assert told.false / told.weeks < 2.5
    assert told.put_on == 20 and told.put_on_found >= 16
    assert told.median_after is not None and told.median_after <= HOUR


def test_a_score_depends_on_what_came_before_alone(tmp_path: Path) -> None:
    [stream] = tally.read(write(tmp_path / "a.csv", drawn(2)), WINDOW)
    whole = tally.judge(stream, WINDOW).score
    cut = tally.Stream(stream.name, stream.first, stream.counts[:900])
    assert np.array_equal(whole[:900], tally.judge(cut, WINDOW).score, equal_nan=True)


def test_a_surge_leaves_what_was_learnt_as_it_was_and_the_seed_repeats_it(tmp_path: Path) -> None:
    [stream] = tally.read(write(tmp_path / "a.csv", drawn(3)), WINDOW)
    first, again = (tally.put_on(stream, WINDOW, 3.0, 10, 5) for _ in range(2))
    assert [(one.at, one.after) for one in first] == [(one.at, one.after) for one in again]
    alone = tally.put_on(stream, WINDOW, 3.0, 200, 5)
    by_place = {one.at: one.score for one in alone}
    assert len(alone) > 50 and all(one.score.shape == by_place[one.at].shape for one in first)
    assert {one.at for one in tally.put_on(stream, WINDOW, 3.0, 10, 6)} != {one.at for one in first}


def test_what_is_known_to_have_happened_is_no_false_alarm_but_found_or_missed(tmp_path: Path) -> None:
    counts = drawn(3)
    counts[1500:1510] += 60
    write(tmp_path / "a.csv", counts)
    spans = [[START + 1500 * WINDOW, START + 1510 * WINDOW], [START + 1700 * WINDOW, START + 1703 * WINDOW]]
    (tmp_path / "windows.json").write_text(json.dumps({"a.csv": spans}))
    [stream] = tally.read(tmp_path, WINDOW)
    judged = tally.judge(stream, WINDOW)
    told = tally.told(stream, judged, WINDOW)
    assert (told.happened, told.found) == (2, 1)
    assert not any(spans[0][0] <= at <= spans[0][1] for at in tally.false_alarms(stream, judged, WINDOW))
    drawn_ = list(tally.panels(stream, judged, WINDOW, []))
    titles = [one.title for one in drawn_]
    assert titles == ["a.csv:gate: missed", *["a.csv:gate: false alarm"] * told.false]


def test_events_are_rows_of_any_kind_and_streams_are_told_apart(tmp_path: Path) -> None:
    rows = ["2026-05-01T10:00:00,k1", "2026-05-01 10:01:00+00:00,k1", "2026-05-01T10:20:00,k2"]
    (tmp_path / "e.csv").write_text("\n".join(["kind,timestamp,camera", *(f"person,{row}" for row in rows)]))
    streams = {one.name: one.counts.tolist() for one in tally.read(tmp_path / "e.csv", WINDOW)}
    assert streams == {"e.csv:person k1": [2.0, 0.0], "e.csv:person k2": [0.0, 1.0]}


@pytest.mark.parametrize(
    "text",
    [
        "time\nsoon\n",
        "time\n-5\n",
        "time\nnan\n",
        "time\n1e300\n",
        "time\n0\n1e11\n",
        "time,count\n1700000000,-1\n",
        "time,count\n1700000000,nan\n",
        "time,count\n1700000000,1e300\n",
        "time,count\n1700000000\n",
        "time,zone\n" + "\n".join(f"1700000000,z{n}" for n in range(600)),
    ],
)
def test_what_is_no_event_is_refused_with_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(FolderError, match=r"bad\.csv: holds no events"):
        tally.read(tmp_path, WINDOW)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="there is no"):
        tally.read(tmp_path / "none.csv", WINDOW)
    with pytest.raises(FolderError, match="no file of events"):
        tally.read(tmp_path, WINDOW)
    (tmp_path / "empty.csv").write_text("time,zone\n")
    with pytest.raises(FolderError, match="no file of events"):
        tally.read(tmp_path, WINDOW)
    (tmp_path / "windows.json").write_text("[1]")
    with pytest.raises(FolderError, match="no list of windows"):
        tally.read(tmp_path, WINDOW)

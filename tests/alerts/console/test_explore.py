"""Readings over any recorded time: in spans, with the alarms of their areas, as CSV, honest where some are missing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from alerts.console import schema
from alerts.console.accounts import list_audit
from alerts.console.config import PastError
from alerts.console.exploring import gather, gather_seen
from alerts.console.traces import Series, decimate
from sensors.observation import SIMULATED, CameraEvent

from .conftest import Configure, Desktop, Engine

if TYPE_CHECKING:
    from alerts.console.config import Columns

START = 1_790_000_000.0


def record(point: Any, at: Any, value: Any) -> Columns:
    score, flags = np.full(len(at), 0.5, np.float32), np.zeros(len(at), np.uint16)
    return np.array(point, np.uint32), np.array(at, float), np.array(value, float), score, flags


def batches(*records: Columns) -> list[Columns]:
    """Give records as the log does: the newest first."""
    return list(reversed(records))


def test_readings_are_gathered_in_order_of_time_each_once() -> None:
    found = gather(
        batches(
            record([0, 1, 0], [10, 10, 20], [1, 9, 2]),
            record([0, 0], [20, 30], [2, 3]),  # the one at 20 again
            record([0, 1], [5, 40], [0, 9]),  # told late, and after the end
        ),
        [0, 1], 5, 30, seconds=9.0,
    )  # fmt: skip
    assert (found.complete, found.since) == (True, 5)
    assert found.series[0].time.tolist() == [5, 10, 20, 30]
    assert found.series[0].value.tolist() == [0, 1, 2, 3]
    assert found.series[1].time.tolist() == [10]


def test_what_takes_too_long_says_from_when_on_all_is_there() -> None:
    ticks = iter(range(10))
    records = batches(*(record([0], [at], [at]) for at in (10.0, 20.0, 30.0)))
    found = gather(records, [0], 0, 100, seconds=2.0, clock=lambda: float(next(ticks)))
    assert not found.complete
    assert found.since == 20.0
    assert found.series[0].time.tolist() == [20, 30]


def test_a_month_of_a_million_readings_keeps_its_peaks_in_two_thousand_spans() -> None:
    at = START + np.arange(1_000_000) * 2.592
    value = np.sin(at / 86400)
    value[123_456], value[654_321] = 99.0, -99.0
    pieces = [slice(n, n + 10_000) for n in range(0, 1_000_000, 10_000)]
    records = batches(*(record(np.zeros(10_000), at[piece], value[piece]) for piece in pieces))
    began = time.process_time()
    series = decimate(gather(records, [0], START, at[-1], seconds=60.0).series[0], 2000)
    assert time.process_time() - began < 1.0
    assert len(series.time) <= 2000
    assert series.high is not None and series.low is not None
    assert (series.high.max(), series.low.min()) == (99.0, -99.0)


@pytest.fixture
def desktop(configure: Configure) -> Desktop:
    def recorded(partitions: Sequence[int], begin: float, end: float) -> Iterator[Columns]:
        assert len(partitions) == 1
        yield from batches(record([0, 1, 0], [START, START + 1, START + 60], [1.5, 7.0, np.nan]))

    return Desktop(configure(recorded=recorded))


def asked(points: str = "points=p0&points=p1", begin: float = START, end: float = START + 100) -> str:
    return f"{points}&from={begin}&to={end}"


def test_old_readings_come_from_the_log_new_ones_from_memory(desktop: Desktop, engine: Engine) -> None:
    with desktop.client() as client:
        headers = desktop.token("analyst")
        old = client.get(f"/api/v1/explore?{asked()}", headers=headers).json()
        assert [row["point"] for row in old["items"]] == ["p0", "p1"]
        assert old["items"][0]["time"] == [START, START + 60]
        assert old["items"][0]["value"] == [1.5, None]
        assert (old["complete"], old["since"]) == (True, START)
        now = time.time()
        one = np.array([now - 60])
        desktop.console.traces.append(np.zeros(1, np.uint32), one, one, np.zeros(1, np.float32), now)
        engine.condition(level=2)
        new = client.get(f"/api/v1/explore?{asked(begin=now - 3600, end=now + 60)}", headers=headers).json()
        assert new["items"][0]["time"] == [now - 60]
        assert [(row["rule"], row["scope"], row["level"]) for row in new["alarms"]] == [("creep", "p0", "yellow")]


def test_every_reading_goes_out_as_csv(desktop: Desktop) -> None:
    with desktop.client() as client:
        answer = client.get(f"/api/v1/explore.csv?{asked()}", headers=desktop.token("viewer"))
        assert answer.headers["content-type"].startswith("text/csv")
        (noted,) = list_audit(desktop.console.accounts, action="points.export")
        assert noted.target == "p0,p1" and noted.detail.keys() == {"from", "to"}
    lines = answer.text.splitlines()
    assert lines[0] == "time,point,value,unit,score"
    assert lines[1] == '2026-09-21T14:13:20.000Z,p0,1.5,"mm",0.5'
    assert lines[2].split(",")[2] == ""  # what is not known is empty
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (asked("points=none"), 404),
        (asked("points=p0", START, START), 422),
        (asked("&".join(["points=p0"] * 9)), 422),
        (asked("points=" + "p" * 200), 422),
        ("points=p0&from=nan&to=1", 422),
        (f"{asked()}&max=1000000", 422),
        ("from=1&to=2", 422),
    ],
)
def test_strange_questions_are_refused(desktop: Desktop, query: str, status: int) -> None:
    with desktop.client() as client:
        assert client.get(f"/api/v1/explore?{query}", headers=desktop.token("viewer")).status_code == status


def test_what_cannot_be_read_whole_is_no_csv(configure: Configure, monkeypatch: Any) -> None:
    from alerts.console.routes import explore

    monkeypatch.setattr(explore, "LOG_SECONDS", -1.0)
    endless = [record([0], [START], [1.0])]
    desktop = Desktop(configure(recorded=lambda *_: iter(endless)))
    with desktop.client() as client:
        headers = desktop.token("analyst")
        assert client.get(f"/api/v1/explore?{asked()}", headers=headers).json()["complete"] is False
        answer = client.get(f"/api/v1/explore.csv?{asked()}", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "too_much")


def test_what_cameras_saw_in_the_areas_is_told_once_each_and_honestly(configure: Configure) -> None:
    def saw(time: float, event: str = "", **more: Any) -> CameraEvent:
        given: dict[str, Any] = {"area": "slope-1", "camera": "cam", "kind": "debris", **more}
        return CameraEvent(event=event, time=time, received=time, **given)

    record: list[CameraEvent | None] = [
        saw(START + 90, "e2", phase="end"),
        None,
        saw(START + 60, "e2", confidence=0.8, quality=SIMULATED),
        saw(START + 30, kind="person"),
        saw(START + 20, kind="person"),
        saw(START + 10, "e1", area="river", camera="elsewhere"),
    ]
    desktop = Desktop(configure(seen=lambda partitions, begin, end: iter(record)))
    path = f"/api/v1/explore/events?points=p0&from={START}&to={START + 100}"
    with desktop.client() as client:
        told = schema.ExploredEvents.model_validate(client.get(path, headers=desktop.token("viewer")).json())
    assert [(one.kind, one.time - START, one.area) for one in told.items] == [
        ("debris", 60.0, "slope-1"),
        ("person", 30.0, "slope-1"),
        ("person", 20.0, "slope-1"),
    ]
    assert told.complete and told.items[0].simulated and told.items[0].confidence == 0.8
    few = gather_seen(record, lambda one: True, most=2, seconds=60.0)
    assert (len(few.events), few.complete) == (2, False)
    clock = iter(range(0, 10**6, 100))
    assert not gather_seen(iter(record), lambda one: True, most=9, seconds=1.0, clock=lambda: next(clock)).complete


class Kept:
    """Keep a reading of each hour, known from an hour after START to five hours after it, and spans of them."""

    since, until = START + 3600.0, START + 5 * 3600.0
    trouble = ""

    def span(self) -> tuple[float, float]:
        if self.trouble:
            raise PastError(self.trouble)
        return self.since, self.until

    def series(self, points: Sequence[int], begin: float, end: float) -> dict[int, Series]:
        at = START + 3600.0 * np.arange(1, 6)
        at = at[(at >= begin) & (at <= end)]
        score = np.full(len(at), 0.25, np.float32)
        return {index: Series(at, at * 0 + 5, score, at * 0 + 1, at * 0 + 9) for index in points}

    def readings(self, points: Sequence[int], begin: float, end: float) -> Iterator[Columns]:
        for one in reversed(self.series([0], begin, end)[0].time.tolist()):
            yield record([0], [one], [5.0])


def hours(partitions: Sequence[int], begin: float, end: float) -> Iterator[Columns]:
    """Give what a log of ten hours still holds: all but the hours from the second to the fourth."""
    kept = [START + 3600.0 * hour for hour in (9, 8, 7, 6, 5, 1, 0)]
    yield from (record([0], [at], [7.0]) for at in kept if begin <= at <= end)


def test_what_is_kept_for_long_is_joined_to_what_the_log_has_before_and_after_it(
    configure: Configure, engine: Engine
) -> None:
    kept = Kept()
    desktop = Desktop(configure(recorded=hours, past=kept))
    span = asked("points=p0", START, START + 10 * 3600.0)
    with desktop.client() as client:
        headers = desktop.token("analyst")
        found = client.get(f"/api/v1/explore?{span}", headers=headers).json()
        (one,) = found["items"]
        assert [round((at - START) / 3600.0) for at in one["time"]] == list(range(10)) and found["complete"]
        assert one["value"] == [7.0, *[5.0] * 5, *[7.0] * 4] and (one["min"][2], one["max"][2]) == (1.0, 9.0)
        rows = client.get(f"/api/v1/explore.csv?{span}", headers=headers).text.splitlines()
        assert len(rows) == 1 + 10
        trace = client.get(f"/api/v1/points/p0/trace?from={START}&to={START + 4 * 3600}", headers=headers).json()
        assert trace["value"] == [5.0] * 4 and trace["max"] == [9.0] * 4
        kept.trouble = "away"
        found = client.get(f"/api/v1/explore?{span}", headers=headers).json()
        assert not found["complete"] and len(found["items"][0]["time"]) == 7
        assert client.get(f"/api/v1/explore.csv?{span}", headers=headers).status_code == 422
        assert client.get(f"/api/v1/points/p0/trace?from={START}", headers=headers).status_code == 200

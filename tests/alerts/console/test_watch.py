from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from alerts.console import live, schema
from alerts.console.figures import BEHIND
from sensors.flags import DUPLICATE, JUMP
from sensors.observation import BAD, OUT_OF_RANGE
from sensors.partition import partition_of
from tests.waiting import until

from .conftest import Configure, Desktop, Engine


def columns(point: list[int], time: list[float], value: list[float]) -> bytes:
    return np.array([point, time, value], float).tobytes()


def decode(record: bytes) -> Any:
    if len(record) % 24:
        raise ValueError("not scores")
    point, time, value = np.frombuffer(record).reshape(3, -1)
    return point.astype(np.uint32), time, value, np.full(len(point), 0.25, np.float32)


def test_the_traces_are_filled_from_the_log_and_go_on_live_without_repeats(
    configure: Configure, engine: Engine
) -> None:
    now = time.time()

    def history(after: Any) -> Any:
        assert after == {}
        for offset in range(3):
            yield 0, offset, columns([0], [now - 10 + offset], [float(offset)])
        # what is live meanwhile is in the log too, or not yet
        engine.publish("scores", columns([0], [now - 8], [2.0]), offset=2)
        engine.publish("scores", columns([0, 1], [now - 7, now], [3.0, 9.0]), offset=3)

    desktop = Desktop(configure(decode_scores=decode, history=history))
    with desktop.client() as client:
        headers = desktop.token("viewer")

        def trace() -> Any:
            return client.get("/api/v1/points/p0/trace", headers=headers).json()

        until(lambda: len(trace()["value"]) >= 4)
        engine.publish("scores", b"broken", offset=4)
        engine.publish("scores", columns([0], [now - 1], [4.0]), offset=5)
        until(lambda: len(trace()["value"]) >= 5)
        told = trace()
        schema.Trace.model_validate(told)
        assert told["value"] == [0.0, 1.0, 2.0, 3.0, 4.0]
        assert (told["unit"], told["score"][0], told["learning"]) == ("mm", 0.25, False)
        assert "min" not in told
        few = client.get("/api/v1/points/p0/trace?max=2", headers=headers).json()
        assert few["min"][0] == 0.0
        assert few["max"][-1] == 4.0
        assert client.get("/api/v1/points/nothing/trace", headers=headers).status_code == 404


def test_what_was_scored_while_the_feed_was_away_comes_from_the_log(configure: Configure, engine: Engine) -> None:
    now = time.time()
    log = [columns([0], [now - 100 + at], [float(at)]) for at in range(6)]
    kept, asked = 2, []

    def history(after: Any) -> Any:
        asked.append(after)
        yield from [(0, at, log[at]) for at in range(after.get(0, -1) + 1, kept)]

    desktop = Desktop(configure(decode_scores=decode, history=history))
    with desktop.client() as client:
        headers = desktop.token("viewer")

        def values() -> Any:
            return client.get("/api/v1/points/p0/trace", headers=headers).json()["value"]

        until(lambda: len(values()) == 2)
        engine.publish("scores", log[2], offset=2)
        until(lambda: len(values()) == 3)
        kept = 5
        engine.publish("resync", b"", offset=-1)  # 3 and 4 were written while nobody listened
        until(lambda: len(values()) == 5)
        engine.publish("scores", log[4], offset=4)
        engine.publish("scores", log[5], offset=5)
        until(lambda: len(values()) == 6)
        assert values() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert asked == [{}, {0: 2}]


def test_a_trace_says_where_a_live_point_leads_when_it_is_asked(configure: Configure, engine: Engine) -> None:
    now = time.time()
    times = now - np.arange(200.0)[::-1]

    def history(after: Any) -> Any:
        yield 0, 0, columns([0] * 200 + [1] * 200, [*times, *(times - 600.0)], [*np.arange(200.0) * 0.1] * 2)

    desktop = Desktop(configure(decode_scores=decode, history=history))
    with desktop.client() as client:
        headers = desktop.token("viewer")

        def trace(point: str, query: str = "") -> Any:
            told = client.get(f"/api/v1/points/{point}/trace{query}", headers=headers).json()
            schema.Trace.model_validate(told)
            return told

        until(lambda: len(trace("p0")["value"]) == 200)
        assert "forecast" not in trace("p0")
        found = trace("p0", "?ahead=3600")["forecast"]
        assert found["time"][0] == pytest.approx(times[-1])
        assert found["time"][-1] == pytest.approx(times[-1] + 3600.0)
        assert found["low"][-1] < found["value"][-1] < found["high"][-1]
        assert trace("p1", "?ahead=3600")["forecast"] is None, "silence foretells nothing"
        assert client.get("/api/v1/points/p0/trace?ahead=1e9", headers=headers).status_code == 422


def test_poor_data_are_counted_by_point_and_shown_raw_beside_the_trace(configure: Configure, engine: Engine) -> None:
    now = time.time()
    usual = np.array([0, 0, 1], np.uint32), np.array([now - 9, now - 7, now - 5]), np.array([1.0, 2.0, 3.0])
    odd = np.array([0, 0, 0], np.uint32), np.array([now - 8, now - 7, now - 3]), np.array([1e9, 2.0, float("nan")])
    records = {
        b"usual": (*usual, np.full(3, 0.5, np.float32), np.array([0, JUMP, 0], np.uint16)),
        b"odd": (*odd, np.full(3, np.nan, np.float32), np.array([OUT_OF_RANGE, DUPLICATE, BAD], np.uint16)),
    }
    home = partition_of("s", 2)
    history = [(home, 0, b"usual"), (home, 1, b"odd"), (1 - home, 0, b"odd")]
    desktop = Desktop(configure(decode_scores=records.__getitem__, history=lambda _: history))
    with desktop.client() as client:
        headers = desktop.token("duty")

        def quality(query: str = "") -> Any:
            return client.get(f"/api/v1/quality{query}", headers=headers).json()

        until(lambda: quality()["items"])
        engine.pulse(clocks={"p1": 3600.0})
        until(lambda: len(quality()["items"]) == 2)
        told = quality()
        schema.Quality.model_validate(told)
        first, second = told["items"]
        assert (first["point"], first["clock"], first["last_good"]) == ("p0", None, now - 7)
        assert first["day"] == first["total"] == {"duplicate": 1, "out_of_range": 1, "bad": 1, "jump": 1}
        assert (second["point"], second["day"], second["clock"]) == ("p1", {}, 3600.0)
        assert quality("?area=slope-2") == {"items": [], "cameras": [], "guessed": []}
        engine.pulse(camera_clocks={"cam": -25200.0, "gone": 9.0})
        until(lambda: quality()["cameras"])
        schema.Quality.model_validate(quality())
        assert quality()["cameras"] == [{"camera": "cam", "areas": ["slope-1"], "clock": -25200.0}]
        assert quality("?area=slope-2")["cameras"] == []
        engine.pulse(guessed={"p1": "switch", "gone": "state"})
        until(lambda: quality()["guessed"])
        schema.Quality.model_validate(quality())
        assert quality()["guessed"] == [{"point": "p1", "areas": ["slope-1"], "kind": "switch"}]
        assert quality("?area=slope-2")["guessed"] == []
        assert len(quality("?area=slope-1&limit=1")["items"]) == 1
        assert client.get("/api/v1/quality?area=nowhere", headers=headers).status_code == 404
        rates = client.get("/api/v1/quality/rates", headers=headers).json()
        schema.Rates.model_validate(rates)
        assert rates == {"items": []}, "three readings say nothing of a rate"
        assert client.get("/api/v1/quality/rates?area=nowhere", headers=headers).status_code == 404

        trace = client.get("/api/v1/points/p0/trace", headers=headers).json()
        schema.Trace.model_validate(trace)
        assert trace["value"] == [1.0, 2.0], "what is not scored is not in the line"
        assert [(one["value"], one["flags"], one["aside"]) for one in trace["flagged"]] == [
            (1e9, ["out_of_range"], True),
            (2.0, ["jump"], False),
            (2.0, ["duplicate"], True),
            (None, ["bad"], True),
        ]
        figures = client.get("/metrics", headers=desktop.token("analyst")).text
        assert 'foreshock_flagged_readings{flag="out_of_range"} 1.0' in figures


def test_the_figures_count_what_is_live_and_never_call_silence_green(configure: Configure, engine: Engine) -> None:
    desktop = Desktop(configure(decode_scores=decode, history=lambda _: [(0, 0, columns([2], [1000.0], [1.0]))]))
    with desktop.client() as client:
        headers = desktop.token("viewer")

        def status() -> Any:
            return client.get("/api/v1/status", headers=headers).json()

        until(lambda: status()["readings_per_second"] == 12.5)
        engine.publish("scores", columns([0], [time.time()], [float("nan")]), offset=1)
        until(lambda: status()["points_live"] == 1)
        told = status()
        schema.Status.model_validate(told)
        assert (told["points_total"], told["cameras_total"], told["cameras_live"]) == (3, 1, 1)
        assert told["quarantine"] == {"duplicate": 2}
        area = client.get("/api/v1/areas/slope-1/status", headers=headers).json()
        schema.AreaStatus.model_validate(area)
        assert [point["state"] for point in area["points"]] == ["live", "never", "stale"]
        assert area["points"][0]["value"] is None
        assert [camera["state"] for camera in area["cameras"]] == ["live"]


def test_no_camera_is_live_by_what_was_once_said_of_their_number(desktop: Desktop) -> None:
    figures = desktop.console.figures
    figures.others = {"cameras_live": 1, "cameras": {"cam-1": 5.0}}
    assert figures.status(time.time())["cameras_live"] == 0


def test_the_time_of_the_figures_stands_still_when_the_engine_does(client: TestClient, desktop: Desktop) -> None:
    headers = desktop.token("viewer")
    until(lambda: client.get("/api/v1/status", headers=headers).json()["readings_per_second"] == 12.5)
    first = client.get("/api/v1/status", headers=headers).json()["time"]
    beats = desktop.console.live.beat
    count = 0

    def counted(status: bytes) -> None:
        nonlocal count
        count += 1
        beats(status)

    desktop.console.live.beat = counted
    until(lambda: count >= 3)
    now = client.get("/api/v1/status", headers=headers).json()
    assert now["time"] == first
    assert now["now"] == pytest.approx(time.time(), abs=5)  # by which a page tells what was held up on its way


def test_the_figures_say_why_alarms_may_not_be_seen_though_the_engine_speaks(
    client: TestClient, desktop: Desktop, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = desktop.token("viewer")
    monkeypatch.setattr(live, "POLL", 0.05)

    def trouble() -> Any:
        return client.get("/api/v1/status", headers=headers).json()["trouble"]

    engine.pulse(trouble="the journal takes nothing, nobody is told of alarms: database or disk is full")
    until(lambda: trouble() == "unwritten")
    engine.pulse(engine_lag=BEHIND + 1)
    until(lambda: trouble() == "behind")
    engine.pulse(engine_lag=BEHIND)
    until(lambda: trouble() == "")

    def broken(reader: Any) -> Any:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(desktop.console.live, "_next", broken)
        until(lambda: trouble() == "unread")
    until(lambda: trouble() == "")


def test_open_incidents_are_counted_as_they_change(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    headers = desktop.token("viewer")

    def open_by_level() -> Any:
        return client.get("/api/v1/status", headers=headers).json()["open"]

    until(lambda: open_by_level() == {"red": 0, "orange": 0, "yellow": 0, "blue": 0})
    engine.condition(level=2)
    engine.condition(area="slope-2", rule="other", level=3, simulated=True)
    until(lambda: open_by_level() == {"red": 0, "orange": 1, "yellow": 1, "blue": 0})
    # counted from the journal, which may be a moment ahead of the changes that say it is simulated
    until(lambda: client.get("/api/v1/status", headers=headers).json()["simulated"] is True)


def test_the_load_of_the_desk_counts_what_rang_before_this_console_came_and_since(
    configure: Configure, engine: Engine
) -> None:
    engine.condition()
    desktop = Desktop(configure())
    with desktop.client() as client:

        def load() -> Any:
            return client.get("/api/v1/load", headers=desktop.token("duty")).json()

        until(lambda: load()["day"] == 1)
        engine.condition(rule="rain")
        until(lambda: load()["day"] == 2)
        assert {actor["rule"] for actor in load()["actors"]} == {"creep", "rain"}
        assert client.get("/api/v1/status", headers=desktop.token("duty")).json()["load"]["ten_minutes"] == 2

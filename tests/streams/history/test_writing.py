"""The two that run in the history process: each works beside a log that grows, tells of trouble, and stops soon."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from aiokafka.errors import KafkaTimeoutError

from streams import settings
from streams.doctor import examine
from streams.embedded.store import Log, TopicSpec
from streams.history import columns, keeping, writing
from streams.history.columns import Scored
from streams.history.influx import UnavailableError
from streams.history.keeping import Keeping
from streams.history.writing import Writing
from streams.topics import OUTCOMES, SCORES
from streams.vitals import HISTORY_FOLDER, INFLUXDB
from tests.streams.small_site import START, site
from tests.waiting import until

INFLUX = {"FORESHOCK_INFLUX_URL": "http://127.0.0.1:1", "FORESHOCK_INFLUX_TOKEN": "x"}
TOPICS = {SCORES: TopicSpec(1), OUTCOMES: TopicSpec(1)}


def record(minute: int) -> bytes:
    at = START + 60.0 * minute + np.arange(0.0, 60.0, 10.0)
    return columns.encode(Scored(np.arange(6, dtype=np.uint32), at, at, np.full(6, 0.5, np.float32)))


class Said:
    """Stand for the way to the engine, and note what it is told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def down(self, component: str, detail: str) -> None:
        self.said.append((component, detail))

    def back(self, component: str) -> None:
        self.said.append((component, ""))


class Fake:
    """Stand for InfluxDB: away while told so, and slow to answer a stop."""

    def __init__(self) -> None:
        self.away, self.lines = True, 0
        self.bucket = "foreshock"

    def write(self, bucket: str, lines: bytes) -> None:
        if self.away:
            raise UnavailableError("cannot be reached: nobody is there")
        self.lines += lines.count(b"\n")

    def query(self, flux: str) -> list[dict[str, str]]:
        return []

    def close(self) -> None:
        """Nothing is held."""


def test_influxdb_away_is_an_alarm_of_the_system_until_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.trouble.LASTS", 0.0)
    monkeypatch.setattr(writing, "LOOK", 0.01)
    monkeypatch.setattr("streams.history.writer.PAUSES", (0.01, 0.02))
    server, said = Fake(), Said()
    monkeypatch.setattr(writing, "Influx", lambda _: server)
    given = {**INFLUX, "FORESHOCK_DATA": str(tmp_path)}
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        log.write([(SCORES, 0, None, record(0))])
        one = Writing(settings.load(given), site(), said)
        one.start()
        try:
            until(lambda: (INFLUXDB, "InfluxDB cannot be reached: nobody is there") in said.said)
            assert [one for one in said.said[:-1] if one[1]] == [], "said once"
            assert "nobody is there" in one.figures()["trouble"] and one.figures()["waiting"] == 1
            log.write([(SCORES, 0, None, record(1)), (SCORES, 0, None, b"none")])
            server.away = False
            until(lambda: one.figures()["readings"] == server.lines == 12)
            until(lambda: said.said[-1] == (INFLUXDB, ""))
            until(lambda: not one.figures()["late_hours"])  # what is so old was summed up
            figures = one.figures()
            assert (figures["readings"], figures["trouble"], figures["lost"]) == (12, "", {"undecodable": 1})
        finally:
            begun = time.monotonic()
            one.stop()
    assert time.monotonic() - begun < 2.0


def test_the_data_folder_gets_what_the_log_has_and_says_what_keeps_it_from_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = settings.load({"FORESHOCK_DATA": str(tmp_path), "FORESHOCK_HISTORY_GIGABYTES": "1"})
    monkeypatch.setattr(keeping, "EVERY", 0.01)
    monkeypatch.setattr(keeping, "AGAIN", 0.01)
    monkeypatch.setattr("streams.trouble.LASTS", 0.0)
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        log.write([(SCORES, 0, None, record(0))])
        said = Said()
        one = Keeping(found, site(), said)
        one.start()
        until(lambda: one.figures()["readings"] == 6)
        log.write([(SCORES, 0, None, record(1))])
        until(lambda: one.figures()["readings"] == 12)
        assert one.figures()["bytes"] > 0 and not one.figures()["lost"]
        (tmp_path / "history" / "readings").rename(tmp_path / "elsewhere")
        (tmp_path / "history" / "readings").write_text("in the way")
        log.write([(SCORES, 0, None, record(2))])
        until(lambda: one.figures()["trouble"] and len(said.said) == 2)
        assert said.said[1][0] == HISTORY_FOLDER and said.said[1][1]
        (tmp_path / "history" / "readings").unlink()
        until(lambda: one.figures()["readings"] == 18 and not one.figures()["trouble"])
        assert said.said[2:] == [(HISTORY_FOLDER, "")] and one.is_alive
        before = time.strftime("%Y%m%d", time.gmtime(time.time() - 86400.0))
        (tmp_path / "history" / "readings" / f"{before}.parquet").write_bytes(b"")
        until(lambda: one.figures()["lost"] == {"damaged": 1})
        until(lambda: len(said.said) == 5)
        assert [component for component, detail in said.said[3:]] == [f"{HISTORY_FOLDER}:damaged"] * 2
        assert f"{before}.damaged" in said.said[3][1], "it stands until somebody acknowledges it"
        one.stop()
    finding = next(examine(found, "history"))
    assert not finding.well and f"{before}.damaged" in finding.said and "backup" in finding.said


@pytest.mark.parametrize(
    "error", [sqlite3.OperationalError("disk I/O error"), KafkaTimeoutError("no offsets"), KeyError()]
)
def test_no_error_ends_a_thread_and_each_is_told(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("keeping.AGAIN", "writing.LOOK"):
        monkeypatch.setattr(f"streams.history.{name}", 0.01)
    monkeypatch.setattr("streams.trouble.LASTS", 0.0)
    monkeypatch.setattr(writing, "Influx", lambda _: Fake())
    tries: list[str] = []

    def broken(*_: object) -> None:
        tries.append(threading.current_thread().name)
        raise error

    for place in ("keeper.Keeper", "writer.Gatherer", "writer.Sender"):
        monkeypatch.setattr(f"streams.history.{place}.step", broken)
    given = {**INFLUX, "FORESHOCK_DATA": str(tmp_path)}
    with Log(tmp_path / "log.sqlite", TOPICS):
        said = Said()
        both: list[Keeping | Writing] = [
            Keeping(settings.load(given), site(), said),
            Writing(settings.load(given), site(), said),
        ]
        for one in both:
            one.start()
        try:
            until(lambda: all(tries.count(name) >= 3 for name in ("keep", "gather", "send")))
            until(lambda: len(said.said) == 2)
        finally:
            for one in both:
                assert one.is_alive
                assert (str(error) or "KeyError") in one.figures()["trouble"]
                one.stop()
                assert not one.is_alive
    assert {component for component, detail in said.said if detail} == {INFLUXDB, HISTORY_FOLDER}

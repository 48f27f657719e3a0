"""From the log to InfluxDB: in order, nothing twice, nothing lost without a count, whatever it answers."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import outcome
from streams.embedded.reader import LogReader
from streams.embedded.store import Log, TopicSpec
from streams.history import columns
from streams.history.influx import InfluxError, RefusedError, TooLargeError, UnavailableError
from streams.history.lines import Naming
from streams.history.spool import Batch, Spool, begun
from streams.history.writer import MOST_REFUSALS, Gatherer, LateHours, Sender
from streams.topics import OUTCOMES, SCORES
from tests.streams.history.test_lines import transition
from tests.streams.small_site import START, site

TOPICS = {SCORES: TopicSpec(1), OUTCOMES: TopicSpec(1)}


def record(first: int, count: int) -> bytes:
    """Make `count` scored readings, one a second from `first` on, in turn of six points."""
    at = np.arange(first, first + count)
    return columns.encode(
        columns.Scored((at % 6).astype(np.uint32), START + at, at * 1.0, np.full(count, 0.5, np.float32))
    )


class Fake:
    """Take lines by bucket as InfluxDB does, whose points are known by series and time; fail as told."""

    def __init__(self, failures: list[InfluxError] | None = None, most: int = 1 << 30) -> None:
        self.points: dict[str, dict[tuple[str, str], str]] = {}
        self.order: list[str] = []
        self.failures, self.most = failures or [], most

    def write(self, bucket: str, lines: bytes) -> None:
        if not lines:
            return
        if self.failures:
            raise self.failures.pop()
        if len(lines) > self.most:
            raise TooLargeError("too large")
        for line in lines.decode().splitlines():
            head, fields, stamp = line.rsplit(" ", 2) if " " in line else (line, "", "")
            self.points.setdefault(bucket, {})[head, stamp] = fields
            self.order.append(stamp)


def sender(server: Fake, spool: Spool, waits: list[float] | None = None) -> Sender:
    waits = [] if waits is None else waits
    return Sender(server, "raw", "alarms", spool, lambda: 0.0, waits.append, random.Random(1))


def drain(one: Sender, spool: Spool) -> None:
    for _ in range(1000):
        if not len(spool):
            return
        one.step()
    raise AssertionError("it never ends")


def log_of(folder: Path, records: int = 10) -> Path:
    with Log(folder / "log.sqlite", TOPICS) as log:
        log.write([(SCORES, 0, None, record(100 * k, 100)) for k in range(records)])
        edges = outcome.encode(
            outcome.Record(partition=0, offset=0, outcomes=(transition(), transition(id="x.2", sequence=2)))
        )
        log.write([(OUTCOMES, 0, None, edges), (OUTCOMES, 0, None, b"\xc1 of another version")])
    return folder / "log.sqlite"


def test_all_that_the_log_tells_is_written_once_and_the_rest_counted(tmp_path: Path) -> None:
    spool, server = Spool(tmp_path / "spool", 10_000_000), Fake()
    with LogReader(log_of(tmp_path)) as log:
        gatherer = Gatherer(log, spool, Naming(site()))
        assert not gatherer.step()
        drain(sender(server, spool), spool)
        assert not gatherer.step() and not len(spool)
    assert (len(server.points["raw"]), len(server.points["alarms"])) == (1000, 2)
    assert gatherer.counts["undecodable"] == 1
    assert server.order[:1000] == sorted(server.order[:1000])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["gather", "send", "lose answer", "die"]), max_size=25))
def test_wherever_it_is_killed_each_point_stands_there_once_and_in_order(
    tmp_path_factory: object, steps: list[str]
) -> None:
    folder: Path = tmp_path_factory.mktemp("killed")  # type: ignore[attr-defined]
    server, waits = Fake(), list[float]()
    with Log(folder / "log.sqlite", TOPICS) as writing, LogReader(folder / "log.sqlite") as log:
        spool = Spool(folder / "spool", 10_000_000)
        gatherer, sending, written = Gatherer(log, spool, Naming(site())), sender(server, spool, waits), 0
        for step in [*steps, "die", "gather"]:
            if step == "gather":
                writing.write([(SCORES, 0, None, record(written, 50))])
                written += 50
                gatherer.step()
            elif step == "die":
                spool = Spool(folder / "spool", 10_000_000)
                gatherer, sending = Gatherer(log, spool, Naming(site())), sender(server, spool, waits)
            elif step == "lose answer" and (found := spool.oldest()) is not None:
                server.write("raw", found[1].readings)  # it was taken, and nobody noted it
            elif step == "send":
                sending.step()
        drain(sending, spool)
    assert len(server.points["raw"]) == written
    first_times = list(dict.fromkeys(server.order))
    assert first_times == sorted(first_times)


def test_while_it_is_away_lines_wait_in_order_and_the_pauses_grow_to_a_most(tmp_path: Path) -> None:
    waits: list[float] = []
    spool = Spool(tmp_path / "spool", 10_000_000)
    server = Fake([UnavailableError("away") for _ in range(9)] + [UnavailableError("busy", 90.0)])
    with LogReader(log_of(tmp_path)) as log:
        Gatherer(log, spool, Naming(site())).step()
    one = sender(server, spool, waits)
    one.step()
    assert one.trouble == "busy" and waits == [90.0]
    drain(one, spool)
    assert not one.trouble and one.counts["failures"] == 10 == len(waits)
    assert all(0.5 * 2**k <= wait <= 2.0**k for k, wait in enumerate(waits[1:6], 1)) and max(waits[1:]) <= 60.0
    assert len(server.points["raw"]) == 1000


def test_what_it_refuses_for_good_is_counted_kept_and_stops_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 10_000_000)
    with LogReader(log_of(tmp_path)) as log:
        Gatherer(log, spool, Naming(site())).step()
    one = sender(Fake([RefusedError("points beyond retention policy dropped=7", 7)]), spool)
    drain(one, spool)
    assert one.counts["refused"] == 7
    (reason,) = (tmp_path / "spool" / "refused").glob("*.txt")
    assert "7 line(s): points beyond retention" in reason.read_text()


def test_what_is_too_large_goes_in_halves(tmp_path: Path) -> None:
    spool, server = Spool(tmp_path / "spool", 10_000_000), Fake(most=9000)
    with LogReader(log_of(tmp_path)) as log:
        Gatherer(log, spool, Naming(site())).step()
    one = sender(server, spool)
    drain(one, spool)
    assert len(server.points["raw"]) == 1000 and not one.counts["refused"]


def test_a_line_that_cannot_be_read_takes_no_other_with_it(tmp_path: Path) -> None:
    class Strict(Fake):
        def write(self, bucket: str, lines: bytes) -> None:
            self.requests += 1
            if bad and any(stamp in lines for stamp in bad):
                raise RefusedError("unable to parse")
            super().write(bucket, lines)

        requests = 0

    spool = Spool(tmp_path / "spool", 10_000_000)
    with LogReader(log_of(tmp_path)) as log:
        Gatherer(log, spool, Naming(site())).step()
    found = spool.oldest()
    assert found is not None
    lines = found[1].readings.splitlines()
    bad, server = {lines[at].rsplit(b" ")[-1] for at in (0, 400, 999)}, Strict()
    one = sender(server, spool)
    drain(one, spool)
    assert (len(server.points["raw"]), one.counts["refused"]) == (997, 3) and server.requests < 80
    (reason,) = (tmp_path / "spool" / "refused").glob("*.txt")
    assert reason.read_text().count("1 line(s): unable to parse") == 3


def test_what_is_refused_whatever_is_left_out_is_not_tried_line_by_line(tmp_path: Path) -> None:
    class Never(Fake):
        requests = 0

        def write(self, bucket: str, lines: bytes) -> None:
            self.requests += 1
            raise RefusedError("no")

    spool, server = Spool(tmp_path / "spool", 10_000_000), Never()
    with LogReader(log_of(tmp_path)) as log:
        Gatherer(log, spool, Naming(site())).step()
    one = sender(server, spool)
    drain(one, spool)
    assert one.counts["refused"] == 1002 and server.requests <= 2 * MOST_REFUSALS


def test_towards_a_slow_one_alarms_come_first_and_each_partition_has_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.history.writer.MOST_LINES", 100)
    monkeypatch.setattr(Naming, "at_home", lambda _, scored, partition: (scored, 0))
    spool = Spool(tmp_path / "spool", 10_000_000)
    with Log(tmp_path / "log.sqlite", {SCORES: TopicSpec(3), OUTCOMES: TopicSpec(1)}) as writing:
        edges = outcome.encode(outcome.Record(partition=0, offset=0, outcomes=(transition(),)))
        writing.write([(OUTCOMES, 0, None, edges)])
        with LogReader(tmp_path / "log.sqlite") as log:
            gatherer = Gatherer(log, spool, Naming(site()))
            for _ in range(6):  # each time as much comes for each as is taken for all
                writing.write([(SCORES, partition, None, record(0, 100)) for partition in range(3)])
                assert gatherer.step()
    assert gatherer.cursor == {f"{OUTCOMES}:0": 1, **{f"{SCORES}:{partition}": 2 for partition in range(3)}}
    found = spool.oldest()
    assert found is not None and found[1].counts[1] == 1


def test_what_came_late_is_noted_before_its_batch_is_forgotten(tmp_path: Path) -> None:
    spool, server, noted = Spool(tmp_path / "spool", 10_000_000), Fake(), list[int]()
    with LogReader(log_of(tmp_path)) as log:
        Gatherer(log, spool, Naming(site())).step()

    def full(batch: Batch) -> None:
        noted.append(len(spool))
        if len(noted) == 1:
            raise OSError(28, "No space left on device")

    one = Sender(server, "raw", "alarms", spool, lambda: 0.0, lambda _: None, taken=full)
    with pytest.raises(OSError, match="No space"):
        one.step()
    assert one.step() is not None
    assert noted == [1, 1] and not len(spool) and len(server.points["raw"]) == 1000


def test_a_full_spool_leaves_the_rest_in_the_log_and_what_that_lets_go_is_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1)
    with Log(tmp_path / "log.sqlite", TOPICS) as writing, LogReader(tmp_path / "log.sqlite") as log:
        writing.write([(SCORES, 0, None, record(0, 100))])
        gatherer = Gatherer(log, spool, Naming(site()))
        gatherer.step()
        writing.write([(SCORES, 0, None, record(100, 100))])
        assert spool.is_full and not gatherer.step() and len(spool) == 1
    found = spool.oldest()
    assert found is not None
    spool.sent(*found)

    class Later(LogReader):
        def start(self, topic: str, partition: int) -> int:
            return 2 if topic == SCORES else 0

    since = begun(tmp_path / "spool")
    with Later(tmp_path / "log.sqlite") as log:
        after = Gatherer(log, spool, Naming(site()))
        after.step()
    assert after.counts["missed"] == 1
    assert begun(tmp_path / "spool") > since > 0.0, "the log is asked for what is older"


def test_an_hour_whose_readings_came_late_is_summed_up_anew_and_remembered_till_then(tmp_path: Path) -> None:
    file, hour = tmp_path / "late.json", 500_000
    late = LateHours(file)
    late.note([hour * 3600.0 + 30.0, (hour + 1) * 3600.0], (hour + 1) * 3600.0 + 60.0)
    assert LateHours(file).take() == hour and len(late) == 1
    late.done(hour)
    assert LateHours(file).take() is None

"""The history replayed: readings give what a log of them gives, whichever history has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pytest

from alerts.outcome import AlarmTransition
from sensors import frame, observation
from sensors.lookup import Registry
from sensors.observation import BAD, SIMULATED, Tick
from streams import replaying, settings
from streams.archive.recorded import Recorded
from streams.bundle import Bundle
from streams.course import Course
from streams.embedded.reader import LogReader
from streams.embedded.schema import LogError
from streams.embedded.store import Log, TopicSpec
from streams.engine import Engine
from streams.history import columns
from streams.history.influx import TooLargeError
from streams.history.keeper import Keeper
from streams.history.lines import Naming
from streams.history.parquet import Parquet
from streams.history.past import DAY, LEARN, PER_STEP, STEP, GoneError, Past, past
from streams.history.replayable import HistoryLog
from streams.history.tiers import tiers
from streams.replaying import Task
from streams.settings import Settings
from streams.stretch import Stretch
from streams.tape_archive import TapeArchive
from streams.topics import OBSERVATIONS, OUTCOMES, SCORES
from tests.streams.history.test_store import DAYS, in_bucket, written
from tests.streams.small_site import START, frame_of, published, rules, site, tick

PARTITIONS = 2
SECONDS = 330


def content() -> Bundle:
    """Make a site of two partitions, of which one point belongs to both."""
    small = site(partitions=PARTITIONS)
    shared = msgspec.structs.replace(small.points[5], areas=("a0", "a1"))
    return Bundle(site=msgspec.structs.replace(small, points=(*small.points[:5], shared)), rules=rules())


def logged(partition: int) -> list[bytes]:
    """Make a partition's log: points rise, fall silent, come late, badly, twice, and of a simulation."""
    known = content()
    registry = Registry(known.site)
    mine = [point.index for point in known.site.points if partition in registry.partitions_of(point.id)]
    random = np.random.default_rng(5)
    records = [published(known)]
    for second in range(SECONDS):
        now = START + second
        if second % 10 == 5:
            value = np.round(random.normal(1.0, 0.1, 6), 3)
            value[0] = 12.0 if 50 < second < 150 else 25.0 if 200 < second < 300 else value[0]
            value[1] = 25.0 if 150 < second < 220 else value[1]
            value[5] = 35.0 if second > 250 else value[5]
            there = [k for k in mine if not (k == 3 and 100 < second < 200)]
            records.append(frame_of([(k, now, float(value[k])) for k in there], now))
            if second == 105 and 0 in mine:  # none of these is for the rules of risk, or it is marked
                records.append(frame_of([(0, now - 7.5, 99.0), (0, now, 99.0)], now))
                records.append(frame_of([(0, now + 0.5, 99.0)], now + 0.5, BAD))
            if second == 205 and 4 in mine:
                records.append(frame_of([(4, now + 0.25, 50.0)], now + 0.25, SIMULATED))
        records.append(tick(now + 1.0))
    return records


class Kept(NamedTuple):
    """The same readings in a log and in a history."""

    log: Path
    past: Past


@pytest.fixture(scope="module", params=["embedded", pytest.param("influx", marks=pytest.mark.server)])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("kept")
    topics = {topic: TopicSpec(PARTITIONS) for topic in (OBSERVATIONS, OUTCOMES, SCORES)}
    with Log(folder / "log.sqlite", topics) as log:
        for partition in range(PARTITIONS):
            records = logged(partition)
            applied = Engine(partition).apply(list(enumerate(records)))
            log.write([(OBSERVATIONS, partition, None, record) for record in records])
            told = [one for one in (applied.scored, applied.aside) if one is not None]
            log.write([(SCORES, partition, None, columns.encode(one)) for one in told])
    with LogReader(folder / "log.sqlite") as reader:
        if request.param == "embedded":
            found = settings.load({**DAYS, "FORESHOCK_HISTORY_GIGABYTES": "1"}, data=str(folder))
            store = Parquet(folder / "history", tiers(found))
            Keeper(reader, store, Naming(content().site)).step(START + SECONDS)
        else:
            found = in_bucket(request.getfixturevalue("influx_server"), "replayed")
            written(reader, folder / "spool", found, content().site).close()
    return Kept(folder / "log.sqlite", past(found, content(), None, START + SECONDS, step=1))


def replayed(source: Path | Recorded, stretches: list[Stretch], keep: float = 0.0) -> list[Course]:
    tasks = [Task(where, replaying.pack(rules(threshold))) for where in stretches for threshold in (20.0, 30.0)]
    return replaying.replay(source, tasks, 1, keep=keep)


def of_history(kept: Kept, keep: float = 0.0) -> list[Course]:
    stretches = [kept.past.stretch(partition) for partition in range(PARTITIONS)]
    return replayed(Recorded(past=kept.past, tapes=str(kept.log.parent / "tapes")), stretches, keep)


def changes(courses: list[Course]) -> list[list[AlarmTransition]]:
    """Give what became of alarms; rules and site are called otherwise where they are published otherwise."""
    return [[msgspec.structs.replace(one, rule_version="") for one in course.transitions] for course in courses]


def test_the_same_readings_give_what_a_log_of_them_gives(kept: Kept) -> None:
    with LogReader(kept.log) as log:
        logs = [Stretch(partition, 0, log.end(OBSERVATIONS, partition)) for partition in range(PARTITIONS)]
    live = changes(replayed(kept.log, logs))
    assert changes(of_history(kept, keep=1e8)) == live
    seen = {(one.rule, one.scope) for course in live for one in course}
    assert {("creep", "p0"), ("creep", "p1"), ("silent", "p3"), ("creep", "p5")} <= seen
    assert live[0] != live[1], "the thresholds make a difference"
    with kept.past.open() as log, TapeArchive(kept.log.parent / "tapes", 0, log, 1e8) as archive:
        assert archive.covers(0, kept.past.stretch(0).stop), "scores are kept for the next replay of the same past"
    assert changes(of_history(kept, keep=1e8)) == live
    steps = msgspec.structs.replace(kept.past, step=STEP, end=kept.past.end - kept.past.steps % STEP)
    for exact, coarse in zip(live, changes(of_history(kept._replace(past=steps))), strict=True):
        assert [(one.scope, one.edge) for one in coarse] == [(one.scope, one.edge) for one in exact]
        assert all(abs(one.time - other.time) <= STEP for one, other in zip(coarse, exact, strict=True))


def every(log: HistoryLog, partition: int = 0, limit: int = 1000) -> list[tuple[int, bytes]]:
    found, at = list[tuple[int, bytes]](), 0
    while some := log.read(OBSERVATIONS, partition, at, limit=limit):
        found += [(offset, value) for offset, _, value in some]
        at = some[-1][0] + 1
    return found


def test_its_records_are_the_same_however_it_is_read(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    with kept.past.open() as log:
        whole = every(log)
        assert [offset for offset, _ in whole] == sorted({offset for offset, _ in whole})
        assert whole[-1][0] + 1 == log.end(OBSERVATIONS, 0) == log.committed("", OBSERVATIONS, 0)
        times = [one.time for _, value in whole if isinstance(one := decoded(value), Tick)]
        assert times == [float(kept.past.begin + 1 + k) for k in range(kept.past.end - kept.past.begin)]
        for start, stop in ((0, 1), (0, 70), (PER_STEP * 9, PER_STEP * 12 + 5), (PER_STEP * 250, None)):
            part = [(offset, value) for offset, _, value in log.read(OBSERVATIONS, 0, start, stop, limit=10_000)]
            assert part == [one for one in whole if start <= one[0] < (stop or 1e9)]
        assert log.read(OUTCOMES, 0, 0) == [] and log.end(OUTCOMES, 0) == 0
    with kept.past.open() as log:
        monkeypatch.setattr(type(log._store), "at_once", 7)
        asked = list[float]()
        plain = log._store.readings

        def too_much(points: list[int], begin: float, end: float) -> Iterator[columns.Scored]:
            if end - begin > 20:
                raise TooLargeError("the answer is too large: ask for less of it")
            asked.append(end - begin)
            return plain(points, begin, end)

        monkeypatch.setattr(log._store, "readings", too_much)
        assert every(log, limit=33) == whole
        assert len(asked) > SECONDS / 20


def decoded(value: bytes) -> object:
    return None if value[:1] == bytes((observation.FRAME,)) else observation.decode(value)


def test_what_was_put_aside_is_left_out_and_quality_stays(kept: Kept) -> None:
    with kept.past.open() as log:
        frames = [frame.decode(value) for _, value in every(log, home(0)) if decoded(value) is None]
    value = np.concatenate([one.value for one in frames])
    quality = np.concatenate([one.quality for one in frames])
    assert quality[value == 99.0].tolist() == [BAD]
    assert all(one.header.received == one.time.max() for one in frames)


def home(index: int) -> int:
    known = content().site
    return Registry(known).partition(known.points[index].areas[0])


def made(folder: Path, since: float, until: float) -> Settings:
    """Keep a reading at either end."""
    found = settings.load({**DAYS, "FORESHOCK_HISTORY_GIGABYTES": "1"}, data=str(folder))
    store = Parquet(folder / "history", tiers(found))
    store.put("readings", since, iter([one_at(since)]), over=True)
    store.keep(one_at(until - 1.0), {}, until)
    return found


def one_at(time: float) -> columns.Scored:
    return columns.Scored(np.zeros(1, "u4"), np.array([time]), np.ones(1), np.zeros(1, "f4"), np.zeros(1, "u2"))


def test_models_learn_from_a_week_before(tmp_path: Path) -> None:
    found = made(tmp_path, START, START + 40 * DAY)
    one = past(found, content(), START + 30.6 * DAY, START + 31 * DAY + 0.5)
    assert one.begin == START + 30 * DAY - LEARN, "from a midnight on"
    assert (one.first, one.end) == (START + 30.6 * DAY, START + 31 * DAY + STEP)
    first, stop = (one.first - one.begin) // STEP, (one.end - one.begin) // STEP
    assert one.stretch(3) == Stretch(3, first * PER_STEP + 1, stop * PER_STEP + 1)
    assert past(found, content(), START + 3.5 * DAY, None).begin == START, "no further than it reaches"
    whole = past(found, content(), None, None)
    assert (whole.begin, whole.first, whole.stretch(0).first) == (START, START, 0)
    assert repr(whole.packed) not in repr(whole)


def test_what_the_history_does_not_have_is_said_with_what_it_has(tmp_path: Path) -> None:
    found = made(tmp_path / "some", START, START + 3600.0)
    with pytest.raises(GoneError, match="readings from 2026-01-01 08:00 on: choose a later --from"):
        past(found, content(), START - 5.0, None)
    with pytest.raises(GoneError, match="readings until 2026-01-01 09:00: choose an earlier --from"):
        past(found, content(), START + 7200.0, None)
    with pytest.raises(GoneError, match="has no readings yet"):
        past(settings.load({}, data=str(tmp_path), history_gigabytes=1.0), content(), None, None)
    with pytest.raises(GoneError, match="no history is kept"):
        past(settings.load({}, data=str(tmp_path)), content(), None, None)
    nobody = settings.load({"FORESHOCK_INFLUX_URL": "http://127.0.0.1:9", "FORESHOCK_INFLUX_TOKEN": "t"})
    with pytest.raises(LogError, match="the history cannot be read: cannot be reached"):
        past(nobody, content(), None, None)

"""The same of each history: what the log told comes back, reading by reading, in minutes and in hours."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from scripts.influx_server import InfluxServer
from sensors.site import Site
from streams import settings
from streams.embedded.reader import LogReader
from streams.embedded.store import Log, TopicSpec
from streams.history import columns
from streams.history.columns import Scored
from streams.history.influx import Influx
from streams.history.influx_setup import Setup, buckets, sum_up
from streams.history.keeper import Keeper
from streams.history.lines import Naming, nanoseconds
from streams.history.parquet import LEAST_FREE, Parquet
from streams.history.spool import Spool
from streams.history.store import Elsewhere, Embedded, Store, series
from streams.history.tiers import tiers
from streams.history.writer import Gatherer, Sender
from streams.settings import Settings
from streams.topics import SCORES
from tests.streams.small_site import START, site

DAYS = {"FORESHOCK_HISTORY_DAYS": "3650", "FORESHOCK_HISTORY_MINUTE_DAYS": "3650"}
FOUND = settings.load(DAYS)
HOURS = 3
MANY = 1200


def told() -> list[Scored]:
    """Make five hours of three points, of one value every ten seconds; some have no score, no value, flags."""
    random = np.random.default_rng(3)
    parts = []
    for hour in range(HOURS):
        at = START + 3600.0 * hour + np.arange(0.0, 3600.0, 10.0) + 0.123456789
        for index in (0, 1, 5):
            value, score = random.normal(10.0, 3.0, len(at)), random.random(len(at)).astype(np.float32)
            value[7], score[3:9] = np.nan, np.nan
            flags = np.zeros(len(at), np.uint16)
            flags[7:9] = 1, 4
            parts.append(Scored(np.full(len(at), index, np.uint32), at, value, score, flags))
    return parts


@pytest.fixture(scope="module", params=["embedded", pytest.param("influx", marks=pytest.mark.server)])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Give a history that has what was told, through a log."""
    folder = tmp_path_factory.mktemp("history")
    with Log(folder / "log.sqlite", {SCORES: TopicSpec(1)}) as log:
        log.write([(SCORES, 0, None, columns.encode(part)) for part in told()])
    with LogReader(folder / "log.sqlite") as reader:
        if request.param == "embedded":
            parquet = Parquet(folder / "history", tiers(FOUND))
            Keeper(reader, parquet, Naming(site())).step(START + 3600.0 * HOURS)
            one: Store = Embedded(parquet)
        else:
            influx = written(reader, folder / "spool", in_bucket(request.getfixturevalue("influx_server"), "stored"))
            for hour in range(HOURS):
                sum_up(influx, int(START // 3600) + hour)
            one = Elsewhere(influx, Naming(site(points=MANY)))
    yield one
    one.close()


def in_bucket(server: InfluxServer, bucket: str) -> Settings:
    """Give the settings of a history in buckets of a test's own."""
    return settings.load({**server.environment(), **DAYS, "FORESHOCK_INFLUX_BUCKET": bucket})


def written(log: LogReader, folder: Path, found: Settings, content: Site | None = None) -> Influx:
    """Write what a log has of scores to InfluxDB."""
    influx, spool = Influx(found), Spool(folder, 100_000_000)
    setup = Setup(influx, found)
    setup.apply(setup.plan())
    Gatherer(log, spool, Naming(content or site())).step()
    names = buckets(found.influx_bucket)
    sender = Sender(influx, names["readings"], names["alarms"], spool)
    while len(spool):
        assert sender.step() is not None, sender.trouble
    return influx


def rows(parts: list[Scored]) -> list[tuple[float, ...]]:
    """List readings in order, NaN as a number that can be compared."""
    whole = [np.concatenate([getattr(part, name) for part in parts]) for name in ("point", "time", "value", "score")]
    flags = np.concatenate([part.flags for part in parts])
    order = np.lexsort((whole[1], whole[0]))
    return list(zip(*(np.nan_to_num(column[order], nan=-1e9).tolist() for column in (*whole, flags)), strict=True))


def test_each_reading_comes_back_as_it_was(store: Store) -> None:
    given = told()
    assert rows(list(store.readings(range(MANY), START, START + 86400.0))) == rows(given)
    begin, end = START + 3600.0, START + 7200.0
    some = list(store.readings([1], begin, end))
    wanted = [row for row in rows(given) if row[0] == 1 and begin <= row[1] <= end]
    assert rows(some) == wanted and len(wanted) == 360
    assert not list(store.readings([2], START, END)) and not list(store.readings([99], START, END))
    assert store.span()[1] >= START


END = START + 86400.0


def test_minutes_and_hours_are_what_the_readings_in_them_say(store: Store) -> None:
    given = told()
    for tier, width in (("minutes", 60), ("hours", 3600)):
        found = store.spans(tier, [0, 5], START, END)
        assert found is not None and len(found.point) == 2 * HOURS * 3600 // width
        for index in (0, 5):
            mine = found.point == index
            at = np.concatenate([part.time for part in given if part.point[0] == index])
            value = np.concatenate([part.value for part in given if part.point[0] == index])
            score = np.concatenate([part.score for part in given if part.point[0] == index])
            begin = at // width * width
            for place, start in enumerate(np.unique(begin)):
                inside = (begin == start) & np.isfinite(value)
                row = [column[mine][place] for column in found]
                assert row[1] == nanoseconds(np.array([start]))[0]
                assert row[2:4] == [value[inside].min(), value[inside].max()]
                assert np.isclose(row[4], value[inside].sum()) and row[5:7] == [value[inside][-1], inside.sum()]
                best = np.nanmax(score[begin == start]) if np.isfinite(score[begin == start]).any() else np.nan
                assert np.isclose(row[7], best, equal_nan=True)
    assert store.spans("minutes", [2], START, END) is None


def test_a_chart_is_made_of_what_is_not_too_much_for_it(store: Store) -> None:
    now = START + 86400.0
    days = 86400.0
    fine = series(store, tiers(FOUND), [0, 2], START, START + 7200.0, now, 10.0)
    assert len(fine[0].time) == 720 and fine[0].low is None and len(fine[2].time) == 0
    coarse = series(store, tiers(FOUND), [0], START - 6 * days, START + days, now, 10.0)
    assert len(coarse[0].time) == HOURS * 60 and coarse[0].low is not None and (coarse[0].low <= coarse[0].value).all()
    coarsest = series(store, tiers(FOUND), [0], START - 90 * days, START + days, now, 10.0)
    assert len(coarsest[0].time) == HOURS
    rare = series(store, tiers(FOUND), [0], START - 60 * days, START + days, now, 300.0)
    assert len(rare[0].time) == HOURS * 360  # of readings so rare there are no more than of minutes
    gone = settings.load({"FORESHOCK_HISTORY_DAYS": "1"})
    assert len(series(store, tiers(gone), [0], START, START + 7200.0, now + 2 * days, 10.0)[0].time) == 120


def kept(folder: Path) -> Parquet:
    return Parquet(folder / "history", tiers(FOUND))


def day_of(number: int) -> tuple[Scored, float]:
    at = START + 86400.0 * number + np.arange(0.0, 86400.0, 600.0)
    points, scores = np.tile(np.array([3, 1], np.uint32), 72), np.full(144, 0.5, np.float32)
    return Scored(points, at, at % 97.0, scores), float(at[-1]) + 600.0


@pytest.mark.parametrize("fan", [32, 2])
def test_a_day_that_is_over_becomes_one_file_and_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fan: int
) -> None:
    monkeypatch.setattr("streams.history.parquet.FAN", fan)
    store = kept(tmp_path)
    for number in range(3):
        scored, _ = day_of(number)
        for half in (slice(0, 41), slice(41, 71), slice(71, 144)):  # an hour lies in both
            part = Scored(*(getattr(scored, name)[half] for name in ("point", "time", "value", "score")))
            store.keep(part, {"scores:0": number}, START + 86400.0 * number + 43200.0)
    before = [store.spans("hours", [1, 3], START, START + 4 * 86400.0), rows(list(store.readings([1], START, 4e9)))]
    store.tidy(START + 2 * 86400.0 + 50000.0, 1e12)
    names = sorted(
        str(file.relative_to(tmp_path / "history" / "hours"))
        for file in (tmp_path / "history" / "hours").rglob("*.parquet")
    )
    assert names == [
        "20260101.parquet",
        "20260102.parquet",
        *(f"20260103/{number:012d}.parquet" for number in (7, 8, 9)),
    ]
    after = [store.spans("hours", [1, 3], START, START + 4 * 86400.0), rows(list(store.readings([1], START, 4e9)))]
    assert before[0] is not None and after[0] is not None
    assert all(np.array_equal(one, two, equal_nan=True) for one, two in zip(before[0], after[0], strict=True))
    assert before[1] == after[1] and len(after[1]) == 3 * 72


def test_an_end_before_it_was_noted_how_far_it_came_leaves_nothing_twice(tmp_path: Path) -> None:
    store = kept(tmp_path)
    scored, _ = day_of(0)
    store.keep(scored, {"scores:0": 5}, START + 86390.0)
    noted = (tmp_path / "history" / "kept.json").read_bytes()
    more, _ = day_of(1)
    store.keep(more, {"scores:0": 9}, START + 86399.0)
    (tmp_path / "history" / "kept.json").write_bytes(noted)
    store = kept(tmp_path)
    assert store.kept().cursor == {"scores:0": 5}
    store.keep(more, {"scores:0": 9}, START + 86400.0 + 30.0)  # the next day
    found = store.spans("hours", [1, 3], START, 4e9)
    assert found is not None and found.counted.sum() == 288


def test_what_is_too_old_or_too_much_goes_readings_first(tmp_path: Path) -> None:
    found = settings.load({"FORESHOCK_HISTORY_DAYS": "2", "FORESHOCK_HISTORY_MINUTE_DAYS": "4"})
    store = Parquet(tmp_path / "history", tiers(found))
    for number in range(7):
        scored, now = day_of(number)
        store.keep(scored, {"scores:0": number}, now - 700.0)
    now = START + 7 * 86400.0 + 100.0
    store.tidy(now, 1e12)
    days = {
        tier: sorted(file.stem[-1] for file in (tmp_path / "history" / tier).glob("*.parquet")) for tier in store.tiers
    }
    assert days == {"readings": ["6", "7"], "minutes": list("4567"), "hours": list("1234567")}
    size = store.bytes
    oldest = next((tmp_path / "history" / "readings").glob("*6.parquet")).stat().st_size
    store.tidy(now, size - oldest)
    assert store.bytes == size - oldest


def test_a_bound_takes_the_oldest_readings_alone_and_charts_go_on_with_minutes(tmp_path: Path) -> None:
    store, coarser = kept(tmp_path), ("minutes", "hours")

    def files(*tiers: str) -> list[str]:
        return sorted(file.stem for tier in tiers for file in (tmp_path / "history" / tier).rglob("*.parquet"))

    def chart(day: int) -> tuple[int, bool]:
        begin = START + 86400.0 * day
        drawn = series(Embedded(store), tiers(FOUND), [1], begin, begin + 43200.0, now, 600.0)[1]
        return len(drawn.time), drawn.low is not None

    for number in range(4):
        scored, now = day_of(number)
        store.keep(scored, {"scores:0": number}, now - 700.0)
    store.tidy(now - 650.0, 1e12)
    assert [chart(day) for day in range(4)] == [(36, False)] * 4
    whole = files(*coarser)
    store.tidy(now - 650.0, store.bytes - 1.0)  # today's, in a folder of its own, counts as well
    assert files("readings") == ["000000000004", "20260102", "20260103"]
    assert [chart(day) for day in range(4)] == [(36, True), (36, False), (36, False), (36, False)]
    store.tidy(now - 650.0, 1.0)
    assert files("readings") == [] and files(*coarser) == whole, "what is kept for good stays"
    assert chart(3) == (36, True)
    assert datetime.datetime.fromtimestamp(START, datetime.UTC).day == 1


def test_it_is_noted_how_far_it_has_come_also_where_there_was_nothing_yet(tmp_path: Path) -> None:
    store = kept(tmp_path)
    store.require_room()
    store.tidy(START, 1e12)
    store.keep(Scored(*(np.empty(0, kind) for kind in ("u4", "f8", "f8", "f4"))), {"scores:0": 0}, START)  # type: ignore[arg-type]
    assert store.kept().since == START and store.oldest("readings") == np.inf


def test_where_the_disk_has_little_room_nothing_is_kept_and_days_are_not_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = kept(tmp_path)
    for number in range(2):
        scored, now = day_of(number)
        store.keep(scored, {"scores:0": number}, now - 700.0)
    day = tmp_path / "history" / "readings" / "20260101"
    room = LEAST_FREE + 2 * (day / "000000000001.parquet").stat().st_size - 1
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=room))
    store.require_room()
    with pytest.raises(OSError, match=r"2\.0 GB are free, of which 2 are left"):
        store.tidy(now, 1e12)
    assert day.is_dir() and not day.with_suffix(".parquet").exists()
    room = LEAST_FREE - 1
    with pytest.raises(OSError, match="are left to others"):
        store.require_room()
    with pytest.raises(OSError, match="are left to others"):
        store.tidy(START + 5000 * 86400.0, 1.0)
    assert not list((tmp_path / "history" / "readings").rglob("*.parquet")), "what makes room goes all the same"


def test_files_are_on_the_disk_before_it_is_noted_how_far_they_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    real = os.fsync

    def fsync(opened: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{opened}").readlink().name)
        real(opened)

    monkeypatch.setattr(os, "fsync", fsync)
    scored, now = day_of(0)
    kept(tmp_path).keep(scored, {"scores:0": 1}, now - 700.0)
    files = [at for at, name in enumerate(flushed) if name == "000000000001.new"]
    assert len(files) == 3 and [flushed[at + 1] for at in files] == ["20260101"] * 3
    assert flushed[-1] == "kept.json.new" and {"history", "readings", "minutes", "hours"} < set(flushed)


@pytest.mark.parametrize("rest", [0.0, 0.5])
def test_a_file_that_cannot_be_read_is_put_aside_and_takes_nothing_with_it(tmp_path: Path, rest: float) -> None:
    store = kept(tmp_path)
    for number in range(3):
        scored, _ = day_of(number)
        store.keep(scored, {"scores:0": number}, START + 43200.0 + number)
    broken = tmp_path / "history" / "readings" / "20260101" / "000000000002.parquet"
    content = broken.read_bytes()
    whole = bytearray(content)
    whole[4 : len(whole) // 2] = bytes(len(whole) // 2 - 4)  # its description stays whole
    broken.write_bytes(bytes(whole) if rest else b"")
    for damaged in (0, 1):
        assert len(rows(list(store.readings([1], START, 4e9)))) == 72 * 2
        assert store.damaged == damaged
        store.tidy(START + 2 * 86400.0, 1e12)
    assert [file.name for file in (tmp_path / "history").rglob("*.damaged")] == ["20260101-000000000002.damaged"]
    minutes = store.spans("hours", [1, 3], START, 4e9)
    assert minutes is not None and minutes.counted.sum() == 3 * 144, "of another file"
    store.tidy(START + 3700 * 86400.0, 1e12)
    assert not list((tmp_path / "history").rglob("*.damaged"))


@pytest.mark.parametrize("rest", [0.0, 0.5])
def test_a_whole_days_file_that_cannot_be_read_is_put_aside_in_the_end(tmp_path: Path, rest: float) -> None:
    store = kept(tmp_path)
    for number in range(3):
        scored, now = day_of(number)
        store.keep(scored, {"scores:0": number}, now)
    store.tidy(START + 5 * 86400.0, 1e12)
    store.look_through()
    broken = tmp_path / "history" / "minutes" / "20260102.parquet"
    content = broken.read_bytes()
    whole = bytearray(content)
    whole[4 : len(whole) // 2] = bytes(len(whole) // 2 - 4)  # its description stays whole
    broken.write_bytes(bytes(whole) if rest else b"")
    days = len(list((tmp_path / "history").rglob("*.parquet")))
    for _ in range(2 * days if rest else 1):  # a part that is still described is found when it is read to its end
        store.look_through()
    assert [file.name for file in store.put_aside()] == ["20260102.damaged"] and store.damaged == 1
    assert len(rows(list(store.readings([1], START - 86400.0, 4e9)))) == 72 * 3, "of other files"

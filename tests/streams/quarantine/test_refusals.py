"""What bridge and engine refused, searched in the log."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from alerts import messages
from sensors import quarantine
from sensors.observation import BAD, OUT_OF_RANGE
from sensors.quarantine import REPLAYED, Query, Refused, Replayed
from streams.bundle import Bundle
from streams.embedded.reader import LogReader
from streams.embedded.store import Log, TopicSpec
from streams.quarantine import refusals
from streams.quarantine.refusals import Item, Refusals
from streams.settings import Settings
from streams.station import Station
from streams.topics import OBSERVATIONS, OUTCOMES, QUARANTINE, SCORES, SNAPSHOTS
from streams.topics_held import topic_specs
from tests.streams.small_site import START, frame_of, published, rules, site, tick
from tests.waiting import until

TOPICS = dict.fromkeys((OBSERVATIONS, OUTCOMES, SCORES, SNAPSHOTS, QUARANTINE), TopicSpec())


def kept(number: int, **changes: object) -> bytes:
    one = Refused(
        time=START + number, source="bridge", topic=f"plant/{number}", reason="malformed", raw=b"\xff{", size=2
    )
    return quarantine.encode(msgspec.structs.replace(one, **changes))


def filled(folder: Path, *records: bytes) -> Refusals:
    """Fill a log with what a bridge refused, a second apart by the log's clock too."""
    now = START
    with Log(folder / "log.sqlite", TOPICS, clock=lambda: now) as log:
        for record in records:
            log.write([(QUARANTINE, 0, None, record)])
            now += 1.0
    return Refusals(folder / "log.sqlite", {0: "p0", 1: "p1"})


@pytest.fixture
def both(tmp_path: Path) -> Refusals:
    """Fill a log with what a bridge and an engine refused."""
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        log.write([(QUARANTINE, 0, None, kept(2, topic="t"))])
        station = Station(0, log, 0)
        values = [
            published(Bundle(site=site(), rules=rules())),
            tick(START),
            frame_of([(0, START + 1, 50.0), (1, START + 1, 1.0)], START + 1, BAD),
            frame_of([(0, START + 3, 1e9)], START + 3, OUT_OF_RANGE),
            frame_of([(0, START + 4, 1.0)], START + 4),
        ]
        log.write([(OBSERVATIONS, 0, None, value) for value in values])
        log.write(station.take(list(enumerate(values))))
    return Refusals(tmp_path / "log.sqlite", {0: "p0", 1: "p1"})


def everything(found: Refusals, query: Query, limit: int) -> list[Item]:
    items: list[Item] = []
    cursor = None
    while True:
        page = found.page(query, limit, cursor)
        assert len(page.items) <= limit
        items += page.items
        cursor = page.cursor
        if cursor is None:
            return items


def test_what_bridge_and_engine_refused_is_listed_together_the_newest_first(both: Refusals) -> None:
    listed = both.page(Query(), 10).items
    assert [(one.source, one.reason, one.readings) for one in listed] == [
        ("engine", "out_of_range", 1),
        ("bridge", "malformed", 1),
        ("engine", "bad_quality", 2),
    ]
    assert listed[2].detail == "p0, p1"
    assert msgspec.json.decode(listed[0].raw) == [{"point": "p0", "time": START + 3, "value": 1e9}]
    assert listed[1].as_map()["raw"] == "\\xff{"
    assert listed[1].as_map()["raw_base64"] == "/3s="


def test_pages_of_any_size_give_each_refusal_once(both: Refusals) -> None:
    whole = [one.id for one in both.page(Query(), 100).items]
    assert len(whole) == 3
    for limit in (1, 2, 3):
        assert [one.id for one in everything(both, Query(), limit)] == whole
    assert both.page(Query(), 1).cursor is not None


def test_each_is_found_again_by_its_id_and_no_other(both: Refusals) -> None:
    for one in both.page(Query(), 10).items:
        assert both.one(one.id) == one
    for id in ("q-7", "e-0-1-9", "e-9-1-0", "q-", "x", "q-999999999999999"):
        assert both.one(id) is None


def test_what_was_refused_is_chosen_by_reason_source_topic_and_time(both: Refusals, tmp_path: Path) -> None:
    assert [one.reason for one in both.page(Query(reason="bad_quality"), 10).items] == ["bad_quality"]
    assert [one.reason for one in both.page(Query(source="bridge"), 10).items] == ["malformed"]
    assert [one.source for one in both.page(Query(source="engine"), 10).items] == ["engine", "engine"]
    assert [one.topic for one in both.page(Query(topic="OBSERV"), 1).items] == ["observations/0"]
    (tmp_path / "more").mkdir()
    many = filled(tmp_path / "more", *(kept(number) for number in range(30)))
    between = many.page(Query(since=START + 10, until=START + 12), 100).items
    assert [one.topic for one in between] == ["plant/12", "plant/11", "plant/10"]


@pytest.mark.parametrize("cursor", ["", "x", "1", "1.0-", "1.0-x", "9" * 40 + ".0", "-1.0"])
def test_what_is_no_cursor_is_refused(both: Refusals, cursor: str) -> None:
    with pytest.raises(ValueError, match="no cursor"):
        both.page(Query(), 10, cursor)


def test_a_page_looks_through_so_many_records_and_says_that_there_are_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "LOOK", 10)
    many = filled(tmp_path, kept(0, reason="future"), *(kept(number) for number in range(1, 35)))
    first = many.page(Query(reason="future"), 5)
    assert first.items == [] and first.cursor is not None
    assert [one.id for one in everything(many, Query(reason="future"), 5)] == ["q-0"]


def test_a_mark_is_no_refusal_and_is_told_of_all_parts_of_its_message(tmp_path: Path) -> None:
    records = [kept(0), kept(1), kept(1, part=1, reason="future"), kept(2)]
    filled(tmp_path, *records)
    mark = Replayed(offset=1, time=START + 9, actor="user:a", version="v")
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        log.write([(QUARANTINE, 0, REPLAYED, quarantine.encode_mark(mark))])
    found = Refusals(tmp_path / "log.sqlite", {})
    listed = found.page(Query(), 10).items
    assert [(one.id, one.replayed) for one in listed] == [
        ("q-3", None),
        ("q-2", START + 9),
        ("q-1", START + 9),
        ("q-0", None),
    ]
    assert listed[1].replayed_by == "user:a"
    assert found.statistics(Query()).replayed == 2


def test_what_is_kept_is_counted_by_reason_source_and_topic(both: Refusals) -> None:
    counted = both.statistics(Query())
    assert (counted.messages, counted.readings, counted.complete) == (3, 4, True)
    assert counted.by_reason["bad_quality"] == {"messages": 1, "readings": 2}
    assert counted.by_source["engine"] == {"messages": 2, "readings": 3}
    assert counted.by_topic == {"observations/0": 2, "t": 1}
    assert (counted.oldest, counted.newest) == (START + 1, START + 3)
    assert both.statistics(Query(source="bridge")).messages == 1


def test_counting_stops_at_its_limit_and_says_so(both: Refusals) -> None:
    counted = both.statistics(Query(), most=2)
    assert not counted.complete and counted.messages <= 2


def test_the_quarantine_is_bounded_by_size_and_the_oldest_go_first(tmp_path: Path) -> None:
    spec = TopicSpec(retention_bytes=20_000)
    with Log(tmp_path / "log.sqlite", TOPICS | {QUARANTINE: spec}) as log:
        for number in range(40):
            log.write([(QUARANTINE, 0, None, kept(number, raw=bytes(1_000), size=1_000))])
    with Log(tmp_path / "log.sqlite", TOPICS | {QUARANTINE: spec}) as log:
        until(lambda: log.start(QUARANTINE, 0) > 15)
    found = Refusals(tmp_path / "log.sqlite", {})
    assert [one.id for one in found.page(Query(), 1).items] == ["q-39"]
    assert found.one("q-0") is None


@pytest.mark.parametrize("reason", refusals.REASONS)
def test_every_reason_has_words_in_both_languages(reason: str) -> None:
    words = messages.both(f"refused.{reason}")
    assert words["zh"] and words["en"]
    assert f"refused.{reason}" not in words.values()


def test_how_much_is_kept_is_a_setting() -> None:
    spec = topic_specs(Settings(quarantine_days=2, quarantine_megabytes=3), 1)[QUARANTINE]
    assert (spec.retention_seconds, spec.retention_bytes) == (2 * 86_400, 3_000_000)


def test_the_log_is_entered_by_time_and_read_by_key(tmp_path: Path) -> None:
    filled(tmp_path, *(kept(number) for number in range(9)))
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        log.write([(QUARANTINE, 0, b"k", b"marked"), (QUARANTINE, 0, None, kept(10))])
    with LogReader(tmp_path / "log.sqlite") as reader:
        assert [reader.offset_at(QUARANTINE, 0, START + at) for at in (-5, 0, 3.5, 8, 1e12)] == [0, 0, 4, 8, 11]
        assert list(reader.keyed(QUARANTINE, 0, 0)) == [(9, b"k", b"marked")]
        assert list(reader.keyed(QUARANTINE, 0, 10)) == []
        newest = [offset for offset, _, _ in reader.newest_first(QUARANTINE, 0, 100, first=2, stop=5)]
    assert newest == [4, 3, 2]

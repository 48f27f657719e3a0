"""What was refused, why, and the raw bytes."""

from __future__ import annotations

import pytest

from sensors import quarantine
from sensors.quarantine import Quarantine, Refused

NOW = 1_763_900_000.0


def test_a_record_survives_its_encoding() -> None:
    record = Refused(
        time=NOW, source="bridge", topic="a/b", reason="malformed", raw=b"\xff\0", size=2, detail="why", readings=3
    )
    assert quarantine.decode(quarantine.encode(record)) == record


@pytest.mark.parametrize("record", [b"", b"\x90", b"junk", b"\x81\xa4time\x01"])
def test_what_is_not_a_record_is_refused(record: bytes) -> None:
    with pytest.raises(ValueError):
        quarantine.decode(record)


def test_a_message_too_large_to_keep_is_cut_and_its_size_kept() -> None:
    box = Quarantine("bridge")
    box.refuse(NOW, "t", "malformed", bytes(300_000))
    [record] = map(quarantine.decode, box.take(NOW))
    assert (len(record.raw), record.size) == (quarantine.RAW_LIMIT, 300_000)
    assert not record.replayable


def test_messages_are_kept_whole_while_the_allowance_of_bytes_lasts_and_cut_beyond() -> None:
    box = Quarantine("bridge", whole_rate=1_000, whole_burst=25_000)
    for _ in range(3):
        box.refuse(NOW, "t", "malformed", bytes(10_000))
    box.refuse(NOW, "t", "malformed", bytes(4_000))
    box.refuse(NOW + 10, "t", "malformed", bytes(10_000))
    kept = [len(quarantine.decode(record).raw) for record in box.take(NOW + 10)]
    assert kept == [10_000, 10_000, quarantine.RAW_LIMIT, 4_000, 10_000]


def test_a_mark_survives_its_encoding_and_is_no_record() -> None:
    mark = quarantine.Replayed(offset=7, time=NOW, actor="user:a", version="v", readings=2, taken=b"\1\0\0\0")
    assert quarantine.decode_mark(quarantine.encode_mark(mark)) == mark
    with pytest.raises(ValueError):
        quarantine.decode(quarantine.encode_mark(mark))


@pytest.mark.parametrize(
    "refused",
    [
        Refused(time=NOW, source="bridge", topic="", reason="malformed", detail="3 more were refused"),
        Refused(time=NOW, source="bridge", topic="observations/0", reason="log_refused", raw=b"x", size=1),
        Refused(time=NOW, source="bridge", topic="t", reason="oversized", raw=b"x", size=2),
    ],
)
def test_a_summary_a_record_of_the_log_and_a_cut_message_cannot_be_replayed(refused: Refused) -> None:
    assert not refused.replayable


def test_a_flood_is_counted_whole_but_not_kept_whole() -> None:
    box = Quarantine("bridge", rate=10, burst=20)
    for k in range(1000):
        box.refuse(NOW + k * 0.001, "t", "malformed", b"x")
    assert box.counts["malformed"] == 1000
    kept = len(box.take(NOW + 1))
    assert 20 <= kept <= 31
    assert box.unkept["malformed"] == 1000 - kept
    assert box.pending
    [summary] = map(quarantine.decode, box.take(NOW + 10))
    assert (summary.reason, summary.readings) == ("malformed", 1000 - kept)
    assert not box.pending


def test_what_is_only_counted_is_said_every_ten_seconds() -> None:
    box, told = Quarantine("bridge"), []
    for tenth in range(600):
        box.count("flood", 20)
        told += map(quarantine.decode, box.take(NOW + tenth / 10))
    box.close()
    told += map(quarantine.decode, box.take(NOW + 60))
    assert 6 <= len(told) <= 8 and sum(one.readings for one in told) == 12_000


def test_at_the_end_it_is_said_what_was_not_kept_flood_or_not() -> None:
    box = Quarantine("bridge", rate=10, burst=2)
    for _ in range(10):
        box.refuse(NOW, "t", "malformed", b"x")
    assert len(box.take(NOW)) == 2 and box.take(NOW) == []
    box.close()
    [summary] = map(quarantine.decode, box.take(NOW))
    assert summary.readings == 8 and not box.pending


def test_the_clock_set_back_neither_stops_nor_opens_the_gate() -> None:
    box = Quarantine("bridge", rate=10, burst=1)
    for time in (NOW, NOW - 3600, NOW - 3599.9, NOW + 0.2):
        box.refuse(time, "t", "malformed")
    assert len(box.take(NOW + 0.2)) == 2


def test_what_is_normal_traffic_is_only_counted() -> None:
    box = Quarantine("bridge")
    box.refuse(NOW, "frigate/events", "false_positive", b"{}")
    assert box.counts["false_positive"] == 1
    assert not box.take(NOW)

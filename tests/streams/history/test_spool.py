"""The spool: in order, whole, bounded, and where reading goes on after any end."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.history.lines import Lines
from streams.history.spool import MOST_REFUSED, Spool


def put(spool: Spool, number: int) -> None:
    spool.put(Lines([f"r value={number}.0 1", f"r value={number}.0 2"], [f"a x={number}"], [1.5]), {"scores:0": number})


def test_batches_come_out_in_order_and_as_they_went_in(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 10_000_000)
    for number in range(1, 12):
        put(spool, number)
    spool = Spool(tmp_path, 10_000_000)  # as after a restart
    seen = []
    while (found := spool.oldest()) is not None:
        number, batch = found
        assert batch.readings.count(b"\n") == batch.counts[0] == 2 and batch.firsts == (1.5,)
        seen.append((batch.cursor["scores:0"], batch.alarms))
        spool.sent(number, batch)
    assert seen == [(number, f"a x={number}\n".encode()) for number in range(1, 12)]


def test_reading_goes_on_behind_what_was_put_in_whether_it_was_sent_or_not(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 10_000_000)
    assert spool.cursor() == {}
    put(spool, 7)
    put(spool, 9)
    assert Spool(tmp_path, 1).cursor() == {"scores:0": 9}
    for _ in range(2):
        found = spool.oldest()
        assert found is not None
        spool.sent(*found)
    assert Spool(tmp_path, 1).cursor() == {"scores:0": 9}


def test_a_damaged_batch_is_put_aside_and_read_anew(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 10_000_000)
    put(spool, 7)
    put(spool, 9)
    newest = max(tmp_path.glob("*.gz"))
    newest.write_bytes(newest.read_bytes()[:-9])
    (tmp_path / "000000000003.gz.new").write_bytes(b"unfinished")
    spool = Spool(tmp_path, 10_000_000)
    assert spool.cursor() == {"scores:0": 7} and len(spool) == spool.damaged == 1
    assert [file.name for file in (tmp_path / "refused").glob("*.txt")] == ["000000000002.txt"]
    assert not list(tmp_path.glob("*.new"))


def test_a_disk_that_cannot_be_read_now_costs_no_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path, 10_000_000)
    put(spool, 7)
    with monkeypatch.context() as patched:

        def busy(_: Path) -> bytes:
            raise OSError(24, "Too many open files")

        patched.setattr(Path, "read_bytes", busy)
        for asked in (spool.oldest, spool.cursor):
            with pytest.raises(OSError, match="Too many"):
                asked()
    assert spool.cursor() == {"scores:0": 7} and not spool.damaged and not (tmp_path / "refused").exists()


def test_it_says_when_it_is_full_and_keeps_only_so_many_that_were_refused(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 300)
    for number in range(1, 4):
        put(spool, number)
    assert spool.is_full and spool.bytes == sum(file.stat().st_size for file in tmp_path.glob("*.gz"))
    for number in range(4, MOST_REFUSED + 10):
        put(spool, number)
    while (found := spool.oldest()) is not None:
        spool.refuse(*found, "because")
    kept = sorted((tmp_path / "refused").glob("*.gz"))
    assert len(kept) == MOST_REFUSED == len(list((tmp_path / "refused").glob("*.txt")))
    assert Spool(tmp_path, 300).cursor() == {"scores:0": MOST_REFUSED + 9}


def test_a_disk_that_takes_no_more_leaves_the_cursor_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path, 10_000_000)
    put(spool, 7)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("streams.history.spool.replace", full)
    with pytest.raises(OSError, match="No space"):
        put(spool, 8)
    assert spool.cursor() == {"scores:0": 7} and len(spool) == 1

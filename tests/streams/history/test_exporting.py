"""What is kept becomes a file: the same rows in Parquet, CSV and Arrow, each reading once, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from streams import settings
from streams.embedded.reader import LogReader
from streams.embedded.store import Log, TopicSpec
from streams.history import columns, exporting
from streams.history.columns import Scored
from streams.history.exporting import READINGS, SPANS, Asked, tables, write
from streams.history.keeper import Keeper
from streams.history.lines import Naming
from streams.history.parquet import Parquet
from streams.history.tiers import tiers
from streams.topics import OBSERVATIONS, SCORES
from tests.streams.small_site import START, frame_of, site

DAYS = 3


def filled(folder: Path) -> settings.Settings:
    """Keep two days of a reading a minute of two points, and leave a third day to the log alone."""
    found = settings.load(
        {"FORESHOCK_DATA": str(folder), "FORESHOCK_HISTORY_DAYS": "3650", "FORESHOCK_HISTORY_GIGABYTES": "1"}
    )
    store = Parquet(folder / "history", tiers(found))
    clock = [START]
    with Log(folder / "log.sqlite", {SCORES: TopicSpec(1)}, clock=lambda: clock[0]) as log:
        for day in range(DAYS):
            at = START + 86400.0 * day + 60.0 * np.arange(1440)
            for index in (4, 2):
                score = np.full(len(at), np.nan if index == 4 else 0.5, np.float32)
                scored = Scored(np.full(1440, index, np.uint32), at, at % 7, score)
                clock[0] = float(at[-1])
                log.write([(SCORES, 0, None, columns.encode(scored))])
            if day < 2:
                with LogReader(folder / "log.sqlite") as reader:
                    Keeper(reader, store, Naming(site())).step(float(at[-1]) + 60.0)
    return found


def test_each_reading_is_there_once_whether_it_is_kept_or_still_in_the_log(tmp_path: Path) -> None:
    found, points = filled(tmp_path), [site().points[2], site().points[4]]
    asked = Asked(points, "readings", START, START + DAYS * 86400.0)
    count = write(tables(found, site(), asked), READINGS, tmp_path / "all.parquet", "parquet")
    table = pq.read_table(tmp_path / "all.parquet")
    assert count == len(table) == 2 * DAYS * 1440
    assert table["point"].to_pylist()[:1440] == ["p2"] * 1440 and table["score"].null_count == DAYS * 1440
    one = table.filter(pa.compute.equal(table["point"], "p4"))
    stamps = one["time"].cast(pa.int64()).to_numpy()
    assert stamps.tolist() == [int(START + 60 * k) * 10**9 for k in range(DAYS * 1440)]
    assert np.allclose(one["value"].to_numpy(), (stamps / 1e9) % 7)


def test_what_was_missed_is_taken_from_the_log_while_that_has_it(tmp_path: Path) -> None:
    """Scores of the second day went from the log before they were kept; its readings, which stay longer, are there."""
    found = settings.load(
        {"FORESHOCK_DATA": str(tmp_path), "FORESHOCK_HISTORY_DAYS": "3650", "FORESHOCK_HISTORY_GIGABYTES": "1"}
    )
    store, clock = Parquet(tmp_path / "history", tiers(found)), [START]
    with Log(
        tmp_path / "log.sqlite", {SCORES: TopicSpec(1), OBSERVATIONS: TopicSpec(1)}, clock=lambda: clock[0]
    ) as log:
        for day in range(3):
            at = START + 86400.0 * day + 600.0 * np.arange(144)
            for moment in at:
                clock[0] = float(moment) + 1.0
                log.write([(OBSERVATIONS, 0, None, frame_of([(2, float(moment), 1.0)], clock[0]))])
            scored = Scored(np.full(144, 2, np.uint32), at, np.ones(144), np.full(144, 0.5, np.float32))
            log.write([(SCORES, 0, None, columns.encode(scored))])
            if day == 1:
                continue

            class Later(LogReader):
                def start(self, topic: str, partition: int) -> int:
                    return 2 if topic == SCORES and clock[0] > START + 2 * 86400.0 else super().start(topic, partition)

            with Later(tmp_path / "log.sqlite") as reader:
                keeper = Keeper(reader, store, Naming(site()))
                keeper.step(clock[0] + 60.0)
    assert keeper.counts["missed"] == 1 and store.kept().since == clock[0] + 60.0
    asked = Asked([site().points[2]], "readings", START, START + 3 * 86400.0)
    assert write(tables(found, site(), asked), READINGS, tmp_path / "all.parquet", "parquet") == 3 * 144


def test_the_same_rows_stand_in_each_kind_of_file(tmp_path: Path) -> None:
    found = filled(tmp_path)
    asked = Asked([site().points[2]], "readings", START + 600.0, START + 1200.0)
    for form in ("parquet", "arrow", "csv"):
        write(tables(found, site(), asked), READINGS, tmp_path / f"f.{form}", form)  # type: ignore[arg-type]
    parquet = pq.read_table(tmp_path / "f.parquet")
    with pa.ipc.open_file(tmp_path / "f.arrow") as opened:
        assert opened.read_all().to_pylist() == parquet.to_pylist()
    lines = (tmp_path / "f.csv").read_text().splitlines()
    assert lines[0] == '"time","point","value","score","flags"' and len(lines) == 11
    assert lines[1].startswith('2026-01-01 00:10:00.000000000Z,"p2",')


def test_hours_are_of_what_is_kept(tmp_path: Path) -> None:
    asked = Asked([site().points[4]], "hours", START, START + DAYS * 86400.0)
    found = filled(tmp_path)
    write(tables(found, site(), asked), SPANS, tmp_path / "hours.parquet", "parquet")
    table = pq.read_table(tmp_path / "hours.parquet")
    assert len(table) == 48 and set(table["count"].to_pylist()) == {60}
    none = msgspec.structs.replace(found, history_gigabytes=0.0)
    assert write(tables(none, site(), asked), SPANS, tmp_path / "none.csv", "csv") == 0


def test_a_file_that_cannot_be_finished_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = filled(tmp_path)
    asked = Asked([site().points[2]], "readings", START, START + 60.0)
    (tmp_path / "f.csv").write_text("old")

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "_readings", broken)
    with pytest.raises(OSError, match="No space"):
        write(tables(found, site(), asked), READINGS, tmp_path / "f.csv", "csv")
    assert (tmp_path / "f.csv").read_text() == "old" and not list(tmp_path.glob("*.new"))

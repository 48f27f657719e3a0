"""An area's own history: what is read of the log, and what nothing can be learnt from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sensors.observation import BAD, HISTORICAL, SIMULATED
from streams import settings
from streams.embedded.reader import LogReader
from streams.history.area import History, Spell, history, standing, troubles
from streams.history.parquet import Parquet
from streams.history.readings import HistoryError, readings
from streams.history.store import Embedded
from streams.history.tiers import tiers
from tests.streams.history.recorded import pair, recorded
from tests.streams.small_site import START, frame_of, site

ROWS = 400
P0, P3, P4 = (site().points[number] for number in (0, 3, 4))


def read(
    data: Path, *, begin: float = START, end: float = START + 1e6, spells: tuple[Spell, ...] = (), drills: bool = False
) -> History:
    with LogReader(data / "log.sqlite") as log:
        return history(log, 0, [P0, P3], begin, end, spells, simulated=drills)


def test_rows_are_what_was_logged(tmp_path: Path) -> None:
    values = pair(ROWS)
    found = read(recorded(tmp_path, values))
    assert found.interval == 10.0
    assert np.array_equal(found.values, values)
    assert found.clean.all() and found.left_out == {}
    assert found.time[0] == START


@pytest.mark.parametrize("place", [0, 37, 200, 399])
def test_a_part_is_found_in_the_log_without_reading_all_of_it(tmp_path: Path, place: int) -> None:
    data = recorded(tmp_path, pair(ROWS))
    told: list[tuple[int, int]] = []
    with LogReader(data / "log.sqlite") as log:
        begin = START + 10.0 * place
        found = readings(log, 0, [0], begin, begin + 1.0, advance=lambda done, total: told.append((done, total)))
    assert found[0].times.tolist() == [begin]
    assert told[-1][0] == told[-1][1]
    assert place < 250 or told[-1][1] < 3 * ROWS


def test_bad_and_simulated_readings_and_gaps_and_alarms_are_left_out_and_counted(tmp_path: Path) -> None:
    values = pair(ROWS)
    values[300:330, 0] = np.nan  # not sent
    quality = dict.fromkeys(range(50, 60), BAD) | dict.fromkeys(range(100, 120), SIMULATED)
    quality |= dict.fromkeys(range(150, 160), HISTORICAL)  # told late, and as good as any
    found = read(recorded(tmp_path, values, quality), spells=(Spell(START + 2005.0, START + 2101.0, "creep"),))
    assert found.left_out == {"under alarm": 12, "bad or simulated": 30, "in a gap": 25}
    assert int((~found.clean).sum()) == 67
    assert not found.clean[200:212].any() and found.usable[205]
    assert found.clean[150:160].all()


@pytest.mark.parametrize("end", [1e6, 10.0 * 180])
def test_what_the_log_has_let_go_of_is_in_the_history(tmp_path: Path, end: float) -> None:
    values, quality = pair(ROWS), dict.fromkeys(range(50, 60), BAD) | dict.fromkeys(range(100, 120), SIMULATED)
    whole = read(recorded(tmp_path / "whole", values, quality), end=START + end)
    data = recorded(tmp_path / "cut", values, quality, begin=200)
    assert len(read(data, begin=START + 2000.0).time) == ROWS - 200
    older = Embedded(Parquet(data / "history", tiers(settings.load({}))))
    with LogReader(data / "log.sqlite") as log:
        joined = history(log, 0, [P0, P3], START, START + end, older=older)
    assert np.array_equal(joined.time, whole.time)
    assert np.array_equal(joined.values, whole.values, equal_nan=True)
    assert joined.left_out == whole.left_out == {"bad or simulated": 30}
    alone = history(None, 0, [P0, P3], START, START + 1e6, older=older)
    assert np.array_equal(alone.values, read(tmp_path / "whole").values[:200], equal_nan=True)


def test_simulated_readings_are_learnt_from_where_that_is_asked_for(tmp_path: Path) -> None:
    data = recorded(tmp_path, pair(100), dict.fromkeys(range(100), SIMULATED))
    with pytest.raises(HistoryError, match="p0, p3 are simulated or bad; --simulated"):
        read(data)
    assert read(data, drills=True).clean.all()


def test_a_point_without_readings_is_named_with_what_would_help(tmp_path: Path) -> None:
    values = pair(100)
    values[:, 1] = np.nan
    with pytest.raises(HistoryError, match="no reading of p3 in that time; leave them out with --without p3"):
        read(recorded(tmp_path, values))
    with pytest.raises(HistoryError, match="no reading of p0, p3 in that time; try another, by --from"):
        read(recorded(tmp_path / "other", pair(100)), begin=START + 1e5)


def test_points_that_never_moved_are_named(tmp_path: Path) -> None:
    data = recorded(tmp_path, pair(100))
    with LogReader(data / "log.sqlite") as log:
        found = history(log, 0, [P0, P4], START, START + 1e6)
    assert standing(found, [P0, P4]) == ["p4"]


def test_of_what_came_twice_the_first_counts_and_order_is_of_the_own_time(tmp_path: Path) -> None:
    class Written:
        records = (
            frame_of([(0, START + 20.0, 2.0), (0, START, 0.0)], START + 21.0),
            b"\x01damaged",
            frame_of([(0, START + 20.0, 9.0), (0, START + 10.0, 1.0), (9, START, 5.0)], START + 22.0),
        )

        def topics(self) -> dict[str, int]:
            return {"observations": 1}

        def start(self, topic: str, partition: int) -> int:
            return 0

        def end(self, topic: str, partition: int) -> int:
            return len(self.records)

        def read(
            self, topic: str, partition: int, start: int, stop: int | None = None, limit: int = 1000
        ) -> list[tuple[int, bytes | None, bytes]]:
            return [(at, None, self.records[at]) for at in range(start, min(stop or 3, start + limit))]

    found = readings(Written(), 0, [0], START, START + 100.0)[0]
    assert found.values.tolist() == [0.0, 1.0, 2.0]
    assert found.times.tolist() == [START, START + 10.0, START + 20.0]


def test_alarms_that_overlap_are_one_trouble() -> None:
    spells = [Spell(5.0, 6.0, "c"), Spell(0.0, 3.0, "a"), Spell(2.0, 4.0, "b"), Spell(2.5, 2.6, "b")]
    assert troubles(spells) == [(0.0, 4.0), (5.0, 6.0)]

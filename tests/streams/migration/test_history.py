"""The history on its way from the data folder to InfluxDB, and back: the same rows, each day compared."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from scripts.influx_server import InfluxServer
from streams import settings
from streams.history.columns import Scored
from streams.history.influx import Influx
from streams.history.influx_setup import Setup
from streams.history.lines import Lines, Naming
from streams.history.parquet import Parquet
from streams.history.spool import Spool
from streams.history.tiers import DAY, tiers
from streams.migration import history
from streams.migration.report import MigrationError, Sums
from streams.migration.state import Kept, State
from streams.settings import Settings
from tests.streams.small_site import site

STOP = time.time() // DAY * DAY + 600.0
"""When the site was stopped: early today."""


@pytest.fixture
def server(influx_server: InfluxServer) -> InfluxServer:
    return influx_server


def folder(path: Path) -> Settings:
    return settings.load({}, data=str(path), history_gigabytes=1.0)


def kept(found: Settings) -> None:
    """Keep some readings of three days, one of them without a value, one that was refused, and of unknown score."""
    store = Parquet(found.data_folder / "history", tiers(found))
    for number, at in enumerate((STOP - 2 * DAY, STOP - DAY, STOP - 60.0)):
        times = at + 7.3 * np.arange(24.0) - 24 * 7.3
        value = np.round(np.sin(times), 3)
        value[3] = np.nan
        score = np.linspace(0, 1, 24).astype("f4")
        score[5] = np.nan
        point = (np.arange(24) % 6).astype("u4")
        flags = np.where(np.arange(24) == 7, 4, 0).astype("u2")
        store.keep(Scored(point, times, value, score, flags), {"scores:0": 10 + number}, at)


def one_more() -> Scored:
    return Scored(
        np.array([2], "u4"), np.array([STOP - 30.0]), np.array([1.5]), np.array([0.5], "f4"), np.zeros(1, "u2")
    )


def moved(source: Settings, target: Settings, state: State) -> list[Sums]:
    history.prepare(source, target, 1, lambda place, offset: offset + 5)
    return history.fill(source, target, site(), state, Kept(target.data_folder), lambda *_: None)


@pytest.mark.server
def test_a_history_goes_to_influxdb_and_back(server: InfluxServer, tmp_path: Path) -> None:
    here, back = folder(tmp_path / "a"), folder(tmp_path / "b")
    there = settings.load(server.environment(), data=str(tmp_path / "c"), influx_bucket="moved")
    client = Influx(there)
    setup = Setup(client, there)
    setup.apply(setup.plan())
    client.close()
    kept(here)
    waiting = Spool(there.data_folder / "history" / "spool", 1)
    first = moved(here, there, State(source="a", target="b", site="small", stopped=STOP))
    waiting.put(Lines(Naming(site()).lines(one_more()), ()), {"scores:0": 40})  # the run was stopped before it was sent
    again = moved(there, back, State(source="b", target="c", site="small", stopped=STOP))
    assert [one.tier for one in first] == ["readings", "minutes", "hours"]
    assert (first[0].rows, again[0].rows) == (72, 73)
    assert all(one.source == one.target for one in (*first, *again))
    for tier in ("minutes", "hours"):
        one, two = (Parquet(f.data_folder / "history", tiers(f)).spans(tier, range(6), 0, STOP) for f in (here, back))
        assert one is not None and two is not None and np.array_equal(one.counted, two.counted)
    assert Parquet(back.data_folder / "history", tiers(back)).kept().cursor == {"scores:0": 45}
    mine = Parquet(back.data_folder / "history", tiers(back))
    mine.tidy(STOP + DAY, 1e9)  # tomorrow: today's become one, too
    assert sum(len(one.point) for one in mine.readings(range(6), 0, STOP)) == 73


def test_a_day_that_differs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = folder(tmp_path / "a"), folder(tmp_path / "b")
    kept(here)
    state = State(source="a", target="b", site="small", stopped=STOP)
    assert moved(here, there, state)[0].rows == 72, "between folders, too"
    assert Parquet(there.data_folder / "history", tiers(there)).kept().cursor == {"scores:0": 17}
    first = min((there.data_folder / "history" / "readings").glob("*.parquet"))
    first.unlink()
    with pytest.raises(MigrationError, match=f"readings of {first.stem[:4]}-{first.stem[4:6]}-{first.stem[6:]} differ"):
        moved(here, there, state)


def test_a_target_without_a_history_leaves_it_behind(tmp_path: Path) -> None:
    here, there = folder(tmp_path / "a"), settings.load({}, data=str(tmp_path / "b"))
    assert history.left(here, there) and not history.apart(here, there) and not history.apart(here, here)

"""What a data folder has recorded, as a table: rules run over it say what the engine said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import models
import rules
from alerts.outcome import AlarmTransition
from sensors.history import HistoryError, unix_seconds
from sensors.observation import CameraEvent
from streams import bundle, publication
from streams.bundle import Bundle
from streams.embedded.store import Log, TopicSpec
from streams.engine import Engine
from streams.history import columns
from streams.history.recorded import recorded, recorded_events, site_of
from streams.topics import OBSERVATIONS, OUTCOMES
from tests.streams import small_site
from tests.streams.small_site import START, debris, frame_of, published, tick
from tests.test_docs import blocks

SECONDS = 1500
ROOT = Path(__file__).parents[3]
Lived = tuple[Path, Engine, list[AlarmTransition], list[columns.Scored]]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Record three points for 25 minutes, with ticks, debris, something bad and something twice; run an engine."""
    data = tmp_path_factory.mktemp("lived")
    content = Bundle(site=small_site.site(), rules=small_site.rules())
    publication.write(data, bundle.pack(content))
    publication.write_indices(data, {point.id: point.index for point in content.site.points})
    random = np.random.default_rng(1)
    records = [published(content), tick(START)]
    for second in range(1, SECONDS):
        now = START + second
        if second % 10 == 0:
            height = 35.0 if 400 <= second < 700 else 12.0 if 1000 <= second < 1200 else 0.0
            values = random.normal(height, 0.1, 3)
            records.append(frame_of([(k, now - 0.5, float(values[k])) for k in range(3)], now - 0.2))
        if second % 250 == 0:
            records.append(frame_of([(0, now - 0.5, 99.0)], now - 0.1))  # of the same time: the first one counts
            records.append(frame_of([(1, now - 0.1, 99.0)], now - 0.1, quality=1))
        if second == 505:
            records.append(debris(now - 0.3))
        records.append(tick(now))
    with Log(data / "log.sqlite", {OBSERVATIONS: TopicSpec(1), OUTCOMES: TopicSpec(1)}) as log:
        log.write([(OBSERVATIONS, 0, None, record) for record in records])
    engine = Engine(0)
    applied = engine.apply(list(enumerate(records)))
    found = [one for record in applied.records for one in record.outcomes if isinstance(one, AlarmTransition)]
    return data, engine, found, [applied.scored] if applied.scored is not None else []


def test_a_rule_run_over_it_says_what_the_engine_said(
    lived: Lived,
) -> None:
    data, _, transitions, _ = lived
    table = recorded(data, ["p*"], since=START)
    run = rules.run(small_site.rules(), table, site_of(data), events=recorded_events(data, since=START), scopes=[])
    moved = run.transitions
    mine = {
        (one.rule, one.scope, one.after if one.after != "none" else one.before, time)
        for one, time in zip(moved.itertuples(), unix_seconds(moved["time"]).tolist(), strict=True)
    }
    edges = ("alarm", "realarm", "return", "raise", "lower")
    live = {(one.rule, one.scope, one.level, one.time) for one in transitions if one.edge in edges}
    assert {"yellow", "orange", "red"} <= {level for _, _, level, _ in live} and len(live) >= 9
    assert mine == live


def test_scores_are_those_of_the_engine(
    lived: Lived,
) -> None:
    data, _, _, (scored,) = lived
    table = models.score(recorded(data, ["p0"], since=START), site_of(data))
    mine = table.loc[table["score"].notna(), "score"]
    live = scored.score[(scored.point == 0) & ~np.isnan(scored.score)]
    assert len(mine) == len(live) > 20
    assert np.allclose(mine, live, atol=1e-7)


def test_a_part_is_taken_by_arrival_with_its_quality(
    lived: Lived,
) -> None:
    data, *_ = lived
    told: list[tuple[int, int]] = []
    part = recorded(data, ["p1"], since=START + 245, until=START + 261, advance=lambda *done: told.append(done))
    assert part["point"].tolist() == ["p1"] * 3
    assert (unix_seconds(part["received"]) - START).tolist() == pytest.approx([249.8, 249.9, 259.8])
    assert part["quality"].tolist() == [0, 1, 0]
    assert told[-1][0] == told[-1][1]
    (event,) = recorded_events(data, since=START)
    assert isinstance(event, CameraEvent) and event.kind == "debris"
    assert recorded_events(data, since=START + 600) == []


def test_what_is_not_there_is_told(lived: Lived, tmp_path: Path) -> None:
    data, *_ = lived
    for names, since, said in (
        (["x*"], START, r"no point x\*"),
        (["p4"], START, "no reading of p4"),
        (["p0"], START + 9999, "no reading of p0"),
        (["p0"], "soon", "'soon' is no duration"),
    ):
        with pytest.raises(HistoryError, match=said):
            recorded(data, names, since=since)
    with pytest.raises(HistoryError, match="nothing has run in"):
        recorded(tmp_path)
    publication.write(tmp_path, bundle.pack(Bundle(site=small_site.site(), rules=())))
    with pytest.raises(HistoryError, match="there is no log here"):
        recorded(tmp_path)


def test_the_page_of_notebooks_runs_as_it_is_written(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    data, *_ = lived
    file = data / "river.csv"
    file.write_text("datetime,level\n" + "".join(f"2026-01-01 00:{n:02}:00,{n % 3}\n" for n in range(60)))
    names = {
        "examples/district": str(ROOT / "examples" / "district"),
        '"data"': f'"{data}"',
        '"river.csv"': f'"{file}"',
        '"slope-01-*"': '"p0"',
        'since="12 h"': f"since={START}",
    }
    space: dict[str, Any] = {}
    for block in blocks(ROOT / "docs" / "how-to" / "notebook.md"):
        if block.language != "python":
            continue
        text = block.text
        for name, here in names.items():
            text = text.replace(name, here)
        if "lived, site" in text:
            space["lived"] = space["lived"].assign(point="slope-01-displacement-1")
        exec(compile(text, "notebook.md", "exec"), space)
    assert len(space["scored"]) == 60 and len(space["events"]) == 1
    assert space["seen"].alarms["highest"].tolist()[0] in ("orange", "red")
    assert space["changed"].levels.yellow.hold == "2 min"


def test_of_a_point_in_areas_of_two_partitions_each_reading_comes_once(tmp_path: Path) -> None:
    site = small_site.site(partitions=2)
    shared = msgspec.structs.replace(site.points[0], areas=("a0", "a1"))
    content = Bundle(site=msgspec.structs.replace(site, points=(shared, *site.points[1:])), rules=())
    publication.write(tmp_path, bundle.pack(content))
    homes = {small_site.partition_of_area(content.site, area) for area in ("a0", "a1")}
    assert len(homes) == 2
    with Log(tmp_path / "log.sqlite", {OBSERVATIONS: TopicSpec(2)}) as log:
        log.write([(OBSERVATIONS, home, None, frame_of([(0, START, 1.0)], START)) for home in homes])
    assert len(recorded(tmp_path, ["p0"], since=START - 1)) == 1

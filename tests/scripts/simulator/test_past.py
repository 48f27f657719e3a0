"""A recorded past: what a run would have left, that replays as it was and speaks of days."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from alerts.precision import cases
from alerts.queries import Reader
from rules.rule import load_rules
from scripts.simulator.past import record
from sensors.registry import load_site
from streams import bundle, publication
from streams.bundle import Bundle
from streams.settings import Settings
from tests.scripts.test_cli import run, sentence

FOLDER = Path(__file__).parents[3] / "examples" / "district"
STOP = 1_790_000_000.0  # 2026-09-21 22:13 at the site
DAY = 86400.0


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Record a day and a half of the villages of the example district."""
    made = Settings(data=str(tmp_path_factory.mktemp("data")))
    district = load_site(FOLDER)
    villages = tuple(point for point in district.points if point.areas[0].startswith("village-"))
    site = msgspec.structs.replace(district, points=villages, cameras=())
    rules = load_rules(FOLDER / "rules" / "fire.yaml", district)
    content = Bundle(site=site, rules=tuple(rule for rule in rules if rule.id == "charging-current"))
    publication.write(made.data_folder, bundle.pack(content))
    passed: list[float] = []
    told = record(made, content, STOP - 1.5 * DAY, STOP, every=3600.0, advance=passed.append)
    assert told.incidents == 2 and told.readings > 1_000
    assert sum(passed) == pytest.approx(1.5 * DAY)
    return made


def test_incidents_are_closed_as_what_they_were(found: Settings) -> None:
    judged = cases(Reader(found.journal_url).engine)
    assert {(one.rule, one.area, one.disposition) for one in judged} == {
        ("charging-current", "village-03", "nuisance"),
        ("charging-current", "village-04", "nuisance"),
    }
    assert max(one.opened for one in judged) - min(one.opened for one in judged) == pytest.approx(DAY, abs=60)


def test_it_replays_as_it_was_and_is_in_the_journal(found: Settings) -> None:
    told = json.loads(run("replay", "--data", found.data_folder, "--json").stdout)
    assert told["agrees"] and told["transitions"] >= 4
    assert told["journal"]["transitions"] == told["transitions"]


def test_a_past_is_written_into_a_new_folder_only(found: Settings, tmp_path: Path) -> None:
    asked = ("simulate", "--language", "en", "--record")
    assert "is there already" in sentence(run(*asked, "7 d", "--data", found.data_folder))
    assert "6 h to 31 d" in sentence(run(*asked, "2 min", "--data", tmp_path))
    assert "6 h to 31 d" in sentence(run(*asked, "7 d", "--data", tmp_path, "--every", "1 s"))
    assert re.search("no duration|duration", sentence(run(*asked, "soon", "--data", tmp_path)))
    assert not list(tmp_path.iterdir())

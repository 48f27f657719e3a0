"""`foreshock rules tune`, and what `rules list` says of how rules fared."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path

import pytest

from alerts import outcome
from alerts.journal import Journal
from alerts.outcome import IncidentChange
from sensors.observation import Command, encode
from streams import bundle, publication
from streams.bundle import Bundle
from streams.embedded.store import Log
from streams.settings import Settings
from streams.station import Station
from streams.topics import OBSERVATIONS, OUTCOMES
from tests.few_rules import with_rules
from tests.scripts.test_cli import run, sentence
from tests.streams.small_site import START, published, site, tick
from tests.streams.test_shadow import made, rise
from tests.streams.test_station import TOPICS, work

RULES = (
    *made({"id": "over", "where": {"quantity": "displacement"}, "levels": {"yellow": {"when": "value > 10"}}}),
    *made({"id": "past", "where": {"points": ["p0"]}, "levels": {"yellow": {"when": "value > limit - 30"}}}),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a data folder with two alarms of one rule: a real one, and a nuisance later."""
    data = tmp_path_factory.mktemp("data")
    content = Bundle(site=site(), rules=RULES)
    publication.write(data, bundle.pack(content))
    found = Settings(data=str(data))
    with Log(found.log_file, TOPICS) as log, closing(Journal(found.journal_url)) as journal:
        station = Station(0, log, 0)
        log.write([(OBSERVATIONS, 0, None, value) for value in (published(content), tick(START))])
        for values, at, verdict in (
            ([1.0, 40.0, 1.0, 1.0], 100.0, "real"),
            ([1.0, 12.0, 1.0, 1.0], 9000.0, "nuisance"),
        ):
            log.write([(OBSERVATIONS, 0, None, value) for value in rise(values, START + at, step=5.0)])
            work(log, station)
            incident = next(
                one.incident
                for one in reversed(outcomes(log))
                if isinstance(one, IncidentChange) and one.state != "closed"
            )
            for step, (kind, args) in enumerate(
                (("acknowledge", {}), ("close", {"disposition": verdict, "reason": "looked at"}))
            ):
                order = Command(
                    id=f"{incident}-{kind}",
                    kind=kind,
                    target=incident,
                    area="a0",
                    actor="user:li",
                    time=START + at + 30.0 + step,
                    args=args,
                )
                log.write([(OBSERVATIONS, 0, None, encode(order))])
            work(log, station)
        journal.record(records(log))
    return data


def records(log: Log) -> list[outcome.Record]:
    return [outcome.decode(value) for _, _, value in log.read(OUTCOMES, 0, 0, limit=10_000)]


def outcomes(log: Log) -> list[outcome.AnyOutcome]:
    return [one for record in records(log) for one in record.outcomes]


def test_it_says_how_a_rule_fared_and_what_another_threshold_would_have_done(folder: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "over.html"
    asked = ("rules", "tune", "over", "--from", "2025-12-31", "--data", folder, "--plot", drawn)
    told = json.loads(run(*asked, "--json").stdout)
    (fared,) = told["rules"]
    assert fared["counts"] == {"real": 1, "nuisance": 1, "test": 0, "duplicate": 0}
    assert fared["precision"]["value"] == 0.5 and fared["recall"]["value"] == 1.0
    assert told["suggested"]["threshold"] == 12.5 and told["suggested"]["missed"] == 0
    assert len(told["suggested"]["silenced"]) == 1
    assert "<svg" in drawn.read_text(encoding="utf-8")
    shown = run(*asked, "--language", "en").output
    assert "precision 50%" in shown and "12.5" in shown and "nothing was changed" in shown
    chinese = run(*asked).output  # the site's language
    assert "查准率 50%" in chinese and "1 属实、1 扰动" in chinese and "未作任何修改" in chinese
    heads = [line for line in chinese.splitlines() if "阈值" in line]
    assert len(heads) == 1 and not re.search("[a-z]", heads[0])


def test_a_limit_of_the_registry_is_suggested_as_a_change_of_the_registry(folder: Path) -> None:
    asked = ("rules", "tune", "past", "--from", "2025-12-31", "--data", folder)
    told = json.loads(run(*asked, "--json").stdout)
    assert told["suggested"]["limit"] == "limit" and told["suggested"]["missed"] == 0
    (move,) = told["registry"]
    assert move["after"] == pytest.approx(move["before"] * told["suggested"]["factor"]) and move["points"] == 1
    shown = run(*asked, "--language", "en").output
    assert f"limit of displacement: {move['before']:g} → {move['after']:g}" in " ".join(shown.split())
    assert "limit ×1" in shown and "nothing was changed" in shown


def test_what_cannot_be_swept_is_one_sentence(folder: Path) -> None:
    asked = ("--from", "2025-12-31", "--data", folder, "--language", "en")
    assert "no rule ovr" in sentence(run("rules", "tune", "ovr", *asked))
    assert "no level blue" in sentence(run("rules", "tune", "over", "--level", "blue", *asked))
    assert "no such level" in sentence(run("rules", "tune", "over", "--level", "pink", *asked))
    assert "no duration" in sentence(run("rules", "tune", "over", "--delay", "soon", *asked))
    assert "takes a rule" in sentence(run("rules", "tune", "--plot", "x.svg", *asked))
    assert "takes a rule" in sentence(run("rules", "tune", "--limit", "red", *asked))
    assert "limits are limit" in sentence(run("rules", "tune", "over", "--limit", "pink", *asked))
    assert "goes by no limit red" in sentence(run("rules", "tune", "over", "--limit", "red", *asked))
    asked = asked[:-2]  # as the site speaks
    assert "现行规则中没有 ovr（是否想写 over？）" in sentence(run("rules", "tune", "ovr", *asked))
    assert "不以登记表的限值 red 为准" in sentence(run("rules", "tune", "over", "--limit", "red", *asked))
    assert "“soon”不是时长" in sentence(run("rules", "tune", "over", "--delay", "soon", *asked))


def test_the_list_says_who_owns_a_rule_when_it_is_due_and_how_it_fared(folder: Path, tmp_path: Path) -> None:
    asked = ("rules", "list", with_rules(tmp_path / "district", "gas.yaml"), "--rule", "gas-*", "--data", folder)
    listed = run(*asked, "--json").stdout
    assert json.loads(listed) and all(
        one["owner"]["en"] and one["review"] and one["fared"] is None for one in json.loads(listed)
    )
    shown = run(*asked).output
    assert "负责人" in shown and "复审" in shown, "in the site's language"

"""`foreshock rules publish`, `rollback`, `history`, `cost`."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from alerts.journal import Journal
from alerts.outcome import ProposalChange, Record
from alerts.rule_costs import kept
from rules.rule import Rule
from scripts.commands.reload import warn_of_unraised
from scripts.commands.words import Words
from streams import bundle, publication, shelf
from streams.bundle import Bundle
from streams.difference import difference
from streams.embedded.store import Log
from streams.settings import Settings
from streams.station import Station
from tests.scripts.test_cli import run, sentence
from tests.streams.small_site import rules, site
from tests.streams.test_station import TOPICS, fill, work


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a data folder on which readings came, and of which the rules changed once."""
    made = tmp_path_factory.mktemp("data")
    keep(made, rules(15.0), 100.0, "at start")
    packed = keep(made, rules(), 200.0, "two nuisances this week")
    publication.write(made, packed)
    with Log(Settings(data=str(made)).log_file, TOPICS) as log:
        fill(log)
        work(log, Station(0, log, 0))
    return made


def keep(data: Path, known: tuple[Rule, ...], time: float, reason: str) -> bytes:
    packed = bundle.pack(Bundle(site=site(), rules=known))
    kept = shelf.Kept(version=bundle.version_of(packed), time=time, author="cli:li", reason=reason)
    shelf.keep(data, kept, packed)
    return packed


def test_the_history_says_who_when_why_and_which_rules_changed(folder: Path) -> None:
    newest, oldest = json.loads(run("rules", "history", "--data", folder, "--json").stdout)
    assert (newest["author"], newest["reason"], newest["in_force"]) == ("cli:li", "two nuisances this week", True)
    assert [(one["rule"], one["how"]) for one in newest["rules"]] == [("creep", "changed")]
    assert (oldest["reason"], oldest["in_force"], oldest["rules"]) == ("at start", False, [])
    shown = run("rules", "history", "--data", folder, "--rule", "creep", "--fields").output
    assert "two nuisances" in shown and "→" in shown and "at start" not in shown


def test_each_rules_cost_is_measured_over_what_was_recorded(folder: Path) -> None:
    told = json.loads(run("rules", "cost", "--data", folder, "--last", "5 min", "--json").stdout)
    assert {one["rule"] for one in told} == {rule.id for rule in rules()}
    assert all(one["readings"] > 20 and one["places"] == 6 for one in told)
    assert [one["cpu"] for one in told] == sorted((one["cpu"] for one in told), reverse=True) and told[0]["cpu"] > 0
    known = kept(folder)
    assert known["creep"].cost.bytes == next(one["bytes"] for one in told if one["rule"] == "creep")
    shown = run("rules", "cost", "--data", folder, "--rule", "creep").output
    assert kept(folder).keys() == known.keys() and kept(folder)["creep"].time > known["creep"].time
    assert "creep" in shown and "纳秒/读数" in shown
    english = run("rules", "cost", "--data", folder, "--rule", "creep", "--language", "en").output
    assert "ns a reading" in english and "1 rules over" in english
    assert "现行规则中没有 nothing" in sentence(run("rules", "cost", "--data", folder, "--rule", "nothing"))
    assert "“soon”不是时长" in sentence(run("rules", "cost", "--data", folder, "--last", "soon"))


def test_nothing_is_published_without_a_reason_or_where_nothing_runs(folder: Path, tmp_path: Path) -> None:
    assert "请写明原因" in sentence(run("rules", "publish", "--data", folder))
    assert "say why" in sentence(run("rules", "publish", "--data", folder, "--language", "en"))
    assert run("rules", "publish", "--data", folder, "--reason", "more").exit_code == 3
    for reason in ("", "  "):
        assert "请写明原因" in sentence(run("rules", "rollback", "--data", folder, "--reason", reason))
    assert run("rules", "rollback", "--data", folder, "--reason", "back").exit_code == 3
    for language, said in (("zh-CN", "尚无运行记录"), ("en", "nothing has run in")):
        refused = run("rules", "rollback", "--data", tmp_path, "--language", language)
        assert refused.exit_code == 3 and said in refused.stderr
    assert run("rules", "history", "--data", tmp_path).exit_code == 3
    assert run("rules", "cost", "--data", tmp_path).exit_code == 3


def test_a_version_that_is_not_raised_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """What `publish`, `rollback`, `reload` and `promote` say: alarms of both wordings would name one version."""
    before, after = (Bundle(site=site(), rules=each) for each in (rules(15.0), rules()))
    spoken = {"zh-CN": "1 条规则的判定已变而", "en": "1 rule(s) decide otherwise"}
    for language, said in spoken.items():
        words = Words("en" if language == "en" else "zh-CN", "UTC")
        warn_of_unraised(difference(before, after), words)
        told = capsys.readouterr().err
        assert said in told and "creep" in told and "version" in told
        warn_of_unraised(difference(after, after), words)
        assert capsys.readouterr().err == ""


def test_what_waits_for_a_second_person_is_in_the_history(tmp_path: Path) -> None:
    publication.write(tmp_path, keep(tmp_path, rules(), 200.0, "at start"))
    waits = ProposalChange(
        id="proposal-1-waiting", number=1, version="40b782e0bfb2", state="waiting", author="user:li", proposed=300.0,
        why="[bold]fewer[/bold]", difference=["rules changed: 1 (creep)"], time=300.0, by="user:li", reason="",
    )  # fmt: skip
    with closing(Journal(Settings(data=str(tmp_path)).journal_url)) as journal:
        journal.record([Record(0, 1, (waits,))])
    first, published = json.loads(run("rules", "history", "--data", tmp_path, "--json").stdout)
    assert (first["version"], first["reason"], first["in_force"]) == (waits.version, waits.why, False)
    assert first["proposal"]["state"] == "waiting" and published["proposal"] is None and published["in_force"]
    shown = run("rules", "history", "--data", tmp_path).output
    assert f"1 {waits.version}  等待批准" in shown and waits.why in shown and "规则修改 1 个（creep）" in shown
    english = run("rules", "history", "--data", tmp_path, "--language", "en").output
    assert f"1 {waits.version}  waiting" in english and "rules changed: 1 (creep)" in english

"""`foreshock rules`: tests, broken limits, differences, explanations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams import bundle, publication
from streams.bundle import Bundle
from streams.embedded.store import Log
from streams.settings import Settings
from streams.station import Station
from tests.few_rules import with_rules
from tests.scripts.test_cli import run, sentence
from tests.streams.small_site import START, rules, site
from tests.streams.test_station import TOPICS, fill, work


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a data folder on which a point rose step by step."""
    made = tmp_path_factory.mktemp("data")
    publication.write(made, bundle.pack(Bundle(site=site(), rules=rules())))
    with Log(Settings(data=str(made)).log_file, TOPICS) as log:
        fill(log)
        work(log, Station(0, log, 0))
    return made


@pytest.fixture
def district(tmp_path: Path) -> Path:
    """Make a copy of the example that has the works' rules only, to be changed."""
    return with_rules(tmp_path / "district", "works.yaml")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the same to be held against."""
    return with_rules(tmp_path_factory.mktemp("sound") / "district", "works.yaml")


def change(district: Path, before: str, after: str) -> None:
    file = district / "rules" / "works.yaml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


def test_the_rules_tests_are_run_and_one_that_fails_is_named(district: Path) -> None:
    told = ("rules", "test", district, "--rule", "crane-moment")
    assert "tests of 1 rules pass" in run(*told, "--language", "en").output
    assert "1 条规则的" in run(*told).output, "in the site's language"
    change(district, "value > 105 %", "value > 300 %")
    assert "the rule's test" in sentence(run("rules", "test", district, "--rule", "crane-moment", "--language", "en"))
    assert "规则的测试" in sentence(run("rules", "test", district, "--rule", "crane-moment"))


def test_a_limit_that_no_test_watches_over_is_named(district: Path) -> None:
    watched = run("rules", "test", district, "--rule", "crane-moment", "--break", "--json")
    told = json.loads(watched.stdout)
    assert (watched.exit_code, told["failed"], told["unnoticed"]) == (0, {}, 0)
    assert len(told["broken"]) > 10
    change(district, "110*2 110.1*2", "110*2 140*2")
    result = run("rules", "test", district, "--rule", "crane-moment", "--break", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["failed"], told["unnoticed"]) == (1, {}, 1)
    assert [one["after"] for one in told["broken"] if not one["test"]] == ["value > 137.5 %"]


def test_a_changed_rule_differs_in_the_field_that_was_changed(district: Path, sound: Path) -> None:
    change(district, "value > 90 %", "value > 90.05 %")
    result = run("rules", "diff", district, "--against", sound)
    assert "crane-moment 已修改" in result.output
    result = run("rules", "diff", district, "--against", sound, "--language", "en")
    assert "crane-moment changed" in result.output
    assert "levels.blue.when: value > 90 % → value > 90.05 %" in result.output
    assert "no rule differs" in run("rules", "diff", sound, "--against", sound, "--language", "en").output


def test_explain_says_each_clause_with_its_value_now_and_then(folder: Path) -> None:
    then = str(START + 75)
    told = json.loads(run("rules", "explain", "creep", "p0", "--at", then, "--data", folder, "--json").stdout)
    assert (told["rule"], told["level"], told["levels"][1]["why"]["terms"][0]["value"]) == ("creep", "yellow", 18.0)
    shown = run("rules", "explain", "creep", "p0", "--at", then, "--data", folder, "--language", "en").stdout
    assert "value > 20 mm: it is 18, 2 away" in shown
    assert "clears when value < 5.0" in shown
    now = run("rules", "explain", "creep", "p0", "--data", folder)
    assert now.exit_code == 0 and "触发条件：" in now.stdout, "in the site's language"


@pytest.mark.filterwarnings("ignore:invalid value encountered in subtract")  # no time yet less no event yet
def test_explain_says_of_a_time_before_the_record_that_nothing_is_known(folder: Path) -> None:
    result = run("rules", "explain", "creep", "p0", "--at", "2020-01-01", "--data", folder, "--language", "en")
    assert result.exit_code == 0, result.output
    assert "nothing is known yet, version 1" in result.stdout and "it is unknown" in result.stdout


def test_explain_says_what_is_wrong_with_a_question(folder: Path, tmp_path: Path) -> None:
    def said(*asked: str) -> str:
        return sentence(run("rules", "explain", *asked, "--data", folder, "--language", "en"))

    assert "no rule nothing is in force" in said("nothing", "p0")
    assert "did you mean 'creep'?" in said("crep", "p0")
    assert "a0 is none that it covers" in said("creep", "a0")
    assert "is no moment" in said("creep", "p0", "--at", "soon")
    assert "2100-01-01 00:00:00, which is yet to come" in said("creep", "p0", "--at", "2100-01-01")
    assert "那是将来的" in sentence(run("rules", "explain", "creep", "p0", "--at", "2100-01-01", "--data", folder))
    assert run("rules", "explain", "creep", "p0", "--data", tmp_path).exit_code == 3

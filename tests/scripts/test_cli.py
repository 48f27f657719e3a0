"""The command line: every command teaches, and a mistake is met with a sentence."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import AlarmTransition, Explanation, Record, Term
from scripts.cli import application
from scripts.commands import doctor, terminal
from scripts.commands.run import _require_brokers
from sensors.registry import load_site
from streams import bundle, publication, running, settings, supervisor
from tests.alerts.cases import SITE, change
from tests.few_rules import with_rules

ROOT = Path(__file__).parents[2]
DISTRICT = ROOT / "examples" / "district"


def commands(command: Any, name: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield name
    for part, member in getattr(command, "commands", {}).items():
        yield from commands(member, (*name, part))


def run(*arguments: str | Path, given: str = "") -> Result:
    return CliRunner().invoke(application(), [str(one) for one in arguments], input=given)


def english(*arguments: str | Path, given: str = "") -> Result:
    """Run a command that is to speak English though the site is Chinese, as the example is."""
    return run(*arguments, "--language", "en", given=given)


def sentence(result: Result) -> str:
    """Return what was said of a failure: a sentence with a cross, never a traceback."""
    assert result.exit_code == 1, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.stderr.startswith("✗ ") or "✗ " in result.stderr
    return result.stderr


@pytest.mark.parametrize(
    "name", list(commands(typer.main.get_command(application()))), ids=lambda name: " ".join(name) or "-"
)
def test_every_help_teaches(name: tuple[str, ...]) -> None:
    shown = run(*name, "--help")
    assert shown.exit_code == 0
    command = typer.main.get_command(application())
    for part in name:
        command = command.commands[part]  # type: ignore[attr-defined]
    said = (command.help or "").strip()
    assert len(said) > 25, "it says what it does"
    assert said.rstrip("`*").endswith((".", ":")) or "foreshock" in said, "in sentences, or by example"
    for parameter in command.params:
        if parameter.name not in ("help", "install_completion", "show_completion"):
            assert getattr(parameter, "help", None), f"--{parameter.name} has no help"


def test_no_command_at_all_shows_where_to_start() -> None:
    shown = run()
    assert "foreshock run" in shown.output and "foreshock doctor" in shown.output


def test_version_names_what_it_stands_on() -> None:
    said = run("version").output
    assert f"foreshock {metadata.version('foreshock')}" in said
    for name in ("faust-streaming", "numpy", "scikit-learn", "opencv-python"):
        assert name in said


def test_check_counts_the_district() -> None:
    checked = run("check", DISTRICT, "--json")
    assert checked.exit_code == 0
    counts = json.loads(checked.stdout)
    places = ("fields", "area_types", "areas", "districts", "subdistricts", "communities", "cameras")
    assert [counts[name] for name in places] == [4, 15, 61, 1, 10, 124, 120]
    assert 950 <= counts["points"] <= 1050
    assert counts["units"] > 50 and counts["rules"] >= 15 and counts["problems"] == []
    told = run("check", DISTRICT, "--language", "en").stdout
    assert "is sound: 4 fields, 15 area_types, 61 areas" in told
    assert "senml/+" in told and "spBv1.0/+/NBIRTH/+" in told, "what the broker must let it read"


def test_check_names_file_line_and_field_of_every_mistake(tmp_path: Path) -> None:
    site = tmp_path / "a [red]site"
    shutil.copytree(DISTRICT, site)
    units = site / "units.yaml"
    units.write_text(re.sub(r"kind: \w+", 'kind: "[bold]x"', units.read_text(), count=1))
    checked = run("check", site)  # in the site's language
    assert checked.exit_code == 1 and "有 1 个问题" in checked.stderr
    assert "units.yaml:" in checked.stderr and "[bold]" in checked.stderr
    assert "a [red]site" in checked.stderr  # brackets are text, not colour
    as_json = json.loads(run("check", site, "--json").stdout)
    [problem] = as_json["problems"]
    assert problem["file"] == "units.yaml" and problem["field"] == "units[0].kind"
    assert problem["line"] > 0 and "[bold]x" in problem["message"]


def test_check_names_files_of_rules_as_it_names_others(tmp_path: Path) -> None:
    site = with_rules(tmp_path / "site", "fire.yaml")
    rule = sorted((site / "rules").rglob("*.yaml"))[0]
    rule.write_text(rule.read_text(encoding="utf-8").replace("when: ", "when: nonsense + ", 1), encoding="utf-8")
    problems = json.loads(run("check", site, "--json").stdout)["problems"]
    assert {problem["file"] for problem in problems} == {str(rule.relative_to(site))}
    assert all(problem["line"] > 0 for problem in problems)


def test_check_names_templates_that_can_never_match_and_is_content(tmp_path: Path) -> None:
    site = with_rules(tmp_path / "site", "people.yaml")
    main = site / "site.yaml"
    more = '  mapped:\n    - {topic: "plant/{point}", point: "Plant-{point}"}\n'
    main.write_text(main.read_text(encoding="utf-8").replace("  mapped:\n", more, 1), encoding="utf-8")
    checked = run("check", site)
    assert checked.exit_code == 0 and "无误：风险领域 4 个、区域类型 15 种、区域 61 个、" in checked.stdout
    checked = run("check", site, "--language", "en")
    assert "signals.mapped[0].point: 'Plant-{point}' can never match" in checked.stderr
    as_json = json.loads(run("check", site, "--json").stdout)
    assert [(one["file"], one["field"]) for one in as_json["notes"]] == [("site.yaml", "signals.mapped[0].point")]
    assert json.loads(run("check", DISTRICT, "--json").stdout)["notes"] == []


def test_check_of_no_site_at_all_is_a_problem(tmp_path: Path) -> None:
    checked = run("check", tmp_path / "nowhere")
    assert checked.exit_code == 1
    assert "nowhere" in checked.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("alarms", "list"),
        ("alarms", "show", "a-1"),
        ("alarms", "ack", "a-1"),
        ("alarms", "shelve", "a-1", "--reason", "cleaning"),
        ("alarms", "unshelve", "a-1"),
        ("alarms", "shelved"),
        ("replay",),
        ("users", "list"),
        ("users", "audit"),
        ("users", "password", "li"),
        ("users", "disable", "li"),
        ("tokens", "list"),
        ("tokens", "revoke", "probe"),
    ],
    ids=" ".join,
)
def test_where_nothing_has_run_it_says_so(arguments: tuple[str, ...], tmp_path: Path) -> None:
    said = sentence(run(*arguments, "--data", tmp_path / "[empty]"))
    assert "[empty]" in said
    assert list(tmp_path.iterdir()) == [], "a mistyped folder is not made"


def test_status_where_nothing_has_run_ends_with_3(tmp_path: Path) -> None:
    asked = run("status", "--data", tmp_path)
    assert asked.exit_code == 3
    assert "start with `foreshock run`" in asked.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FORESHOCK_PORT", "99999"),
        ("FORESHOCK_SYNCHRONOUS", "OFF"),
        ("FORESHOCK_MQTT_PASSWORD_FILE", "/nowhere/[at all]"),
    ],
)
@pytest.mark.parametrize("command", [("status",), ("doctor",), ("users", "list"), ("replay",), ("simulate",), ("run",)])
def test_a_setting_that_cannot_be_is_named_by_every_command(
    command: tuple[str, ...], variable: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FORESHOCK_DATA", str(tmp_path))
    monkeypatch.setenv(variable, value)
    said = sentence(run(*command))
    assert variable in said and value.split("/")[-1] in said


def test_what_is_wrong_before_there_is_a_site_is_said_in_the_locales_language(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    data = ("--data", tmp_path)
    assert f"{tmp_path} 中尚无运行记录" in run("status", *data).stderr
    assert "没有此站点文件夹" in sentence(run("run", *data, "--site", tmp_path / "none"))
    for value, wanted in (("99999", "端口应为 0 至 65535"), ("x", "应为 `int`，实为 `str`")):
        monkeypatch.setenv("FORESHOCK_PORT", value)
        assert wanted in sentence(run("status", *data))


def test_scores_of_no_file_and_scenes_of_no_name_are_refused(tmp_path: Path) -> None:
    assert "there is no file" in sentence(run("score", tmp_path / "x.csv", "--time", "t", "--value", "v"))
    assert "tsunami" in sentence(run("simulate", "--scene", "tsunami"))
    assert "landslide" in run("simulate", "--list").output


def test_accounts_are_kept_without_a_running_product(tmp_path: Path) -> None:
    data = ("--data", tmp_path / "data")
    assert run("users", "first-link", *data).exit_code == 0
    assert "no accounts yet" in run("users", "list", *data).output
    password = "a long enough password 7\n"
    assert run("users", "add", "li", "--role", "administrator", *data, given=password).exit_code == 0
    assert "li" in sentence(run("users", "add", "li", "--role", "duty", *data, given=password))
    assert "administrator" in sentence(run("users", "disable", "li", *data))
    assert "there is an administrator already" in sentence(run("users", "first-link", *data))
    assert "king" in sentence(run("tokens", "add", "t", "--role", "king", *data))
    assert "no tokens yet" in run("tokens", "list", *data).output
    assert run("users", "add", "wu", "--role", "viewer", *data, given=password).exit_code == 0
    told = json.loads(run("users", "export", "wu", *data).output)
    assert (told["account"]["name"], told["journal"]) == ("wu", [])
    assert "cannot be undone" in sentence(run("users", "erase", "wu", *data))
    assert "wu is erased" in run("users", "erase", "wu", "--yes", *data).output
    assert "erased, for good" in sentence(run("users", "password", "wu", *data, given=password))
    assert [one["erased"] for one in json.loads(run("users", "list", "--json", *data).output)] == [False, True]


def test_a_unit_that_the_site_does_not_have_is_refused_with_the_near_one(tmp_path: Path) -> None:
    data = ("--data", tmp_path / "data")
    password = "a long enough password 7\n"
    for command in (("users", "add"), ("tokens", "add")):
        said = sentence(run(*command, "seven", "--role", "field", "--unit", "team-yanluo-yanchaun", *data))
        assert "no unit team-yanluo-yanchaun (did you mean 'team-yanluo-yanchuan'?)" in said
        known = (*command, "seven", "--role", "field", "--unit", "team-yanluo-yanchuan", *data)
        assert run(*known, given=password).exit_code == 0


def test_the_units_are_those_of_the_site_that_runs_on_the_data(tmp_path: Path) -> None:
    shutil.copytree(DISTRICT, tmp_path / "site")
    units = tmp_path / "site" / "units.yaml"
    units.write_text(units.read_text(encoding="utf-8").replace("team-yanluo-yanchuan", "team-renamed"))
    data = tmp_path / "data"
    data.mkdir()
    publication.write(data, bundle.pack(bundle.Bundle(site=load_site(tmp_path / "site"))))
    add = ("tokens", "add", "seven", "--role", "field", "--data", data, "--unit")
    assert run(*add, "team-renamed").exit_code == 0
    assert "team-yanluo-yanchuan" in sentence(run(*add, "team-yanluo-yanchuan"))
    assert run(*add, "team-yanluo-yanchuan", "--site", DISTRICT).exit_code == 0
    assert "站点有误" in sentence(run(*add, "team-renamed", "--site", tmp_path))


def test_a_token_is_revoked_by_the_name_it_was_given(tmp_path: Path) -> None:
    data = ("--data", tmp_path / "data")
    assert run("tokens", "add", "prometheus", "--role", "analyst", *data).exit_code == 0
    assert "prometheus" in run("tokens", "revoke", "prometheus", *data).output
    assert json.loads(run("tokens", "list", "--json", *data).output)[0]["revoked"]
    assert "there is no token prom" in sentence(run("tokens", "revoke", "prom", *data))


def test_the_audit_says_who_did_what_and_whether_it_holds(tmp_path: Path) -> None:
    data = ("--data", tmp_path / "data")
    run("tokens", "add", "probe", "--role", "viewer", *data)
    assert "no such entries" in run("users", "audit", "--actor", "user:li", *data).output
    run("tokens", "revoke", "probe", *data)
    shown = run("users", "audit", "--action", "token", *data)
    assert shown.exit_code == 0
    assert shown.output.index("token.revoke") < shown.output.index("token.add")
    assert "the audit holds" in shown.output
    assert "token.add" not in run("users", "audit", "--action", "token.revoke", *data).output
    entries = json.loads(run("users", "audit", "--json", *data).stdout)["items"]
    assert {one["actor"] for one in entries} == {terminal.who()}, "a person sits at the terminal"
    with sqlite3.connect(tmp_path / "data" / "accounts.sqlite") as database:
        database.execute("DROP TRIGGER audit_no_delete")
        database.execute("DELETE FROM audit WHERE sequence = 1")
    assert "entry 1" in sentence(run("users", "audit", *data))
    assert json.loads(run("users", "audit", "--json", *data).stdout)["broken"] == 1


@pytest.fixture
def alarmed(tmp_path: Path) -> Path:
    """Make a data folder with a real alarm of slope-1 and a simulated one of river-1, both begun at 995 s."""
    desk = Desk(SITE)
    raised = [
        *desk.condition(change(2, rule="creep"), 1000.0),
        *desk.condition(change(3, rule="level", area="river-1", scope="p7", simulated=True), 1000.0),
    ]
    journal = Journal(tmp_path / "journal.sqlite")
    journal.record([Record(0, 0, tuple(raised))])
    journal.close()
    publication.write(tmp_path, bundle.pack(bundle.Bundle(site=load_site(DISTRICT))))
    return tmp_path


def test_a_simulated_alarm_is_marked_and_its_onset_is_shown(alarmed: Path) -> None:
    rows = run("alarms", "list", "--data", alarmed).output.splitlines()
    assert [("river-1" in row) for row in rows if "模拟 SIM" in row] == [True]
    assert any("slope-1" in row for row in rows)
    for alarm in json.loads(run("alarms", "list", "--json", "--data", alarmed).stdout):
        shown = run("alarms", "show", alarm["id"], "--data", alarmed, "--language", "en").output
        assert ("模拟 SIM" in shown.splitlines()[0]) is alarm["simulated"]
        assert "onset:  1970-01-01 08:16:35" in shown, "in the site's zone"


def test_an_alarm_that_a_source_gave_by_going_says_so(alarmed: Path) -> None:
    why = Explanation(clause="age > 60", terms=(Term(name="age", value=None, holds=True),), gone="sparkplug:g/edge")
    raised = Desk(SITE).condition(dataclasses.replace(change(2, rule="no-data"), why=why), 1000.0)
    journal = Journal(alarmed / "journal.sqlite")
    journal.record([Record(0, 1, tuple(raised))])
    journal.close()
    (alarm,) = {one.alarm for one in raised if isinstance(one, AlarmTransition)}
    shown = run("alarms", "show", alarm, "--data", alarmed, "--language", "en").output
    assert "sparkplug:g/edge reported itself offline" in shown


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--state", "opne", "(did you mean 'open'?); there are open, all, NORM, UNACK, ACKED, RTNUN, SHLVD, DSUPR"),
        ("--state", "unack", "(did you mean 'UNACK'?)"),
        ("--area", "slope-001", "the site has no such area (did you mean 'slope-01'?)"),
    ],
)
def test_a_state_or_area_that_cannot_be_is_refused_with_the_near_one(
    option: str, value: str, said: str, alarmed: Path
) -> None:
    assert said in sentence(run("alarms", "list", option, value, "--data", alarmed, "--language", "en"))


def test_alarms_of_an_area_without_open_ones_or_that_left_the_site_are_listed(alarmed: Path) -> None:
    assert "没有报警" in run("alarms", "list", "--area", "slope-01", "--data", alarmed).output
    left = run("alarms", "list", "--area", "slope-1", "--state", "NORM", "--data", alarmed)
    assert left.exit_code == 0 and "没有报警" in left.output


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_list_has_1_to_500_alarms(limit: int, alarmed: Path) -> None:
    assert run("alarms", "list", f"--limit={limit}", "--data", alarmed).exit_code == 2
    assert run("alarms", "list", "--limit=500", "--data", alarmed).exit_code == 0


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("quality",),
        ("publications",),
        ("users", "list"),
        ("alarms", "list"),
        ("camera", "list"),
        ("quarantine", "list"),
        ("outbox", "list"),
    ],
    ids=" ".join,
)
def test_all_say_alike_that_nothing_has_run(command: tuple[str, ...], tmp_path: Path) -> None:
    said = run(*command, "--data", tmp_path)
    assert said.exit_code in (1, 3)
    assert said.stderr == f"✗ nothing has run in {tmp_path} yet; start with `foreshock run`\n"


@pytest.mark.parametrize(
    ("settings_", "said"),
    [
        ({"MQTT_SHARE": "team"}, "FORESHOCK_MQTT_HOST (or --mqtt-host) must name a broker"),
        ({"MQTT_SHARE": "team", "MQTT_HOST": "h"}, "sparkplug cannot be shared"),
        ({"MQTT_CA_FILE": "/nowhere/ca.crt", "MQTT_HOST": "h"}, "cannot read /nowhere/ca.crt"),
        ({"MQTT_BROKERS": "- {name: a, host: h, password_file: /nowhere}"}, "a: cannot read /nowhere"),
        ({"MQTT_BROKERS": "- {name: a, host: h, share: t}"}, "(a): sparkplug cannot be shared"),
        ({"MQTT_BROKERS": "- {name: a}"}, "FORESHOCK_MQTT_BROKERS"),
    ],
)
def test_the_doctor_and_a_run_refuse_the_same_brokers_in_the_same_words(
    settings_: dict[str, str], said: str, tmp_path: Path
) -> None:
    named = {f"FORESHOCK_{name}": value for name, value in settings_.items()}
    found = settings.load(named, site=str(DISTRICT), data=str(tmp_path))
    finding = next(doctor.examine(found, "MQTT brokers"))
    assert not finding.well and said in finding.said
    with pytest.raises(supervisor.StartError) as refused:
        _require_brokers(found, load_site(DISTRICT).signals)
    assert str(refused.value) == finding.said


def test_the_doctor_finds_the_brokers_of_a_plain_run_well(tmp_path: Path) -> None:
    found = settings.load({}, site=str(DISTRICT), data=str(tmp_path))
    [finding] = list(doctor.examine(found, "MQTT brokers"))
    assert (finding.well, finding.said) == (True, "main")


def test_the_doctor_names_the_process_that_runs_on_the_data(alarmed: Path) -> None:
    def ports() -> str:
        # port 1 is one that nobody listens on, as when the run was given others
        found = settings.load({"FORESHOCK_PORT": "1", "FORESHOCK_MQTT_PORT": "1"}, data=str(alarmed))
        return next(doctor.examine(found, "ports")).said

    assert "(not running)" in ports() and not (alarmed / "run").exists()
    with supervisor.take_lock(alarmed):
        assert f"process {os.getpid()} runs on {alarmed}" in ports() and "not running" not in ports()
    assert "(not running)" in ports(), "the lock that a run left behind is no run"
    supervisor.take_lock(alarmed).close()


def test_the_doctor_looks_at_the_site_that_runs_on_the_data_unless_another_is_named(
    alarmed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examine = partial(doctor.examine, only="site")
    monkeypatch.setattr("scripts.commands.doctor.examine", lambda found: examine(found))
    other = alarmed / "other"
    shutil.copytree(DISTRICT, other)
    (other / "units.yaml").write_text("units: 3\n", encoding="utf-8")
    (alarmed / "run").mkdir()
    running.note_site(alarmed, other)
    assert "problem(s), first" in english("doctor", "--data", alarmed).output
    assert run("doctor", "--data", alarmed, "--site", DISTRICT).exit_code == 0


def test_text_from_outside_can_neither_colour_nor_control_the_terminal() -> None:
    assert terminal.plain("[red]x[/red]") == r"\[red]x\[/red]"
    assert terminal.plain("a\x1b[2Jb\r\x07") == r"a\x1b[2Jb\x0d\x07"
    assert terminal.plain("滑坡 ✓\n") == "滑坡 ✓\n"


def test_the_rules_schema_is_printed_or_written_for_an_editor(tmp_path: Path) -> None:
    printed = json.loads(run("schema").stdout)
    assert printed["title"] == "Foreshock rules"
    assert {"id", "where", "levels", "for", "rationale"} <= set(printed["$defs"]["Rule"]["properties"])
    assert run("schema", "--out", tmp_path / "rules.schema.json").exit_code == 0
    assert json.loads((tmp_path / "rules.schema.json").read_text(encoding="utf-8")) == printed
    assert "cannot be written" in sentence(run("schema", "--out", tmp_path / "none" / "x.json"))

"""`foreshock replay`: the past again, checked; and under other rules, as a table, JSON and a page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
import yaml

from alerts import outcome
from alerts.comparison import WHATS, Past, compare
from alerts.outcome import AlarmTransition
from alerts.spells import Spell
from scripts.commands.replay_page import page as drawn
from scripts.commands.words import Words
from sensors.site import Seat
from streams import bundle, publication
from streams.bundle import Bundle
from streams.embedded.store import Log
from streams.history.columns import Scored
from streams.history.parquet import Parquet
from streams.history.tiers import tiers
from streams.replay import outcomes
from streams.settings import Settings, load
from streams.topics import GROUP, OBSERVATIONS, OUTCOMES
from tests.scripts.test_cli import run, sentence
from tests.streams.archive.test_archiver import cut_off
from tests.streams.small_site import NAME, RATIONALE, START, rules, site, tick
from tests.streams.test_course import live
from tests.streams.test_station import TOPICS

SEATS = (Seat(id="lead", name=NAME), Seat(id="west", name=NAME, subdistricts=("s0",)))


def made(folder: Path) -> Path:
    """Make a data folder in which a point rose, was shelved, sent somebody out and rose again."""
    content = Bundle(site=msgspec.structs.replace(site(), seats=SEATS), rules=rules())
    publication.write(folder, bundle.pack(content))
    with Log(Settings(data=str(folder)).log_file, TOPICS) as log:
        live(log)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("data"))


def written(folder: Path, threshold: float) -> Path:
    """Write the small site's rule of displacement with another threshold, as an analyst would."""
    yaml_rule = {
        "id": "creep",
        "title": {"zh": "位移", "en": "displacement"},
        "where": {"quantity": "displacement"},
        "levels": {
            "yellow": {"when": f"value > {threshold / 2}", "clear": f"value < {threshold / 4}", "for": "20 s"},
            "orange": {"when": f"value > {threshold}", "clear": f"value < {threshold * 0.75}"},
            "red": {"when": f"value > {threshold * 1.5} and seen('debris', '5 min')"},
        },
        "rationale": RATIONALE,
        "tests": [{"name": "calm", "step": "1m", "point": {"values": "0*3"}, "expect": "none*3"}],
    }
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "all.yaml").write_text(yaml.safe_dump({"rules": [yaml_rule]}), encoding="utf-8")
    return folder / "rules"


@pytest.fixture
def same(tmp_path: Path) -> Path:
    return written(tmp_path, 20.0)


def test_the_past_is_checked_whole_or_a_stretch_of_it(data: Path) -> None:
    everything = json.loads(run("replay", "--data", data, "--json").stdout)
    assert everything["agrees"] and everything["first"] is None
    begin, end = str(int(START + 100)), str(int(START + 200))
    part = json.loads(run("replay", "--data", data, "--from", begin, "--to", end, "--json").stdout)
    assert part["agrees"] and 0 < part["transitions"] < everything["transitions"]
    stretch = ("replay", "--data", data, "--from", begin)
    chinese = run(*stretch).stdout  # the site's language
    assert "个结果全部一致，其中报警变化" in chinese and "值班负荷：响铃的报警" in chinese
    assert not re.search("[a-z]{3}", chinese)
    said = run(*stretch, "--to", end, "--language", "en").stdout
    assert f"all {part['recorded']} outcomes are the same, {part['transitions']} of them alarm transitions" in said


def test_the_first_that_differs_is_shown_field_by_field(tmp_path: Path) -> None:
    data = made(tmp_path)
    with Log(Settings(data=str(data)).log_file, TOPICS) as log:
        record = next(
            record for record in outcomes(log, 0) if any(isinstance(one, AlarmTransition) for one in record.outcomes)
        )
        others = tuple(
            msgspec.structs.replace(one, sequence=99, id="x") if isinstance(one, AlarmTransition) else one
            for one in record.outcomes
        )
        log.write([(OUTCOMES, 0, None, outcome.encode(outcome.Record(0, record.offset, others)))])
    result = run("replay", "--data", data, "--language", "en")
    assert result.exit_code == 1
    assert "1 missing: x" in result.stderr
    assert f"first: x at offset {record.offset} of partition 0" in result.stderr
    assert "alarm creep p0" in result.stderr and "missing" in result.stderr
    compared = run("replay", "--data", data, "--rules", written(tmp_path, 20.0))
    assert compared.exit_code == 1
    assert "回放与当时的记录不符" in compared.stderr and "缺少 1 个：x" in compared.stderr


def test_the_same_rules_differ_in_nothing(data: Path, same: Path) -> None:
    result = run("replay", "--data", data, "--rules", same, "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 0, result.stderr
    assert told["recorded"] == {"agrees": True, "first": None}
    assert not told["alarms"] and not told["dispatches"] and told["same"] == 2
    assert told["before"] == told["after"]
    assert told["commands"] == {"commands": 3, "moved": 0, "astray": 0}


def test_other_rules_are_held_against_the_published_ones(data: Path, tmp_path: Path) -> None:
    calmer = written(tmp_path, 30.0)
    told = json.loads(run("replay", "--data", data, "--rules", calmer, "--json").stdout)
    assert told["counts"]["later"] >= 1 and told["counts"]["level"] >= 1
    assert told["by_rule"]["creep"] and told["by_area"]["a0"]
    assert told["before"]["dispatches"] > told["after"]["dispatches"]
    assert [one["what"] for one in told["dispatches"]] == [["lost"]]
    assert told["before"]["seats"].keys() == {"lead", "west"}
    assert told["before"]["seats"]["lead"]["rings"] > told["after"]["seats"]["lead"]["rings"]
    alone = run("replay", "--data", data, "--rules", calmer, "--json", "--processes", "1").stdout
    assert json.loads(alone) == told
    assert run("replay", "--data", data, "--rules", calmer, "--json", "--processes", "2").stdout == alone


def test_any_two_sets_of_rules_can_be_held_against_each_other(data: Path, same: Path, tmp_path: Path) -> None:
    calmer = written(tmp_path / "calmer", 30.0)
    one = json.loads(run("replay", "--data", data, "--rules", same, "--against", calmer, "--json").stdout)
    other = json.loads(run("replay", "--data", data, "--rules", calmer, "--json").stdout)
    assert one["recorded"] is None
    assert (one["counts"]["earlier"], one["after"]) == (other["counts"]["later"], other["before"])


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh-CN", ("原规则", "减少", "按区域", "人员操作")), ("en", ("before", "lost", "By area", "people"))],
)
def test_the_tables_speak_both_languages(data: Path, tmp_path: Path, language: str, words: tuple[str, ...]) -> None:
    result = run("replay", "--data", data, "--rules", written(tmp_path, 30.0), "--language", language, "--show", "1")
    assert result.exit_code == 0
    for word in words:
        assert word in result.stdout
    assert ("more are not listed" if language == "en" else "条未列出") in result.stdout


@pytest.fixture(scope="module")
def page(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    file = folder / "compared.html"
    result = run("replay", "--data", data, "--rules", written(folder, 30.0), "--html", file)
    assert result.exit_code == 0 and "compared.html" in result.stdout
    yield file.read_text(encoding="utf-8")


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(page: str) -> None:
    assert "default-src 'none'" in page
    for harm in ("<script", "<link", "<img", "@import", "url(", " style=", "http://", "https://", " on"):
        assert harm not in page.replace("http-equiv", "").replace(' on"', ""), harm
    assert page.count("<svg") > 5 and "规则回放对比" in page


def test_names_cannot_break_out_of_the_page(data: Path, tmp_path: Path) -> None:
    evil = '"><script>alert(1)</script>'
    spell = Spell(alarm="a", rule=evil, scope=evil, area=evil, kind="risk", simulated=False, raised=START, onset=START,
                  level="red")  # fmt: skip
    sides = [Past(spells=some, sendings=[], transitions=[]) for some in ([], [spell])]
    found = compare(*sides, [], START, START + 60, {evil: None})
    assert "<script" not in drawn(found, Words("en", "UTC"), START, START + 60)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Asia/Kolkata"])
def test_the_lines_of_a_week_stand_at_midnight_of_the_site(zone: str) -> None:
    """Also in a week in which clocks change."""
    begin = datetime(2026, 10, 29, 11, 27, tzinfo=ZoneInfo(zone)).timestamp()
    spell = Spell(alarm="a", rule="r", scope="s", area="a", kind="risk", simulated=False, raised=begin, onset=begin,
                  level="red", end=begin + 7 * 86400)  # fmt: skip
    sides = [Past(spells=some, sendings=[], transitions=[]) for some in ([], [spell])]
    shown = drawn(compare(*sides, [], begin, begin + 7 * 86400, {}), Words("en", zone), begin, begin + 7 * 86400)
    (courses,) = re.findall(r'<svg[^>]*aria-label="When alarms.*?</svg>', shown)
    lines = [float(x) for x in re.findall(r'<line x1="([0-9.]+)"', courses)]
    bar = next(re.finditer(r'<rect x="([0-9.]+)" y="17.0" width="([0-9.]+)"', courses))
    left, wide = float(bar[1]), float(bar[2])
    stands = [begin + (x - left) / wide * 7 * 86400 for x in lines]
    clocks = [datetime.fromtimestamp(one, ZoneInfo(zone)) for one in stands]
    off = [(one.hour * 60 + one.minute + 720) % 1440 - 720 for one in clocks]
    assert len(lines) == 7 and max(map(abs, off)) <= 5, clocks  # a tenth of a pixel is a minute and a half


@pytest.mark.parametrize(
    ("arguments", "said", "chinese"),
    [
        (("--html", "x.html"), "go with --rules", "须与 --rules"),
        (("--against", "x"), "go with --rules", "须与 --rules"),
        (("--from", "soon"), "is no moment", "不是时刻"),
        (("--from", "14:00", "--to", "14:00"), "is not before", "不早于"),
        (("--rules", "nowhere"), "nowhere does not exist", "nowhere 不存在"),
        (("--rules", ".", "--html", "x.txt"), "choose a name that ends in .html", "请用以 .html 结尾的文件名"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    data: Path, arguments: tuple[str, ...], said: str, chinese: str
) -> None:
    assert said in sentence(run("replay", "--data", data, "--language", "en", *arguments))
    assert chinese in sentence(run("replay", "--data", data, *arguments))


def test_rules_with_mistakes_are_named_with_their_place(data: Path, tmp_path: Path) -> None:
    folder = written(tmp_path, 30.0)
    file = folder / "all.yaml"
    file.write_text(re.sub(r"value > 30\.0", "valeu > 30.0", file.read_text(encoding="utf-8")), encoding="utf-8")
    result = run("replay", "--data", data, "--rules", folder)
    assert result.exit_code == 1 and "valeu" in result.stderr and "有 1 个问题" in result.stderr


def test_a_rule_whose_own_tests_fail_is_not_tried(data: Path, tmp_path: Path) -> None:
    folder = written(tmp_path, 30.0)
    file = folder / "all.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("none*3", "red*3"), encoding="utf-8")
    asked = ("replay", "--data", data, "--rules", folder)
    assert "the rule's test 'calm' fails" in run(*asked, "--language", "en").stderr
    assert "规则的测试“calm”未通过" in run(*asked).stderr, "in the site's language"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a data folder whose log begins two days after its history, in which a point rose above 20 and 30."""
    folder = tmp_path_factory.mktemp("old")
    publication.write(folder, bundle.pack(Bundle(site=msgspec.structs.replace(site(), seats=SEATS), rules=rules())))
    times = START + 10.0 * np.arange(60)
    value = np.where((times > START + 200) & (times < START + 500), 25.0, 1.0)
    flags = np.zeros(60, "u2")
    scored = Scored(np.zeros(60, "u4"), times, value, np.zeros(60, "f4"), flags)
    Parquet(folder / "history", tiers(load({}))).keep(scored, {}, START + 600.0)
    with Log(Settings(data=str(folder)).log_file, TOPICS) as log:
        log.write([(OBSERVATIONS, 0, None, tick(START + 2 * 86400.0 + second)) for second in range(9)])
        log.write([], commits=[(GROUP, OBSERVATIONS, 0, 9)])
    cut_off(Settings(data=str(folder)).log_file, 4)
    return folder


@pytest.fixture
def keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESHOCK_HISTORY_GIGABYTES", "1")
    monkeypatch.setenv("FORESHOCK_HISTORY_DAYS", "36500")


@pytest.mark.usefixtures("keeps")
def test_rules_are_tried_over_what_only_the_history_has(old: Path, tmp_path: Path) -> None:
    asked = ("replay", "--data", old, "--rules", written(tmp_path, 30.0), "--from", str(int(START)))
    said = sentence(run(*asked, "--language", "en"))
    assert "no longer holds its first observations" in said
    assert "the history has readings from 2026-01-01 08:00 on: with --history and --rules" in " ".join(said.split())
    assert "历史库有 2026-01-01 08:00 以来的读数" in "".join(sentence(run(*asked)).split("\n"))
    page = tmp_path / "old.html"
    told = json.loads(run(*asked, "--history", "--json", "--html", page).stdout)
    assert told["recorded"] is None and told["history"] == {"learnt_from": START}
    assert (told["before"]["dispatches"], told["after"]["dispatches"]) == (1, 0)
    assert told["counts"]["level"] == 1 and told["readings"] == 60
    assert "模型自 2026-01-01 08:00 起学习" in page.read_text(encoding="utf-8")
    english = run(*asked, "--history", "--to", str(int(START + 400)), "--language", "en").stdout
    assert "no camera event, report or person's action is in it" in " ".join(english.split())
    none = run(*asked[:-1], str(int(START + 300)), "--history", "--against", tmp_path / "rules", "--json")
    assert json.loads(none.stdout)["counts"] == dict.fromkeys(WHATS, 0)


@pytest.mark.usefixtures("keeps")
@pytest.mark.parametrize(
    ("arguments", "said", "chinese"),
    [
        ((), "--history goes with --rules", "--history 须与 --rules"),
        (("--rules", ".", "--archive", "x"), "--history and --archive: choose one", "只能用一个"),
        (("--rules", ".", "--from", "2025-01-01"), "", "请选更晚的 --from"),
        (("--rules", ".", "--from", "2026-02-01"), "", "请选更早的 --from"),
    ],
)
def test_what_the_history_cannot_do_is_said(old: Path, arguments: tuple[str, ...], said: str, chinese: str) -> None:
    asked = ("replay", "--data", old, "--history", *arguments)
    if said:
        assert said in " ".join(sentence(run(*asked, "--language", "en")).split())
    assert chinese in sentence(run(*asked)).replace("\n", "")

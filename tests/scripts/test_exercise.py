"""`foreshock exercise`, `foreshock handover` and `foreshock roster`, and the scripts of drills."""

from __future__ import annotations

import json
from pathlib import Path

import pypdfium2
import pytest

from alerts.desk import Desk
from alerts.drill_script import read_script
from alerts.exercise import NOTHING, missed_id, missed_target
from alerts.journal import Journal
from sensors.document import DocumentError
from sensors.registry import load_site
from sensors.site import Site
from streams import bundle, publication
from streams.bundle import Bundle
from tests.alerts.cases import SITE, command
from tests.alerts.test_drill import played, records
from tests.scripts.test_cli import run, sentence

DISTRICT = Path(__file__).parents[2] / "examples" / "district"
SCRIPT = DISTRICT / "exercises" / "forest-fire.yaml"


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site(DISTRICT)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    publication.write(tmp_path, bundle.pack(Bundle(site=SITE)))
    journal = Journal(tmp_path / "journal.sqlite")
    act = command("act", missed_target("resolve", "u-d", NOTHING), missed_id("e1", 3), "exercise:e1")
    journal.record(records([*played(), Desk(SITE).command(act, 1350.0)]))
    journal.close()
    return tmp_path


def said(file: Path) -> str:
    return "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(file))


def test_the_examples_drill_is_sound_and_its_steps_come_in_order(site: Site) -> None:
    script = read_script(SCRIPT, site)
    times = [at for at, _ in script.ordered()]
    assert times == sorted(times) and times[-1] < script.lasting
    assert script.seconds()["acknowledge"] == 120.0


@pytest.mark.parametrize(
    ("old", "new", "field", "wanted"),
    [
        ("areas: [forest-01]", "areas: [forest-09]", "areas[0]", "unknown area"),
        ("areas: [forest-01]", "areas: [slope-01]", "steps[1].report.area", "no area of this drill"),
        ("units: [team", "units: [teem", "units[0]", "unknown unit"),
        ("lasts: 10 min", "lasts: 10 d", "lasts", "at most"),
        ("acknowledge: 2 min", "acknowledged: 2 min", "objectives.acknowledged", "unknown leg"),
        ("forest-01-cam-1, kind: smoke", "slope-01-cam-1, kind: smoke", "steps[2].event.camera", "slope-01"),
        ("at: 5 s", "at: soon", "steps[1].at", "no duration"),
        ("{do: accept}", "{do: accept, unit: fire}", "steps[5].act.unit", "takes no part"),
        ("{do: accept}", "{do: dispatch}", "steps[5].act.unit", "say whom"),
        ("{do: tick, step: confirm}", "{do: tick}", "steps[4].act.step", "which step"),
        ("{do: accept}", "{do: fly}", "steps[5].act.do", "fly"),
    ],
)
def test_each_mistake_of_a_script_is_told_with_its_field(
    site: Site, tmp_path: Path, old: str, new: str, field: str, wanted: str
) -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "drill.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        read_script(file, site)
    found = {problem.field: problem.message for problem in caught.value.problems}
    assert wanted in found[field]


def test_a_drill_needs_a_run(data: Path) -> None:
    assert "没有正在运行的系统" in sentence(run("exercise", "run", SCRIPT, "--data", data))


def test_a_drill_is_listed_reported_and_printed(data: Path) -> None:
    (one,) = json.loads(run("exercise", "list", "--json", "--data", data).output)
    assert one["id"] == "e1"
    told = json.loads(run("exercise", "report", "e1", "--json", "--data", data).output)
    assert (told["met"], told["of"]) == (1, 3)
    out = data / "report.pdf"
    shown = run("exercise", "report", "e1", "--data", data, "--out", out, "--language", "en").output
    assert "33%" in shown and "missed" in shown
    assert "Resolve u-d: There was no case or order to act on" in " ".join(shown.split())
    assert "Exercise report: Drill" in said(out) and "33%" in said(out)
    assert "Acts of the script that came to nothing: 1" in said(out)
    assert "the system" in said(out) and "engine" not in said(out), "people read who did what"
    shown = run("exercise", "report", "e1", "--data", data).output
    assert "3 项中达成 1 项" in shown and "未达成" in shown and "处置 u-d：没有可操作" in shown.replace(": ", "：")
    assert "没有演练 e2" in sentence(run("exercise", "report", "e2", "--data", data))


def test_the_handover_is_shown_and_printed_without_what_a_drill_left(data: Path) -> None:
    whole = json.loads(run("handover", "--json", "--data", data).output)
    assert whole["sheet"]["open"] == {"items": [], "more": 0}
    out = data / "handover.pdf"
    assert run("handover", "--out", out, "--language", "zh-CN", "--data", data).exit_code == 0
    assert "值班交接单" in said(out) and "未关闭事件 (0)" in said(out)
    assert "no handover h was signed" in sentence(run("handover", "--signed", "h", "--language", "en", "--data", data))


def test_who_is_on_duty_is_told_for_a_moment() -> None:
    found = json.loads(run("roster", "--site", DISTRICT, "--at", "2026-11-28 03:00", "--json").output)
    assert {one["seat"]: one["account"] for one in found} == {"lead": "lead-night", "north": "duty-night"}
    assert "请写当地时间" in sentence(run("roster", "--site", DISTRICT, "--at", "noon"))
    shown = run("roster", "--site", DISTRICT, "--at", "2026-11-28 12:00").output
    assert "duty-video" in shown and "2026-11-28 17:30" in shown

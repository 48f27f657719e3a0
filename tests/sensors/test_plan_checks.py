"""Plans of a site: a sound file, and each mistake with its line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors.registry import check_site, load_site
from tests.sensors.test_registry import FILES, write

PLAN = """\
plans:
  - id: slope
    name: {zh: 边坡预案, en: Slope plan}
    types: [slope]
    level: yellow
    roles: {duty: {zh: 值班, en: Duty}}
    steps:
      - {id: look, role: duty, text: {zh: 看, en: Look}}
      - {id: leave, level: red, text: {zh: 撤, en: Leave}}
    contacts:
      - {name: {zh: 消防, en: Fire}, phone: "119", role: duty}
    drafts:
      - {id: below, name: {zh: 坡下, en: Below}, text: {zh: "{area}撤离", en: "Leave {area}"}}
    overlays:
      - {name: {zh: 图, en: Map}, file: a.geojson}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = write(tmp_path / "site", FILES)
    (folder / "plans").mkdir()
    (folder / "plans" / "a.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    (folder / "plans" / "hills.yaml").write_text(PLAN, encoding="utf-8")
    return folder


def test_a_sound_plan_is_part_of_the_site_and_its_version_is_of_its_content(folder: Path) -> None:
    first = load_site(folder)
    (plan,) = first.plans
    assert (plan.id, plan.types, len(plan.steps), len(plan.version)) == ("slope", ("slope",), 2, 12)
    (folder / "plans" / "hills.yaml").write_text(PLAN.replace("en: Look}", "en: Look twice}"), encoding="utf-8")
    second = load_site(folder)
    assert second.plans[0].version != plan.version
    assert second.version != first.version


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "said"),
    [
        ("types: [slope]", "types: [slop]", 4, "plans[0].types[0]", "did you mean"),
        ("types: [slope]", "areas: [slope-09]", 4, "plans[0].areas[0]", "unknown area"),
        ("    types: [slope]\n", "", 2, "plans[0]", "name the area types"),
        ("level: yellow", "level: pink", 5, "plans[0].level", "unknown level"),
        ("role: duty, text", "role: boss, text", 8, "plans[0].steps[0].role", "unknown role"),
        ("id: leave", "id: look", 9, "plans[0].steps[1].id", "already given"),
        ("en: Leave}}", 'en: " "}}', 9, "plans[0].steps[1].text.en", "1 to 1000"),
        ('phone: "119"', "phone: fire", 11, "plans[0].contacts[0].phone", "no phone number"),
        ("Leave {area}", "Leave {name}", 13, "plans[0].drafts[0].text.en", "{name} is not filled in"),
        ("file: a.geojson", "file: b.geojson", 15, "plans[0].overlays[0].file", "no file plans/b.geojson"),
        ("file: a.geojson", "file: ../site.yaml", 15, "plans[0].overlays[0].file", "no name of a .geojson"),
        ("level: yellow", "levels: yellow", 5, "plans[0].levels", "unknown field"),
        ("level: yellow", "version: x", 5, "plans[0].version", "leave it out"),
    ],
)
def test_each_mistake_is_told_with_its_line_and_field(
    folder: Path, old: str, new: str, line: int, field: str, said: str
) -> None:
    assert old in PLAN
    (folder / "plans" / "hills.yaml").write_text(PLAN.replace(old, new, 1), encoding="utf-8")
    _, problems = check_site(folder)
    (problem,) = problems
    assert (problem.file, problem.line, problem.field) == ("plans/hills.yaml", line, field)
    assert said in problem.message


def test_two_plans_for_the_same_kind_of_area_and_level_are_refused(folder: Path) -> None:
    (folder / "plans" / "more.yaml").write_text(PLAN.replace("id: slope\n", "id: other\n"), encoding="utf-8")
    _, problems = check_site(folder)
    (problem,) = problems
    assert "already given at plans/hills.yaml:4" in problem.message


@pytest.mark.parametrize("content", ["", "[", "[]", '{"type": "Point"}', "[" * 100_000], ids=range(5))
def test_an_overlay_that_is_no_drawing_is_refused(folder: Path, content: str) -> None:
    (folder / "plans" / "a.geojson").write_text(content)
    _, problems = check_site(folder)
    assert [problem.field for problem in problems] == ["plans[0].overlays[0].file"]


def test_a_plan_with_too_many_steps_is_refused(folder: Path) -> None:
    more = "".join(f"      - {{id: s{n}, text: {{zh: 看, en: Look}}}}\n" for n in range(60))
    (folder / "plans" / "hills.yaml").write_text(PLAN.replace("    contacts:\n", more + "    contacts:\n"))
    _, problems = check_site(folder)
    assert [problem.message for problem in problems] == ["a plan has at most 60 steps"]


def test_every_kind_of_area_of_the_example_has_a_plan() -> None:
    site = load_site(Path(__file__).parents[2] / "examples" / "district")
    served = {kind for plan in site.plans for kind in plan.types}
    assert served == {kind.id for kind in site.area_types}
    for plan in site.plans:
        assert len(plan.steps) >= 5 and plan.contacts and plan.drafts, plan.id

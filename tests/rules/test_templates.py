"""Rules made from templates: by area type, and with other values in some areas."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from rules import loading
from rules.rule import Rule, encode_decision, load_rules
from sensors.document import DocumentError
from sensors.site import Area, AreaType, Site
from tests.rules.stage import NO_TEXT, a_point, a_site
from tests.rules.stage import RATIONALE as WHY

TEMPLATE = """
templates:
  - id: depth
    parameters:
      stop: {unit: m, default: 0.27, min: 0.1, max: 1}
      hold: {unit: min, default: 1, max: 60}
    for:
      - types: [slope, river]
      - areas: [b]
        with: {stop: 0.4}
    rule:
      title: {zh: 超过 {stop} , en: "deeper than {stop}"}
      where: {quantity: level}
      levels:
        red: {when: "value >= {stop}", for: "{hold}"}
      rationale: RATIONALE
      tests:
        - name: at {stop}
          step: "{hold}"
          point: {values: "{stop - 0.01}*2 {stop}*2"}
          expect: none*3 red
"""


def a_place(id: str, type: str) -> Area:
    return Area(id=id, name=NO_TEXT, type=type, place="p")


def the_site() -> Site:
    points = (a_point("p", area="a"), a_point("q", area="b"), a_point("r", area="c"))
    areas = (a_place("a", "slope"), a_place("b", "slope"), a_place("c", "river"))
    types = tuple(AreaType(id=name, field="f", name=NO_TEXT) for name in ("slope", "river"))
    return msgspec.structs.replace(a_site(*points), areas=areas, area_types=types)


def load(tmp_path: Path, text: str, site: Site | None = None) -> tuple[Rule, ...]:
    why = "{" + ", ".join(f"{name}: '{said}'" for name, said in WHY.items()) + "}"
    (tmp_path / "rules.yaml").write_text(
        text.replace("RATIONALE", why).replace("{zh: 超过 {stop} ,", '{zh: "超过 {stop}",'), encoding="utf-8"
    )
    return load_rules(tmp_path, site or the_site(), tmp_path)


def said(tmp_path: Path, old: str, new: str) -> list[str]:
    with pytest.raises(DocumentError) as told:
        load(tmp_path, TEMPLATE.replace(old, new))
    return [str(problem) for problem in told.value.problems]


def test_a_template_makes_a_rule_for_each_type_and_each_area_named(tmp_path: Path) -> None:
    rules = {rule.id: rule for rule in load(tmp_path, TEMPLATE)}
    assert set(rules) == {"depth.slope", "depth.river", "depth.b"}
    assert {id: rule.levels.red.when for id, rule in rules.items() if rule.levels.red} == {
        "depth.slope": "value >= 0.27 m",
        "depth.river": "value >= 0.27 m",
        "depth.b": "value >= 0.4 m",
    }
    assert rules["depth.b"].title.en == "deeper than 0.4 m"
    assert rules["depth.b"].hold_of(rules["depth.b"].levels.red) == 60  # type: ignore[arg-type]
    assert rules["depth.b"].tests[0].point.values == "0.39*2 0.4*2"
    assert {rule.template for rule in rules.values()} == {"depth"}


def test_each_area_has_one_of_the_rules(tmp_path: Path) -> None:
    site = the_site()
    covered = {
        area.id: [rule.id for rule in load(tmp_path, TEMPLATE, site) if rule.where.takes_area(area)]
        for area in site.areas
    }
    assert covered == {"a": ["depth.slope"], "b": ["depth.b"], "c": ["depth.river"]}


def test_a_value_changed_in_one_place_leaves_what_decides_elsewhere_the_same(tmp_path: Path) -> None:
    """State is kept by what decides in a rule: a publication begins only the changed rule anew."""
    before = {rule.id: encode_decision(rule) for rule in load(tmp_path, TEMPLATE)}
    after = {rule.id: encode_decision(rule) for rule in load(tmp_path, TEMPLATE.replace("stop: 0.4", "stop: 0.5"))}
    assert {id for id in before if before[id] != after[id]} == {"depth.b"}


def test_mistakes_name_line_and_field_of_what_the_user_wrote_with_a_suggestion(tmp_path: Path) -> None:
    assert said(tmp_path, ">= {stop}", ">= {stp}") == [
        "rules.yaml:15: templates[0].rule.levels.red.when: the template has no parameter 'stp' (did you mean 'stop'?)"
    ]
    assert said(tmp_path, "areas: [b]", "areas: [bb]")[0].startswith("rules.yaml:9: templates[0].for[1].areas[0]: 'bb'")
    assert said(tmp_path, "with: {stop: 0.4}", "with: {stop: 4}") == [
        "rules.yaml:10: templates[0].for[1].with.stop: 4 is above 1 m"
    ]
    assert "no parameter 'halt'" in said(tmp_path, "with: {stop: 0.4}", "with: {halt: 4}")[0]
    assert "named twice" in said(tmp_path, "[slope, river]", "[slope, slope]")[0]
    assert "is said by `for`" in said(tmp_path, "{quantity: level}", "{quantity: level, types: [slope]}")[0]
    assert "has no default" in said(tmp_path, "default: 0.27, ", "")[0]
    assert "below 0.1 m" in said(tmp_path, "default: 0.27", "default: 0.01")[0]
    assert "divides by zero" in said(tmp_path, "{stop - 0.01}", "{stop / 0}")[0]


def test_what_does_not_fit_one_of_the_rules_names_that_rule(tmp_path: Path) -> None:
    (told,) = said(tmp_path, "expect: none*3 red", 'expect: "none*2 red*2"')[:1]
    assert "depth." in told and "the rule's test" in told and told.startswith("rules.yaml:21")
    units = said(tmp_path, "unit: m,", "unit: s,")
    assert any("depth.slope: column" in one for one in units)


@pytest.mark.parametrize(
    "more",
    [
        "    template: depth\n",  # a template is no template's rule
        "    rules: []\n",
        "    parameters: {a: {default: '{b}'}, b: {default: '{a}'}}\n",
    ],
)
def test_templates_within_templates_and_values_that_are_no_numbers_are_refused(tmp_path: Path, more: str) -> None:
    with pytest.raises(DocumentError):
        load(tmp_path, TEMPLATE + "  - id: other\n" + more)


def test_a_rule_cannot_claim_a_template(tmp_path: Path) -> None:
    why = "{" + ", ".join(f"{name}: '{text}'" for name, text in WHY.items()) + "}"
    text = f"""
rules:
  - id: plain
    title: {{zh: a, en: a}}
    template: depth
    levels: {{red: {{when: value > 1}}}}
    rationale: {why}
"""
    with pytest.raises(DocumentError, match="leave it out"):
        load(tmp_path, text)


def test_too_many_rules_are_refused_before_the_rest_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template may make ten thousand and a site have two thousand files: all of them would fill the memory first."""
    monkeypatch.setattr(loading, "MAX_RULES", 2)
    (tmp_path / "second.yaml").write_text("rules: [", encoding="utf-8")
    with pytest.raises(DocumentError) as told:
        load(tmp_path, TEMPLATE)  # makes three
    assert [problem.message for problem in told.value.problems] == ["more than 2 rules"], "the second is not read"

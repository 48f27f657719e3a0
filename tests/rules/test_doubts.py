"""Rules that load and can hardly be meant: those that cover nothing, ask for what nobody tells of, or have no tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from rules.doubts import Doubts
from rules.rule import load_rules
from sensors.problem import DocumentError, Problem
from sensors.site import AreaType, Onvif, ReportKind, Signals, Text
from tests.rules.stage import a_point, a_rule, a_site
from tests.rules.test_bad_input import RULE, TEMPLATE

NAME = Text(zh="边坡", en="slope")
TEST = {"name": "x", "point": {"values": "1"}, "expect": "none"}
SITE = msgspec.structs.replace(
    a_site(a_point("p-1", limit=1.0, tags=("outdoor",)), a_point("rain", quantity="rain", unit="mm/h")),
    area_types=(AreaType(id="slope", field="nature", name=NAME),),
    reports=(ReportKind(category="smell", name=NAME),),
    signals=Signals(onvif=(Onvif(prefix="onvif", kinds={"motion": "stirring"}),)),
)


GAS = a_rule("gas", when="value > 1", tests=[TEST | {"events": [{"kind": "report-gas", "at": 0}]}])


def doubts(**fields: Any) -> list[tuple[str, str]]:
    tests = fields.pop("tests", [TEST])
    rule = a_rule(**({"when": "value > 1", "tests": tests} | fields))
    return [(".".join(map(str, path)), said) for path, said in Doubts(SITE, (rule, GAS)).of(rule)]


@pytest.mark.parametrize(
    ("fields", "at", "part"),
    [
        ({"where": {"points": ["p-9*"]}}, "where.points.0", "'p-9*' matches no point"),
        ({"where": {"points": ["p-1", "p-11"]}}, "where.points.1", "did you mean 'p-1'?"),
        ({"where": {"tags": ["outdor"]}}, "where.tags.0", "has the tag 'outdor' (did you mean 'outdoor'?)"),
        ({"where": {"types": ["slope"], "quantity": "methane"}}, "where", "covers no point of this site"),
        ({"scope": "camera", "when": "fault('any')", "where": {"cameras": ["x*"]}}, "where.cameras.0", "no camera"),
        ({"when": "seen('debirs', '5m')"}, "levels.yellow.when", "column 1: 'debirs' is no kind of event"),
        ({"when": "seen('debirs', '5m')"}, "levels.yellow.when", "did you mean 'debris'?"),
        ({"when": "alarm and count('smok', '5m') > 1"}, "levels.yellow.when", "column 11: 'smok'"),
        ({"when": "sequence('smoke', 'fier', '5m')"}, "levels.yellow.when", "'fier'"),
        ({"when": "reports('smel', 3, '1h')"}, "levels.yellow.when", "did you mean 'smell'?"),
        ({"when": "rising('gaz', '28 d') > 0.9"}, "levels.yellow.when", "did you mean 'gas'?"),
        ({"with": [{"event": "debirs"}]}, "with.0.event", "did you mean 'debris'?"),
        ({"with": [{"report": "smel"}]}, "with.0.report", "did you mean 'smell'?"),
        ({"tests": []}, "tests", "has no tests"),
    ],
)
def test_what_is_doubtful_is_named_where_it_stands(fields: dict[str, Any], at: str, part: str) -> None:
    found = doubts(**fields)
    assert len(found) == 1 and found[0][0] == at and part in found[0][1], found


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"where": {"points": ["p-*"], "tags": ["outdoor"]}},
        {"when": "seen('smoke', '5m') or seen('stirring', '5m') or seen('loitering', '5m')"},
        {"when": "reports('smell', 3, '1h') or seen('report-smell', '5m')"},
        {"when": "seen('landslip', '5m')", "tests": [TEST | {"events": [{"kind": "landslip", "at": 0}]}]},
        {"with": [{"report": "crack"}], "tests": [TEST | {"events": [{"kind": "report-crack", "at": 0}]}]},
    ],
)
def test_what_the_site_its_dialects_or_a_test_know_is_not_doubted(fields: dict[str, Any]) -> None:
    assert doubts(**fields) == []


def test_a_slip_that_its_own_test_repeats_is_still_doubted() -> None:
    tests = [TEST | {"events": [{"kind": "debirs", "at": 0}]}]
    ((_, said),) = doubts(when="seen('debirs', '5m')", tests=tests)
    assert "did you mean 'debris'?" in said


def test_of_rules_that_do_not_load_nothing_is_doubted(tmp_path: Path) -> None:
    file, found = tmp_path / "rules.yaml", list[Problem]()
    file.write_text(
        RULE.replace("value > 1", "value >") + RULE.replace("rules:\n", "").replace("id: depth", "id: more")
    )
    with pytest.raises(DocumentError) as told:
        load_rules(file, SITE, doubts=found)
    assert [(one.line, one.field) for one in told.value.problems] == [(6, "rules[0].levels.yellow.when")]
    assert [(one.line, one.field) for one in found] == [(8, "rules[1].tests")]


def test_doubts_have_file_and_line_also_of_templates_and_keep_nothing_from_loading(tmp_path: Path) -> None:
    file, found = tmp_path / "rules.yaml", list[Problem]()
    file.write_text(RULE.replace("level}", "rain}").replace("where: {", "where: {tags: [wet], "), encoding="utf-8")
    assert len(load_rules(file, SITE, doubts=found)) == 1
    assert [(one.line, one.field) for one in found] == [(2, "rules[0].tests"), (4, "rules[0].where.tags[0]")]
    found.clear()
    file.write_text(TEMPLATE.replace("quantity: level", "quantity: level, without_tags: [outdoor]"))
    assert len(load_rules(file, SITE, doubts=found)) == 1
    assert [(one.line, one.field) for one in found] == [
        (5, "templates[0].rule.tests"),
        (7, "templates[0].rule.where"),
    ]
    assert found[1].message == "depth.slope: covers no point of this site: it can never be raised"


@pytest.mark.parametrize(
    ("yellow", "red", "hidden"),
    [
        ("{when: value > 5}", "{when: value > 1}", True),
        ("{when: value > 5 and score > 0.9}", "{when: value > 4 or age > 1 h}", True),
        ("{when: value > 5, for: 1 min}", "{when: value > 5}", True),
        ("{when: value > 5}", "{when: value > 1, for: 1 min}", False),
        ("{when: value > 5}", "{when: value > 1, samples: 2 of 3}", False),
        ("{when: value > 1}", "{when: value > 5}", False),
        ("{when: value > 5}", "{when: value > 1 and score > 0.9}", False),
        ("{when: beyond('yellow')}", "{when: beyond('red')}", False),
    ],
)
def test_a_level_that_a_higher_one_always_hides_is_doubtful(
    tmp_path: Path, yellow: str, red: str, hidden: bool
) -> None:
    file, found = tmp_path / "rules.yaml", list[Problem]()
    file.write_text(
        RULE.replace('yellow: {when: "value > 1"}', f"yellow: {yellow}\n      red: {red}"), encoding="utf-8"
    )
    load_rules(file, SITE, doubts=found)
    said = [(one.line, one.message) for one in found if one.field.endswith("when")]
    assert said == ([(6, "is never seen: 'red' holds whenever this does")] if hidden else [])

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from rules.breaking import breaks, notice
from rules.compiler import compile_rules
from rules.evaluation import Evaluator
from rules.layout import laid_out
from rules.rule import Rule, load_rules
from rules.vectors import Bench, run
from sensors.registry import load_site
from sensors.site import Site
from tests.rules.stage import Bank, Scored

FOLDER = Path(__file__).parents[2] / "examples" / "district"


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site(FOLDER)


@pytest.fixture(scope="module")
def rules(site: Site) -> tuple[Rule, ...]:
    return load_rules(FOLDER / "rules", site)


def test_every_area_type_has_its_own_rule_and_every_rule_its_tests(site: Site, rules: tuple[Rule, ...]) -> None:
    named = {kind for rule in rules for kind in rule.where.types}
    assert named == {kind.id for kind in site.area_types}
    assert [rule.id for rule in rules if not rule.tests] == []


def test_every_point_is_watched_and_rows_at_rest_cost_no_rule(site: Site, rules: tuple[Rule, ...]) -> None:
    book = compile_rules(rules, site, site.points)
    assert set(book.row.tolist()) >= set(range(len(site.points)))
    assert not book.reading_guard.always.any()
    assert not book.tick_guard.always.any()


def test_a_source_that_has_gone_is_no_data_before_any_interval(site: Site, rules: tuple[Rule, ...]) -> None:
    evaluator = Evaluator(compile_rules(rules, site, site.points), Bank(len(site.points)))
    rows = np.arange(40)
    nothing = Scored(np.zeros(40), np.zeros(40, np.bool_))
    values = np.array([(point.normal or (0.0, 0.0))[0] for point in site.points[:40]])
    evaluator.readings(rows, np.full(40, 1.0), values, np.zeros(40, np.uint8), np.full(40, 1.0), nothing, 1.0)
    evaluator.tick(2.0)
    before = evaluator.current.copy()
    found = evaluator.source(rows[:2], True, "sparkplug:baoan/slope-01", 2.5)
    assert [(change.rule.id, change.scope) for change in found] == [("no-data", p.id) for p in site.points[:2]]
    assert all(change.why is not None and change.why.gone == "sparkplug:baoan/slope-01" for change in found)
    assert np.count_nonzero(evaluator.current != before) == 2


def test_a_changed_threshold_breaks_a_named_test(site: Site, rules: tuple[Rule, ...]) -> None:
    gas = next(rule for rule in rules if rule.id == "gas-methane")
    red = msgspec.structs.replace(gas.levels.red, when="value >= 60 %LEL")
    changed = msgspec.structs.replace(gas, levels=msgspec.structs.replace(gas.levels, red=red))
    assert run(gas, gas.tests[0], site) == []
    assert run(changed, gas.tests[0], site)


def test_every_area_type_has_a_plan_and_every_rule_says_whose_its_limits_are(
    site: Site, rules: tuple[Rule, ...]
) -> None:
    planned = {kind for rule in rules if rule.plan for kind in rule.where.types}
    assert planned == {kind.id for kind in site.area_types}
    assert [rule.id for rule in rules if not (rule.rationale.source or rule.rationale.placeholder)] == []


@pytest.mark.parametrize(
    "id",
    [
        "gas-methane",
        "crane-moment",
        "river-level",
        "gas-smelt",
        "night-flow",
        "pit-settles",
        "plant-trespass",
        "unusual-flow",
    ],
)
def test_no_limit_and_no_delay_can_be_moved_unnoticed(site: Site, rules: tuple[Rule, ...], id: str) -> None:
    """For some rules here, for all with `foreshock rules test --break`, which takes half a minute."""
    rule = next(rule for rule in rules if rule.id == id)
    found = [notice(broken) for broken in breaks(rule, Bench(site))]
    assert found and [one for one in found if not one.test] == []


def test_the_files_of_rules_are_laid_out() -> None:
    for file in sorted((FOLDER / "rules").glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        assert laid_out(text, file.name) == text, f"foreshock rules format lays {file.name} out"


def test_they_load_and_pass_their_tests_without_pint() -> None:
    """Importing pint takes half a second of the first start."""
    code = """
import sys
from pathlib import Path
from rules.rule import load_rules
from sensors.registry import load_site
folder = Path(sys.argv[1])
load_rules(folder / "rules", load_site(folder), folder)
sys.exit("pint" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code, str(FOLDER)], cwd=FOLDER.parents[1], check=False).returncode == 0

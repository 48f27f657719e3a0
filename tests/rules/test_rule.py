from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from rules.rule import decode_rules, encode_rules, load_rules
from rules.schema import json_schema
from sensors.document import DocumentError
from tests.rules.stage import a_point, a_rule, a_site

GOOD = """
rules:
  - id: depth
    title: {zh: 水深, en: Depth}
    where: {quantity: level}
    levels:
      yellow: {when: value > 20 cm, clear: value < 10 cm}
      red: {when: value > 0.4 m, for: 1 min}
    rationale: {cause: rain, consequence: flood, response: go, time_to_respond: 600, owner: me, review: "2027-01-01"}
    tests:
      - {name: rising, step: 30 s, point: {values: "0.1 0.3 0.5*3"}, expect: none yellow yellow yellow red}
"""
SITE = a_site(a_point("p", limit=1.0), a_point("rain", quantity="rain", unit="mm/h"))


def load(tmp_path: Path, text: str) -> tuple:
    (tmp_path / "rules.yaml").write_text(text, encoding="utf-8")
    return load_rules(tmp_path, SITE)


def test_a_good_file_loads_and_travels(tmp_path: Path) -> None:
    rules = load(tmp_path, GOOD)
    assert [rule.id for rule in rules] == ["depth"]
    assert decode_rules(encode_rules(rules)) == rules
    assert encode_rules(decode_rules(encode_rules(rules))) == encode_rules(rules)


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "part"),
    [
        ("level}", "levle}", 5, "rules[0].where.quantity", "did you mean 'level'"),
        ("value > 20 cm", "vlaue > 20 cm", 7, "rules[0].levels.yellow.when", "column 1: unknown name 'vlaue' (did you"),
        ("value < 10 cm", "value < 10 kg", 7, "rules[0].levels.yellow.clear", "column 9: kg cannot be compared with m"),
        ("for: 1 min", "for: soon", 8, "rules[0].levels.red.for", "'soon' is no duration"),
        ("yellow: {when", "yelow: {when", 7, "yelow", "did you mean 'yellow'"),
        ("cause: rain,", "", 9, "rationale", "cause"),
        ("cause: rain,", "cause: ' ',", 9, "rules[0].rationale.cause", "is empty"),
        ("2027-01-01", "soon", 9, "rules[0].rationale.review", "no date"),
        ("id: depth", "id: depth\n    version: 99999999999999999999", 4, "rules[0].version", "from 1, to 999999999"),
        ("id: depth", "id: depth\n    version: 0", 4, "rules[0].version", "versions count from 1"),
        ("id: depth", "id: De pth", 3, "rules[0].id", "is no id"),
        (
            "yellow red}",
            "yellow yellow}",
            11,
            "rules[0].tests[0].expect",
            "test 'rising' fails: at 2 min the level is red",
        ),
        ("none yellow", "none yelow", 11, "rules[0].tests[0].expect", "'yelow' is no level"),
        ("0.5*3", "x*3", 11, "rules[0].tests[0].point.values", "neither a number"),
    ],
)
def test_mistakes_name_line_field_and_remedy(
    tmp_path: Path, old: str, new: str, line: int, field: str, part: str
) -> None:
    assert old in GOOD
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    problem = caught.value.problems[0]
    assert part in str(problem)
    assert field in problem.field
    assert problem.line == line


def test_a_failing_test_is_called_by_both_its_names(tmp_path: Path) -> None:
    text = GOOD.replace("yellow red}", "yellow yellow}", 1).replace("name: rising", "name: {zh: 涨水, en: rising}", 1)
    with pytest.raises(DocumentError, match=r"test 'rising' \(“涨水”\) fails: at 2 min"):
        load(tmp_path, text)


def test_a_rule_without_rationale_does_not_load(tmp_path: Path) -> None:
    lines = [line for line in GOOD.splitlines() if "rationale" not in line]
    with pytest.raises(DocumentError, match="rationale"):
        load(tmp_path, "\n".join(lines))


def test_a_rate_of_a_plain_number_loads(tmp_path: Path) -> None:
    site = a_site(a_point("p", quantity="state", unit="1"))
    text = GOOD.replace("quantity: level", "quantity: state").replace("value > 0.4 m", "rate('10m') > 0")
    text = text.replace("value > 20 cm", "rate('10m') > 2 1/h").replace("value < 10 cm", "rate('10m') < 1 1/h")
    (tmp_path / "rules.yaml").write_text(text[: text.index("    tests:")], encoding="utf-8")
    assert [rule.id for rule in load_rules(tmp_path, site)] == ["depth"]


def test_an_id_is_used_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(DocumentError, match=r"already the rule at .*a\.yaml:3"):
        load(tmp_path, GOOD)


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, GOOD.replace("level}", "x}").replace("1 min", "soon").replace("id: depth", "id: ''"))
    assert len(caught.value.problems) == 3


def test_the_schema_knows_the_fields_as_they_are_written() -> None:
    schema = json_schema()
    level = schema["$defs"]["Level"]["properties"]
    assert {"when", "clear", "for", "clear_after", "samples", "deadband"} == set(level)
    msgspec.json.encode(schema)


def test_levels_are_ranked_lowest_first() -> None:
    rule = a_rule(levels={"red": {"when": "value > 2"}, "blue": {"when": "value > 1"}})
    assert [rank for rank, _ in rule.ranked()] == [1, 4]

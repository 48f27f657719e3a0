"""Hostile and mistaken files of rules: each is refused before publication, with its line and field, at once."""

from __future__ import annotations

import math
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.expression import ExpressionError, parse
from rules.nonsense import nonsense
from rules.rule import decode_rules, encode_rules, load_rules
from sensors.document import DocumentError, Problem
from sensors.site import AreaType, Text
from tests.rules.stage import a_point, a_site

NAME = Text(zh="边坡", en="slope")
SITE = msgspec.structs.replace(
    a_site(a_point("p", limit=1.0, interval=60.0), a_point("rain", quantity="rain", unit="mm/h")),
    area_types=(AreaType(id="slope", field="nature", name=NAME),),
)
RULE = """rules:
  - id: depth
    title: {zh: 水深, en: Depth}
    where: {quantity: level}
    levels:
      yellow: {when: "value > 1"}
    rationale: {cause: rain, consequence: flood, response: go, time_to_respond: 600, owner: me, review: "2027-01-01"}
"""
TEMPLATE = """templates:
  - id: depth
    parameters: {stop: {unit: m, default: 1}}
    for: [{types: [slope]}]
    rule:
      title: {zh: 水深, en: Depth}
      where: {quantity: level}
      levels: {yellow: {when: "value > {stop}"}}
      rationale: {cause: rain, consequence: flood, response: go, time_to_respond: 600, owner: me, review: "2027-01-01"}
"""
SECONDS = 5.0  # of CPU, for any of them: each takes well under one


def problems(folder: Path, text: str, kept: float = math.inf) -> list[Problem]:
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    begun = time.process_time()
    try:
        load_rules(folder / "rules.yaml", SITE, kept=kept)
        found = []
    except DocumentError as error:
        found = list(error.problems)
    assert time.process_time() - begun < SECONDS
    return found


def test_what_the_cases_are_made_from_is_sound(tmp_path: Path) -> None:
    assert problems(tmp_path, RULE) == problems(tmp_path, TEMPLATE) == []


@pytest.mark.parametrize(
    ("when", "column", "part"),
    [
        ("__import__('os').system('x') > 1", 1, "'.system' is not part of the rule language"),
        ("value.__class__.__mro__ > 1", 1, "'.__mro__' is not part of the rule language"),
        ("value > (1 + (2", 14, "this bracket is not closed"),
        ("value > 1)", 10, "this bracket closes none"),
        ("warned('purple')", 1, "takes limit, blue"),
        ("().__class__.__bases__[0] > 1", 1, "not part of the rule language"),
        ("9**9**9**9 > value", 1, "'**' is not part of the rule language"),
        ("1 << 99999 > value", 1, "'<<' is not part of the rule language"),
        ("(x := 3) > value", 2, "not part of the rule language"),
        ("f'{value}' > 1", 1, "not part of the rule language"),
        ("mean(window='1h') > 1", 1, "arguments have no names"),
        ("value > 1" + " or value > 1" * 80_000, 2001, "longer than 2000 characters"),
        ("value > " + "9" * 1500, 9, "too large"),
        ("value > 1e999", 9, "too large"),
        ("value > nan", 9, "unknown name 'nan'"),
        ("value > 3 kg", 9, "kg cannot be compared with m"),
        ("rate('1h') > 3 m", 14, "write a rate such as m/h"),
        ("value > 3 furlongz", 9, "not a unit of measure"),
        ("mean('400d') > 1", 1, "at most 32 days"),
        ("seen('debris', '400d')", 1, "at most 32 days"),
        ("sequence('a', 'b', '400d')", 1, "at most 32 days"),
        ("value > 1 / 0", 13, "divides by zero"),
        ("value / 0 > 1", 9, "divides by zero"),
        ("value > 2 and 1 / (3 - 3) < value", 20, "divides by zero"),
        ("value / (value - value) > 1", 10, "divides by zero"),
        ("area.max(rain.value / 0) > 1", 23, "divides by zero"),
        ("3 > 2", 1, "always, or never"),
        ("value > 1 or value == value", 14, "the same stands on both sides"),
        ("score > 95", 9, "score is 0 to 1"),
        ("surge('person', '15m') > 1.5", 26, "is 0 to 1"),
        ("hour >= 24 and value > 1", 9, "hour is 0 to 23"),
        ("score > 1", 9, "score is 0 to 1: this never holds"),
        ("1 < score", 1, "this never holds"),
        ("score > 101 %", 9, "score is 0 to 1"),
        ("hour == 12.5", 9, "hour is a whole number: this never holds"),
        ("count('1h') < 0", 15, "count('1h') is 0 or more: this never holds"),
        ("value > 5 and value < 3", 1, "this never holds: what it asks of value"),
        ("value > 5 m or value <= 6000 mm", 1, "this always holds: whatever value is"),
    ],
)
def test_a_condition_is_refused_by_line_field_and_column(tmp_path: Path, when: str, column: int, part: str) -> None:
    (problem,) = problems(tmp_path, RULE.replace("value > 1", when))
    assert (problem.line, problem.field) == (6, "rules[0].levels.yellow.when")
    assert f"column {column}: " in problem.message and part in problem.message, problem


@pytest.mark.parametrize("when", ["score >= 1", "score > 99 %", "hour > 12.5 and hour >= 0", "count('1h') == 0"])
def test_a_condition_at_the_end_of_a_range_is_sound(tmp_path: Path, when: str) -> None:
    assert problems(tmp_path, RULE.replace("value > 1", when)) == []


@pytest.mark.parametrize(
    ("when", "column"),
    [
        ("value > 1 and mean('8d') > 1", 15),
        ("area.max(rain.sum('8d')) > 1", 10),
        ("seen('debris', '8d')", 1),
        ("count('debris', '8d') > 2", 1),
        ("rising('dispute', '8d') > 0.9", 1),
    ],
)
def test_nothing_looks_back_further_than_the_log_is_kept(tmp_path: Path, when: str, column: int) -> None:
    text = RULE.replace("value > 1", when)
    assert problems(tmp_path, text) == []
    (problem,) = problems(tmp_path, text, kept=7 * 86400.0)
    assert (problem.line, problem.field) == (6, "rules[0].levels.yellow.when")
    assert f"column {column}: " in problem.message and "8 days, and the log is kept for 7" in problem.message


@pytest.mark.parametrize("what", ["event: debris", "report: slide", "quantity: rain, above: 5 mm/h"])
def test_what_corroborates_is_not_longer_ago_than_the_log_is_kept(tmp_path: Path, what: str) -> None:
    text = RULE + f"    with: [{{{what}, within: 8 d}}]\n"
    assert problems(tmp_path, text) == []
    (problem,) = problems(tmp_path, text, kept=7 * 86400.0)
    assert problem.field == "rules[0].with[0].within" and "kept for 7" in problem.message


_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12)
)
_PATTERN = RULE.replace("{quantity: level}", "{points: ['%s']}")
_TESTED = RULE + "    tests: [{name: x, point: {values: '%s'}, expect: 'none'}]\n"


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        (_BOMB, 7, "more than 4,000,000 values"),
        ("rules: &a [*a]\n", 1, "stands for nothing before it"),
        ("rules: !!python/object/apply:os.system ['x']\n", 1, "is not allowed"),
        ("x: &x {id: a}\nrules:\n  - <<: *x\n", 3, "merge keys"),
        ("rules: " + "[" * 5000 + "]" * 5000, 1, "32 levels deep"),
        ("rules: [" + "x," * 5_000_000 + "]", 0, "larger than 8,388,608 bytes"),
        ("rules: []\n---\nrules: []\n", 2, "a second document"),
        ('rules: "\x00"', 1, "U+0000"),
        (RULE + "    for: 1\n    for: 2\n", 9, "already given on line 8"),
        (RULE + "    for: .inf\n", 8, "not a finite number"),
        (RULE + "    deadband: .nan\n", 8, "not a finite number"),
        (RULE + "    version: 99999999999999999999999\n", 8, "versions count from 1"),
        (_PATTERN % "*a*a*a*a*a*a*b", 4, "at most four *"),
        (_PATTERN % "[a-z", 4, "no ["),
        (_TESTED % "1*1000000000", 8, "neither a number"),
        (_TESTED % "0..1*99999999", 8, "neither a number"),
        (_TESTED % "1 nan*2 inf..3*2", 8, "neither a number"),
        (RULE + "    tests: [{name: x, step: 0, point: {values: '1'}, expect: none}]\n", 8, "a step takes time"),
        (RULE.replace("Depth", "D" * 1000), 3, "longer than 400 characters"),
        (RULE + "    deadband: 1 kg\n", 8, "rules[0].deadband: kg cannot be compared with m"),
        (RULE + "    deadband: 1 x y\n", 8, "rules[0].deadband: '1 x y' is no number"),
        (RULE + "    samples: 5 of 3\n", 8, "rules[0].samples: '5 of 3' is not so many"),
        (RULE.replace('> 1"', '> 1", samples: 5 of 3'), 6, "levels.yellow.samples: '5 of 3'"),
        (RULE + "    for: 1 h\n    with: [{event: fire, within: 5 min}]\n", 8, "rules[0].for: is longer than"),
        (RULE + "    for: " + "9" * 30 + " d\n", 8, "rules[0].for: a duration here is at least 0 and at most 32"),
        (RULE + "    with: [{quantity: rain, above: 1 kg}]\n", 8, "rules[0].with[0]: kg cannot be compared"),
        (RULE + "    schedule: {days: [holidays]}\n", 8, "rules[0].schedule: 'holiday' needs to know whose"),
        (RULE + "    schedule: {from: '08:00', to: '08:00'}\n", 8, "schedule.to: is 08:00, as `from` is"),
        (RULE + "    schedule:\n      from: 8\u70b9\n      to: '09:00'\n", 9, "schedule.from: '8\u70b9' is no time of"),
        (RULE + "    schedule: {from: '24:00', to: '09:00'}\n", 8, "schedule.from: 24:00 is when a day ends"),
        (RULE + "    schedule: {to: '09:00'}\n", 8, "schedule: `from` is missing"),
        (RULE.replace('value > 1"', 'value > 5", clear: value > 4'), 6, "yellow.clear: holds whenever `when` does"),
        (RULE + "    plan: [" + "x, " * 500 + "]\n", 8, "more than 100 steps"),
        (RULE.replace("cause: rain", "cause: " + "rain " * 100_000), 2, "262,144 are the most"),
        (TEMPLATE.replace("    rule:\n", "    rule:\n      template: depth\n"), 6, "unknown field"),
        (TEMPLATE.replace("    rule:\n", "    rule:\n      templates: [{id: other}]\n"), 6, "unknown field"),
        (TEMPLATE.replace("default: 1", "default: '{stop}'"), 3, "expected a number"),
        (TEMPLATE.replace("{stop}", "{stop / 0}"), 8, "divides by zero"),
        (TEMPLATE.replace("{stop}", "{depth}"), 8, "no parameter 'depth'"),
        (TEMPLATE.replace("default: 1", "default: 1.0e+308").replace("{stop}", "{stop * 9}"), 8, "column"),
        (TEMPLATE.replace("[{types: [slope]}]", "[" + "{types: [slope]}, " * 2000 + "]"), 4, "named twice"),
    ],
)
def test_a_file_is_refused_by_line(tmp_path: Path, text: str, line: int, part: str) -> None:
    found = problems(tmp_path, text)
    assert any(problem.line == line and part in f"{problem.field}: {problem.message}" for problem in found), found[:3]
    assert len(found) <= 2000


def test_a_title_may_be_one_text_for_both_languages(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    for text in (RULE, TEMPLATE):
        file.write_text(text.replace("{zh: 水深, en: Depth}", "水深 {stop}" if text is TEMPLATE else "水深"))
        (rule,) = load_rules(file, SITE)
        assert rule.title == Text(zh=rule.title.zh, en=rule.title.zh) and rule.title.zh.startswith("水深")
        assert decode_rules(encode_rules((rule,))) == (rule,)


WORDS = st.sampled_from(
    """value score rate mean median quantile count eta age flat seen sequence surge area neighbours upstream beyond
    limit level hour night between and or not min max abs ( ) ( ) , . > < >= == != + - * / ** % & | ~ := [ ] { } lambda
    if '10m' '400d' '0s' 'limit' 'red' 0 1 0.5 9e99 1_0 3 m mm/h %LEL ° K __class__ \\ ; # é 水 rain""".split()  # noqa: SIM905
)
TEXTS = st.one_of(st.lists(WORDS, max_size=30).map(" ".join), st.lists(WORDS, max_size=30).map("".join), st.text())


@settings(max_examples=400, deadline=2000)
@given(TEXTS)
def test_any_words_are_a_condition_or_a_mistake_at_a_column(text: str) -> None:
    try:
        found = nonsense(parse(text))
    except ExpressionError as error:
        found = error
    assert found is None or 1 <= found.column <= len(text) + 2


@settings(max_examples=60, deadline=5000)
@given(st.one_of(TEXTS, st.recursive(TEXTS, lambda inner: st.lists(inner, max_size=3).map(str), max_leaves=5)))
def test_any_text_in_any_field_is_refused_or_loads(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("fuzz") / "rules.yaml"
    quoted = msgspec.json.encode(text).decode()
    for old in ('"value > 1"', "{quantity: level}", "depth", "600", "rain", '"2027-01-01"'):
        file.write_text(RULE.replace(old, quoted, 1), encoding="utf-8")
        try:
            load_rules(file, SITE)
        except DocumentError as error:
            assert all(problem.message for problem in error.problems)

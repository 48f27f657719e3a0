"""The JSON Schema of rules, as an editor uses it: it takes what loads, and marks what does not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from rules.schema import NAMES, WORDS, json_schema
from sensors.document import read_document

SCHEMA = json_schema()
CHECK = jsonschema.Draft202012Validator(SCHEMA)
FILES = sorted(Path("examples/district/rules").rglob("*.yaml"))
SOUND = """
rules:
  - id: depth
    title: {zh: 水深, en: Depth}
    kind: risk
    where: {types: [underpass], quantity: level}
    levels: {yellow: {when: value > 1, for: 1 min, samples: 2 of 3}, red: {when: value > 2, for: 0}}
    with: [{event: rain, within: 10 min}]
    schedule: {from: "22:00", to: "06:00", days: [mon]}
    suppress: {modes: [maintenance], up_to: yellow}
    priority: high
    rationale: {cause: a, consequence: b, response: c, time_to_respond: 600, owner: d, review: "2027-01-01"}
    tests: [{name: x, step: 60, point: {values: "1*3"}, expect: none*3}]
"""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_shipped_rule_is_valid(file: Path) -> None:
    assert [error.message for error in CHECK.iter_errors(read_document(file).data)] == []


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert not list(CHECK.iter_errors(yaml.safe_load(SOUND)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("rules", 0, "levle"), {}),
        (("rules", 0, "kind"), "risky"),
        (("rules", 0, "scope"), "district"),
        (("rules", 0, "title"), 3),
        (("rules", 0, "levels", "violet"), {"when": "value > 1"}),
        (("rules", 0, "levels", "red"), {"for": 60}),
        (("rules", 0, "levels", "red", "when"), 3),
        (("rules", 0, "where", "quantitty"), "level"),
        (("rules", 0, "where", "types"), "underpass"),
        (("rules", 0, "suppress", "up_to"), "violet"),
        (("rules", 0, "suppress", "modes"), "maintenance"),
        (("rules", 0, "priority"), "urgent"),
        (("rules", 0, "rationale"), None),
        (("rules", 0, "rationale"), {"cause": "a"}),
        (("rules", 0, "with", 0, "evnt"), "rain"),
        (("rules", 0, "tests", 0, "expect"), 3),
        (("rules", 0, "version"), "one"),
        (("rules", 0, "id"), None),
        (("rules", 0, "id"), "Depth 1"),
        (("rules", 0, "id"), "a" * 65),
        (("rules", 0, "levels"), {}),
        (("rules",), {}),
        (("rule",), []),
    ],
)
def test_each_mistake_is_marked(path: tuple[Any, ...], value: Any) -> None:
    broken = yaml.safe_load(SOUND)
    node = broken
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    assert list(CHECK.iter_errors(broken))


def test_an_editor_has_words_for_every_field() -> None:
    """What it shows while one types: each kind of part says what it is."""
    for kind, part in SCHEMA["$defs"].items():
        assert part["title"] == part["description"]
        assert set(part["properties"]) == set(WORDS[kind]), kind
        for name, field in (("", part), *part["properties"].items()):
            zh, _, en = field["description"].partition(" · ")
            assert re.search("[\u4e00-\u9fff]", zh) and re.search("[a-z]{3}", en), f"{kind}.{name}"
            assert not re.search("[\u4e00-\u9fff]", en), f"{kind}.{name}"


def test_no_word_is_of_a_field_that_there_is_not() -> None:
    assert set(WORDS) == set(NAMES) == set(SCHEMA["$defs"])


def test_the_editor_is_told_of_the_schema_by_the_line_that_the_page_and_the_example_show() -> None:
    line = "# yaml-language-server: $schema=../rules.schema.json"
    assert line in Path("docs/reference/rules.md").read_text(encoding="utf-8")

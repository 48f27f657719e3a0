"""Value templates: a value out of a payload, and nothing else."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.dialects.filters import TemplateError, text_of
from sensors.dialects.template import DEEPEST, LONGEST, Missing, Payload, parse
from tests.sensors.dialects.suite import shared

JSON = {
    "a": {"b": 215, "c": "3.5", "l": [1, {"x": 2}], "t-1": 7},
    "s": "on",
    "yes": True,
    "none": None,
    "long": "x" * 2000,
}


def work(template: str, document: Any = JSON) -> Any:
    return parse(template)(Payload(json.dumps(document), document))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ value_json.a.b }}", 215),
        ("{{value_json['a']['c']}}", "3.5"),
        ('{{- value_json.a["t-1"] -}}', 7),
        ("{{ value_json.a.l[1].x }}", 2),
        ("{{ value_json.a.c | float }}", 3.5),
        ("{{ value_json.a.c | float * 10 }}", 35.0),
        ("{{ float(value_json.a.c) + 1 }}", 4.5),
        ("{{ value_json.s | float(0) }}", 0),
        ("{{ value_json.a.c | int }}", 3),
        ("{{ value_json.a.b / 10 | round(1) }}", 21.5),
        ("{{ (value_json.a.b / 7) | round(2) }}", 30.71),
        ("{{ value_json.a.b * 0.1 - 1 }}", 20.5),
        ("{{ -value_json.a.b | abs }}", 215),
        ("{{ 10 - 2 - 3 }}", 5),
        ("{{ value_json.a.b | multiply(2) | add(1) }}", 431.0),
        ("{{ value_json.gone | default(5) }}", 5),
        ("{{ value_json.gone.deeper | default('x') | upper }}", "X"),
        ("{{ value_json.a.b | is_defined }}", 215),
        ("{{ 'ON' if value_json.s == 'on' else 'OFF' }}", "ON"),
        ("{{ 1 if value_json.a.b > 300 else 2 if value_json.yes else 3 }}", 2),
        ("{{ value_json.yes }}", True),
        ("{{ value_json.none }}", None),
        ("{{ value_json.s | upper | lower | trim }}", "on"),
    ],
)
def test_a_value_is_fetched(template: str, expected: Any) -> None:
    assert work(template) == expected


def test_a_plain_payload_is_text() -> None:
    for template in ("", "{{ value }}"):
        assert parse(template)(Payload("21.5 ", 21.5)) == "21.5 "
    assert parse("{{ value | float * 0.1 }}")(Payload("21.5", 21.5)) == 2.15


def test_filters_bind_tighter_than_arithmetic() -> None:
    assert work("{{ 1.26 + 1.26 | round(1) }}") == pytest.approx(2.56)


@pytest.mark.parametrize(
    "template",
    [
        "{% if value_json.a %}1{% endif %}",
        "{{ value }}{{ value }}",
        "plain",
        "{{ }}",
        "{{ value",
        "{{ states('sensor.x') }}",
        "{{ value.__class__ }} {{ 1 }}",
        "{{ value_json | tojson }}",
        "{{ value_json.a.b ** 9 }}",
        "{{ [1, 2] }}",
        "{{ value_json.items() }}",
        "{{ 'a' ~ 'b' }}",
        "{{ value_json.a if 1 }}",
        "{{ 1 2 }}",
        "{{ value_json[-1] }}",
        "{{ float() }}",
        "{{ 1e999 }}",
        "{{ 'it\\'s' }}",
        "{{ " + "(" * (DEEPEST + 1) + "1" + ")" * (DEEPEST + 1) + " }}",
        "{{ " + "-" * (DEEPEST + 1) + "1 }}",
        "{{ " + "1 + " * 150 + "1 }}",
        "{{ " + "x" * LONGEST + " }}",
    ],
)
def test_what_is_more_than_fetching_is_not_understood(template: str) -> None:
    with pytest.raises(TemplateError):
        parse(template)


@pytest.mark.parametrize(
    "template",
    [
        "{{ value_json.s * 3 }}",
        "{{ value_json.s + 'x' }}",
        "{{ value_json.s | float }}",
        "{{ value_json.a | float }}",
        "{{ value_json.a == value_json.a }}",
        "{{ value_json.s < 3 }}",
        "{{ 1 / 0 }}",
        "{{ value_json.a.b | round(99) }}",
        "{{ value_json.a.b | multiply }}",
        "{{ value_json.long | upper }}",
    ],
)
def test_what_cannot_be_worked_out_says_so(template: str) -> None:
    with pytest.raises(TemplateError):
        work(template)


def test_the_inside_of_objects_is_out_of_reach() -> None:
    for template in ("{{ value_json.__class__ }}", "{{ value.upper }}", "{{ value_json.a.b.real }}"):
        with pytest.raises(Missing):
            work(template)


def test_whole_numbers_do_not_grow_without_end() -> None:
    template = "{{ " + "value_json.a.b * " * 10 + "1 }}"
    assert work(template, {"a": {"b": 10**35}}) == float("inf")


def test_a_payload_that_is_not_json_is_told() -> None:
    with pytest.raises(TemplateError, match="not JSON"):
        parse("{{ value_json.a }}")(Payload("x", None, "not JSON: x"))


def test_values_are_written_as_jinja_writes_them() -> None:
    assert [text_of(one) for one in (True, None, 21, 21.5, "on")] == ["True", "None", "21", "21.5", "on"]
    with pytest.raises(TemplateError):
        text_of({"deep": []})


WORDS = [
    "value",
    "value_json",
    ".a",
    "['b']",
    "[0]",
    "|",
    "float",
    "round(1)",
    "+",
    "*",
    "(",
    ")",
    "if",
    "else",
    "1",
    "-",
]


@shared
@given(st.lists(st.sampled_from(WORDS), max_size=20), st.recursive(st.integers() | st.text(), st.lists))
def test_any_template_and_payload_end_in_a_value_or_a_reason(words: list[str], document: Any) -> None:
    with contextlib.suppress(TemplateError, Missing):
        parse("{{ " + " ".join(words) + " }}")(Payload(str(document), document))


@shared
@given(st.text(max_size=200))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    for template in (text, "{{" + text + "}}"):
        with contextlib.suppress(TemplateError, Missing):
            parse(template)(Payload("1", 1))

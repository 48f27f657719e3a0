"""Guesses of quantity, unit and area."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors.adoption.guess import Guess, area_of, best_field, known_unit
from sensors.adoption.watch import Watch
from sensors.document import convert, read_document
from sensors.registry import load_site
from sensors.site_files import TypesFile

DISTRICT = Path(__file__).parents[3] / "examples" / "district"
QUANTITIES = convert(read_document(DISTRICT / "types.yaml"), TypesFile).quantities
AREAS = load_site(DISTRICT).areas
NOW = 1_763_900_000.0


def guess(topic: str, *payloads: str) -> Guess:
    watch = Watch()
    for payload in payloads:
        watch.hear(topic, payload.encode(), NOW)
    best, _ = best_field(watch.sketches[topic], QUANTITIES)
    assert best is not None
    return best


@pytest.mark.parametrize(
    ("topic", "payload", "quantity", "path"),
    [
        ("plant/7/water_level", "2.1", "level", ""),
        ("plant/7/waterLevel", "2.1", "level", ""),
        ("设备/3号/水位", "2.1", "level", ""),
        ("gw/12", '{"rainfall": 3.5, "battery": 88}', "rain", "rainfall"),
        ("gw/12", '{"降雨量": 3.5, "电量": 88}', "rain", "降雨量"),
        ("tower/temp3", "21.5", "temperature", ""),
        ("n/CH4", '{"data": {"value": 1.2}, "rssi": -70}', "methane", "data.value"),
        ("x/y", '{"displacement_mm": 0.4}', "displacement", "displacement_mm"),
    ],
)
def test_words_of_topic_and_field_say_what_is_measured(topic: str, payload: str, quantity: str, path: str) -> None:
    found = guess(topic, payload)
    assert (found.quantity, found.path) == (quantity, path), found
    assert found.sure in ("likely", "sure") and found.reasons


def test_a_unit_makes_surer_and_brings_its_conversion() -> None:
    plain, said = guess("a/level", "210"), guess("a/level", '{"value": 210, "unit": "cm"}')
    assert said.weight > plain.weight and said.sure == "sure"
    assert (said.unit, said.scale, said.offset) == ("cm", 0.01, 0.0)
    warm = guess("a/temperature", '{"value": 70, "unit": "℉"}')
    assert (warm.unit, warm.scale) == ("degF", pytest.approx(5 / 9))
    assert 70 * warm.scale + warm.offset == pytest.approx(21.111, abs=0.001)


def test_a_unit_that_does_not_fit_and_values_out_of_range_make_less_sure() -> None:
    assert guess("a/level", '{"value": 2, "unit": "kPa"}').quantity is None
    assert guess("a/humidity", "5000").weight < guess("a/humidity", "50").weight


def test_what_nothing_names_stays_unknown() -> None:
    found = guess("a/b/c", '{"x": 3}')
    assert (found.quantity, found.sure) == (None, "unknown")


@pytest.mark.parametrize(("text", "unit"), [("℃", "°C"), ("mm", "mm"), ("M3/H", "m^3/h"), ("bananas", ""), ("", "")])
def test_units_are_known_as_people_write_them(text: str, unit: str) -> None:
    assert known_unit(text) == unit


@pytest.mark.parametrize(
    ("topic", "area", "sure"),
    [
        ("plant/slope-01/level", "slope-01", "sure"),
        ("plant/SLOPE_01/level", "slope-01", "sure"),
        ("plant/slope-01-rtu/level", "slope-01", "likely"),
        ("监测/西湾海堤/潮位", "river-03", "likely"),
        ("plant/xiwan-wall/level", "river-03", "guess"),
        ("plant/7/level", None, "unknown"),
    ],
)
def test_the_area_is_guessed_by_id_and_name(topic: str, area: str | None, sure: str) -> None:
    found = area_of(topic, AREAS)
    assert found[:2] == (area, sure), found

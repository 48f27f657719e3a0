"""Guesses of quantity, unit and area."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors.adoption.guess import Guess, area_of, best_field, known_unit
from sensors.adoption.watch import Watch
from sensors.document import convert, read_document
from sensors.registry import load_site
from sensors.site import Text
from sensors.site_files import Template, TypesFile

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


@pytest.mark.parametrize(
    ("topic", "payload", "quantity", "unit", "value"),
    [
        ("boiler/temp_f", "72.5", "temperature", "degF", 22.5),
        ("boiler/温度", "21.5", "temperature", "", 21.5),
        ("hall/temperature", "295", "temperature", "K", 21.85),
        ("pipe/pressure", "0.35", "pressure", "", 0.35),
        ("pipe/压力", "350", "pressure", "kPa", 0.35),
        ("roof/pressure", "1013.2", "pressure", "hPa", 0.10132),
        ("roof/pressure_hpa", "1013", "pressure", "hPa", 0.1013),
        ("罐区/液位", "2.5", "level", "", 2.5),
        ("罐区/液位", "250", "level", "cm", 2.5),
        ("罐区/水位", "2500", "level", "mm", 2.5),
        ("met/windspeed_kmh", "36", "wind", "km/h", 10.0),
        ("met/wind_speed", "5.5", "wind", "", 5.5),
        ("b/strain_ue", "120", "strain", "µε", 120.0),
        ("坡/雨量", "3", "rain", "", 3.0),
        ("hall/people_count", "35", "people", "", 35.0),
        ("x/soil_moisture", "30", "soil", "", 30.0),
        ("x/soil_temp", "15", "temperature", "", 15.0),
        ("gas/h2s_ppm", "1.5", "h2s", "ppm", 1.5),
        ("gas/lel", "3", "combustible", "", 3.0),
        ("x/tilt_deg", "0.12", "tilt", "deg", 0.12),
        ("x/pump_a", "1", "pump", "", 1.0),  # pump A, no ampere
        ("x/charging_a", "12", "charging", "A", 12.0),
    ],
)
def test_the_unit_is_guessed_by_name_and_by_range(
    topic: str, payload: str, quantity: str, unit: str, value: float
) -> None:
    found = guess(topic, payload)
    assert (found.quantity, found.unit) == (quantity, unit), found
    assert float(payload) * found.scale + found.offset == pytest.approx(value)


@pytest.mark.parametrize(
    ("topic", "payload", "doubt"),
    [
        ("hall/temperature", "72.5", "72.5 °C is unusual (10 to 38 is normal): is it sent in degF?"),
        ("罐区/液位", "250", "nothing says the unit, and 250 leaves the range in m: taken for cm, could be mm"),
        ("水库/水位", "25.4", "taken for cm, could be mm"),
        ("楼/烟感", "1", "is it a contact rather than a measured value?"),
    ],
)
def test_what_is_doubtful_is_a_mere_guess_and_says_why(topic: str, payload: str, doubt: str) -> None:
    found = guess(topic, payload)
    assert found.sure == "guess" and any(doubt in one for one in found.doubts), found


def test_unusual_values_are_not_converted_into_harmless_ones() -> None:
    assert guess("hall/temperature", "72.5").scale == 1.0


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("gas/co2", "450", "co2 in ppm"),
        ("室内/二氧化碳", "450", "co2 in ppm"),
        ("air/PM2.5", "35", "pm25 in µg/m^3"),
        ("dev/battery_level", "88", "battery in %"),
        ("e/current_a", "5.2", "current in A"),
        ("配电/电压", "221", "voltage in V"),
        ("met/wind_dir", "180", "wind_direction in °"),
        ("x/log_level", "3", "setting"),
        ("met/rain_mm", "3.2", "it sends mm, which cannot become the mm/h of rain"),
    ],
)
def test_what_the_site_has_no_quantity_for_is_named_and_not_taken_for_another(
    topic: str, payload: str, said: str
) -> None:
    found = guess(topic, payload)
    assert found.quantity is None and said in found.doubts[0], found


def test_a_site_that_has_such_a_quantity_under_its_own_name_gets_it() -> None:
    watch = Watch()
    watch.hear("室内/二氧化碳", b"450", NOW)
    watch.hear("met/water_level", b"2", NOW)
    own = {"carbon": Template(name=Text(zh="CO2", en="co2"), unit="ppm"), "stage": Template(unit="m")}
    assert (best_field(watch.sketches["室内/二氧化碳"], own)[0] or Guess("")).quantity == "carbon"
    assert (best_field(watch.sketches["met/water_level"], own)[0] or Guess("")).quantity == "stage"

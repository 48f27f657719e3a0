"""Proposals for a whole site: they load once put into it, and the bridge takes the very messages they came from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from sensors.adoption.patch import patch
from sensors.adoption.proposal import Proposals, propose
from sensors.adoption.watch import Watch
from sensors.intake import Intake
from sensors.lookup import Registry
from sensors.redecoding import arrivals_of
from sensors.registry import load_site
from sensors.site import Site
from tests.sensors.adoption.test_guess import DISTRICT, NOW, QUANTITIES

SITE = load_site(DISTRICT)
MS = int(NOW * 1000)
SENT = {
    "plant/slope-01/rtu1/displacement": f'{{"v": 1.5, "ts": {MS}}}',
    "plant/slope-01/rtu2/displacement": f'{{"v": 2.5, "ts": {MS}}}',
    "plant/slope-01/rtu3/displacement": f'{{"v": 3.5, "ts": {MS}}}',
    "监测/西湾海堤/潮位": '{"数据": {"值": 120, "单位": "cm"}, "采集时间": "2025-11-23 20:13:20"}',
    "foreshock/readings/slope-02/slope-02-temperature-1": "21.5",
    "site/slope-02/slope-02-wind-9": f'{{"value": 3.0, "ts": {MS}}}',
    "Gate 7/slope-02/Water Level": "2.25",
    "evil/slope-02/\"quo: 'te & d/level": "1",
}
NOTHING = {
    "elsewhere/7/level": "1",
    "plant/slope-01/serial": '{"x": 4}',
    "plant/slope-01/text": "hello",
    "foreshock/readings/nowhere/p": "1",
    "foreshock/readings/slope-01/slope-02-tilt-1": "1",
    "spBv1.0/g/DDATA/n": "x",
    "plus+/slope-01/level": "1",
    "line\u2028break/slope-01/level": "1",
    "foreshock/readings/slope-01/slope-01-displacement-1": "1",
}


def watched(sent: dict[str, str]) -> Watch:
    watch = Watch(SITE.zone)
    for number in range(5):
        for topic, payload in sent.items():
            watch.hear(topic, payload.encode(), NOW + 10 * number)
    return watch


def proposals(sent: dict[str, str], area: str | None = None) -> Proposals:
    return propose(watched(sent), Registry(SITE), QUANTITIES, area=area)


def merged(text: str, folder: Path) -> Site:
    """Put a patch into a copy of the district as its head says, and load it."""
    shutil.copytree(DISTRICT, folder)
    proposed = yaml.safe_load(text)
    main = yaml.safe_load((folder / "site.yaml").read_text(encoding="utf-8"))
    main["signals"]["mapped"] += proposed["signals"]["mapped"]
    (folder / "site.yaml").write_text(yaml.safe_dump(main, allow_unicode=True), encoding="utf-8")
    adopted = yaml.safe_dump({"points": proposed["points"]}, allow_unicode=True)
    (folder / "areas" / "adopted.yaml").write_text(adopted, encoding="utf-8")
    return load_site(folder)


def test_the_patch_loads_and_the_bridge_then_takes_the_messages(tmp_path: Path) -> None:
    text = patch(proposals({**SENT, **NOTHING}), QUANTITIES)
    site = merged(text, tmp_path / "site")
    assert len(site.points) == len(SITE.points) + len(SENT)
    bridge = Intake(Registry(site))
    values = {}
    for topic, payload in SENT.items():
        checked = bridge.check(arrivals_of(bridge, topic, payload.encode()), NOW + 1)
        assert not checked.rejected, (topic, checked.rejected)
        [index] = checked.decoded.point.tolist()
        point = bridge.registry.by_index[index]
        values[topic] = (point.quantity, point.areas, float(checked.decoded.value[0]), float(checked.decoded.time[0]))
    assert values["plant/slope-01/rtu2/displacement"] == ("displacement", ("slope-01",), 2.5, NOW)
    assert values["监测/西湾海堤/潮位"] == ("level", ("river-03",), pytest.approx(1.2), NOW)
    assert values["Gate 7/slope-02/Water Level"][:3] == ("level", ("slope-02",), 2.25)


def test_topics_that_differ_in_one_level_share_a_mapping() -> None:
    proposed = yaml.safe_load(patch(proposals(SENT), QUANTITIES))
    mapped = {one["topic"]: one for one in proposed["signals"]["mapped"]}
    shared = mapped["plant/slope-01/{point}/displacement"]
    assert shared == {
        "topic": "plant/slope-01/{point}/displacement",
        "point": "plant-slope-01-{point}-displacement",
        "value": "v",
        "time": "ts",
        "time_unit": "ms",
    }
    assert {one["id"] for one in proposed["points"]} >= {f"plant-slope-01-rtu{k}-displacement" for k in (1, 2, 3)}


def test_what_the_sites_own_dialects_bring_needs_a_point_only() -> None:
    found = {one.sketch.topic: one for one in proposals(SENT).points}
    native = found["foreshock/readings/slope-02/slope-02-temperature-1"]
    assert (native.id, native.topic, native.area) == ("slope-02-temperature-1", "", "slope-02")
    assert found["site/slope-02/slope-02-wind-9"].topic == ""


def test_what_lacks_something_is_a_comment_that_says_what_and_the_rest_is_left_with_why() -> None:
    found = proposals(NOTHING)
    text = patch(found, QUANTITIES)
    assert yaml.safe_load(text) == {"signals": {"mapped": []}, "points": []}
    assert {one.sketch.topic: one.lacks for one in found.points} == {
        "elsewhere/7/level": ["an area"],
        "plant/slope-01/serial": ["a quantity"],
    }
    assert "#   lacks an area" in text and "Sparkplug" in text and "\u2028" not in text
    assert not any("slope-01-displacement-1" in topic for topic, _ in found.left), "the site takes it already"


def test_an_area_given_on_the_command_line_is_for_those_that_name_none() -> None:
    [one] = proposals({"elsewhere/7/level": "1"}, area="slope-02").points
    assert (one.area, one.area_sure, one.lacks) == ("slope-02", "guess", [])
    words = "plant/water/level"  # of the name of an area, by chance
    [given] = proposals({words: "1"}, area="slope-02").points
    assert given.area == "slope-02"
    [named] = proposals({"slope-01/level": "1"}, area="slope-02").points
    assert named.area == "slope-01"


def test_an_id_that_is_taken_gets_a_number() -> None:
    sent = {"slope-01/displacement/1": "1", "x": "1"}
    ids = {one.topic: one.id for one in proposals(sent | {"slope-01-displacement-1": "2"}).points}
    assert ids["slope-01-displacement-1"] == "slope-01-displacement-1-2"
    assert ids["slope-01/displacement/1"] == "slope-01-displacement-1-3"


def test_the_patch_says_how_sure_it_is_and_why() -> None:
    text = patch(proposals(SENT), QUANTITIES)
    assert "the topic says displacement" in text and "about every 10 s" in text and "# from cm" in text
    assert "nothing says the unit: taken for" in text and "stamped on arrival" in text


def test_what_is_doubtful_is_marked_in_the_patch_and_loads_all_the_same(tmp_path: Path) -> None:
    sent = {"plant/slope-01/罐/液位": "250", "plant/slope-01/rain": "3", "plant/slope-01/gas/co2": "400"}
    text = patch(proposals(sent), QUANTITIES)
    doubtful = next(line for line in text.splitlines() if 'quantity: "level"' in line)
    assert "# check: guess" in doubtful
    assert "    # check: nothing says the unit, and 250 leaves the range in m: taken for cm" in text
    assert "# check" not in next(line for line in text.splitlines() if 'quantity: "rain"' in line)
    assert "#   lacks a quantity (it seems to be co2 in ppm, for which types.yaml has no quantity)" in text
    assert "start again" not in text and "`foreshock reload`" in text
    assert {one.quantity for one in merged(text, tmp_path / "site").points if one.id.startswith("plant-")} == {
        "level",
        "rain",
    }


def test_states_in_words_are_left_with_what_would_do() -> None:
    left = dict(proposals({"plant/slope-01/pump": "ON", "plant/slope-01/泵": "开"}).left)
    assert set(left) == {"plant/slope-01/pump", "plant/slope-01/泵"}
    assert all("1 and 0, or true and false" in why for why in left.values())


PACK = '[{"bn": "urn:dev:x9:", "bu": "Cel"}, {"n": "temp", "v": 21.5}, {"n": "water_level", "u": "m", "v": 1.25}]'
ANNOUNCED = {
    "homeassistant/sensor/tilt7/config": json.dumps(
        {
            "name": "Tilt of slope-01",
            "unique_id": "tilt7",
            "stat_t": "zigbee2mqtt/slope-01/tilt7",
            "unit_of_meas": "\u00b0",
            "val_tpl": "{{ value_json.tilt }}",
        }
    ),
    "zigbee2mqtt/slope-01/tilt7": '{"tilt": 0.25, "battery": 93}',
}


def test_records_of_packs_are_proposed_by_their_names_and_taken_once_they_are_points(tmp_path: Path) -> None:
    found = proposals({"senml/gw9": PACK}, area="slope-01")
    assert {one.source: one.guess.quantity for one in found.points} == {
        "senml:urn:dev:x9:temp": "temperature",
        "senml:urn:dev:x9:water_level": "level",
    }
    assert [one.guess.unit for one in found.points] == ["°C", "m"]
    assert found.left == [] and not any(one.lacks for one in found.points)
    site = merged(patch(found, QUANTITIES), tmp_path / "site")
    intake = Intake(Registry(site))
    taken = intake.take(arrivals_of(intake, "senml/gw9", PACK.encode()), NOW)
    assert intake.quarantine.counts == {} and len(taken.records) > 0
    again = Watch(site.zone)
    again.hear("senml/gw9", PACK.encode(), NOW)
    assert propose(again, Registry(site), QUANTITIES).points == [], "the site knows them now"


def test_packs_of_a_topic_that_the_site_does_not_listen_to_lack_an_entry_for_it() -> None:
    found = proposals({"lorawan/gw9": PACK}, area="slope-01")
    assert {tuple(one.lacks) for one in found.points} == {("an entry of `signals.senml` for lorawan/gw9",)}


def test_what_announces_itself_is_proposed_by_its_unique_id_and_not_by_its_raw_state() -> None:
    found = proposals(ANNOUNCED)
    (one,) = found.points
    assert (one.source, one.guess.quantity, one.guess.unit, one.area) == (
        "homeassistant:tilt7",
        "tilt",
        "°",
        "slope-01",
    )
    assert one.lacks == ["an entry of `signals.homeassistant`"], "the example site does not listen to it"
    silent = {topic: body for topic, body in ANNOUNCED.items() if topic.endswith("config")}
    left = proposals(silent)
    assert left.points == [] and "homeassistant:tilt7" in left.left[0][1]

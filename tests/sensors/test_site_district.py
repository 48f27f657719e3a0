"""The example district: exactly what it says it is, and fit for the scenes that are played on it."""

from __future__ import annotations

import csv
import math
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from sensors.lookup import Registry
from sensors.registry import check_site, counts, load_site
from sensors.site import Site

FOLDER = Path(__file__).parents[2] / "examples" / "district"

AREAS = {
    "gas": ("lifelines", 5, {"methane", "pressure", "flow"}),
    "water": ("lifelines", 4, {"pressure", "flow", "turbidity", "chlorine"}),
    "drainage": ("lifelines", 6, {"level", "rain", "pump", "cover"}),
    "bridge": ("lifelines", 4, {"strain", "acceleration", "displacement", "tilt", "axle"}),
    "crowd": ("public", 6, {"people", "density", "speed"}),
    "highrise": ("public", 5, {"smoke", "temperature", "hydrant", "residual"}),
    "village": ("public", 6, {"co", "smoke", "temperature", "charging"}),
    "lift": ("public", 3, {"vibration", "door", "trapped"}),
    "chemical": ("production", 4, {"level", "pressure", "temperature", "toxic", "combustible"}),
    "dust": ("production", 4, {"dust", "o2", "h2s", "co"}),
    "construction": ("production", 5, {"moment", "displacement", "settlement", "pm10"}),
    "spoil": ("production", 1, {"displacement", "pore", "seepage"}),
    "slope": ("nature", 4, {"displacement", "tilt", "crack", "rain", "soil"}),
    "river": ("nature", 3, {"level", "flow", "wave", "wind"}),
    "forest": ("nature", 1, {"temperature", "humidity", "wind", "smoke"}),
}
SUBDISTRICTS = [
    *("xinan", "xixiang", "hangcheng", "fuyong", "fuhai"),
    *("shajing", "xinqiao", "songgang", "yanluo", "shiyan"),
]


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site(FOLDER)


@pytest.fixture(scope="module")
def registry(site: Site) -> Registry:
    return Registry(site)


def test_it_has_no_mistakes() -> None:
    assert check_site(FOLDER)[1] == []


def test_its_counts_are_exact(site: Site) -> None:
    found = counts(site)
    assert 950 <= found.pop("points") <= 1050
    assert 55 <= found.pop("units") <= 65
    assert found == {
        "fields": 4,
        "area_types": 15,
        "areas": 61,
        "districts": 1,
        "subdistricts": 10,
        "communities": 124,
        "cameras": 120,
        "plans": 16,
    }


@pytest.mark.parametrize("type", AREAS)
def test_every_area_type_has_its_field_areas_and_quantities(site: Site, registry: Registry, type: str) -> None:
    field, count, quantities = AREAS[type]
    assert registry.area_types[type].field == field
    areas = [area for area in site.areas if area.type == type]
    assert len(areas) == count
    assert quantities <= {point.quantity for area in areas for point in registry.points_of(area.id)}


def test_every_area_has_points_a_camera_and_a_location(site: Site, registry: Registry) -> None:
    for area in site.areas:
        assert registry.points_of(area.id), area.id
        assert registry.cameras_of(area.id), area.id
        assert area.location is not None, area.id
        assert 22.5 < area.location[0] < 22.85, area.id
        assert 113.75 < area.location[1] < 113.98, area.id


def test_the_ten_subdistricts_hold_all_communities_and_some_areas_each(site: Site, registry: Registry) -> None:
    assert [place.id for place in site.places if place.kind == "subdistrict"] == SUBDISTRICTS
    spread = Counter(place.id for area in site.areas if (place := registry.subdistrict(area.id)))
    assert set(spread) == set(SUBDISTRICTS)


def test_names_tell_points_apart(site: Site) -> None:
    for names in ([p.name.zh for p in site.points], [p.name.en for p in site.points]):
        assert [name for name, times in Counter(names).items() if times > 1] == []
    assert len({place.name.zh for place in site.places if place.kind == "subdistrict"}) == 10


def test_points_can_be_judged(site: Site) -> None:
    for point in site.points:
        assert point.range is not None, point.id
        assert 1 <= point.interval <= 60 or point.id == "river-01-level-1", point.id
        assert point.location is not None, point.id
        if point.limit is not None and point.normal is not None:
            low, high = point.normal
            assert point.limit < low if point.limit_below else point.limit > high, point.id


def test_the_gas_and_oxygen_limits_are_the_national_ones(registry: Registry) -> None:
    methane, oxygen = registry.points["gas-01-methane-1"], registry.points["dust-01-o2-1"]
    assert (methane.unit, methane.limit, methane.levels["red"]) == ("%LEL", 20, 50)
    assert (oxygen.unit, oxygen.limit, oxygen.limit_below) == ("%", 19.5, True)
    assert registry.points["dust-02-h2s-1"].limit == 7  # ppm, 10 mg/m3


def test_what_is_linked_lies_together_and_is_no_scene_of_another(site: Site, registry: Registry) -> None:
    (link,) = site.links
    wall, tunnel = (registry.areas[id] for id in link.areas)
    assert (link.kind, wall.type, tunnel.type) == ("upstream", "river", "drainage")
    assert wall.group == tunnel.group


def test_the_landslides_slope_is_there(registry: Registry) -> None:
    slope = registry.area("slope-01")
    assert slope is not None
    assert slope.name.zh == "燕罗体育场后山边坡"
    assert [point.id for point in registry.points_of("slope-01")] == [
        *(f"slope-01-displacement-{n}" for n in (1, 2, 3)),
        *(f"slope-01-tilt-{n}" for n in (1, 2, 3)),
        *(f"slope-01-crack-{n}" for n in (1, 2)),
        *(f"slope-01-soil-{n}" for n in (1, 2)),
        "rain-yanluo-1",
    ]
    assert [camera.id for camera in registry.cameras_of("slope-01")] == ["slope-01-cam-1"]
    assert registry.points["rain-yanluo-1"].areas == ("slope-01", "slope-02", "slope-03", "slope-04")


def test_a_unit_is_near_the_slope_and_every_type_has_someone(site: Site, registry: Registry) -> None:
    assert any(unit.place == registry.areas["slope-01"].place for unit in site.units)
    for type in AREAS:
        assert any(type in unit.types for unit in site.units), type


def test_groups_spread_evenly_when_there_are_partitions_to_spread_over(site: Site) -> None:
    assert site.partitions == 1  # one machine, one engine
    spread = Registry(msgspec.structs.replace(site, partitions=2))
    load = Counter(partition for point in site.points for partition in spread.partitions_of(point.id))
    assert set(load) == {0, 1}
    assert min(load.values()) > len(site.points) / 4


def test_the_river_gauges_limit_is_the_records_95_percent_quantile(registry: Registry) -> None:
    gauge = registry.points["river-01-level-1"]
    assert (gauge.unit, gauge.limit) == ("ft", 5.726)
    assert gauge.accept_age is not None
    assert gauge.accept_age > 13 * 365 * 86400, "a record of 2014 must be let in"
    record = FOLDER.parents[2] / "shared" / "data" / "water" / "keag_first_half.csv"
    if not record.exists():
        pytest.skip("the record is not on this machine")
    with record.open(newline="") as stream:
        stages = sorted(float(row["65565_00065"]) for row in csv.DictReader(stream) if row["65565_00065"])
    place = 0.95 * (len(stages) - 1)
    low, high = stages[math.floor(place)], stages[math.ceil(place)]
    assert gauge.limit == pytest.approx(low + (high - low) * (place % 1), abs=1e-3)
    assert gauge.range is not None
    assert gauge.range[0] <= stages[0] <= stages[-1] <= gauge.range[1]


def test_what_its_readme_shows_works(tmp_path: Path) -> None:
    plain, varied = re.findall(r"```yaml\n(.*?)```", (FOLDER / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    folder = tmp_path / "district"
    shutil.copytree(FOLDER, folder)
    for text in (plain, plain.replace("      displacement: 3\n", varied)):
        (folder / "areas" / "new.yaml").write_text(text, encoding="utf-8")
        registry = Registry(load_site(folder))
        assert [point.id for point in registry.points_of("slope-05")] == [
            *(f"slope-05-displacement-{n}" for n in (1, 2, 3)),
            *(f"slope-05-tilt-{n}" for n in (1, 2)),
        ]
        assert [camera.id for camera in registry.cameras_of("slope-05")] == ["slope-05-cam-1"]
    assert registry.points["slope-05-displacement-2"].limit == 30
    assert registry.points["slope-05-displacement-3"].limit == 25


def test_it_loads_without_pint() -> None:
    """Importing pint takes half a second of every start; the district's units are all in the table."""
    code = "import sys; from sensors.registry import load_site; load_site(sys.argv[1]); sys.exit('pint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, str(FOLDER)], cwd=FOLDER.parents[1], check=False).returncode == 0

"""Site folders: what a sound one becomes, and that every mistake is told with its file, line and field."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensors import expansion, measure
from sensors.camera.viewer import viewer_of
from sensors.document import Problem
from sensors.lookup import Registry
from sensors.partition import partition_of
from sensors.registry import SiteError, check_site, counts, indices, load_site, number, version
from sensors.site import Mapping, Site, Text
from tests.sensors.dialects.suite import site as plain_site

FILES = {
    "site.yaml": """\
id: town
name: {zh: 镇, en: Town}
zone: Asia/Shanghai
partitions: 4
limits:
  late_after: 10 min
  accept_age: 30 d
  accept_ahead: 60
  shelve_longest: 4 h
signals:
  native: foreshock
  mapped:
    - topic: "site/{area}/{point}"
      point: "{point}"
      time: ts
  senml:
    - topic: senml/{device}/up
      base: "urn:{device}:"
  frigate:
    - prefix: frigate
  sparkplug:
    - prefix: spBv1.0
      groups: [plant]
  homeassistant:
    - prefix: homeassistant
deadlines:
  accept: {red: 2 min}
""",
    "hierarchy.yaml": """\
fields:
  - {id: nature, name: {zh: 自然灾害, en: Natural hazards}}
area_types:
  - {id: slope, field: nature, name: {zh: 边坡, en: Slope}}
  - {id: river, field: nature, name: {zh: 河, en: River}, levels_dispatch: red}
districts:
  - id: town
    name: {zh: 镇, en: Town}
    subdistricts:
      - id: east
        name: {zh: 东, en: East}
        communities:
          - id: east-hill
            name: {zh: 东山, en: East Hill}
            compounds:
              - id: east-hill-1
                name: {zh: 一苑, en: Court 1}
                buildings:
                  - {id: east-hill-1-a, name: {zh: 甲栋, en: Block A}}
      - id: west
        name: {zh: 西, en: West}
        communities:
          - {id: west-bank, name: {zh: 西岸, en: West Bank}}
""",
    "types.yaml": """\
quantities:
  tilt:
    name: {zh: 倾斜, en: tilt}
    unit: °
    range: [-30, 30]
    normal: [-0.1, 0.1]
    interval: 10
    levels: {blue: 0.2, yellow: 0.4, orange: 0.8, red: 1.5}
  rain:
    name: {zh: 雨量, en: rain}
    unit: mm/h
    range: [0, 300]
    interval: 1 min
  level:
    name: {zh: 水位, en: level}
    unit: m
    range: [0, 10]
    limit: 2
    limit_below: true
    levels: {yellow: 3, red: 2}
area_types:
  river:
    level:
      limit: 8
      limit_below: false
      levels: {yellow: 7, red: 8}
""",
    "areas/hills.yaml": """\
areas:
  - id: slope-01
    name: {zh: 后山, en: Back hill}
    type: slope
    place: east-hill-1-a
    location: [22.8, 113.87]
    tags: [school]
    points:
      tilt:
        count: 3
        normal: null
        each:
          2: {limit: 1, at: {zh: 坡腰, en: middle}, location: [22.81, 113.88]}
          3: {name: {zh: 三号, en: Number three}}
    cameras: 1
  - id: slope-02
    name: {zh: 前山, en: Front hill}
    type: slope
    place: west-bank
    points:
      tilt: {numbers: [1, 4]}
    cameras:
      - {source: GateCam, areas: [slope-01], name: {zh: 门, en: Gate}}
      - {id: tower}
points:
  - id: rain-1
    quantity: rain
    name: {zh: 雨量站, en: Rain gauge}
    areas: [slope-01, slope-02]
""",
    "areas/water.yaml": """\
areas:
  - id: river-01
    name: {zh: 河, en: River}
    type: river
    place: west-bank
    group: basin
    points:
      level: 1
""",
    "units.yaml": """\
units:
  - {id: team-1, name: {zh: 一队, en: Team 1}, kind: community, place: east-hill}
  - {id: office, name: {zh: 办, en: Office}, kind: subdistrict, place: east, types: [slope]}
""",
    "roster.yaml": """\
seats:
  - {id: lead, name: {zh: 长, en: Lead}}
  - {id: north, name: {zh: 北, en: North}, subdistricts: [east]}
shifts:
  - {id: night, name: {zh: 夜, en: Night}, start: 20:00, end: 08:00, staff: {lead: wang}}
""",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    (folder / "areas").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "site", FILES)


@pytest.fixture
def site(folder: Path) -> Site:
    return load_site(folder)


Edit = Callable[..., list[Problem]]


@pytest.fixture
def edit(folder: Path) -> Edit:
    def change(file: str, old: str, new: str) -> list[Problem]:
        text = FILES[file]
        assert text.count(old) >= 1, f"{old!r} is not in {file}"
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        site, problems = check_site(folder)
        assert (site is None) == bool(problems)
        return problems

    return change


# ── What a sound folder becomes ──


def test_counts(site: Site) -> None:
    assert counts(site) == {
        "fields": 1,
        "area_types": 2,
        "areas": 3,
        "districts": 1,
        "subdistricts": 2,
        "communities": 2,
        "points": 7,
        "cameras": 3,
        "units": 2,
        "plans": 0,
    }


def test_points_take_ids_and_settings_from_their_layers(site: Site) -> None:
    points = Registry(site).points
    assert list(points) == [
        "slope-01-tilt-1",
        "slope-01-tilt-2",
        "slope-01-tilt-3",
        "slope-02-tilt-1",
        "slope-02-tilt-4",
        "rain-1",
        "river-01-level-1",
    ]
    first, second, third = (points[f"slope-01-tilt-{n}"] for n in (1, 2, 3))
    assert first.name == Text(zh="后山 倾斜 1", en="Back hill: tilt 1")
    assert (first.unit, first.interval, first.range, first.normal) == ("°", 10.0, (-30.0, 30.0), None)
    assert first.limit == 1.5, "without a limit of its own the highest level is the limit"
    assert second.name == Text(zh="后山 坡腰倾斜 2", en="Back hill: tilt 2 (middle)")
    assert (second.limit, second.location) == (1.0, (22.81, 113.88))
    assert third.name == Text(zh="三号", en="Number three")
    assert points["slope-02-tilt-1"].normal == (-0.1, 0.1)
    assert points["slope-02-tilt-1"].location is None


def test_a_kind_that_no_layer_declares_may_be_guessed(site: Site) -> None:
    assert {point.kind for point in site.points if point.guess} == {"gauge"}
    assert not any(point.guess for point in site.points if point.kind != "gauge")


def test_an_area_type_has_its_own_template(site: Site) -> None:
    level = Registry(site).points["river-01-level-1"]
    assert (level.unit, level.limit, level.limit_below, level.levels) == ("m", 8.0, False, {"yellow": 7.0, "red": 8.0})
    assert level.name == Text(zh="河 水位", en="River: level"), "a single point needs no number in its name"


def test_what_a_point_inherits_is_in_its_own_unit(folder: Path) -> None:
    """The limits of a quantity are in the quantity's unit: 1.5 of them are not 1.5 mrad."""
    text = FILES["areas/hills.yaml"].replace("normal: null", "normal: [-0.2, 0.2]")
    text = text.replace("2: {limit: 1,", "1: {unit: mrad}\n          2: {unit: mrad, levels: {red: 20},")
    (folder / "areas/hills.yaml").write_text(text, encoding="utf-8")
    first, second, third = (one for one in load_site(folder).points if one.id.startswith("slope-01-tilt"))
    assert first.levels == pytest.approx({k: math.radians(v) * 1000 for k, v in third.levels.items()}, rel=1e-12)
    assert first.limit == first.levels["red"] == pytest.approx(26.1799387799)
    assert first.range == pytest.approx((-523.598775598, 523.598775598))
    assert first.normal == pytest.approx((-3.49065850399, 3.49065850399))
    assert second.levels == {"red": 20} and second.limit == 20  # its own are as they are written
    assert second.range == first.range
    assert third.levels["red"] == 1.5 and third.range == (-30, 30)


def test_points_that_say_the_same_are_alike_and_each_mistake_among_them_is_told(folder: Path) -> None:
    text = "points:\n"
    text += "".join(
        f"  - {{id: w{n}, quantity: level, areas: [river-01], unit: cm, levels: {{red: 900}}, tags: [t{n}]}}\n"
        for n in range(3)
    )
    (folder / "areas/more.yaml").write_text(text, encoding="utf-8")
    found = [one for one in load_site(folder).points if one.id in ("w0", "w1", "w2")]
    assert [(one.limit, one.range, one.unit, one.tags) for one in found] == [
        (800, (0, 1000), "cm", (f"t{n}",)) for n in range(3)
    ]
    (folder / "areas/more.yaml").write_text(text.replace("red: 900", "red: 9000"), encoding="utf-8")
    told = [problem for problem in check_site(folder)[1] if problem.file == "areas/more.yaml"]
    assert [problem.line for problem in told] == [2, 3, 4]


def test_an_area_types_unit_converts_what_the_quantity_says(edit: Edit, folder: Path) -> None:
    own = "      limit: 8\n      limit_below: false\n      levels: {yellow: 7, red: 8}\n"
    assert not edit("types.yaml", own, "      unit: cm\n      levels: {yellow: 320, red: 210}\n")
    (level,) = [one for one in load_site(folder).points if one.quantity == "level"]
    assert (level.unit, level.limit, level.range) == ("cm", 200, (0, 1000))
    assert level.levels == {"yellow": 320, "red": 210}


@pytest.mark.parametrize("code", ["Cel", "[degF]", "m[H2O]", "m3/h"])
def test_a_mapping_may_name_its_unit_by_ucums_code(edit: Edit, code: str) -> None:
    assert not edit("site.yaml", "time: ts", f'unit: "{code}"')


def test_quantities_are_told_with_what_their_points_are_held_to(site: Site) -> None:
    found = {(one.id, one.type): one for one in site.quantities}
    assert set(found) == {("tilt", ""), ("rain", ""), ("level", ""), ("level", "river")}
    assert found["tilt", ""].levels["red"] == found["tilt", ""].limit == 1.5
    assert (found["level", ""].limit, found["level", "river"].limit) == (2, 8)
    assert found["level", ""].limit_below and not found["level", "river"].limit_below


def test_a_point_without_location_lies_near_its_area_and_always_at_the_same_spot(site: Site, folder: Path) -> None:
    area, point = (22.8, 113.87), Registry(site).points["slope-01-tilt-1"]
    assert point.location is not None
    north = (point.location[0] - area[0]) * 111_320
    east = (point.location[1] - area[1]) * 111_320 * math.cos(math.radians(area[0]))
    assert 9 < math.hypot(north, east) < 41
    (folder / "areas/hills.yaml").write_text(FILES["areas/hills.yaml"].replace("count: 3", "count: 9"))
    assert Registry(load_site(folder)).points["slope-01-tilt-1"].location == point.location


def test_a_shared_point_serves_all_its_areas(site: Site) -> None:
    registry = Registry(site)
    rain = registry.points["rain-1"]
    assert rain.areas == ("slope-01", "slope-02")
    assert rain in registry.points_of("slope-01")
    assert rain in registry.points_of("slope-02")
    assert registry.topic_points["slope-02", "rain-1"] is rain
    assert rain.interval == 60.0


def test_cameras_take_ids_names_and_sources(site: Site) -> None:
    registry = Registry(site)
    assert [camera.id for camera in site.cameras] == ["slope-01-cam-1", "slope-02-cam-1", "tower"]
    assert registry.cameras["slope-01-cam-1"].name == Text(zh="后山 摄像机 1", en="Back hill: camera 1")
    gate = registry.camera_of_source("GateCam")
    assert gate is not None
    assert gate.id == "slope-02-cam-1"
    assert gate.areas == ("slope-02", "slope-01")
    assert [camera.id for camera in registry.cameras_of("slope-01")] == ["slope-01-cam-1", "slope-02-cam-1"]


def test_an_area_belongs_to_its_subdistricts_group_unless_it_names_one(site: Site) -> None:
    registry = Registry(site)
    assert [area.group for area in site.areas] == ["east", "west", "basin"]
    assert registry.partition("slope-01") == partition_of("east", 4)
    assert registry.partitions_of("rain-1") == tuple(sorted({partition_of("east", 4), partition_of("west", 4)}))


def test_the_hierarchy_can_be_walked(site: Site) -> None:
    registry = Registry(site)
    chain = [place.kind for place in registry.ancestors("east-hill-1-a")]
    assert chain == ["building", "compound", "community", "subdistrict", "district"]
    for find, id in ((registry.subdistrict, "east"), (registry.community, "east-hill"), (registry.district, "town")):
        found = find("slope-01")
        assert found is not None
        assert found.id == id
    assert [area.id for area in registry.areas_of("west")] == ["slope-02", "river-01"]
    assert [area.id for area in registry.areas_of("town")] == ["slope-01", "slope-02", "river-01"]


def test_what_does_not_exist_is_not_found(site: Site) -> None:
    registry = Registry(site)
    finds = (registry.point, registry.area, registry.camera, registry.unit, registry.place, registry.area_type)
    assert [find("x") for find in finds] == [None] * 6
    assert registry.subdistrict("x") is None
    assert registry.points_of("x") == registry.cameras_of("x") == registry.ancestors("x") == []


def test_a_site_says_which_reports_are_cases_of_their_own(edit: Edit, folder: Path, site: Site) -> None:
    assert site.reports == ()
    named = _REPORT.partition("\n")[0] % ("quarrel", "blue, orange], units: [mediation")
    assert edit("site.yaml", "partitions: 4\n", f"partitions: 4\n{named}\n") == []
    (kind,) = load_site(folder).reports
    assert (kind.category, kind.type, kind.levels) == ("quarrel", "dispute", ("blue", "orange"))
    assert kind.units == ("mediation",)


def test_a_site_names_its_modes_or_has_the_usual_ones(edit: Edit, folder: Path, site: Site) -> None:
    assert [mode.id for mode in site.modes] == ["maintenance", "exercise"]
    named = "approval: one\ndisposition: always\nmodes: [{id: works, name: {zh: 施工, en: works}, longest: 12 h}]\n"
    assert edit("site.yaml", "partitions: 4\n", "partitions: 4\n" + named) == []
    assert site.disposition == "sent" and load_site(folder).disposition == "always"
    (mode,) = load_site(folder).modes
    assert (mode.id, mode.name.en, mode.longest) == ("works", "works", 12 * 3600.0)


def test_times_and_deadlines_are_seconds_and_keep_their_defaults(site: Site) -> None:
    assert (site.late_after, site.accept_age, site.accept_ahead) == (600.0, 30 * 86400.0, 60.0)
    assert site.shelve_longest == 4 * 3600.0
    assert site.deadlines.accept == {"red": 120.0, "orange": 300.0, "yellow": 900.0, "blue": 3600.0}
    assert site.signals.mapped == (Mapping(topic="site/{area}/{point}", point="{point}", time="ts"),)
    assert site.shifts[0].start == "20:00"


def test_limit_null_means_none(edit: Edit, folder: Path) -> None:
    assert edit("areas/water.yaml", "level: 1", "level: {limit: null}") == []
    assert Registry(load_site(folder)).points["river-01-level-1"].limit is None


# ── Indices and version ──


def test_indices_are_kept_and_new_points_follow(folder: Path, site: Site) -> None:
    known = indices(site)
    assert sorted(known.values()) == list(range(7))
    (folder / "areas/hills.yaml").write_text(FILES["areas/hills.yaml"].replace("count: 3", "numbers: [2, 3, 5]"))
    second = load_site(folder, known)
    after = {point.id: point.index for point in second.points}
    assert "slope-01-tilt-1" not in after
    assert after["slope-01-tilt-5"] == 7
    assert all(after[id] == index for id, index in known.items() if id in after)
    assert indices(second, known)["slope-01-tilt-1"] == known["slope-01-tilt-1"], "what is gone keeps its index"


RENAMED = {
    "areas/hills.yaml": [
        ("- id: slope-01\n", "- id: hill-01\n    renamed_from: slope-01\n"),
        ("areas: [slope-01]", "areas: [hill-01]"),
        ("- id: rain-1\n", "- id: gauge\n    renamed_from: [rain-1, rain-0]\n"),
        ("areas: [slope-01, slope-02]", "areas: [hill-01, slope-02]"),
        ("{id: tower}", "{id: mast, renamed_from: tower}"),
    ]
}


def renamed(folder: Path) -> None:
    for file, changes in RENAMED.items():
        text = FILES[file]
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (folder / file).write_text(text)


def test_what_is_renamed_keeps_its_index_and_is_found_by_both_names(folder: Path, site: Site) -> None:
    known = indices(site)
    renamed(folder)
    after = load_site(folder, known)
    index = {point.id: point.index for point in after.points}
    assert index["gauge"] == known["rain-1"]
    assert index["hill-01-tilt-2"] == known["slope-01-tilt-2"]  # named after its area
    assert sorted(index.values()) == sorted(known.values())
    again = indices(after, known)
    assert "rain-1" not in again and again["gauge"] == known["rain-1"]
    registry = Registry(after)
    assert registry.point("rain-1") is registry.points["gauge"]
    assert registry.topic_points["slope-01", "rain-1"] is registry.points["gauge"]
    assert registry.topic_points["slope-01", "hill-01-tilt-2"].id == "hill-01-tilt-2"
    assert registry.partition("slope-01") == registry.partition("hill-01")
    assert registry.camera_of_source("tower") is registry.cameras["mast"]
    assert registry.camera("slope-01-cam-1") is registry.cameras["hill-01-cam-1"]
    assert "rain-1" not in registry.points and registry.point("rain-2") is None


@pytest.mark.parametrize(
    ("former", "words"),
    [
        ("slope-01-tilt-1", "point 'slope-01-tilt-1' is still there, at areas/hills.yaml:"),
        ("rain-1", "is its id now"),
        ("Rain 1", "is no id that a point can have had"),
        ("[a, a]", "former point 'a' is already given"),
    ],
)
def test_a_wrong_former_id_is_told(folder: Path, former: str, words: str) -> None:
    text = FILES["areas/hills.yaml"].replace("- id: rain-1\n", f"- id: rain-1\n    renamed_from: {former}\n")
    (folder / "areas/hills.yaml").write_text(text)
    [problem] = check_site(folder)[1]
    assert words in problem.message and problem.field == "points[0].renamed_from"


def test_what_the_site_says_of_its_cameras_holds_where_they_say_nothing_else(folder: Path) -> None:
    main = folder / "site.yaml"
    main.write_text(main.read_text() + "\nviewer: https://video.example/{camera}\nblur_faces: true\n")
    (folder / "areas/eyes.yaml").write_text(
        "cameras:\n"
        "  - {id: as-all, areas: [slope-01], supplier: acme}\n"
        "  - {id: own, areas: [slope-01], viewer: 'rtsp://nvr.example/{source}', source: gate-7, blur_faces: false}\n"
        "  - {id: none, areas: [slope-01], viewer: ''}\n"
    )
    cameras = {camera.id: camera for camera in load_site(folder).cameras}
    assert (viewer_of(cameras["as-all"]), cameras["as-all"].blur_faces) == ("https://video.example/as-all", True)
    assert cameras["as-all"].supplier == "acme"
    assert (viewer_of(cameras["own"]), cameras["own"].blur_faces) == ("rtsp://nvr.example/gate-7", False)
    assert (viewer_of(cameras["none"]), cameras["none"].blur_faces) == (None, True)


def test_the_level_that_sends_maintenance_to_cameras_is_one(folder: Path) -> None:
    main = folder / "site.yaml"
    before = main.read_text()
    assert load_site(folder).maintenance == ""
    main.write_text(before + "\nmaintenance: blue\n")
    assert load_site(folder).maintenance == "blue"
    main.write_text(before + "\nmaintenance: pink\n")
    with pytest.raises(SiteError, match=r"maintenance.*pink"):
        load_site(folder)


def test_the_viewer_of_a_site_is_checked(folder: Path) -> None:
    main = folder / "site.yaml"
    main.write_text(main.read_text() + "\nviewer: https://video.example/{when}\n")
    with pytest.raises(SiteError, match="unknown place-holder"):
        load_site(folder)


@pytest.mark.parametrize(
    ("snapshot", "words"),
    [
        ("http://viewer:hush/ss@10.0.0.9/snap.jpg", "as %2F"),
        ("http://10.0.0.9:99999/snap.jpg?key=hush", "is 1 to 65535"),
        ("http://", "names no host"),
        ("rtsp://hush@10.0.0.9/1", "begins with http:// or https://"),
    ],
)
def test_an_address_of_stills_at_which_nobody_can_ask_is_told_without_its_secrets(
    folder: Path, snapshot: str, words: str
) -> None:
    eyes = folder / "areas/eyes.yaml"
    eyes.write_text("cameras:\n  - {id: eye, areas: [slope-01], snapshot: 'http://viewer:a%2Fb@10.0.0.9:8080/s.jpg'}\n")
    load_site(folder)
    eyes.write_text(f"cameras:\n  - {{id: eye, areas: [slope-01], snapshot: '{snapshot}'}}\n")
    [problem] = check_site(folder)[1]
    assert words in problem.message and problem.field == "cameras[0].snapshot"
    assert "hush" not in str(problem)


def test_units_and_cameras_may_stand_in_files_of_their_own(folder: Path) -> None:
    (folder / "units").mkdir()
    (folder / "units/more.yaml").write_text(
        "units:\n  - {id: team-2, name: {zh: 二队, en: Team 2}, kind: community, place: east-hill}\n"
    )
    (folder / "areas/eyes.yaml").write_text("cameras:\n  - {id: eye, areas: [slope-01, river-01]}\n")
    site = load_site(folder)
    assert [unit.id for unit in site.units] == ["team-1", "office", "team-2"]
    [eye] = [camera for camera in site.cameras if camera.id == "eye"]
    assert eye.areas == ("slope-01", "river-01") and eye.location == (22.8, 113.87)
    (folder / "units/more.yaml").write_text(
        "units:\n  - {id: team-1, name: {zh: 二, en: T}, kind: x, place: nowhere}\n"
    )
    assert {problem.file for problem in check_site(folder)[1]} == {"units/more.yaml"}


@given(st.lists(st.sets(st.sampled_from([f"p-{n}" for n in range(12)])), min_size=1, max_size=8))
def test_an_index_never_passes_to_another_point(generations: list[set[str]]) -> None:
    base = Site(id="x", name=Text(zh="x", en="x"))
    given_out: dict[str, int] = {}
    for ids in generations:
        points = tuple(
            expansion.Point(id=id, name=base.name, areas=("a",), quantity="q", unit="1") for id in sorted(ids)
        )
        site = number(Site(id="x", name=base.name, points=points), given_out)
        for point in site.points:
            assert given_out.get(point.id, point.index) == point.index
            assert point.id in given_out or point.index not in given_out.values()
        given_out = indices(site, given_out)
        assert len(set(given_out.values())) == len(given_out)


@pytest.mark.parametrize("known", [{"a": 1, "b": 1}, {"a": -1}, {"a": 2**32}, {"a": True}, {"a": 1.5}])
def test_damaged_indices_are_refused(folder: Path, known: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="damaged"):
        load_site(folder, known)


def test_the_version_is_the_contents_not_the_files(folder: Path, site: Site) -> None:
    assert re.fullmatch("[0-9a-f]{20}", site.version)
    assert version(site) == site.version
    assert load_site(folder, {"rain-1": 90}).version == site.version, "indices do not count"
    (folder / "areas/water.yaml").rename(folder / "areas/a-river.yaml")
    (folder / "areas/a-river.yaml").write_text("# moved\n" + FILES["areas/water.yaml"])
    assert load_site(folder).version == site.version, "nor does the file it stands in"
    (folder / "areas/a-river.yaml").write_text(FILES["areas/water.yaml"].replace("level: 1", "level: {limit: 7.9}"))
    assert load_site(folder).version != site.version


# ── Mistakes: file, line, field, and what to do ──

HILLS, WATER, TYPES, PLACES, MAIN = "areas/hills.yaml", "areas/water.yaml", "types.yaml", "hierarchy.yaml", "site.yaml"

_REPORT = "reports: [{category: %s, name: {zh: 纠纷, en: dispute}, type: dispute, levels: [%s]}]\npartitions: 4"
_MODE = "modes: [{id: %s, name: {zh: 施工, en: works}, longest: %s}]\npartitions: 4"
MISTAKES = [
    (MAIN, "partitions: 4", _REPORT % ("Dispute", "blue"), "reports[0].category", "no category"),
    (MAIN, "partitions: 4", _REPORT % ("dispute", "red, blue"), "reports[0].levels", "none below"),
    (MAIN, "partitions: 4", _REPORT % ("dispute", "mauve"), "reports[0].levels", "blue"),
    (MAIN, "partitions: 4", _REPORT % ("dispute", ""), "reports[0].levels", "1 to 16"),
    (MAIN, "partitions: 4", _REPORT % ("dispute", "blue], units: [mediatio"), "reports[0].units[0]", "unit 'mediatio'"),
    (MAIN, "partitions: 4", _MODE % ("works", "31 d"), "modes[0].longest", "at most 30 days"),
    (MAIN, "partitions: 4", _MODE % ("Works!", "1 d"), "modes[0].id", "Works!"),
    # what refers to nothing
    (HILLS, "type: slope", "type: slop", "areas[0].type", "unknown area type 'slop' (did you mean 'slope'?)"),
    (HILLS, "west-bank", "west-bnk", "areas[1].place", "unknown place 'west-bnk' (did you mean 'west-bank'?)"),
    (HILLS, "tilt: {n", "tild: {n", "areas[1].points.tild", "unknown quantity 'tild' (did you mean 'tilt'?)"),
    (HILLS, "quantity: rain", "quantity: rein", "points[0].quantity", "unknown quantity 'rein'"),
    (HILLS, "[slope-01, s", "[slop-01, s", "points[0].areas[0]", "unknown area 'slop-01' (did you mean 'slope-01'?)"),
    (HILLS, "areas: [slope-01]", "areas: [x]", "areas[1].cameras[0].areas[1]", "unknown area 'x'"),
    (PLACES, "field: nature", "field: natur", "area_types[0].field", "unknown field 'natur' (did you mean 'nature'?)"),
    (TYPES, "  river:", "  rivre:", "area_types.rivre", "unknown area type 'rivre' (did you mean 'river'?)"),
    (TYPES, "    level:\n      l", "    lvel:\n      l", "area_types.river.lvel", "unknown quantity 'lvel'"),
    ("units.yaml", "place: east,", "place: eas,", "units[1].place", "unknown place 'eas' (did you mean 'east'?)"),
    ("units.yaml", "[slope]", "[slope, x]", "units[1].types[1]", "unknown area type 'x'"),
    ("roster.yaml", "[east]", "[east-hill]", "seats[1].subdistricts[0]", "unknown subdistrict 'east-hill'"),
    ("roster.yaml", "lead: wang", "leed: wang", "shifts[0].staff.leed", "unknown seat 'leed' (did you mean 'lead'?)"),
    # links
    (PLACES, "districts:\n", "links: [{kind: neighbour, areas: [slope-01, slop-02]}]\ndistricts:\n",
     "links[0].areas[1]", "unknown area 'slop-02' (did you mean 'slope-02'?)"),
    (PLACES, "districts:\n", "links: [{kind: upstream, areas: [slope-01]}]\ndistricts:\n", "links[0].areas",
     "a link names 2 to 16 different areas"),
    (PLACES, "districts:\n", "links: [{kind: neighbour, areas: [slope-01, slope-02]}]\ndistricts:\n",
     "links[0].areas", "'slope-01' is of the group 'east', 'slope-02' is of the group 'west'; give them one `group`"),
    (PLACES, "districts:\n", "links: [{kind: neighbour, areas: [slope-01, slope-02], within: 2 d}]\ndistricts:\n",
     "links[0].within", "within a time of up to a day"),
    ("units.yaml", "[slope]", "[slope], at_once: -1", "units[1].at_once", "1 to 1000 orders at once, or 0"),
    # ids
    (HILLS, "id: slope-01", "id: Slope 01", "areas[0].id", "'Slope 01' is no id"),
    (HILLS, "id: slope-01", "id: a/+/#", "areas[0].id", "try 'a'"),
    (HILLS, "id: slope-01", f"id: s{'0' * 64}", "areas[0].id", "longer than 64 characters"),
    (HILLS, "id: slope-02", "id: slope-01", "areas[1].id", f"area 'slope-01' is already given at {HILLS}:2"),
    (WATER, "id: river-01", "id: slope-01", "areas[0].id", f"area 'slope-01' is already given at {HILLS}:2"),
    (HILLS, "id: rain-1", "id: slope-01-tilt-1", "points[0].id",
     f"point 'slope-01-tilt-1' is already given at {HILLS}:9"),
    (HILLS, "id: tower", "id: slope-01-cam-1", "areas[1].cameras[1].id",
     f"camera 'slope-01-cam-1' is already given at {HILLS}:15"),
    (HILLS, "{id: tower}", "{id: tower, health: {confirm: 0}}", "areas[1].cameras[1].health.confirm",
     "must be 1 to 100, not 0"),
    (HILLS, "{id: tower}", "{id: tower, viewer: 'javascript:alert(1)'}", "areas[1].cameras[1].viewer", "begins with"),
    (HILLS, "{id: tower}", f"{{id: tower, supplier: {'x' * 65}}}", "areas[1].cameras[1].supplier", "64 characters"),
    (HILLS, "{id: tower}", "{id: tower, health: {ignore: [fog]}}", "areas[1].cameras[1].health.ignore[0]", "fog"),
    (HILLS, "source: GateCam", "source: a/b", "areas[1].cameras[0].source", "cannot be a level of a topic"),
    (PLACES, "id: west\n", "id: east\n", "districts[0].subdistricts[1].id", "place 'east' is already given at"),
    (PLACES, "{id: river,", "{id: slope,", "area_types[1].id",
     "area type 'slope' is already given at hierarchy.yaml:4"),
    ("units.yaml", "id: office", "id: team-1", "units[1].id", "unit 'team-1' is already given at units.yaml:2"),
    (WATER, "group: basin", "group: The Basin", "areas[0].group", "try 'the-basin'"),
    # values
    (TYPES, "unit: mm/h", "unit: mm/ho", "quantities.rain.unit",
     "'mm/ho' is not a unit of measure (did you mean 'mm/h'?)"),
    (TYPES, "unit: m\n", "unit: 9**9**9\n", "quantities.level.unit", "'9**9**9' is not a unit of measure"),
    (HILLS, "limit: 1,", 'unit: "%",', "areas[0].points.tilt.each.2.unit",
     "levels, range of this quantity cannot be taken over: ° cannot be converted to %"),
    (TYPES, "      limit: 8\n", "      unit: kPa\n", "area_types.river.level.unit",
     "limit, range of this quantity cannot be taken over: m cannot be converted to kPa: they do not measure the same; "
     "give its own limit, range in kPa (null where it has none), or keep the unit m"),
    (TYPES, "[0, 300]", "[300, 0]", "quantities.rain.range", "write the lower end first"),
    (TYPES, "limit: 8", "limit: 80", "area_types.river.level.limit",
     "the limit 80 lies outside the physical range 0..10"),
    (HILLS, "limit: 1,", "limit: 31,", "areas[0].points.tilt.each.2.limit", "the limit 31 lies outside"),
    (TYPES, "red: 1.5", "red: 99", "quantities.tilt.levels", "the red level 99 lies outside"),
    (TYPES, "orange: 0.8", "orange: 0.3", "quantities.tilt.levels", "orange (0.3) must be above yellow (0.4)"),
    (TYPES, "{yellow: 3", "{yellow: 1", "quantities.level.levels", "red (2) must be below yellow (1)"),
    (TYPES, "blue: 0.2", "bleu: 0.2", "quantities.tilt.levels", "unknown level 'bleu' (did you mean 'blue'?)"),
    (TYPES, "[-0.1, 0.1]", "[0.1, -0.1]", "quantities.tilt.normal", "the normal band is empty"),
    (TYPES, "[-0.1, 0.1]", "[-0.1, 45]", "quantities.tilt.normal", "the normal band lies outside"),
    (TYPES, "interval: 1 min", "interval: 1 fortnight", "quantities.rain.interval", "'1 fortnight' is no duration"),
    (HILLS, "{numbers: [1, 4]}", "{limit: 0.05}", "areas[1].points.tilt.limit",
     "is passed within the normal band -0.1..0.1"),
    (TYPES, "interval: 1 min", "interval: 0", "quantities.rain.interval", "a duration must be above 0"),
    (TYPES, "interval: 1 min", "interval: 90 d", "quantities.rain.interval", "at most 2678400 s"),
    (HILLS, "[22.8, 113.87]", "[113.87, 22.8]", "areas[0].location", "they seem to be swapped"),
    (HILLS, "[22.81, 113.88]", "[22.81, 513.88]", "areas[0].points.tilt.each.2.location", "is no latitude"),
    (HILLS, "place: west-bank", "place: west", "areas[1].place",
     "'west' is a subdistrict; an area lies in a community"),
    (HILLS, "count: 3", "count: -1", "areas[0].points.tilt.count", "a count must be 0 to 20,000, not -1"),
    (WATER, "level: 1", "level: 99999999", "areas[0].points.level", "a count must be 0 to 20,000"),
    (HILLS, "[1, 4]", "[1, 1]", "areas[1].points.tilt.numbers", "each given once"),
    (HILLS, "cameras: 1", "cameras: -5", "areas[0].cameras", "a count must be 0 to"),
    (HILLS, "[slope-01, slope-02]", "[]", "points[0].areas", "name at least one area"),
    (HILLS, "[slope-01, slope-02]", "[slope-01, slope-01]", "points[0].areas[1]", "named twice"),
    (PLACES, "dispatch: red", "dispatch: rde", "area_types[1].levels_dispatch",
     "unknown level 'rde' (did you mean 'red'?)"),
    (PLACES, "levels_dispatch: red", "alarms_per_day: 0", "area_types[1].alarms_per_day",
     "must be 0.0001 to 24 of each point, not 0"),
    (MAIN, "Asia/Shanghai", "Asia/Shangai", "zone", "unknown time zone 'Asia/Shangai' (did you mean 'Asia/Shanghai'?)"),
    (MAIN, "Asia/Shanghai", "../../etc/passwd", "zone", "unknown time zone"),
    (MAIN, "zone: Asia/Shanghai", "holidays: Atlantis", "holidays", "no holidays are known of 'Atlantis'"),
    (MAIN, "zone: Asia/Shanghai", "holidays: DE-XX", "holidays", "write a country such as CN or DE-BW"),
    (MAIN, "partitions: 4", "partitions: 0", "partitions", "partitions must be 1 to 256, not 0"),
    (MAIN, "10 min", "-1", "limits.late_after", "a duration must be above 0"),
    (MAIN, "late_after: 10 min", "skew: {tolerance: -1}", "limits.skew.tolerance", "a duration must be above 0"),
    (MAIN, "late_after: 10 min", "flood: {least: 0}", "limits.flood.least", "least must be 1 to 1,000,000, not 0"),
    (MAIN, "native: foreshock", "native: a/#", "signals.native", "is no topic prefix"),
    (MAIN, "prefix: frigate", "prefix: /x", "signals.frigate[0].prefix", "is no topic prefix"),
    (MAIN, "prefix: spBv1.0", "prefix: a/+", "signals.sparkplug[0].prefix", "is no topic prefix"),
    (MAIN, "groups: [plant]", "groups: [a/b]", "signals.sparkplug[0].groups[0]", "'a/b' is no Sparkplug group"),
    (MAIN, "prefix: homeassistant", "prefix: a/+", "signals.homeassistant[0].prefix", "is no topic prefix"),
    (MAIN, "- prefix: frigate", "- {prefix: f, cameras: [c9]}", "signals.frigate[0].cameras[0]", "unknown camera 'c9'"),
    (MAIN, "- prefix: frigate", "- {prefix: f, dwell: {z: soon}}", "signals.frigate[0].dwell.z", "is no duration"),
    (MAIN, "  frigate:", "  onvif: [{prefix: cam/#}]\n  frigate:", "signals.onvif[0].prefix", "is no topic prefix"),
    (MAIN, "  frigate:", "  onvif: [{prefix: cam+/x}]\n  frigate:", "signals.onvif[0].prefix", "a whole level"),
    (MAIN, "  frigate:", "  onvif: [{prefix: '{x}'}]\n  frigate:", "signals.onvif[0].prefix", "is no topic prefix"),
    (MAIN, "  frigate:", "  onvif: [{prefix: a//b}]\n  frigate:", "signals.onvif[0].prefix", "is no topic prefix"),
    (MAIN, "  frigate:", "  onvif: [{prefix: a, kinds: {k: É}}]\n  frigate:", "signals.onvif[0].kinds.k", "is no kind"),
    (MAIN, "  frigate:", "  gb28181: [{topic: a/#/b}]\n  frigate:", "signals.gb28181[0].topic", "is no topic filter"),
    (MAIN, "  frigate:", "  gb28181: [{topic: ''}]\n  frigate:", "signals.gb28181[0].topic", "is no topic filter"),
    (MAIN, "  frigate:", "  gb28181: [{kinds: {flow: É}}]\n  frigate:", "signals.gb28181[0].kinds.flow", "is no kind"),
    (MAIN, "site/{area}/{point}", "a/#/{point}", "signals.mapped[0].topic", "'#' may only stand as the last level"),
    (MAIN, "site/{area}/{point}", "a+/{point}", "signals.mapped[0].topic", "'+' stands for a whole level"),
    (MAIN, "site/{area}/{point}", "{x}/{point}", "signals.mapped[0].topic", "unknown place-holder '{x}'"),
    (MAIN, "site/{area}/{point}", "{point}/{point}", "signals.mapped[0].topic", "may stand once"),
    (MAIN, '"{point}"', '"{pt}"', "signals.mapped[0].point", "'{pt}' is not a place-holder of the topic"),
    (
        MAIN,
        'topic: "site/{area}/{point}"\n      point: "{point}"',
        'topic: "site/{area}/{point}"',
        "signals.mapped[0].point",
        "give either `point`, or `values`",
    ),
    (MAIN, "time: ts", "unit: mgg/L", "signals.mapped[0].unit", "'mgg/L' is not a unit of measure"),
    (
        MAIN,
        'point: "{point}"',
        'values: [{point: a, value: x}, {point: a, value: y..z}, {point: "{pt}", value: w, unit: m§}]',
        "signals.mapped[0].values[1].point",
        "'a' is given to two values",
    ),
    (
        MAIN,
        'point: "{point}"',
        'values: [{point: "{pt}", value: w}]',
        "signals.mapped[0].values[0].point",
        "is not a place-holder of the topic",
    ),
    (
        MAIN,
        'point: "{point}"',
        "values: [{point: a, value: w..x}]",
        "signals.mapped[0].values[0].value",
        "'w..x' is no path",
    ),
    (
        MAIN,
        'point: "{point}"',
        "values: [{point: a, value: w}]\n      scale: 2",
        "signals.mapped[0].values",
        "are given for each of the values",
    ),
    (
        MAIN,
        'point: "{point}"',
        "values: [" + ", ".join(f"{{point: p{k}, value: v}}" for k in range(257)) + "]",
        "signals.mapped[0].values",
        "at most 256 values",
    ),
    (MAIN, "senml/{device}/up", "senml/#/up", "signals.senml[0].topic", "'#' may only stand as the last level"),
    (MAIN, "senml/{device}/up", "senml/{x}/{device}", "signals.senml[0].topic", "the only place-holder is '{device}'"),
    (MAIN, "senml/{device}/up", "senml/d-{device}", "signals.senml[0].topic", "one whole level"),
    (MAIN, "senml/{device}/up", "''", "signals.senml[0].topic", "the topic is empty"),
    (MAIN, "urn:{device}:", "urn {device}", "signals.senml[0].base", "cannot begin a name"),
    (MAIN, "time: ts", "value: items.²", "signals.mapped[0].value", "'²' is no place in a list; write 0, 1, 2"),
    (MAIN, "time: ts", "value: a..b", "signals.mapped[0].value", "'a..b' is no path"),
    (MAIN, "time: ts", "time: ''", "signals.mapped[0].time", "'' is no path"),
    (MAIN, "time: ts", "time: .t", "signals.mapped[0].time", "'.t' is no path"),
    (MAIN, "time: ts", "value: items.12345678901", "signals.mapped[0].value", "is no place in a list"),
    (MAIN, "time: ts", f"value: {'v' * 300}", "signals.mapped[0].value", "at most 256 characters"),
    (MAIN, "{red: 2 min}", "{red: soon}", "deadlines.accept.red", "'soon' is no duration"),
    (MAIN, "{red: 2 min}", "{rad: 2 min}", "deadlines.accept.rad", "unknown level 'rad' (did you mean 'red'?)"),
    ("roster.yaml", "20:00", "24:00", "shifts[0].start", "'24:00' is no time of day; write HH:MM"),
    # shapes
    (HILLS, "tags: [school]", "tag: [school]", "areas[0].tag", "unknown field (did you mean 'tags'?)"),
    (TYPES, "range: [0, 300]", "range: 300", "quantities.rain.range", "expected a list or nothing, got 300"),
    ("units.yaml", "kind: community", "kind: comunity", "units[0].kind", "(did you mean 'community'?)"),
    ("roster.yaml", "seats:", "seats: 5\nx:", "seats", "expected a list, got 5"),
]  # fmt: skip

# the same, with the lines between the change and where the mistake shows
MISTAKES_ELSEWHERE = [
    (
        MAIN,
        'base: "urn:{device}:"\n  frigate',
        'base: "urn:{device}:"\n    - {topic: senml, base: "{device}"}\n  frigate',
        1,
        "signals.senml[1].base",
        "'{device}' is no level of the topic",
    ),
    (HILLS, "source: GateCam", "source: tower", 1, "areas[1].cameras[1].source",
     "camera source 'tower' is already given"),
    (TYPES, "    unit: m\n", "", -2, "quantities.level", "the unit is missing"),
    (TYPES, "limit_below: false", "limit_below: true", 1, "area_types.river.level.levels",
     "red (8) must be below yellow (7)"),
    (HILLS, "count: 3", "count: 2", 4, "areas[0].points.tilt.each.3", "there is no number 3 among these 2"),
    (HILLS, "count: 3", "count: 3\n        numbers: [1]", 1, "areas[0].points.tilt.numbers", "not both"),
    (HILLS, "    type: slope\n", "", -2, "areas[0]", "the field 'type' is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "field", "words"), MISTAKES)
def test_a_mistake_is_told(edit: Edit, file: str, old: str, new: str, field: str, words: str) -> None:
    assert_told(edit, file, old, new, 0, field, words)


@pytest.mark.parametrize(("file", "old", "new", "lines", "field", "words"), MISTAKES_ELSEWHERE)
def test_a_mistake_is_told_where_it_shows(
    edit: Edit, file: str, old: str, new: str, lines: int, field: str, words: str
) -> None:
    assert_told(edit, file, old, new, lines, field, words)


def assert_told(edit: Edit, file: str, old: str, new: str, lines: int, field: str, words: str) -> None:
    problems = edit(file, old, new)
    found = [problem for problem in problems if problem.field == field and words in problem.message]
    assert found, "\n".join(map(str, problems)) or "no problem was found"
    assert found[0].file == file
    assert found[0].line == FILES[file][: FILES[file].index(old)].count("\n") + 1 + lines


def test_links_are_read_and_are_of_the_version_in_any_order(edit: Edit, folder: Path) -> None:
    assert not edit(HILLS, "id: slope-02\n", "id: slope-02\n    group: east\n")
    beside = "{kind: neighbour, areas: [slope-01, slope-02]}"
    above = "{kind: upstream, areas: [slope-02, slope-01], within: 10 min}"
    versions = set()
    for links in (f"[{beside}, {above}]", f"[{above}, {beside}]"):
        (folder / PLACES).write_text(FILES[PLACES] + f"links: {links}\n")
        site = load_site(folder)
        versions.add(site.version)
        assert {(link.kind, link.areas, link.within) for link in site.links} == {
            ("neighbour", ("slope-01", "slope-02"), 1800.0),
            ("upstream", ("slope-02", "slope-01"), 600.0),
        }
    assert len(versions) == 1


@pytest.mark.parametrize("file", [name for name in FILES if not name.startswith("areas/")])
def test_a_missing_file_is_told(folder: Path, file: str) -> None:
    (folder / file).unlink()
    site, problems = check_site(folder)
    assert site is None
    assert problems == [Problem(file, 0, "", "there is no such file")], "what it would have told is not guessed at"


def test_a_missing_folder_and_one_without_areas_are_told(folder: Path) -> None:
    assert check_site(folder / "nowhere")[1][0].message == "there is no such site folder"
    for path in (folder / "areas").iterdir():
        path.unlink()
    assert Problem("areas", 0, "", "there is no areas/*.yaml") in check_site(folder)[1]


def test_a_file_that_is_not_read_is_told(folder: Path) -> None:
    (folder / "unit.yaml").write_text("units: []\n")
    (folder / "areas" / "more.yml").write_text("areas: []\n")
    assert [str(problem) for problem in check_site(folder)[1]] == [
        "areas/more.yml: this file is not read; name it .yaml",
        "unit.yaml: this file is not read (did you mean 'units.yaml'?)",
    ]


def test_all_mistakes_of_all_files_are_told_at_once(folder: Path) -> None:
    (folder / "areas/hills.yaml").write_text(FILES["areas/hills.yaml"].replace("type: slope", "type: slop"))
    (folder / "units.yaml").write_text(FILES["units.yaml"].replace("place: east", "place: est"))
    (folder / "site.yaml").write_text("id: [\n")
    with pytest.raises(SiteError) as caught:
        load_site(folder)
    places = [(problem.file, problem.line) for problem in caught.value.problems]
    assert places == [(HILLS, 4), (HILLS, 18), (MAIN, 1), ("units.yaml", 2), ("units.yaml", 3)]
    assert str(caught.value).splitlines()[0].startswith(f"{HILLS}:4: areas[0].type: unknown area type 'slop'")


def test_a_broken_area_file_does_not_make_its_areas_unknown(folder: Path) -> None:
    (folder / "areas/shared.yaml").write_text("points:\n  - {id: r2, quantity: rain, areas: [river-01]}\n")
    (folder / "areas/water.yaml").write_text("areas: 5\n")
    assert [problem.file for problem in check_site(folder)[1]] == [WATER]


def test_a_place_cannot_lie_in_itself(edit: Edit) -> None:
    problems = edit(PLACES, "{id: east-hill-1-a,", "{id: east-hill-1,")
    assert "place 'east-hill-1' is already given at hierarchy.yaml:16" in [problem.message for problem in problems]
    (problem,) = edit(PLACES, "id: east-hill-1\n", "id: east-hill\n")
    assert problem.message == "place 'east-hill' is already given at hierarchy.yaml:13"


def test_a_mistake_in_a_template_is_told_once(edit: Edit) -> None:
    assert len(edit(TYPES, "unit: °", "unit: degrese")) == 1


def test_a_site_holds_only_so_many_points(edit: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "MAX_POINTS", 3)
    assert edit(WATER, "level: 1", "level: 2")[-1].message == "a site holds at most 3 points"


# ── No input may crash it ──


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_mutated_site_loads_or_is_refused(folder: Path, data: st.DataObject) -> None:
    write(folder, FILES)
    file = data.draw(st.sampled_from(sorted(FILES)))
    text = FILES[file]
    tokens = [*re.finditer(r"[\w.°/-]+|[\[\]{}:,]|\n *", text)]
    for token in sorted(
        data.draw(st.lists(st.sampled_from(tokens), min_size=1, max_size=3, unique_by=lambda token: token.start())),
        key=lambda token: -token.start(),
    ):
        new = data.draw(
            st.sampled_from(
                ["", "x", "-1", "0", "1e308", "9" * 30, "~", "[]", "{}", "[1, 2]", "{a: 1}", "'", "\n", "\t"]
            )
            | st.sampled_from(tokens).map(lambda other: other[0])
            | st.text(max_size=8)
        )
        text = text[: token.start()] + new + text[token.end() :]
    (folder / file).write_bytes(text.encode("utf-8", "surrogatepass"))
    site, problems = check_site(folder)
    assert (site is None) == bool(problems)
    if site is not None:
        Registry(site)


# ── What dialects call points and cameras ──


def test_points_and_cameras_are_found_by_the_names_that_dialects_have_for_them(folder: Path, edit: Edit) -> None:
    old = "        count: 3\n        normal: null\n"
    new = 'count: 3\n        normal: null\n        source_unit: mrad\n        sources: ["senml:urn:{area}:{number}"]\n'
    assert not edit("areas/hills.yaml", old, f"        {new}")
    (folder / "areas/hills.yaml").write_text(
        (folder / "areas/hills.yaml").read_text().replace("{id: tower}", '{id: tower, sources: ["gb28181:3402"]}')
    )
    registry = Registry(load_site(folder))
    found = registry.source("senml", "urn:slope-01:2")
    assert found is not None
    assert registry.by_index[found.point].id == "slope-01-tilt-2"
    assert found.scale == pytest.approx(math.degrees(0.001)) and found.offset == 0.0
    assert registry.source("senml", "urn:slope-01:2", "°") == (found.point, 1.0, 0.0), "the message knows better"
    assert registry.source("sparkplug", "urn:slope-01:2") is None
    assert registry.source("sparkplug", "rain-1") is not None, "a point's id is a name too"
    with pytest.raises(measure.UnitError):
        registry.source("senml", "urn:slope-01:2", "kPa")
    camera = registry.camera_named("gb28181", "3402")
    assert camera is not None and camera.id == "tower"
    assert registry.camera_named("onvif", "3402") is None
    assert registry.camera_named("onvif", "GateCam") is registry.camera_named("onvif", "slope-02-cam-1")


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ('sources: ["senml:urn:x"]', "point source 'senml:urn:x' is already given"),
        ("sources: [urn]", "'urn' is no source"),
        ("source_unit: furlongs_", "'furlongs_' is not a unit of measure"),
        ("source_unit: kPa", "'kPa' cannot be converted to '°'"),
        ("source_unit: dB/m", "'dB/m' cannot be converted to '°': they do not measure the same"),
        ("source_unit: dB/mm", "'dB/mm' is not a unit of measure"),
    ],
)
def test_a_wrong_name_elsewhere_is_told(edit: Edit, new: str, message: str) -> None:
    problems = edit("areas/hills.yaml", "normal: null", new)
    assert message in problems[0].message
    assert (problems[0].file, problems[0].line) == ("areas/hills.yaml", 11)


def test_no_source_unit_is_taken_from_which_no_straight_line_leads(edit: Edit) -> None:
    lines = ("normal: null", "unit: mW", "source_unit: dBm", "range: [0, 9]", "limit: null", "levels: {}")
    problems = edit("areas/hills.yaml", "normal: null", ("\n" + " " * 8).join(lines))
    why = "'dBm' cannot be converted to 'mW': one of them is no linear scale"
    told = [one for one in problems if why in one.message]
    assert [(one.file, one.line) for one in told] == [("areas/hills.yaml", 13)]


def test_no_line_is_drawn_through_a_unit_that_a_message_claims() -> None:
    point = msgspec.structs.replace(plain_site().points[0], unit="mW", source_unit="")
    registry = Registry(msgspec.structs.replace(plain_site(), points=(point,)))
    with pytest.raises(measure.UnitError, match="no linear scale"):
        registry.source("senml", point.id, "dBm")
    assert registry.conversion(point, "W") == (1000.0, 0.0)

"""A site's map: a sound one, and each mistake with its field."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors.map_checks import tile_origin
from sensors.registry import check_site, load_site
from sensors.site import SiteMap
from tests.sensors.test_registry import FILES, write

GEOJSON = '{"type": "FeatureCollection", "features": []}'
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, FILES)
    (tmp_path / "a.geojson").write_text(GEOJSON)
    (tmp_path / "a.png").write_bytes(PNG)
    return tmp_path


def say(folder: Path, text: str) -> None:
    (folder / "site.yaml").write_text(f"{FILES['site.yaml']}map: {text}\n", encoding="utf-8")


def test_a_map_is_geojson_or_a_picture_with_its_corners_or_tiles_alone(folder: Path) -> None:
    assert load_site(folder).map is None
    say(folder, "{file: a.geojson}")
    assert load_site(folder).map == SiteMap(file="a.geojson")
    say(folder, "{file: a.png, bounds: [[22.5, 113.7], [22.8, 114.0]]}")
    found = load_site(folder).map
    assert found is not None and found.bounds == ((22.5, 113.7), (22.8, 114.0))
    say(folder, "{tiles: 'https://tiles.example:8443/{z}/{x}/{y}.png', attribution: us}")
    assert tile_origin(load_site(folder).map) == "https://tiles.example:8443"
    assert tile_origin(None) == tile_origin(SiteMap(file="a.geojson")) == ""


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("{}", "map", "needs a file, or tiles"),
        ("{file: b.geojson}", "map.file", "no file b.geojson"),
        ("{file: ../site.yaml}", "map.file", "no name of a file"),
        ("{file: a.svg}", "map.file", "no name of a file"),
        ("{file: a.geojson, bounds: [[1, 1], [2, 2]]}", "map.bounds", "bounds are for a picture"),
        ("{file: a.png}", "map", "a picture needs bounds"),
        ("{file: a.png, bounds: [[2, 1], [1, 2]]}", "map.bounds", "the lower corner first"),
        ("{file: a.png, bounds: [[113, 22], [114, 23]]}", "map.bounds", "seem to be swapped"),
        ("{file: b.jpg, bounds: [[1, 1], [2, 2]]}", "map.file", "no picture of the kind"),
        ("{tiles: 'https://tiles.example/{z}/{x}.png'}", "map.tiles", "no address of tiles"),
        ("{tiles: \"https://a.example; script-src *;/{z}/{x}/{y}\"}", "map.tiles", "no address of tiles"),
        ("{tiles: 'ftp://tiles.example/{z}/{x}/{y}'}", "map.tiles", "no address of tiles"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_field(folder: Path, text: str, field: str, message: str) -> None:
    (folder / "b.jpg").write_bytes(PNG)
    say(folder, text)
    _, problems = check_site(folder)
    assert [problem.field for problem in problems][:1] == [field]
    assert message in problems[0].message


@pytest.mark.parametrize("content", ["no json", "[" * 100_000, '{"type": "Topology"}', " " * (3 << 20)])
def test_a_file_that_is_no_geojson_is_refused(folder: Path, content: str) -> None:
    (folder / "a.geojson").write_text(content)
    say(folder, "{file: a.geojson}")
    _, problems = check_site(folder)
    assert [problem.field for problem in problems] == ["map.file"]

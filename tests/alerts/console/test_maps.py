"""The site's map over the API: its file as it lies in the folder, the drawings of plans, and how each area stands."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
from starlette.testclient import TestClient

from alerts.console.accounts import add_token
from sensors.site import Overlay, Place, Plan, Site, SiteMap, Text

from .conftest import Configure, Desktop, named

GEOJSON = '{"type": "FeatureCollection", "features": []}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "plans").mkdir(parents=True)
    (folder / "map.geojson").write_text(GEOJSON)
    (folder / "plans" / "a.geojson").write_text(GEOJSON)
    (folder / "plans" / "secret.geojson").write_text(GEOJSON)
    return folder


def mapped(site: Site, **changes: object) -> Site:
    plan = Plan(id="slope", name=Text(zh="a", en="a"), overlays=(Overlay(name=named("x"), file="a.geojson"),))
    return msgspec.structs.replace(site, map=SiteMap(file="map.geojson", **changes), plans=(plan,))


def test_the_map_is_served_once_and_again_only_when_it_was_drawn_anew(
    configure: Configure, site: Site, folder: Path
) -> None:
    desktop = Desktop(configure(site=mapped(site), folder=folder))
    with desktop.client() as client:
        headers = desktop.token("field")
        assert client.get("/api/v1/site", headers=headers).json()["map"]["kind"] == "geojson"
        answer = client.get("/api/v1/map", headers=headers)
        assert (answer.status_code, answer.text) == (200, GEOJSON)
        assert answer.headers["content-type"] == "application/geo+json"
        again = {**headers, "If-None-Match": answer.headers["etag"]}
        assert client.get("/api/v1/map", headers=again).status_code == 304
        (folder / "map.geojson").write_text(GEOJSON + "\n")
        assert client.get("/api/v1/map", headers=again).status_code == 200


def test_what_the_site_does_not_name_is_not_served(configure: Configure, site: Site, folder: Path) -> None:
    desktop = Desktop(configure(site=mapped(site), folder=folder))
    with desktop.client() as client:
        headers = desktop.token("viewer")
        assert client.get("/api/v1/plans/slope/overlays/a.geojson", headers=headers).text == GEOJSON
        for path in ("plans/slope/overlays/secret.geojson", "plans/none/overlays/a.geojson"):
            assert client.get(f"/api/v1/{path}", headers=headers).status_code == 404
        (folder / "map.geojson").unlink()
        (folder / "map.geojson").symlink_to(folder / "plans" / "secret.geojson")
        assert client.get("/api/v1/map", headers=headers).status_code == 404


def test_a_site_without_a_map_says_so(client: TestClient, desktop: Desktop) -> None:
    headers = desktop.token("viewer")
    assert client.get("/api/v1/site", headers=headers).json()["map"]["kind"] == "none"
    assert client.get("/api/v1/map", headers=headers).status_code == 404


def test_only_the_tile_server_that_the_site_names_may_send_pictures(
    configure: Configure, site: Site, folder: Path, client: TestClient
) -> None:
    assert "img-src 'self' data: blob:;" in client.get("/healthz").headers["content-security-policy"]
    tiles = "https://tiles.example/{z}/{x}/{y}.png"
    with Desktop(configure(site=mapped(site, tiles=tiles), folder=folder)).client() as other:
        policy = other.get("/healthz").headers["content-security-policy"]
    assert "img-src 'self' data: blob: https://tiles.example;" in policy


def test_each_area_tells_how_many_of_its_points_and_cameras_are_live(client: TestClient, desktop: Desktop) -> None:
    now = time.time()
    traces = desktop.console.traces
    for point, seen in ((0, now), (1, now - 3600)):
        one = np.array([float(seen)])
        traces.append(np.array([point], np.uint32), one, one, np.zeros(1, np.float32), seen)
    told = client.get("/api/v1/areas/status", headers=desktop.token("duty")).json()
    answer = told["items"]
    assert answer[0]["area"] == "slope-1"
    assert answer[0]["points"] == {"live": 1, "stale": 1, "never": 1}
    assert sum(answer[0]["cameras"].values()) == 1
    assert answer[1]["points"] == {"live": 0, "stale": 0, "never": 0}
    assert {one["place"]: one["points"] for one in told["places"]} == dict.fromkeys("dsc", answer[0]["points"])


def test_a_point_of_two_areas_is_counted_once_in_a_place_and_no_place_that_is_seen_in_part(
    configure: Configure, site: Site
) -> None:
    places = (*site.places, Place(id="c2", kind="community", name=site.name, parent="s"))
    shared = msgspec.structs.replace(site.points[0], areas=("slope-1", "slope-2"))
    areas = (site.areas[0], msgspec.structs.replace(site.areas[1], place="c2"))
    site = msgspec.structs.replace(site, places=places, areas=areas, points=(shared, *site.points[1:]))
    desktop = Desktop(configure(site=site))
    with desktop.client() as client:
        told = client.get("/api/v1/areas/status", headers=desktop.token("duty")).json()
        assert [one["points"]["never"] for one in told["items"]] == [3, 1]
        assert {one["place"]: one["points"]["never"] for one in told["places"]} == {"d": 3, "s": 3, "c": 3, "c2": 1}
        _, secret = add_token(desktop.console.accounts, "confined", ["viewer"], places=("c2",))
        told = client.get("/api/v1/areas/status", headers={"Authorization": f"Bearer {secret}"}).json()
        assert [one["place"] for one in told["places"]] == ["c2"]

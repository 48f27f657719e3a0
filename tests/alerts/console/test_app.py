from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from alerts.console import schema
from alerts.console.routes import ROUTERS
from tests.waiting import until

from .conftest import Configure, Desktop, Engine

CONTRACT = {
    ("POST", "/api/v1/session"),
    ("DELETE", "/api/v1/session"),
    ("GET", "/api/v1/me"),
    ("GET", "/api/v1/sign-in"),
    *(("GET", f"/api/v1/oidc/{step}") for step in ("begin", "callback", "end")),
    ("POST", "/api/v1/oidc/logout"),
    ("POST", "/api/v1/me/second-step/code"),
    ("POST", "/api/v1/first-administrator"),
    ("GET", "/api/v1/site"),
    ("GET", "/api/v1/status"),
    ("GET", "/api/v1/load"),
    ("GET", "/api/v1/incidents"),
    ("GET", "/api/v1/incidents/{id}"),
    *(("POST", f"/api/v1/incidents/{{id}}/{verb}") for verb in ("acknowledge", "dispatch", "comment", "close")),
    *(("POST", f"/api/v1/incidents/{{id}}/{verb}") for verb in ("tick", "untick", "merge", "split")),
    ("GET", "/api/v1/incidents/{id}/plan.pdf"),
    ("GET", "/api/v1/situation"),
    ("GET", "/api/v1/situation/report.pdf"),
    *((verb, f"/api/v1/system/{what}") for verb in ("GET", "POST") for what in ("checks", "backups")),
    ("POST", "/api/v1/me/mute"),
    ("POST", "/api/v1/me/second-step"),
    ("PUT", "/api/v1/me/second-step"),
    ("POST", "/api/v1/me/second-step/remove"),
    ("DELETE", "/api/v1/users/{name}/second-step"),
    *(("POST", f"/api/v1/{whose}/{verb}") for whose in ("users/{name}", "subjects") for verb in ("export", "erase")),
    ("GET", "/api/v1/sessions"),
    ("DELETE", "/api/v1/sessions/{id}"),
    ("GET", "/api/v1/plans"),
    ("GET", "/api/v1/duty"),
    ("GET", "/api/v1/handover"),
    ("GET", "/api/v1/handover/sheet.pdf"),
    ("POST", "/api/v1/handover/sign"),
    ("GET", "/api/v1/handovers"),
    ("GET", "/api/v1/handovers/{id}/sheet.pdf"),
    ("GET", "/api/v1/exercises"),
    ("POST", "/api/v1/exercises"),
    ("GET", "/api/v1/exercises/scripts"),
    ("POST", "/api/v1/exercises/{id}/end"),
    ("GET", "/api/v1/exercises/{id}"),
    ("GET", "/api/v1/exercises/{id}/report.pdf"),
    ("GET", "/api/v1/plans/{id}"),
    ("GET", "/api/v1/plans/{id}/sheet.pdf"),
    ("GET", "/api/v1/alarms"),
    ("GET", "/api/v1/alarms/{id}"),
    ("GET", "/api/v1/publications"),
    ("GET", "/api/v1/models"),
    ("GET", "/api/v1/models/points"),
    *(("POST", f"/api/v1/models/{verb}") for verb in ("promote", "rollback")),
    ("GET", "/api/v1/rules/shadow"),
    *(("POST", f"/api/v1/rules/shadow{verb}") for verb in ("", "/promote", "/drop")),
    ("GET", "/api/v1/rules"),
    ("GET", "/api/v1/rules/{id}/text"),
    ("GET", "/api/v1/rules/precision"),
    *(("GET", f"/api/v1/rules/{what}") for what in ("schema", "words", "drafts", "{id}/history")),
    *((method, "/api/v1/rules/{id}/draft") for method in ("GET", "PUT", "DELETE")),
    *(("POST", f"/api/v1/rules/{step}") for step in ("check", "{id}/shadow", "{id}/publish")),
    ("GET", "/api/v1/replays"),
    ("POST", "/api/v1/replays"),
    ("GET", "/api/v1/replays/{id}"),
    ("DELETE", "/api/v1/replays/{id}"),
    ("GET", "/api/v1/proposals"),
    ("GET", "/api/v1/modes"),
    ("GET", "/api/v1/candidates"),
    ("POST", "/api/v1/candidates/{id}/merge"),
    ("POST", "/api/v1/candidates/{id}/drop"),
    ("GET", "/api/v1/silences"),
    ("POST", "/api/v1/silences"),
    ("POST", "/api/v1/silences/{id}/prolong"),
    ("POST", "/api/v1/silences/{id}/end"),
    *(("POST", f"/api/v1/modes{verb}") for verb in ("", "/end")),
    *(("POST", f"/api/v1/proposals/{{number}}/{verb}") for verb in ("approve", "reject")),
    ("POST", "/api/v1/publications"),
    ("GET", "/api/v1/shelved"),
    *(("POST", f"/api/v1/alarms/{{id}}/{verb}") for verb in ("acknowledge", "comment", "assign", "shelve", "unshelve")),
    ("POST", "/api/v1/alarms/{id}/reset"),
    ("POST", "/api/v1/attachments"),
    ("GET", "/api/v1/alarms/{id}/attachments/{sha}"),
    *(("POST", f"/api/v1/alarms/{{id}}/{verb}") for verb in ("out-of-service", "in-service", "suppress", "unsuppress")),
    ("GET", "/api/v1/cameras/operations"),
    ("GET", "/api/v1/cameras/{id}/live.mjpeg"),
    ("GET", "/api/v1/cameras/{id}/still.jpg"),
    ("POST", "/api/v1/readings"),
    ("POST", "/api/v1/reports"),
    ("GET", "/api/v1/reports"),
    ("GET", "/api/v1/reports/{id}/photo.jpg"),
    ("GET", "/api/v1/dispatches"),
    ("GET", "/api/v1/dispatches/{id}"),
    *(("POST", f"/api/v1/dispatches/{{id}}/{verb}") for verb in ("accept", "refuse", "on-scene", "resolve", "close")),
    *(("POST", f"/api/v1/dispatches/{{id}}/{verb}") for verb in ("feed-back", "follow-up", "refer", "call")),
    *(("POST", f"/api/v1/dispatches/{{id}}/{verb}") for verb in ("tick", "untick")),
    ("GET", "/api/v1/points/{id}/trace"),
    ("GET", "/api/v1/areas/{id}/status"),
    ("GET", "/api/v1/areas/status"),
    ("GET", "/api/v1/map"),
    ("GET", "/api/v1/explore"),
    ("GET", "/api/v1/explore/events"),
    ("GET", "/api/v1/explore.csv"),
    ("GET", "/api/v1/plans/{id}/overlays/{file}"),
    ("GET", "/api/v1/snapshots/{name}"),
    ("GET", "/api/v1/quarantine"),
    ("GET", "/api/v1/quarantine/statistics"),
    ("GET", "/api/v1/quarantine/{id}"),
    ("POST", "/api/v1/quarantine/replay"),
    ("GET", "/api/v1/quality"),
    ("GET", "/api/v1/quality/rates"),
    ("GET", "/api/v1/users"),
    ("POST", "/api/v1/users"),
    ("PATCH", "/api/v1/users/{name}"),
    ("GET", "/api/v1/tokens"),
    ("POST", "/api/v1/tokens"),
    ("DELETE", "/api/v1/tokens/{id}"),
    ("GET", "/api/v1/audit"),
    ("GET", "/api/v1/notifications"),
    ("POST", "/api/v1/notifications/{target}/retry"),
    ("POST", "/api/v1/notifications/{target}/test"),
    ("GET", "/api/v1/cap.atom"),
    ("GET", "/api/v1/cap/{id}"),
    ("POST", "/api/v1/replies"),
    ("GET", "/reply/{code}"),
    ("POST", "/reply/{code}"),
    ("POST", "/api/v1/callbacks/{target}"),
    ("GET", "/api/v1/changes"),
    ("GET", "/metrics"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
}


def routes() -> set[tuple[str, str]]:
    return {
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }


def test_the_routes_are_those_of_the_contract() -> None:
    assert routes() == CONTRACT


def test_openapi_covers_every_route_and_names_no_other_shape_of_error(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert described == CONTRACT
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert document["components"]["schemas"]["Error"]
    text = str(document)
    for name in re.findall(r"#/components/schemas/([A-Za-z]+)", text):
        assert name in document["components"]["schemas"], name


def test_every_answer_carries_the_security_headers_and_no_server_name(client: TestClient) -> None:
    for path in ("/", "/api/v1/me", "/healthz", "/nothing"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers


def test_an_unexpected_error_says_no_more_than_that(client: TestClient, desktop: Desktop) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("secret detail")

    desktop.console.journal.ask = broken
    answer = client.get("/api/v1/incidents", headers=desktop.token("duty"))
    assert answer.status_code == 500
    assert answer.json() == {"error": {"code": "internal", "message": "something went wrong in the server"}}


def test_a_missing_path_of_the_api_is_an_error_in_json(client: TestClient) -> None:
    answer = client.get("/api/v1/nothing", headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert answer.status_code == 404
    assert answer.json() == {"error": {"code": "not_found", "message": "没有找到"}}


def test_the_page_says_in_both_languages_that_it_is_not_built(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 503
    assert "尚未构建" in answer.text
    assert "not built" in answer.text


def test_the_built_page_is_served_with_its_cache_rules(client: TestClient, desktop: Desktop, tmp_path: Path) -> None:
    folder = desktop.config.static
    (folder / "assets").mkdir(parents=True)
    (folder / "assets" / "main-1234.js").write_text("let x = 1;" * 200)
    (folder / "index.html").write_text('<!doctype html><html lang="en" class="x"><title>Foreshock</title>')
    (tmp_path / "outside.txt").write_text("no")
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-cache"
    assert '<html lang="zh-CN" class="x">' in page.text  # the site's language, whatever the page was built with
    assert client.get("/", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    (folder / "field").mkdir()
    (folder / "field" / "index.html").write_text('<!doctype html><html lang="en"><title>Field</title>')
    (folder / "field" / "manifest.webmanifest").write_text("{}")
    (folder / "index.html").write_text("<!doctype html>")  # built anew
    assert '<html lang="zh-CN">' in client.get("/field/").text
    assert client.get("/field", follow_redirects=False).headers["location"] == "field/"
    assert client.get("/field/manifest.webmanifest").headers["content-type"] == "application/manifest+json"
    script = client.get("/assets/main-1234.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["content-encoding"] == "gzip"
    assert "immutable" in script.headers["cache-control"]
    for path in ("/../outside.txt", "/%2e%2e/outside.txt", "/assets/..%2f..%2foutside.txt", "/assets/"):
        assert client.get(path).status_code == 404


def test_readiness_names_what_is_missing(client: TestClient, engine: Engine, configure: Configure) -> None:
    until(lambda: client.get("/readyz").status_code == 200)
    well = {"accounts": True, "journal": True, "feed": True, "disk": True}
    assert client.get("/readyz").json() == {"ok": True, "checks": well}
    with Desktop(configure(journal="sqlite:////nowhere/journal.sqlite")).client() as other:
        answer = other.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["journal"] is False
        assert other.get("/healthz").status_code == 200
    with Desktop(configure(least_free=1 << 62)).client() as other:
        answer = other.get("/readyz")
        assert answer.status_code == 503 and answer.json()["checks"]["disk"] is False


def test_without_a_journal_lists_say_so(configure: Configure) -> None:
    desktop = Desktop(configure(journal="sqlite:////nowhere/journal.sqlite"))
    with desktop.client() as client:
        answer = client.get("/api/v1/incidents", headers=desktop.token("duty"))
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "no_journal"


def test_metrics_count_requests_by_route_and_carry_the_figures(desktop: Desktop) -> None:
    with desktop.client(client=("127.0.0.1", 1)) as client:
        client.get("/api/v1/points/p1/trace", headers=desktop.token("viewer"))
        text = client.get("/metrics").text
    assert 'route="/api/v1/points/{id}/trace",status="2xx"' in text
    assert "foreshock_points_total 3.0" in text


def test_metrics_are_for_this_machine_or_a_token(client: TestClient, desktop: Desktop) -> None:
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers=desktop.token("viewer")).status_code == 403
    assert client.get("/metrics", headers=desktop.token("analyst")).status_code == 200


def test_the_site_is_described_once_and_fits_its_model(client: TestClient, desktop: Desktop) -> None:
    headers = desktop.token("field")
    answer = client.get("/api/v1/site", headers=headers)
    site = schema.Site.model_validate(answer.json())
    assert site.areas[0].subdistrict == "s"
    assert site.areas[0].points == ["p0", "p1", "p2"]
    assert site.areas[0].cameras == ["cam"]
    assert site.units[0].contact is None
    sending = client.get("/api/v1/site", headers=desktop.token("dispatcher")).json()
    assert schema.Site.model_validate(sending).units[0].contact == "110"
    again = client.get("/api/v1/site", headers={**headers, "If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304

"""What people reported, as it is listed, and who may look at the photos."""

from __future__ import annotations

import base64
from typing import Any

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from alerts.console.accounts import list_audit
from alerts.outcome import Reported
from alerts.policy import Policy
from alerts.retention import DAY, keep

from .conftest import Desktop, Engine

NOW = 1_767_225_600.0


def told(number: int = 1, **changes: Any) -> Reported:
    fields = {"id": f"report-{number}", "area": "slope-1", "category": "noise", "time": NOW + number}
    return Reported(**{**fields, "received": NOW + number, "text": "loud", "actor": "user:li", **changes})


def ids(client: TestClient, desktop: Desktop, role: str = "duty", **asked: Any) -> list[str]:
    answer = client.get("/api/v1/reports", params=asked, headers=desktop.token(role))
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


@pytest.fixture
def many(engine: Engine) -> None:
    engine.record([told(1), told(2, category="smoke", area="slope-2")])
    engine.record([told(3, subject="5f" * 12), told(4, subject="5f" * 12, area="slope-2")])


def test_reports_are_listed_newest_first_with_all_that_was_said(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    engine.record([told(1), told(2, subject="5f" * 12, simulated=True)])
    newest, oldest = client.get("/api/v1/reports", headers=desktop.token("viewer")).json()["items"]
    assert newest == {
        "id": "report-2",
        "area": "slope-1",
        "category": "noise",
        "time": NOW + 2,
        "received": NOW + 2,
        "text": "loud",
        "subject": "5f" * 12,
        "photo": None,
        "actor": "user:li",
        "simulated": True,
    }
    assert (oldest["id"], oldest["subject"]) == ("report-1", None)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [4, 3, 2, 1]),
        ({"category": "smoke"}, [2]),
        ({"area": "slope-2"}, [4, 2]),
        ({"place": "c"}, [4, 3, 2, 1]),
        ({"place": "s", "area": "slope-1"}, [3, 1]),
        ({"subject": "5f" * 12}, [4, 3]),
        ({"from": NOW + 2, "to": NOW + 3}, [3, 2]),
        ({"from": NOW + 9}, []),
    ],
)
def test_they_are_found_by_category_place_subject_and_time(
    client: TestClient, desktop: Desktop, many: None, asked: dict[str, Any], found: list[int]
) -> None:
    assert ids(client, desktop, **asked) == [f"report-{number}" for number in found]


def test_they_are_paged(client: TestClient, desktop: Desktop, many: None) -> None:
    headers = desktop.token("duty")
    seen, before = [], None
    for _ in range(4):
        asked = {"limit": 3} | ({"before": before} if before else {})
        page = client.get("/api/v1/reports", params=asked, headers=headers).json()
        seen += [one["id"] for one in page["items"]]
        before = page["next"]
        if before is None:
            break
    assert seen == ["report-4", "report-3", "report-2", "report-1"]


def test_one_that_is_journalled_again_counts_once(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    engine.record([told(1)])
    engine.record([told(1, text="changed")])
    [one] = client.get("/api/v1/reports", headers=desktop.token("duty")).json()["items"]
    assert one["text"] == "loud"


@pytest.mark.parametrize(
    ("asked", "field"), [({"area": "none"}, "area"), ({"place": "none"}, "place"), ({"limit": 0}, "limit")]
)
def test_a_wrong_question_is_refused_by_its_field(
    client: TestClient, desktop: Desktop, asked: dict[str, Any], field: str
) -> None:
    answer = client.get("/api/v1/reports", params=asked, headers=desktop.token("duty"))
    assert answer.status_code == 422 and answer.json()["error"]["field"].endswith(field)


@pytest.mark.parametrize("role", ["gateway", "field"])
def test_who_may_not_see_incidents_sees_no_reports(client: TestClient, desktop: Desktop, role: str) -> None:
    assert client.get("/api/v1/reports", headers=desktop.token(role)).status_code == 403
    assert client.get("/api/v1/reports").status_code == 401


def test_what_is_old_is_dropped(engine: Engine, client: TestClient, desktop: Desktop, many: None) -> None:
    assert keep(engine.journal.engine, Policy(reports=1.0), NOW + 3 + DAY).reports == 2
    assert ids(client, desktop) == ["report-4", "report-3"]


@pytest.fixture
def photo(client: TestClient, desktop: Desktop, engine: Engine) -> str:
    """Bring a report with a photo; give the photo's name."""
    picture = cv2.imencode(".png", np.zeros((20, 30, 3), np.uint8))[1].tobytes()
    body = {"category": "smoke", "area": "slope-1", "photo": base64.b64encode(picture).decode()}
    name: str = client.post("/api/v1/reports", json=body, headers=desktop.token("duty")).json()["photo"]
    engine.record([told(1, photo=name), told(2), told(3, photo="../../secret")])
    return name


def test_a_photo_is_for_those_who_may_look_and_each_look_is_audited(
    client: TestClient, desktop: Desktop, photo: str
) -> None:
    headers = desktop.token("duty")
    listed = {one["id"]: one for one in client.get("/api/v1/reports", headers=headers).json()["items"]}
    url = listed["report-1"]["photo"]
    assert url == "/api/v1/reports/report-1/photo.jpg" and listed["report-2"]["photo"] is None
    assert not [one for one in list_audit(desktop.console.accounts) if one.action == "report.photo"], (
        "a list is no look"
    )
    for _ in range(2):
        got = client.get(url, headers=headers)
        assert got.content.startswith(b"\xff\xd8") and got.headers["cache-control"] == "private, no-store"
    looks = [one for one in list_audit(desktop.console.accounts) if one.action == "report.photo"]
    assert [one.target for one in looks] == ["report-1", "report-1"]


@pytest.mark.parametrize("role", ["viewer", "analyst"])
def test_a_photo_is_neither_named_nor_given_to_others(
    client: TestClient, desktop: Desktop, photo: str, role: str
) -> None:
    headers = desktop.token(role)
    listed = client.get("/api/v1/reports", headers=headers).json()["items"]
    assert [one["photo"] for one in listed] == [None, None, None] and photo not in str(listed)
    assert client.get("/api/v1/reports/report-1/photo.jpg", headers=headers).status_code == 403
    assert client.get(f"/api/v1/snapshots/{photo}.jpg", headers=headers).status_code == 403, "nor by its hash"


def test_a_photo_by_its_hash_is_audited_too(client: TestClient, desktop: Desktop, photo: str) -> None:
    assert client.get(f"/api/v1/snapshots/{photo}.jpg", headers=desktop.token("duty")).status_code == 200
    [look] = [one for one in list_audit(desktop.console.accounts) if one.action == "report.photo"]
    assert look.target == f"sha256:{photo}"


@pytest.mark.parametrize("id", ["report-2", "report-3", "report-9", "..%2f..%2fetc"])
def test_no_photo_is_not_found(client: TestClient, desktop: Desktop, photo: str, id: str) -> None:
    assert client.get(f"/api/v1/reports/{id}/photo.jpg", headers=desktop.token("duty")).status_code == 404

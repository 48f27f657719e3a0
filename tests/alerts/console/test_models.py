"""Models over HTTP: listed with their figures, promoted and taken back with a reason that the audit keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from alerts.console.accounts import list_audit
from alerts.triage_folder import in_force
from models.triage.fitting import fit
from models.triage.store import Facts, encode
from sensors.site import Site
from streams import bundle, publication, settings, triage_models
from streams.bundle import Bundle
from streams.processes.console import ModelDesk
from tests.models.triage.verdicts import drawn

from .conftest import Configure, Desktop


@pytest.fixture
def versions(tmp_path: Path, site: Site) -> list[str]:
    """Name two models of triage in a data folder beside which nothing runs."""
    publication.write(tmp_path, bundle.pack(Bundle(site=site)))
    found = []
    for seed in range(2):
        fitted = fit([verdict for verdict, _ in drawn(300, seed)])
        facts = Facts(begin=1.0, end=2.0, code="0.1", trained=3.0 + seed, figures=fitted.figures)
        found.append(triage_models.keep(tmp_path, encode(fitted.model, facts)).version)
    return found


@pytest.fixture
def desktop(configure: Configure, tmp_path: Path, versions: list[str]) -> Desktop:
    return Desktop(configure(model_desk=ModelDesk(settings.load({}, data=str(tmp_path)))))


@pytest.fixture
def client(desktop: Desktop) -> Iterator[TestClient]:
    with desktop.client() as client:
        yield client


def test_models_are_listed_with_figures_calibration_and_drift(
    client: TestClient, desktop: Desktop, versions: list[str]
) -> None:
    headers = desktop.token("analyst")
    told = client.get("/api/v1/models", headers=headers).json()
    assert [one["version"] for one in told["triage"]] == versions[::-1], "the latest learnt first"
    one = told["triage"][0]
    assert (one["in_force"], one["promoted"], one["since"], one["code"]) == (False, None, None, "0.1")
    assert len(one["figures"]["bins"]) == 5 and set(one["figures"]["bins"][0]) == {"count", "told", "real"}
    body = {"version": versions[0], "reason": "three weeks of verdicts"}
    assert client.post("/api/v1/models/promote", json=body, headers=headers).status_code == 200
    one = client.get("/api/v1/models", headers=headers).json()["triage"][1]
    assert one["in_force"] and one["promoted"]["reason"] == "three weeks of verdicts"
    assert one["since"]["verdicts"] == 0 and one["warning"] == {}


def test_a_promotion_and_a_rollback_are_audited_with_their_reason(
    client: TestClient, desktop: Desktop, versions: list[str], tmp_path: Path
) -> None:
    headers = desktop.token("analyst")
    for version in versions:
        body = {"version": version, "reason": "better by far"}
        told = client.post("/api/v1/models/promote", json=body, headers=headers).json()
        assert (told["of"], told["version"], told["changed"], told["waiting"]) == ("triage", version, True, False)
    body = {"of": "triage", "present": versions[0], "reason": "no, back"}
    refused = client.post("/api/v1/models/rollback", json=body, headers=headers)
    assert refused.status_code == 409 and f"{versions[1]} is in force by now" in refused.text
    body["present"] = versions[1]
    told = client.post("/api/v1/models/rollback", json=body, headers=headers).json()
    assert (told["version"], told["before"]) == (versions[0], versions[1])
    stored = in_force(tmp_path)
    assert stored is not None and stored.version == versions[0]
    entries = [one for one in list_audit(desktop.console.accounts) if one.action.startswith("models.")]
    assert [(one.action, one.target, one.detail["reason"]) for one in entries] == [
        ("models.rollback", "triage", "no, back"),
        ("models.rollback", "triage", "no, back"),
        ("models.promote", versions[1], "better by far"),
        ("models.promote", versions[0], "better by far"),
    ]
    assert "is in force by now" in entries[1].detail["refused"] and entries[0].actor.startswith("token:analyst")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("promote", {"version": "0" * 12}),
        ("promote", {"version": "0" * 12, "reason": " "}),
        ("promote", {"version": "0" * 12, "reason": "x" * 501}),
        ("promote", {"version": "../../../etc", "reason": "x"}),
        ("promote", {"version": "0" * 12, "reason": "x", "force": True}),
        ("rollback", {"of": "", "present": "0" * 12, "reason": "x"}),
        ("rollback", {"of": "triage", "present": "", "reason": "x"}),
    ],
)
def test_what_is_no_order_is_refused(client: TestClient, desktop: Desktop, path: str, body: dict[str, object]) -> None:
    answer = client.post(f"/api/v1/models/{path}", json=body, headers=desktop.token("administrator"))
    assert answer.status_code == 422


def test_a_model_that_is_not_there_is_said(client: TestClient, desktop: Desktop) -> None:
    body = {"version": "0" * 12, "reason": "x"}
    answer = client.post("/api/v1/models/promote", json=body, headers=desktop.token("analyst"))
    assert answer.status_code == 409 and "no model of version" in answer.json()["error"]["message"]


def test_points_are_asked_for_page_by_page(client: TestClient, desktop: Desktop) -> None:
    headers = desktop.token("duty")
    told = client.get("/api/v1/models/points?limit=1&order=point", headers=headers).json()
    assert len(told["items"]) == 1 and told["next"] == 1 and told["states"]["never"] == told["total"]
    assert client.get("/api/v1/models/points?area=nowhere", headers=headers).status_code == 404
    for wrong in ("limit=501", "order=best", "state=odd", "offset=-1", f"find={'x' * 201}"):
        assert client.get(f"/api/v1/models/points?{wrong}", headers=headers).status_code == 422

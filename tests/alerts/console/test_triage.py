"""Odds over HTTP: a number beside each open alarm, never an alarm less, a lower level or another order."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from tests.alerts.test_triage import promoted

from .conftest import Desktop, Engine


def test_the_same_alarms_come_in_the_same_order_with_and_without_a_model(
    client: TestClient, desktop: Desktop, engine: Engine, tmp_path: Path
) -> None:
    for level, rule in ((4, "motion"), (1, "creep"), (2, "motion-2"), (3, "creep-2")):
        engine.condition(level=level, rule=rule)
    headers = desktop.token("duty")

    def asked(path: str) -> list[dict[str, object]]:
        return client.get(f"/api/v1/{path}", headers=headers).json()["items"]

    alarms, incidents = asked("alarms"), asked("incidents")
    assert len(alarms) == 4 and all(one["odds"] is None for one in alarms)
    promoted(tmp_path)
    told = asked("alarms")
    assert all(0.0 < float(str(one["odds"])) < 1.0 for one in told)
    assert [{**one, "odds": None, "odds_reason": None} for one in told] == alarms, "nothing hidden, lowered or moved"
    of = {one["id"]: one["odds"] for one in told}
    later = asked("incidents")
    assert [one["odds"] for one in later] == [max(of[id] for id in one["alarms"]) for one in later]
    assert [{**one, "odds": None} for one in later] == incidents and incidents[0]["level"] == "red"
    whole = client.get(f"/api/v1/incidents/{later[0]['id']}", headers=headers).json()
    assert whole["odds"] == later[0]["odds"] == max(one["odds"] for one in whole["alarm_details"])
    one = client.get(f"/api/v1/alarms/{told[0]['id']}", headers=headers).json()
    assert one["odds"] == told[0]["odds"]


def test_simulated_alarms_have_no_odds(client: TestClient, desktop: Desktop, engine: Engine, tmp_path: Path) -> None:
    promoted(tmp_path)
    engine.condition(simulated=True)
    [one] = client.get("/api/v1/alarms", headers=desktop.token("duty")).json()["items"]
    assert one["odds"] is None

"""Rules over the API: those in force are listed and found, one is written out as YAML to be changed and tried."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.console import schema
from alerts.console.accounts import list_audit
from alerts.console.config import Publish
from alerts.outcome import Record, ShadowChange
from alerts.rule_costs import FILE, Measured, keep
from rules.metering import Cost
from sensors.site import Site
from streams import bundle, publication
from streams.bundle import Bundle
from streams.processes.console import RuleDesk
from streams.settings import Settings
from tests.alerts.console.conftest import Configure, Desktop, Engine

URL = "/api/v1/rules"
LEVEL: dict[str, Any] = {"level": "red", "when": "value > 3 m", "clear": None, "hold": 60.0, "clear_after": 0.0}


def rule(zh: str, **more: Any) -> dict[str, Any]:
    return {"title": {"zh": zh, "en": "Deep water"}, "rationale": {"review": "2027-01-01"}, "levels": [LEVEL]} | more


@pytest.fixture
def desk(configure: Configure) -> Desktop:
    rules = {"level-2": rule("桥下积水"), "level-1": rule("水位过高", template="level"), "gas": rule("燃气")}
    return Desktop(configure(rules=rules, rule_text=lambda id: f"rules: [{id}]\n" if id in rules else None))


def test_rules_in_force_are_listed_by_id_and_found_by_words(desk: Desktop) -> None:
    with desk.client() as client:
        headers = desk.token("duty")
        told = schema.Rules.model_validate(client.get(URL, headers=headers).json())
        assert ([one.id for one in told.items], told.total) == (["gas", "level-1", "level-2"], 3)
        assert told.items[1].template == "level" and told.items[1].levels[0].when == "value > 3 m"
        assert told.items[1].rationale["review"] == "2027-01-01"
        some = client.get(URL, params={"offset": 1, "limit": 1}, headers=headers).json()
        assert ([one["id"] for one in some["items"]], some["total"]) == (["level-1"], 3)
        found = client.get(URL, params={"find": " 积水 "}, headers=headers).json()
        assert ([one["id"] for one in found["items"]], found["total"]) == (["level-2"], 1)
        assert client.get(URL, params={"find": "LEVEL-"}, headers=headers).json()["total"] == 2


def test_a_rule_is_written_out_and_one_that_is_not_in_force_is_not_found(desk: Desktop) -> None:
    with desk.client() as client:
        headers = desk.token("analyst")
        assert client.get(f"{URL}/gas/text", headers=headers).json() == {"id": "gas", "text": "rules: [gas]\n"}
        assert client.get(f"{URL}/none/text", headers=headers).status_code == 404
        assert client.get(f"{URL}/gas/text", headers=desk.token("viewer")).status_code == 403


def test_what_a_rule_costs_is_told_of_the_version_that_was_measured(desk: Desktop) -> None:
    data = desk.console.config.data
    cost = Cost(rule="gas", cpu=0.002, bytes=4800, places=3, readings=1000)
    keep(data, {"gas": Measured(1, 5.0, cost), "level-1": Measured(2, 5.0, cost)})
    with desk.client() as client:
        gas, older, unknown = client.get(URL, headers=desk.token("duty")).json()["items"]
        assert gas["cost"] == {"time": 5.0, "seconds": pytest.approx(2e-6), "bytes": 4800, "places": 3}
        assert older["cost"] is unknown["cost"] is None
        (data / FILE).write_text("{")
        assert client.get(URL, headers=desk.token("duty")).json()["items"][0]["cost"] is None


def test_that_a_folder_was_to_run_in_the_shadow_and_could_not_is_audited(configure: Configure, site: Site) -> None:
    data = configure().data
    publication.write(data, bundle.pack(Bundle(site=site)))
    found = Settings(data=str(data), site=str(data / "nowhere"))
    desk = Desktop(configure(rule_desk=RuleDesk(found)))
    with desk.client() as client:
        answer = client.post(f"{URL}/shadow", json={"reason": "calmer"}, headers=desk.token("analyst"))
        assert answer.status_code == 422 and answer.json()["problems"]
        (entry,) = (one for one in list_audit(desk.console.accounts) if one.action == "rules.shadow")
        assert (entry.target, entry.detail["reason"], entry.detail["problems"] > 0) == ("folder", "calmer", True)


@pytest.mark.parametrize("step", ["promote", "drop"])
def test_who_looked_at_one_set_of_shadow_rules_decides_about_no_other(
    configure: Configure, engine: Engine, step: str
) -> None:
    began = ShadowChange(id="b", shadow="s-2", partition=0, edge="began", time=5.0, author="user:wang")
    engine.journal.record([Record(0, 1, (began,))])
    desk = Desktop(configure(rule_desk=RuleDesk(Settings(data=str(configure().data)))))
    with desk.client() as client:
        headers = desk.token("analyst")
        body = {"reason": "three calm nights", "shadow": "s-1"}
        answer = client.post(f"{URL}/shadow/{step}", json=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "shadow_moved")
        assert "another set" in answer.json()["error"]["message"]
        assert not [one for one in list_audit(desk.console.accounts) if one.action.startswith("rules.")]
        if step == "promote":  # the one that runs is decided about: its rules are not kept here
            answer = client.post(f"{URL}/shadow/{step}", json=body | {"shadow": "s-2"}, headers=headers)
            assert (answer.status_code, "s-2" in answer.text) == (409, True)


def test_nothing_is_published_without_a_reason_and_a_look_takes_none(configure: Configure) -> None:
    asked: list[Publish] = []

    def publish(one: Publish) -> dict[str, object]:
        asked.append(one)
        return {"version": "a", "before": "b", "changed": True, "in_force": not one.check, "difference": {}}

    desk = Desktop(configure(publish=publish))
    with desk.client() as client:
        headers, url = desk.token("analyst"), "/api/v1/publications"
        for reason in ("", "  "):
            answer = client.post(url, json={"reason": reason}, headers=headers)
            assert (answer.status_code, answer.json()["error"]["field"]) == (422, "reason")
        assert not asked
        assert client.post(url, json={"check": True}, headers=headers).status_code == 200
        assert client.post(url, json={"reason": "calmer"}, headers=headers).status_code == 200
        assert [one.reason for one in asked] == ["", "calmer"]

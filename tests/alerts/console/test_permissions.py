"""Every route × every role, by token; and the same table asked of the routes themselves."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from alerts.console.accounts import add_token
from alerts.console.permissions import ROLES, TABLE, allowed, own_unit_only
from alerts.console.routes import ROUTERS

from .conftest import PASSWORD, Configure, Desktop, Engine

WATCHING = {"viewer", "duty", "dispatcher", "analyst", "administrator"}
EVERYONE = WATCHING | {"field"}
SEAT = {"duty", "dispatcher", "administrator"}
ADMINISTRATOR = {"administrator"}
MACHINE = {"gateway", "administrator"}

# (method, path, body, roles that may): written out here a second time, so that a slip in the table is seen
CELLS: list[tuple[str, str, Any, set[str]]] = [
    ("GET", "/api/v1/me", None, EVERYONE | {"gateway"}),
    ("DELETE", "/api/v1/session", None, EVERYONE | {"gateway"}),
    ("POST", "/api/v1/me/mute", {"reason": "on the telephone"}, EVERYONE | {"gateway"}),
    ("GET", "/api/v1/site", None, EVERYONE),
    ("GET", "/api/v1/status", None, EVERYONE),
    ("GET", "/api/v1/load", None, WATCHING),
    ("GET", "/api/v1/incidents", None, WATCHING),
    ("GET", "/api/v1/incidents/{incident}", None, WATCHING),
    ("POST", "/api/v1/incidents/{incident}/acknowledge", {}, SEAT),
    ("POST", "/api/v1/incidents/{incident}/dispatch", {"unit": "sub"}, SEAT),
    ("POST", "/api/v1/incidents/{incident}/comment", {"text": "seen"}, SEAT | {"analyst"}),
    ("POST", "/api/v1/incidents/{incident}/close", {"disposition": "test"}, SEAT),
    ("POST", "/api/v1/incidents/{incident}/merge", {"incidents": ["i-none"]}, SEAT),
    ("POST", "/api/v1/incidents/{incident}/split", {"alarms": ["a-none"]}, SEAT),
    ("POST", "/api/v1/incidents/{incident}/tick", {"step": "look"}, SEAT),
    ("POST", "/api/v1/incidents/{incident}/untick", {"step": "look", "reason": "x"}, SEAT),
    ("GET", "/api/v1/incidents/{incident}/plan.pdf", None, WATCHING),
    ("GET", "/api/v1/duty", None, WATCHING),
    ("GET", "/api/v1/handover", None, WATCHING),
    ("GET", "/api/v1/handover/sheet.pdf", None, WATCHING),
    ("POST", "/api/v1/handover/sign", {"turn": "2026-11-27T08:30"}, SEAT),
    ("GET", "/api/v1/handovers", None, WATCHING),
    ("GET", "/api/v1/handovers/none/sheet.pdf", None, WATCHING),
    ("GET", "/api/v1/exercises", None, WATCHING),
    ("GET", "/api/v1/exercises/scripts", None, WATCHING),
    ("POST", "/api/v1/exercises", {"script": "none"}, SEAT),
    ("POST", "/api/v1/exercises/none/end", None, SEAT),
    ("GET", "/api/v1/exercises/none", None, WATCHING),
    ("GET", "/api/v1/exercises/none/report.pdf", None, WATCHING),
    ("GET", "/api/v1/plans", None, WATCHING),
    ("GET", "/api/v1/plans/slope", None, WATCHING),
    ("GET", "/api/v1/plans/slope/sheet.pdf", None, WATCHING),
    ("GET", "/api/v1/alarms", None, WATCHING),
    ("GET", "/api/v1/alarms/{alarm}", None, WATCHING),
    ("GET", "/api/v1/shelved", None, WATCHING),
    ("POST", "/api/v1/alarms/{alarm}/acknowledge", {}, SEAT),
    ("POST", "/api/v1/alarms/{alarm}/comment", {"text": "seen"}, SEAT | {"analyst"}),
    ("POST", "/api/v1/alarms/{alarm}/assign", {}, SEAT),
    ("POST", "/api/v1/alarms/{alarm}/shelve", {"seconds": 60, "reason": "x"}, SEAT),
    ("POST", "/api/v1/alarms/{alarm}/unshelve", {}, SEAT),
    ("POST", "/api/v1/alarms/{alarm}/reset", {}, SEAT),
    ("POST", "/api/v1/attachments", {"alarm": "{alarm}", "name": "f", "file": "AAAA"}, SEAT | {"analyst"}),
    ("GET", "/api/v1/alarms/{alarm}/attachments/" + "0" * 64, None, SEAT | {"analyst"}),
    ("POST", "/api/v1/alarms/{alarm}/out-of-service", {"seconds": 60, "reason": "x"}, SEAT),
    ("POST", "/api/v1/alarms/{alarm}/in-service", {}, SEAT),
    ("POST", "/api/v1/alarms/{alarm}/suppress", {"seconds": 60, "reason": "x"}, {"analyst", "administrator"}),
    ("POST", "/api/v1/alarms/{alarm}/unsuppress", {}, {"analyst", "administrator"}),
    ("GET", "/api/v1/dispatches", None, EVERYONE),
    ("GET", "/api/v1/dispatches/{dispatch}", None, EVERYONE),
    ("POST", "/api/v1/dispatches/{dispatch}/accept", {}, SEAT | {"field"}),
    ("POST", "/api/v1/dispatches/{dispatch}/refuse", {"reason": "no"}, SEAT | {"field"}),
    ("POST", "/api/v1/dispatches/{dispatch}/on-scene", {}, SEAT | {"field"}),
    ("POST", "/api/v1/dispatches/{dispatch}/resolve", {}, SEAT | {"field"}),
    ("POST", "/api/v1/dispatches/{dispatch}/feed-back", {"reason": "told"}, SEAT | {"field"}),
    ("POST", "/api/v1/dispatches/{dispatch}/follow-up", {"seconds": 60}, SEAT | {"field"}),
    ("POST", "/api/v1/dispatches/{dispatch}/refer", {"to": "u2", "reason": "theirs"}, SEAT | {"field"}),
    ("POST", "/api/v1/dispatches/{dispatch}/call", {"units": ["u2"]}, SEAT | {"field"}),
    ("POST", "/api/v1/dispatches/{dispatch}/tick", {"step": "look"}, SEAT | {"field"}),
    ("POST", "/api/v1/dispatches/{dispatch}/untick", {"step": "look", "reason": "x"}, SEAT | {"field"}),
    ("POST", "/api/v1/dispatches/{dispatch}/close", {}, SEAT | {"field"}),
    ("GET", "/api/v1/points/p0/trace", None, WATCHING),
    ("GET", "/api/v1/situation", None, WATCHING),
    ("GET", "/api/v1/situation/report.pdf", None, WATCHING),
    ("GET", "/api/v1/explore?points=p0&from=1&to=2", None, WATCHING),
    ("GET", "/api/v1/explore/events?points=p0&from=1&to=2", None, WATCHING),
    ("GET", "/api/v1/explore.csv?points=p0&from=1&to=2", None, WATCHING),
    ("GET", "/api/v1/areas/slope-1/status", None, WATCHING),
    ("GET", "/api/v1/areas/status", None, WATCHING),
    ("GET", "/api/v1/map", None, EVERYONE),
    ("GET", "/api/v1/plans/slope/overlays/none", None, WATCHING),
    ("GET", "/api/v1/snapshots/" + "0" * 64 + ".jpg", None, WATCHING),
    ("GET", "/api/v1/cameras/operations", None, WATCHING),
    ("GET", "/api/v1/cameras/cam/still.jpg", None, SEAT),
    ("GET", "/api/v1/cameras/cam/live.mjpeg", None, SEAT),
    ("GET", "/api/v1/quarantine", None, {"duty", "analyst", "administrator"}),
    ("GET", "/api/v1/quality", None, {"duty", "analyst", "administrator"}),
    ("GET", "/api/v1/quality/rates", None, {"duty", "analyst", "administrator"}),
    ("POST", "/api/v1/readings", {"id": "push-0001", "readings": [{"point": "p0", "value": 1}]}, MACHINE),
    ("POST", "/api/v1/reports", {"category": "smoke", "area": "slope-1"}, SEAT | {"field", "gateway"}),
    ("GET", "/api/v1/reports", None, WATCHING),
    ("GET", "/api/v1/reports/report-1/photo.jpg", None, SEAT),
    ("GET", "/api/v1/quarantine/statistics", None, {"duty", "analyst", "administrator"}),
    ("GET", "/api/v1/quarantine/q-0", None, {"duty", "analyst", "administrator"}),
    ("POST", "/api/v1/quarantine/replay", {"dry_run": True}, {"analyst", "administrator"}),
    ("GET", "/api/v1/models", None, {"duty", "analyst", "administrator"}),
    ("GET", "/api/v1/models/points", None, {"duty", "analyst", "administrator"}),
    ("POST", "/api/v1/models/promote", {"version": "0" * 12, "reason": "x"}, {"analyst", "administrator"}),
    (
        "POST",
        "/api/v1/models/rollback",
        {"of": "triage", "present": "0" * 12, "reason": "x"},
        {"analyst", "administrator"},
    ),
    ("GET", "/api/v1/publications", None, {"duty", "analyst", "administrator"}),
    ("POST", "/api/v1/publications", {"check": True}, {"analyst", "administrator"}),
    ("GET", "/api/v1/rules/shadow", None, {"duty", "analyst", "administrator"}),
    ("POST", "/api/v1/rules/shadow", {"reason": "calmer"}, {"analyst", "administrator"}),
    ("POST", "/api/v1/rules/shadow/promote", {"reason": "calmer"}, {"analyst", "administrator"}),
    ("POST", "/api/v1/rules/shadow/drop", {"reason": "enough"}, {"analyst", "administrator"}),
    ("GET", "/api/v1/rules", None, {"duty", "analyst", "administrator"}),
    ("GET", "/api/v1/rules/none/text", None, {"duty", "analyst", "administrator"}),
    ("GET", "/api/v1/rules/precision", None, {"duty", "analyst", "administrator"}),
    ("GET", "/api/v1/rules/schema", None, {"duty", "analyst", "administrator"}),
    ("GET", "/api/v1/rules/words", None, {"duty", "analyst", "administrator"}),
    ("GET", "/api/v1/rules/drafts", None, {"analyst", "administrator"}),
    ("POST", "/api/v1/rules/check", {"text": "rules: []"}, {"analyst", "administrator"}),
    ("GET", "/api/v1/rules/none/draft", None, {"analyst", "administrator"}),
    ("PUT", "/api/v1/rules/none/draft", {"text": "rules: []"}, {"analyst", "administrator"}),
    ("DELETE", "/api/v1/rules/none/draft", None, {"analyst", "administrator"}),
    ("POST", "/api/v1/rules/none/shadow", {"text": "rules: []", "reason": "x"}, {"analyst", "administrator"}),
    ("POST", "/api/v1/rules/none/publish", {"text": "rules: []", "reason": "x"}, {"analyst", "administrator"}),
    ("GET", "/api/v1/rules/none/history", None, {"duty", "analyst", "administrator"}),
    ("GET", "/api/v1/replays", None, {"duty", "analyst", "administrator"}),
    ("GET", "/api/v1/replays/none", None, {"duty", "analyst", "administrator"}),
    ("POST", "/api/v1/replays", {"version": "0123456789ab"}, {"analyst", "administrator"}),
    ("DELETE", "/api/v1/replays/none", None, {"analyst", "administrator"}),
    ("GET", "/api/v1/proposals", None, {"duty", "analyst", "administrator"}),
    ("GET", "/api/v1/candidates", None, WATCHING),
    ("POST", "/api/v1/candidates/none/merge", {}, SEAT),
    ("POST", "/api/v1/candidates/none/drop", {}, SEAT),
    ("GET", "/api/v1/silences", None, WATCHING),
    ("POST", "/api/v1/silences", {"areas": ["slope-1"], "seconds": 60, "reason": "x"}, SEAT),
    ("POST", "/api/v1/silences/none/prolong", {"seconds": 60, "reason": "x"}, SEAT),
    ("POST", "/api/v1/silences/none/end", {}, SEAT),
    ("GET", "/api/v1/modes", None, WATCHING),
    (
        "POST",
        "/api/v1/modes",
        {"mode": "exercise", "seconds": 60, "reason": "drill"},
        {"dispatcher", "analyst", "administrator"},
    ),
    ("POST", "/api/v1/modes/end", {"mode": "exercise"}, {"dispatcher", "analyst", "administrator"}),
    ("POST", "/api/v1/proposals/1/approve", {}, {"analyst", "administrator"}),
    ("POST", "/api/v1/proposals/1/reject", {"reason": "no"}, {"analyst", "administrator"}),
    ("GET", "/api/v1/users", None, ADMINISTRATOR),
    ("POST", "/api/v1/users", {"name": "new", "password": PASSWORD, "roles": ["viewer"]}, ADMINISTRATOR),
    ("PATCH", "/api/v1/users/new", {"display": "New"}, ADMINISTRATOR),
    ("DELETE", "/api/v1/users/new/second-step", None, ADMINISTRATOR),
    ("POST", "/api/v1/users/new/export", None, ADMINISTRATOR),
    ("POST", "/api/v1/users/new/erase", None, ADMINISTRATOR),
    ("POST", "/api/v1/subjects/export", {"subject": "138 0000"}, ADMINISTRATOR),
    ("POST", "/api/v1/subjects/erase", {"subject": "138 0000"}, ADMINISTRATOR),
    ("POST", "/api/v1/me/second-step", {"password": PASSWORD}, EVERYONE | {"gateway"}),
    ("PUT", "/api/v1/me/second-step", {"code": "123456"}, EVERYONE | {"gateway"}),
    ("POST", "/api/v1/me/second-step/code", {"code": "123456"}, EVERYONE | {"gateway"}),
    ("POST", "/api/v1/me/second-step/remove", {"password": PASSWORD}, EVERYONE | {"gateway"}),
    ("GET", "/api/v1/sessions", None, ADMINISTRATOR),
    ("DELETE", "/api/v1/sessions/none", None, ADMINISTRATOR),
    ("GET", "/api/v1/system/checks", None, ADMINISTRATOR),
    ("POST", "/api/v1/system/checks", None, ADMINISTRATOR),
    ("GET", "/api/v1/system/backups", None, ADMINISTRATOR),
    ("POST", "/api/v1/system/backups", None, ADMINISTRATOR),
    ("GET", "/api/v1/tokens", None, ADMINISTRATOR),
    ("POST", "/api/v1/tokens", {"name": "t", "roles": ["viewer"]}, ADMINISTRATOR),
    ("DELETE", "/api/v1/tokens/none", None, ADMINISTRATOR),
    ("GET", "/api/v1/audit", None, ADMINISTRATOR),
    ("GET", "/api/v1/notifications", None, SEAT | {"analyst"}),
    ("POST", "/api/v1/notifications/hook/retry", {}, ADMINISTRATOR),
    ("POST", "/api/v1/notifications/hook/test", None, ADMINISTRATOR),
    ("GET", "/api/v1/cap.atom", None, WATCHING),
    ("GET", "/api/v1/cap/{incident}.1", None, WATCHING),
]
OPEN = {
    ("POST", "/api/v1/session"),
    ("GET", "/api/v1/sign-in"),
    ("GET", "/api/v1/oidc/begin"),
    ("GET", "/api/v1/oidc/callback"),
    ("GET", "/api/v1/oidc/end"),
    ("POST", "/api/v1/oidc/logout"),
    ("POST", "/api/v1/first-administrator"),
    ("POST", "/api/v1/replies"),
    ("POST", "/api/v1/callbacks/{target}"),
    ("GET", "/reply/{code}"),
    ("POST", "/reply/{code}"),
    ("GET", "/metrics"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
}
STREAM = ("GET", "/api/v1/changes")  # has tests of its own: it does not end


@pytest.fixture
def desktop(configure: Configure) -> Desktop:
    return Desktop(configure(font="/no/font"))  # sheets have tests of their own, and each takes a second to print


@pytest.mark.parametrize("role", [*ROLES, None])
def test_every_route_lets_in_whom_the_table_names(
    client: TestClient, desktop: Desktop, engine: Engine, role: str | None
) -> None:
    engine.condition(level=3)  # orange: dispatched to the team at once
    ids = {
        "incident": engine.open_incident()["id"],
        "alarm": engine.open_incident()["alarms"][0],
        "dispatch": engine.open_dispatch()["id"],
    }
    headers = desktop.token(role) if role else {}
    for method, path, body, roles in CELLS:
        answer = client.request(method, path.format(**ids), json=body, headers=headers)
        if role is None:
            assert answer.status_code == 401, (method, path)
        elif role in roles:
            assert answer.status_code not in (401, 403, 500), (role, method, path, answer.text)
        else:
            assert answer.status_code == 403, (role, method, path, answer.text)
            assert answer.json()["error"]["code"] == "forbidden"


def test_no_route_is_left_out_of_this_test() -> None:
    tried = {(method, path) for method, path, _, _ in CELLS}
    patterns = {
        (
            method,
            path.split("?")[0]
            .replace("/new", "/{name}")
            .replace("/p0/", "/{id}/")
            .replace("/slope-1/", "/{id}/")
            .replace("/cam/", "/{id}/")
            .replace("/report-1/", "/{id}/")
            .replace("{incident}.1", "{id}")
            .replace("/hook/", "/{target}/")
            .replace("/proposals/1/", "/proposals/{number}/")
            .replace("{incident}", "{id}")
            .replace("{alarm}", "{id}")
            .replace("{dispatch}", "{id}")
            .replace("0" * 64 + ".jpg", "{name}")
            .replace("0" * 64, "{sha}")
            .replace("/plans/slope", "/plans/{id}")
            .replace("/overlays/none", "/overlays/{file}")
            .replace("/none", "/{id}")
            .replace("/q-0", "/{id}"),
        )
        for method, path in tried
    }
    existing = {
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert patterns | OPEN | {STREAM} == existing


def test_every_route_that_is_not_open_asks_for_an_action_of_the_table() -> None:
    asked = set()
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            actions = [d.call.__dict__.get("action") for d in route.dependant.dependencies if d.call is not None]
            actions = [action for action in actions if action]
            if any((method, route.path) in OPEN for method in route.methods):
                assert not actions, route.path
            else:
                assert len(actions) == 1, route.path
                asked.add(actions[0])
    assert asked == set(TABLE) - {"metrics.read"}


def test_the_table_knows_only_real_roles_and_refuses_unknown_actions() -> None:
    assert all(roles <= set(ROLES) for roles in TABLE.values())
    with pytest.raises(KeyError):
        allowed("fly", ["administrator"])


def test_the_role_of_a_unit_is_no_wider_beside_another_one() -> None:
    """For each action by itself: the answers of a unit stay its own though its holder may look at everything."""
    for action, roles in TABLE.items():
        for pair in combinations(ROLES, 2):
            assert own_unit_only(action, pair) == (not roles & set(pair) - {"field"}), (action, pair)
    assert own_unit_only("changes.read", ["field"])


PAIRS = list(combinations(ROLES, 2))


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
def test_two_roles_allow_what_each_allows_and_no_more(
    client: TestClient, desktop: Desktop, engine: Engine, pair: tuple[str, str]
) -> None:
    """The dispatch is another unit's: who may answer as `field` only is refused, whatever else it may see.

    Each pair tries every third route, beside those on dispatches: together they try each several times.
    """
    place = PAIRS.index(pair)
    tried = [cell for n, cell in enumerate(CELLS) if n % 3 == place % 3 or cell[1].startswith("/api/v1/dispatches/")]
    engine.condition(level=3)
    ids = {
        "incident": engine.open_incident()["id"],
        "alarm": engine.open_incident()["alarms"][0],
        "dispatch": engine.open_dispatch()["id"],
    }
    token, secret = add_token(desktop.console.accounts, "two", pair, unit="other")
    headers = {"Authorization": f"Bearer {secret}"}
    for method, path, body, roles in tried:
        answer = client.request(method, path.format(**ids), json=body, headers=headers)
        granting = roles & set(pair)
        code = answer.json()["error"]["code"] if answer.status_code == 403 else ""
        if not granting:
            assert code == "forbidden", (method, path, answer.text)
        elif granting == {"field"} and method == "POST" and path.startswith("/api/v1/dispatches/"):
            seen = bool(WATCHING & set(pair))  # to who may not see it, another unit's task is not there
            assert (answer.status_code, code) == ((403, "other_unit") if seen else (404, "")), (method, path)
        else:
            assert answer.status_code not in (401, 403, 500), (method, path, answer.text)
    assert not [command for command in engine.commands if command.actor != f"token:two#{token.id}"]


def test_who_may_look_at_everything_answers_for_its_own_unit_in_its_name(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    engine.condition(level=3)
    dispatch = engine.open_dispatch()
    for roles, unit in ((["viewer", "field"], True), (["duty", "field"], False)):
        token, secret = add_token(desktop.console.accounts, "both", roles, unit="team")
        headers = {"Authorization": f"Bearer {secret}"}
        client.post(f"/api/v1/dispatches/{dispatch['id']}/accept", json={}, headers=headers)
        assert engine.commands[-1].actor == ("unit:team" if unit else f"token:both#{token.id}")


def test_a_unit_that_refuses_says_why(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    engine.condition(level=3)
    path = f"/api/v1/dispatches/{engine.open_dispatch()['id']}/refuse"
    for body in ({}, {"reason": ""}, {"reason": " \n"}, {"note": "no"}):
        answer = client.post(path, json=body, headers=desktop.token("field"))
        assert answer.status_code == 422
        assert answer.json()["error"]["field"] == "reason"
    assert engine.commands == []
    assert client.post(path, json={"reason": "flooded in"}, headers=desktop.token("field")).status_code == 200


def test_a_field_account_meets_only_its_own_units_dispatches(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    engine.condition(level=3)
    mine = engine.open_dispatch()
    assert mine["unit"] == "team"
    own, strange = desktop.token("field", "team"), desktop.token("field", "other")
    assert [item["id"] for item in client.get("/api/v1/dispatches", headers=own).json()["items"]] == [mine["id"]]
    assert client.get("/api/v1/dispatches", headers=strange).json()["items"] == []
    assert client.get("/api/v1/dispatches?unit=team&state=all", headers=strange).status_code == 403
    assert client.get(f"/api/v1/dispatches/{mine['id']}", headers=strange).status_code == 404
    for verb in ("accept", "refuse", "on-scene", "resolve", "close"):
        body = {"reason": "no"}
        assert client.post(f"/api/v1/dispatches/{mine['id']}/{verb}", json=body, headers=strange).status_code == 404
    assert engine.commands == []
    answer = client.post(f"/api/v1/dispatches/{mine['id']}/accept", json={}, headers=own)
    assert answer.status_code == 200
    assert engine.commands[0].actor == "unit:team"
    told = client.get(f"/api/v1/dispatches/{mine['id']}", headers=own).json()
    assert told["leg"] == "accepted"
    assert "slope 1" in told["title"]["en"]

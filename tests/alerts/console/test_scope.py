"""Accounts that are confined to places: what lies elsewhere is not there for them, whatever they ask."""

from __future__ import annotations

import asyncio
import base64
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from alerts.console.accounts import AccountError, add_token, add_user, change_user, find_user, open_accounts
from alerts.console.live import RESYNC, Live
from alerts.console.permissions import CONFINED, ROLES, TABLE, WHOLE_SITE
from alerts.console.scope import WHOLE, Scope, areas_about, cut, named_in, scope_of
from sensors.lookup import Registry
from sensors.observation import Command
from sensors.site import Site

from .conftest import CHEAP, PASSWORD, Desktop, Engine
from .test_permissions import CELLS

ELSEWHERE = ("slope-1", "slope 1", '"p0"', '"cam"')  # what tells of the area where something is going on

OF_THE_WHOLE = {
    ("GET", "/api/v1/plans"),  # of a kind of place, not of one
    ("GET", "/api/v1/plans/slope"),
    ("POST", "/api/v1/reports"),  # anybody may report on any place, and is told on which it was
}


def confined(desktop: Desktop, role: str, *places: str) -> dict[str, str]:
    unit = "team" if role == "field" else None
    _, secret = add_token(desktop.console.accounts, "confined", [role], unit=unit, places=places)
    return {"Authorization": f"Bearer {secret}", "Accept-Language": "en"}


def happening(engine: Engine) -> dict[str, str]:
    engine.condition(level=3)
    incident = engine.open_incident()
    return {"incident": incident["id"], "alarm": incident["alarms"][0], "dispatch": engine.open_dispatch()["id"]}


@pytest.mark.parametrize("role", [role for role in ROLES if role not in WHOLE_SITE])
def test_nothing_of_another_place_is_told_by_any_route(
    client: TestClient, desktop: Desktop, engine: Engine, role: str
) -> None:
    ids = happening(engine)
    headers = confined(desktop, role, "slope-2")
    told: list[str] = []
    for method, path, body, roles in CELLS:
        answer = client.request(method, path.format(**ids), json=body, headers=headers)
        assert answer.status_code != 500, (method, path)
        if role not in roles:
            assert answer.status_code == 403
        elif answer.status_code == 200 and (method, path) not in OF_THE_WHOLE:
            words = (*ELSEWHERE, *ids.values())
            told += [f"{method} {path}: {word}" for word in words if word in answer.text]
    assert told == []
    assert engine.commands == []


@pytest.mark.parametrize("place", ["slope-1", "c", "s", "d"])
def test_what_lies_in_the_place_is_there_as_for_anybody(
    client: TestClient, desktop: Desktop, engine: Engine, place: str
) -> None:
    ids = happening(engine)
    mine, everybodys = confined(desktop, "duty", "slope-2", place), desktop.token("duty")
    for path in (
        "/api/v1/incidents",
        f"/api/v1/incidents/{ids['incident']}",
        "/api/v1/incidents?area=slope-1",
        "/api/v1/alarms",
        f"/api/v1/alarms/{ids['alarm']}",
        "/api/v1/dispatches",
        f"/api/v1/dispatches/{ids['dispatch']}",
        "/api/v1/points/p0/trace?from=0&to=1",
        "/api/v1/explore?points=p0&from=1&to=2",
        "/api/v1/cap.atom",
        "/api/v1/site",
    ):
        seen = client.get(path, headers=mine)
        assert seen.status_code == 200, path
        assert seen.text == client.get(path, headers=everybodys).text, path
    answer = client.post(f"/api/v1/incidents/{ids['incident']}/acknowledge", json={}, headers=mine)
    assert answer.status_code == 200
    assert len(engine.commands) == 1


def test_a_confined_account_is_told_why_what_concerns_the_whole_site_is_refused(
    client: TestClient, desktop: Desktop
) -> None:
    answer = client.get("/api/v1/handover", headers=confined(desktop, "duty", "s"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "whole_site")
    assert set(TABLE) > CONFINED


def test_me_names_the_places_and_the_site_shows_only_what_is_in_them(client: TestClient, desktop: Desktop) -> None:
    headers = confined(desktop, "viewer", "slope-2")
    assert client.get("/api/v1/me", headers=headers).json()["places"] == ["slope-2"]
    site = client.get("/api/v1/site", headers=headers).json()
    assert [area["id"] for area in site["areas"]] == ["slope-2"]
    assert site["points"] == [] and site["cameras"] == []


def test_a_viewer_hears_of_what_happens_in_its_areas_only(engine: Engine, desktop: Desktop) -> None:
    live = Live(desktop.console.journal, most_viewers=9, most_each=9, queue=99)
    everything, mine, other = (
        live.open(None, name, scope)
        for name, scope in (("a", WHOLE), ("b", Scope(frozenset({"slope-2"}))), ("c", Scope(frozenset({"slope-1"}))))
    )
    engine.condition(area="slope-2", level=3)
    engine.condition(area="slope-1", level=2)
    rows = desktop.console.journal.ask(live._next)
    live._spread(rows)
    assert len(mine.waiting) + len(other.waiting) == len(everything.waiting) == len(rows)
    sent, _ = mine.take(0)
    assert b"slope-2" in sent and b"slope-1" not in sent and RESYNC not in sent


def test_an_area_is_known_by_its_former_names_and_a_place_that_is_gone_holds_nothing(site: Site) -> None:
    registry = Registry(site)
    assert scope_of(registry, ()) == WHOLE
    assert scope_of(registry, ["slope-2"]).areas == {"slope-2", "old-slope"}
    assert scope_of(registry, ["old-slope"]).areas == {"slope-2", "old-slope"}
    assert scope_of(registry, ["gone"]).areas == frozenset()
    assert scope_of(registry, ["c", "gone"]).areas == {"slope-1", "slope-2", "old-slope"}
    assert areas_about(registry, "p1") == areas_about(registry, "cam") == areas_about(registry, "slope-1")
    assert areas_about(registry, "gateway-7") == ()


def test_who_works_for_the_whole_site_is_not_confined_and_places_must_exist(tmp_path: Path) -> None:
    accounts = open_accounts(tmp_path / "accounts.sqlite", hasher=CHEAP)
    known = {"s", "slope-1"}
    for roles, places, code in (
        (["analyst"], ["s"], "places_whole"),
        (["duty", "administrator"], ["s"], "places_whole"),
        (["duty"], ["x"], "unknown_place"),
        (["duty"], ["s slope-1"], "unknown_place"),
        (["duty"], [""], "unknown_place"),
    ):
        with pytest.raises(AccountError) as refused:
            add_user(accounts, "li", PASSWORD, roles, places=places, known=known)
        assert refused.value.code == code
        with pytest.raises(AccountError):
            add_token(accounts, "li", roles, places=places, known=known)
    add_user(accounts, "li", PASSWORD, ["duty"], places=["s", "slope-1"], known=known)
    found = find_user(accounts, "li")
    assert found is not None and found.places == ("s", "slope-1")
    with pytest.raises(AccountError):
        change_user(accounts, "li", roles=["analyst"])
    assert change_user(accounts, "li", places=[], roles=["analyst"]).places == ()
    accounts.close()


def test_a_session_ends_its_stream_when_the_places_are_changed(desktop: Desktop, client: TestClient) -> None:
    headers = confined(desktop, "duty", "slope-2")
    gate = desktop.console.gate
    request = client.build_request("GET", "/api/v1/me", headers=headers)
    identity = gate.identify(request)  # type: ignore[arg-type]
    assert identity is not None and gate.still(identity, "changes.read")
    with desktop.console.accounts.writing() as connection:
        connection.exec_driver_sql("UPDATE tokens SET places = ''")
    assert not gate.still(identity, "changes.read")


@pytest.fixture
def merged(client: TestClient, desktop: Desktop, engine: Engine) -> dict[str, str]:
    """An incident of slope-2 that took in one of slope-1, which is worse and has a file, a picture and an order."""
    engine.condition(area="slope-2", level=2)
    mine = engine.open_incident()["id"]
    engine.condition(area="slope-1", level=3, rule="other")
    theirs = engine.open_incident()
    headers = desktop.token("duty")
    (alarm,) = theirs["alarms"]
    file = base64.b64encode(b"%PDF-1.7\n%%EOF\n").decode()
    order = {"area": "slope-1", "unit": "other"}
    sent = client.post(f"/api/v1/incidents/{theirs['id']}/dispatch", json=order, headers=headers)
    assert sent.status_code == 200, sent.text
    body = {"alarm": alarm, "name": "their-permit.pdf", "file": file, "text": "their words"}
    assert client.post("/api/v1/attachments", json=body, headers=headers).status_code == 200
    picture = Command(
        id="picture", kind="snapshot", target=theirs["id"], area="slope-1", actor="engine", time=time.time(),
        args={"camera": "cam", "sha": "c" * 64, "time": time.time()},
    )  # fmt: skip
    engine.record(engine.desk.command(picture, time.time()))
    why = {"incidents": [theirs["id"]], "reason": "their reason"}
    answer = client.post(f"/api/v1/incidents/{mine}/merge", json=why, headers=headers)
    assert answer.status_code == 200, answer.text
    note = {"text": "their note"}
    assert client.post(f"/api/v1/alarms/{alarm}/comment", json=note, headers=headers).status_code == 200
    body |= {"name": "their-plan.pdf", "file": base64.b64encode(b"%PDF-1.7 2\n%%EOF\n").decode()}
    assert client.post("/api/v1/attachments", json=body, headers=headers).status_code == 200
    return {"incident": mine, "alarm": alarm, "taken in": theirs["id"]}


THEIRS = ("slope-1", "slope 1", "their-permit", "their-plan", "their words", "their reason", "their note", "c" * 64)


def test_of_an_incident_of_several_places_an_account_of_one_sees_what_lies_there(
    client: TestClient, desktop: Desktop, merged: dict[str, str]
) -> None:
    headers, path = confined(desktop, "duty", "slope-2"), f"/api/v1/incidents/{merged['incident']}"
    whole = client.get(path, headers=desktop.token("duty"))
    assert all(word in whole.text for word in (*THEIRS, merged["alarm"]))
    assert whole.headers["content-encoding"] == "gzip"
    assert int(whole.headers["content-length"]) < len(whole.content) / 3, "a history goes over the wire at a fraction"
    answer = client.get(path, headers=headers)
    shown = answer.json()
    assert {alarm["area"] for alarm in shown["alarm_details"]} == {"slope-2"}
    assert (shown["attachments"], shown["snapshots"], shown["dispatches"]) == ([], [], [])
    assert shown["alarms"] == [shown["alarm_details"][0]["id"]] == [shown["cause"]]
    assert [one["edge"] for one in shown["history"]] == ["opened", "took_in"], "what was put with theirs is left out"
    listed = client.get("/api/v1/incidents", headers=headers)
    assert len(listed.json()["items"]) == 1 and listed.json()["items"][0]["title"]["en"] == "slope 2"
    for text in (answer.text, listed.text):
        assert [word for word in (*THEIRS, merged["alarm"], merged["taken in"]) if word in text] == []
    messages = [f"/api/v1/cap/{merged['incident']}.{change['sequence']}" for change in shown["history"]]
    known = [one for one in messages if client.get(one, headers=desktop.token("duty")).status_code == 200]
    assert known and merged["incident"] in client.get("/api/v1/cap.atom", headers=desktop.token("duty")).text
    assert {client.get(one, headers=headers).status_code for one in known} == {404}, "a CAP message tells of all areas"
    assert "<entry>" not in client.get("/api/v1/cap.atom", headers=headers).text
    refused = client.post(f"{path}/acknowledge", json={}, headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "whole_site")


def test_an_order_to_the_own_place_does_not_tell_of_a_cause_elsewhere(
    client: TestClient, desktop: Desktop, merged: dict[str, str]
) -> None:
    headers, everybodys = confined(desktop, "duty", "slope-2"), desktop.token("duty")
    live = Live(desktop.console.journal, most_viewers=9, most_each=9, queue=99)
    viewer, whole = live.open(None, "a", Scope(frozenset({"slope-2"}))), live.open(None, "b")
    live.position = desktop.console.journal.ask(lambda reader: reader.position())
    order, sent = {"area": "slope-2", "unit": "sub"}, f"/api/v1/incidents/{merged['incident']}"
    assert client.post(f"{sent}/dispatch", json=order, headers=everybodys).status_code == 200
    (listed,) = client.get("/api/v1/dispatches?unit=sub", headers=headers).json()["items"]
    assert listed["title"]["en"] == "slope 2"
    one = f"/api/v1/dispatches/{listed['id']}"
    live._spread(desktop.console.journal.ask(live._next))
    for told in (client.get(one, headers=everybodys).text, whole.take(0)[0].decode()):
        assert "slope 1" in told and '"rule":"other"' in told
    for told in (client.get(path, headers=headers).text for path in (one, sent, "/api/v1/dispatches?unit=sub")):
        assert [word for word in (*THEIRS, '"rule":"other"') if word in told] == []
        assert "slope 2" in told
    heard = viewer.take(0)[0].decode()
    assert '"kind":"dispatch"' in heard and [word for word in THEIRS if word in heard] == []


@pytest.mark.parametrize("how", ["live", "recent", "from the journal"])
def test_of_changes_of_such_an_incident_its_viewer_hears_what_lies_there(
    desktop: Desktop, merged: dict[str, str], how: str
) -> None:
    live = Live(desktop.console.journal, most_viewers=9, most_each=9, queue=99)
    mine, whole = Scope(frozenset({"slope-2"})), Scope(frozenset({"slope-2", "slope-1"}))

    async def hear(scope: Scope) -> bytes:
        viewer = live.open(None, "a", scope)
        if how == "live":
            rows = await desktop.console.journal.answer(live._next)
            live._spread(rows)
            live.position = 0
            return viewer.take(0)[0]
        if how == "recent":
            live._spread(await desktop.console.journal.answer(lambda reader: reader.changes(0)))
        else:
            live._floor = live.position = 10**6
        sent, _ = await live._replay(viewer, 0)
        live._recent.clear()
        return sent

    heard = asyncio.run(hear(mine)).decode()
    assert RESYNC.decode() not in heard and '"edge":"took_in"' in heard and '"edge":"attached"' in heard
    assert [word for word in (*THEIRS, merged["alarm"]) if word in heard] == []
    everything = asyncio.run(hear(whole)).decode()
    assert all(word in everything for word in (*THEIRS, merged["alarm"]))


@pytest.mark.parametrize(
    ("edge", "args"),
    [
        ("dispatched", {"dispatch": "order", "unit": "police"}),
        ("undispatched", {"area": "b", "reminders": 1}),
        ("joined", {"area": "b", "to": "a"}),
        ("joined", {"area": "a", "to": "b"}),
        ("took_in", {"incidents": ["mine", "case"]}),
        ("merged", {"into": "case"}),
        ("opened", {"from": "case"}),
        ("split", {"into": "mine", "alarms": ["x", "y"]}),
        ("attached", {"alarm": "y", "attachment": {"name": "permit.pdf"}}),
        ("commented", {"alarm": "y", "text": "Mrs Wang left the gas on"}),
    ],
)
def test_what_was_said_with_a_change_is_left_out_where_it_is_about_something_elsewhere(
    edge: str, args: dict[str, Any]
) -> None:
    record = {"edge": edge, "area": "a", "areas": ["a", "b", "c"], "alarms": ["x", "y"], "cause": "x", "title": {}}
    record |= {"args": args, "reason": "of Mrs Wang", "event": {"data": {"area": {"id": "b"}}}}
    where = {"x": "a", "mine": "a", "y": "b", "order": "b", "case": "b"}
    told = [id for id in where if f"'{id}'" in str(record)]
    assert named_in(record) == set(told)
    for known in ("ab", "abc"):
        everything = Scope(frozenset(known))
        whole = cut(record, where, everything, {"en": "A"})
        assert whole == {**record, "areas": list(known)}, "what lies in the scope is shown as it is"
    mine = cut(record, {id for id, area in where.items() if area == "a"}, Scope(frozenset("a")), {"en": "A"})
    assert mine == {**record, "alarms": ["x"], "areas": [], "args": {}, "reason": "", "event": None}


def test_a_viewer_who_came_while_changes_were_read_reads_afresh(desktop: Desktop, merged: dict[str, str]) -> None:
    live = Live(desktop.console.journal, most_viewers=9, most_each=9, queue=99)
    rows = desktop.console.journal.ask(live._next)
    viewer = live.open(None, "a", Scope(frozenset({"slope-2"})))
    live._spread(rows)
    assert viewer.take(0)[0] == RESYNC

"""Plans over HTTP: the checklist on incident and dispatch, and their sheets."""

from __future__ import annotations

import msgspec
import pypdfium2
import pytest
from starlette.testclient import TestClient

from alerts.console import schema
from sensors.plan_checks import versioned
from sensors.site import Contact, Draft, Link, Plan, PlanStep, Site, Text

from .conftest import Configure, Desktop, Engine, make_site, named


@pytest.fixture
def desktop(configure: Configure) -> Desktop:
    return Desktop(configure(request_seconds=60.0))  # printing takes a second of a core, and others use it too


@pytest.fixture
def site() -> Site:
    plan = versioned(
        Plan(
            id="slope",
            name=Text(zh="边坡预案", en="Slope plan"),
            types=("slope",),
            roles={"duty": named("desk")},
            steps=(
                PlanStep(id="look", text=Text(zh="看", en="Look"), role="duty"),
                PlanStep(id="leave", text=Text(zh="撤", en="Leave"), level="red"),
            ),
            contacts=(Contact(name=named("fire"), phone="119"),),
            drafts=(Draft(id="below", name=named("below"), text=Text(zh="{area}撤离", en="Leave {area} in {place}")),),
        )
    )
    valley = Plan(
        id="valley",
        name=Text(zh="谷地预案", en="Valley plan"),
        areas=("slope-2",),
        level="orange",
        steps=(PlanStep(id="bridge", text=Text(zh="封桥", en="Close the bridge"), level="orange"),),
        drafts=(Draft(id="off", name=named("off"), text=Text(zh="离开{area}", en="Leave {area}, {level}")),),
    )
    links = (Link(kind="upstream", areas=("slope-1", "slope-2"), within=3600.0),)
    return msgspec.structs.replace(make_site(), plans=(plan, versioned(valley)), links=links)


def test_a_step_is_ticked_on_the_incident_and_seen_in_the_dispatch(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    engine.condition(level=3)
    id, dispatch = engine.open_incident()["id"], engine.open_dispatch()["id"]
    duty, team = desktop.token("duty"), desktop.token("field")
    body = {"step": "look", "note": "one crack"}
    assert client.post(f"/api/v1/incidents/{id}/tick", json=body, headers=duty).status_code == 200
    shown = client.get(f"/api/v1/incidents/{id}", headers=duty).json()
    plan = schema.Checklist.model_validate(shown["plan"])
    assert [(step.id, step.due, step.ticked is not None) for step in plan.steps] == [
        ("look", True, True),
        ("leave", False, False),
    ]
    assert plan.drafts[0].text.en == "Leave slope 1 in c, s"
    assert all("content" not in change["args"] for change in shown["history"])
    mine = client.get(f"/api/v1/dispatches/{dispatch}", headers=team).json()["plan"]
    assert mine["steps"][0]["ticked"]["note"] == "one crack"
    again = client.post(f"/api/v1/dispatches/{dispatch}/tick", json={"step": "look"}, headers=team)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "plan.already_ticked")
    assert client.post(f"/api/v1/dispatches/{dispatch}/tick", json={"step": "leave"}, headers=team).status_code == 200
    assert engine.commands[-1].actor == "unit:team"
    stranger = desktop.token("field", "other")
    other = client.post(f"/api/v1/dispatches/{dispatch}/tick", json={"step": "leave"}, headers=stranger)
    assert other.status_code == 404
    undo = client.post(f"/api/v1/incidents/{id}/untick", json={"step": "leave", "reason": "too early"}, headers=duty)
    assert undo.status_code == 200


def test_the_plan_of_a_linked_area_is_there_beside_the_one_that_is_kept(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    duty = desktop.token("duty")
    engine.condition(level=3)
    id = engine.open_incident()["id"]
    assert client.get(f"/api/v1/incidents/{id}", headers=duty).json()["further_plans"] == []
    engine.condition("slope-2", level=2, rule="flow")  # yellow there: its plan begins at orange
    assert client.get(f"/api/v1/incidents/{id}", headers=duty).json()["further_plans"] == []
    engine.condition("slope-2", level=4, rule="burst")
    shown = client.get(f"/api/v1/incidents/{id}", headers=duty).json()
    assert shown["plan"]["id"] == "slope", "what was begun to be ticked stays"
    (further,) = [schema.FurtherPlan.model_validate(one) for one in shown["further_plans"]]
    assert (further.id, further.areas) == ("valley", ["slope-2"])
    assert [(step.id, step.due, step.ticked) for step in further.steps] == [("bridge", True, None)]
    assert further.drafts[0].text.en == "Leave slope 2, red"
    orders = {order["area"]: order["id"] for order in shown["dispatch_details"]}
    below, above = (client.get(f"/api/v1/dispatches/{orders[name]}", headers=duty) for name in ("slope-2", "slope-1"))
    assert below.json()["plan"]["id"] == "slope"
    assert below.json()["area_plan"]["id"] == "valley", "whoever is sent there has the plan of the place"
    assert above.json()["area_plan"] is None
    for order in orders.values():
        client.post(f"/api/v1/dispatches/{order}/close", json={"reason": "seen to"}, headers=duty)
    client.post(f"/api/v1/incidents/{id}/close", json={"disposition": "test", "reason": "tried"}, headers=duty)
    closed = client.get(f"/api/v1/incidents/{id}", headers=duty).json()
    assert (closed["state"], closed["further_plans"]) == ("closed", [])


@pytest.mark.parametrize(
    "body", [{}, {"step": ""}, {"step": 1}, {"step": "x" * 65}, {"step": "look", "note": "x" * 2000}]
)
def test_a_bad_tick_is_refused_before_the_engine(
    client: TestClient, desktop: Desktop, engine: Engine, body: dict[str, object]
) -> None:
    engine.condition(level=2)
    path = f"/api/v1/incidents/{engine.open_incident()['id']}/tick"
    assert client.post(path, json=body, headers=desktop.token("duty")).status_code == 422
    assert engine.commands == []


def test_plans_in_force_are_listed_and_printed(client: TestClient, desktop: Desktop) -> None:
    headers = desktop.token("viewer")
    one, other = client.get("/api/v1/plans", headers=headers).json()["items"]
    assert other["id"] == "valley"
    assert (one["id"], len(one["version"]), one["types"]) == ("slope", 12, ["slope"])
    assert client.get("/api/v1/plans/slope", headers=headers).json() == one
    assert client.get("/api/v1/plans/none", headers=headers).status_code == 404
    sheet = client.get("/api/v1/plans/slope/sheet.pdf", headers={**headers, "Accept-Language": "zh-CN"})
    assert sheet.headers["content-type"] == "application/pdf"
    linked = client.get("/api/v1/plans/slope/sheet.pdf?language=en", headers={**headers, "Accept-Language": "zh-CN"})
    assert "Slope plan" in pypdfium2.PdfDocument(linked.content)[0].get_textpage().get_text_range()
    assert client.get("/api/v1/plans/slope/sheet.pdf?language=de", headers=headers).status_code == 422
    assert "边坡预案" in pypdfium2.PdfDocument(sheet.content)[0].get_textpage().get_text_range()


def test_the_sheet_of_an_incident_has_its_ticks_and_is_marked_where_it_is_simulated(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    engine.condition(level=2, simulated=True)
    id = engine.open_incident()["id"]
    headers = desktop.token("duty")
    client.post(f"/api/v1/incidents/{id}/tick", json={"step": "look", "note": "one crack"}, headers=headers)
    sheet = client.get(f"/api/v1/incidents/{id}/plan.pdf", headers=headers)
    said = pypdfium2.PdfDocument(sheet.content)[0].get_textpage().get_text_range()
    for wanted in ("Slope plan", "one crack", "done by duty#", "SIMULATION · not real", "Leave slope 1 in c, s"):
        assert wanted in said, wanted
    assert client.get("/api/v1/incidents/none/plan.pdf", headers=headers).status_code == 404


def test_without_a_font_it_says_so(configure: Configure) -> None:
    desktop = Desktop(configure(font="/nowhere/font.ttf"))
    with desktop.client() as client:
        answer = client.get("/api/v1/plans/slope/sheet.pdf", headers=desktop.token("viewer"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_font")

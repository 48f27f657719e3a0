"""Who is on duty, the handover and drills over HTTP."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pypdfium2
import pytest
from starlette.testclient import TestClient

from alerts.console.accounts import add_token, list_audit
from sensors.observation import Exercise
from sensors.site import Duty, Seat, Site
from tests.waiting import until

from .conftest import Configure, Desktop, Engine, make_site, named

NOW = datetime.now(ZoneInfo("Asia/Shanghai"))


def local(hours: float) -> str:
    return f"{NOW + timedelta(hours=hours):%Y-%m-%d %H:%M}"


@pytest.fixture
def desktop(configure: Configure) -> Desktop:
    return Desktop(configure(request_seconds=60.0))  # printing takes a second of a core, and others use it too


@pytest.fixture
def site() -> Site:
    return msgspec.structs.replace(
        make_site(),
        seats=(
            Seat(id="lead", name=named("lead")),
            Seat(id="south", name=named("south"), subdistricts=("s",)),
            Seat(id="empty", name=named("empty"), subdistricts=("elsewhere",)),
        ),
        duties=(
            Duty(seat="lead", account="duty", start=local(-1), end=local(5)),
            Duty(seat="south", account="dispatcher", start=local(-1), end=local(5)),
            Duty(seat="empty", account="nobody", start=local(-1), end=local(5)),
            Duty(seat="lead", account="gone", start=local(-5), end=local(-1)),
        ),
    )


def said(pdf: bytes) -> str:
    return "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))


def test_who_is_on_duty_is_told_with_the_load_of_each_seat(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    engine.condition(level=2)
    headers = desktop.token("viewer")
    end = time.monotonic() + 5
    while True:
        found = client.get("/api/v1/duty", headers=headers).json()
        load = {one["seat"]: one["load"]["ten_minutes"] for one in found["people"]}
        if load["south"] or time.monotonic() > end:
            break
    assert [(one["seat"], one["account"]) for one in found["people"]] == [
        ("lead", "duty"),
        ("south", "dispatcher"),
        ("empty", "nobody"),
    ]
    assert load == {"lead": 1, "south": 1, "empty": 0}
    split = {one["seat"]: one["load"]["levels"] for one in found["people"]}
    nothing = dict.fromkeys(("red", "orange", "yellow", "blue"), 0)
    assert split == {"lead": nothing | {"yellow": 1}, "south": nothing | {"yellow": 1}, "empty": nothing}
    assert (found["turn"]["signed"], found["mine"]) == (False, False)


def test_a_handover_is_signed_once_by_the_incoming_turn_and_kept(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    engine.condition(level=2)
    incident = engine.open_incident()["id"]
    headers = desktop.log_in(client, "duty")
    for area, seconds in (("slope-1", 900), ("slope-2", 7200)):
        work = {"areas": [area], "level": "orange", "seconds": seconds, "reason": f"blasting at {area}"}
        assert client.post("/api/v1/silences", json=work, headers=headers).status_code == 200
    draft = client.get("/api/v1/handover").json()
    silences = draft["sheet"]["silences"]["items"]
    assert [(one["areas"], one["soon"]) for one in silences] == [(["slope-1"], True), (["slope-2"], False)]
    assert [one["id"] for one in draft["sheet"]["open"]["items"]] == [incident]
    assert client.get("/api/v1/duty").json()["mine"]
    engine.condition(level=2, rule="played", area="slope-2", simulated=True)
    until(lambda: desktop.console.figures.simulated)  # the console knows that something is played
    printed = said(client.get("/api/v1/handover/sheet.pdf?language=en").content)
    assert "Outgoing" in printed and printed.count("[Simulation]") == 1 and "Exercise" not in printed
    assert "not real" not in printed, "a handover that hands over what is real is no simulation"
    body = {"turn": draft["turn"]["key"], "comment": "took over"}
    stranger = client.post("/api/v1/handover/sign", json=body, headers=desktop.token("administrator"))
    assert (stranger.status_code, stranger.json()["error"]["code"]) == (409, "handover.not_on_duty")
    answer = client.post("/api/v1/handover/sign", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    again = client.post("/api/v1/handover/sign", json=body, headers=headers)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "handover.signed")
    (kept,) = client.get("/api/v1/handovers").json()["items"]
    assert (kept["actor"], kept["reason"]) == ("user:duty", "took over")
    engine.condition(level=2, rule="later", area="slope-2")
    shown = client.get("/api/v1/handover").json()
    assert len(shown["sheet"]["open"]["items"]) == 2  # as it was signed
    text = said(client.get(f"/api/v1/handovers/{kept['id']}/sheet.pdf?language=en").content)
    assert "took over" in text and "Taken over by" in text and "creep" in text
    assert "ends soon" in " ".join(text.split()) and "slope-2" in text


@pytest.mark.parametrize("body", [{}, {"turn": ""}, {"turn": "x" * 33}, {"turn": "x", "comment": "y" * 3000}])
def test_a_bad_signature_is_refused(client: TestClient, desktop: Desktop, body: dict[str, str]) -> None:
    assert client.post("/api/v1/handover/sign", json=body, headers=desktop.token("duty")).status_code == 422


def test_a_drill_is_listed_scored_and_printed(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    def drill(edge: str) -> Exercise:
        return Exercise(
            id="e1",
            edge=edge,  # type: ignore[arg-type]
            actor="user:an",
            time=time.time(),
            title={"zh": "滑坡演练", "en": "Slide drill"},
            areas=("slope-1", "slope-2"),
            units=("sub",),
            objectives={"acknowledge": 60.0, "close": 60.0},
        )

    engine.record(engine.desk.exercise(drill("begin"), time.time()))
    engine.condition(level=3, simulated=True)
    headers = desktop.token("duty")
    (running,) = client.get("/api/v1/exercises?running=true", headers=headers).json()["items"]
    assert (running["id"], running["ended"], running["areas"]) == ("e1", None, ["slope-1", "slope-2"])
    elsewhere = add_token(desktop.console.accounts, "elsewhere", ["duty"], places=["slope-2"])[1]
    confined = {"Authorization": f"Bearer {elsewhere}"}
    (shared,) = client.get("/api/v1/exercises", headers=confined).json()["items"]
    assert (shared["id"], shared["areas"]) == ("e1", ["slope-2"])  # and no id of what lies in the other place
    incident = engine.open_incident()["id"]
    shown = client.get(f"/api/v1/incidents/{incident}", headers=headers).json()
    assert shown["exercise"] == "e1"
    assert [one["unit"] for one in shown["dispatch_details"]] == ["sub"]
    assert shown["suggested_units"] == []  # none but those who take part
    assert client.post(f"/api/v1/incidents/{incident}/acknowledge", json={}, headers=headers).status_code == 200
    engine.record(engine.desk.exercise(drill("end"), time.time()))
    assert client.get("/api/v1/exercises?running=true", headers=headers).json()["items"] == []
    report = client.get("/api/v1/exercises/e1", headers=headers).json()
    assert (report["met"], report["of"], report["score"]) == (1, 2, 0.5)
    assert client.get("/api/v1/load", headers=headers).json()["day"] == 0
    chinese = said(client.get("/api/v1/exercises/e1/report.pdf?language=zh-CN", headers=headers).content)
    assert "滑坡演练" in chinese and "50%" in chinese and "未达标" in chinese


class Drills:
    """Two scripts, of which one is sound; what is begun goes to the engine as a drill's player has it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.refuse: Exception | None = None
        self.begun: list[tuple[str, str]] = []

    def scripts(self) -> list[dict[str, Any]]:
        facts = {"title": {"zh": "滑坡演练", "en": "Slide drill"}, "units": ["sub"], "lasts": 60.0, "acts": 0}
        wrong = {"file": "bad.yaml", "line": 2, "field": "areas", "message": "name the areas that it is in"}
        return [
            {"name": "slide", **facts, "areas": ["slope-1"], "problems": []},
            {"name": "bad", **facts, "areas": [], "problems": [wrong]},
        ]

    def last(self) -> dict[str, Any] | None:
        if not self.begun:
            return None
        run = {"id": "e1", "script": "slide", "areas": ["slope-1"], "lasts": 60.0, "seconds": 3.0}
        return {**run, "said": {"zh": "开始", "en": "It begins"}, "over": False, "error": "exercise.no_broker"}

    def begin(self, name: str, actor: str) -> str:
        if self.refuse is not None:
            raise self.refuse
        self.begun.append((name, actor))
        title = {"zh": "滑坡演练", "en": "Slide drill"}
        what = Exercise(id="e1", edge="begin", actor=actor, time=time.time(), title=title, areas=("slope-1",))
        self._engine.record(self._engine.desk.exercise(what, time.time()))
        return "e1"


def test_a_drill_is_begun_followed_and_ended_by_who_may_and_noted(configure: Configure, engine: Engine) -> None:
    drills = Drills(engine)
    desktop = Desktop(configure(drill_desk=drills))
    with desktop.client() as client:
        headers = desktop.token("duty")
        listed = client.get("/api/v1/exercises/scripts", headers=headers).json()
        assert [one["name"] for one in listed["items"]] == ["slide", "bad"] and listed["last"] is None
        for refusal, code in (
            (RuntimeError("busy"), "exercise_runs"),
            (ValueError("exercise.not_begun"), "exercise.not_begun"),
        ):
            drills.refuse = refusal
            answer = client.post("/api/v1/exercises", json={"script": "slide"}, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, code)
        assert "another exercise may run" in answer.json()["error"]["message"]
        drills.refuse = None
        assert client.post("/api/v1/exercises", json={"script": "none"}, headers=headers).status_code == 404
        elsewhere = add_token(desktop.console.accounts, "elsewhere", ["duty"], places=["slope-2"])[1]
        confined = {"Authorization": f"Bearer {elsewhere}"}
        assert client.post("/api/v1/exercises", json={"script": "slide"}, headers=confined).status_code == 404
        assert client.get("/api/v1/exercises/scripts", headers=confined).json()["items"] == []
        assert client.post("/api/v1/exercises", json={"script": "bad"}, headers=confined).status_code == 404
        begun = client.post("/api/v1/exercises", json={"script": "slide"}, headers=headers)
        assert (begun.status_code, begun.json()) == (202, {"id": "e1"})
        ((script, actor),) = drills.begun
        assert script == "slide" and actor.startswith("token:duty")
        last = client.get("/api/v1/exercises/scripts", headers={**headers, "Accept-Language": "zh-CN"}).json()["last"]
        assert (last["seconds"], last["said"]["zh"]) == (3.0, "开始") and "MQTT" in last["error"]
        assert client.get("/api/v1/exercises/scripts", headers=confined).json()["last"] is None
        assert client.post("/api/v1/exercises/e1/end", headers=confined).status_code == 404
        engine.condition(level=3, simulated=True)
        ended = client.post("/api/v1/exercises/e1/end", headers=headers)
        assert ended.status_code == 200 and ended.json()["ended"] is not None, ended.text
        assert len(ended.json()["incidents"]) == 1 and engine.journal.incidents().items == []  # closed with it
        again = client.post("/api/v1/exercises/e1/end", headers=headers)
        assert again.json()["ended"] == ended.json()["ended"]  # it changes nothing
    noted = [(one.action, one.target, one.actor) for one in list_audit(desktop.console.accounts)]
    assert [one for one in noted if one[0].startswith("exercise.")] == [
        ("exercise.end", "e1", actor),
        *(("exercise.begin", "slide", actor) for _ in range(3)),  # the two that were refused, too
    ]


def test_a_console_without_an_engine_begins_no_drill(client: TestClient, desktop: Desktop) -> None:
    answer = client.post("/api/v1/exercises", json={"script": "slide"}, headers=desktop.token("duty"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_engine")

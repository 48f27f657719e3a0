"""Answers by code: once, for a time, for one thing, in the name of whom the code was sent to."""

from __future__ import annotations

import base64
import json
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from alerts.console.accounts import list_audit, read_key
from alerts.notifiers.notice import Notice
from alerts.notifiers.replies import ALPHABET, Replies, codes_in
from alerts.notifiers.targets import ChatTarget
from alerts.notifiers.webhook import sign

from .conftest import Configure, Desktop, Engine

KEY = base64.b64encode(b"k" * 24)
TARGET = ChatTarget(name="duty-mail:li@example.org", url_env="X")


@pytest.fixture
def desktop(configure: Configure) -> Desktop:
    return Desktop(configure(callbacks={"duty-mail": KEY}))


@pytest.fixture
def replies(desktop: Desktop) -> Iterator[Replies]:
    it = Replies(desktop.config.outbox, read_key(desktop.config.data))
    yield it
    it.close()


def code(replies: Replies, engine: Engine, *, dispatch: bool, when: float = 0.0, target: Any = TARGET) -> str:
    """Give the code of a notice about what is open now."""
    row = engine.open_incident()
    incident = row["id"]
    data: dict[str, Any] = {"incident": incident, "title": {"zh": "边坡", "en": "Slope"}}
    if dispatch:
        data |= {"dispatch": engine.open_dispatch()["id"], "leg": "issued"}
    notice = Notice(
        id=f"{incident}.{row['sequence']}", kind="dispatch", area="slope-1", unit="team" if dispatch else "",
        simulated=False, time=when or time.time(), payload={"data": data},
    )  # fmt: skip
    given = replies.give(notice, target)
    assert given == replies.give(notice, target), "a repeat has the same code"
    return given


def test_a_code_acknowledges_once_in_the_name_of_whom_it_was_sent_to(
    client: TestClient, desktop: Desktop, engine: Engine, replies: Replies
) -> None:
    engine.condition(level=2)
    given = code(replies, engine, dispatch=False)
    answer = client.post("/api/v1/replies", json={"code": given.lower().replace("-", " ")})
    assert answer.status_code == 200 and answer.json()["kind"] == "acknowledge"
    assert engine.open_incident()["acknowledged_by"] == "reply:duty-mail:li@example.org"
    again = client.post("/api/v1/replies", json={"code": given})
    assert (again.status_code, again.json()["error"]["code"]) == (410, "bad_code")
    assert len(engine.commands) == 1
    client.portal.call(desktop.console.commander.close)  # type: ignore[union-attr]
    (entry,) = list_audit(desktop.console.accounts, action="command.acknowledge")
    assert entry.actor == "reply:duty-mail:li@example.org"


def test_a_code_acknowledges_nothing_worse_than_what_was_told_with_it(
    client: TestClient, engine: Engine, replies: Replies
) -> None:
    engine.condition(level=2)
    early = code(replies, engine, dispatch=False)
    engine.condition(level=4)
    page = client.post(f"/reply/{early}", headers={"Accept-Language": "en"})
    assert page.status_code == 409 and "worse since this was sent" in page.text
    assert not engine.open_incident()["acknowledged_by"]
    later = code(replies, engine, dispatch=False)
    assert later != early and client.post("/api/v1/replies", json={"code": later}).status_code == 200
    assert engine.open_incident()["acknowledged_by"] == "reply:duty-mail:li@example.org"


def test_a_code_that_was_sent_before_changes_were_told_with_it_still_works(
    client: TestClient, engine: Engine, replies: Replies
) -> None:
    engine.condition(level=2)
    given = code(replies, engine, dispatch=False)
    replies._memory.do("UPDATE replies SET object = ?", engine.open_incident()["id"])
    answer = client.post("/api/v1/replies", json={"code": given})
    assert (answer.status_code, answer.json()["target"]) == (200, engine.open_incident()["id"])


def test_a_link_asks_first_and_the_button_accepts_the_dispatch(
    client: TestClient, engine: Engine, replies: Replies
) -> None:
    engine.condition(level=3)
    given = code(replies, engine, dispatch=True)
    for _ in range(3):  # a scanner of mail opens links
        page = client.get(f"/reply/{given}", headers={"Accept-Language": "en"})
        assert page.status_code == 200 and "Slope" in page.text and "Accept" in page.text
    assert engine.commands == []
    assert client.post(f"/reply/{given}", headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post(f"/reply/{given}").status_code == 200
    assert engine.open_dispatch()["leg"] == "accepted"
    assert client.get(f"/reply/{given}").status_code == 410


def test_a_code_that_is_over_wrong_or_anothers_does_nothing(
    client: TestClient, engine: Engine, replies: Replies
) -> None:
    engine.condition(level=3)
    late = code(replies, engine, dispatch=False, when=time.time() - 9 * 3600)
    for one in (late, "2345-6789-ABCD", "x", "' OR 1=1 --"):
        assert client.post("/api/v1/replies", json={"code": one}).status_code == 410, one
    assert client.post("/api/v1/replies", json={"code": "\x00"}).status_code == 422  # as in any text
    assert engine.commands == []


def test_a_code_for_a_dispatch_that_went_to_another_unit_is_refused(
    client: TestClient, desktop: Desktop, engine: Engine, replies: Replies
) -> None:
    engine.condition(level=3)
    given = code(replies, engine, dispatch=True)
    dispatch = engine.open_dispatch()["id"]
    client.post(f"/api/v1/dispatches/{dispatch}/refuse", json={"reason": "no"}, headers=desktop.token("field"))
    answer = client.post("/api/v1/replies", json={"code": given})
    assert answer.status_code == 409 and engine.commands[-1].kind == "refuse"


@pytest.mark.parametrize(("units", "answers"), [((), True), (("team", "other"), True), (("other",), False)])
def test_who_gets_a_copy_of_another_units_order_gets_no_code_to_accept_it(
    replies: Replies, units: tuple[str, ...], answers: bool
) -> None:
    data = {"dispatch": "d-1", "leg": "issued", "edge": "reassigned", "previous": "other", "copies": ["other"]}
    notice = Notice(
        id="d-1.4",
        kind="dispatch",
        area="slope-1",
        unit="team",
        simulated=False,
        time=time.time(),
        payload={"data": data},
    )
    assert bool(replies.give(notice, ChatTarget(name="chat", url_env="X", units=units))) is answers


@pytest.mark.parametrize("broken", [OperationalError("SELECT 1", {}, sqlite3.OperationalError("disk I/O error")), None])
def test_what_broke_off_on_the_way_can_be_answered_again(
    client: TestClient, desktop: Desktop, engine: Engine, replies: Replies, monkeypatch: pytest.MonkeyPatch, broken: Any
) -> None:
    engine.condition(level=2)
    given = code(replies, engine, dispatch=False)

    async def break_off(*_: Any, **__: Any) -> Any:
        raise broken or TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(desktop.console.commander, "do", break_off)
        assert client.post("/api/v1/replies", json={"code": given}).status_code in (503, 504)
    assert client.post("/api/v1/replies", json={"code": given}).status_code == 200
    assert engine.open_incident()["acknowledged_by"] == "reply:duty-mail:li@example.org"


def test_what_the_engine_did_not_hear_of_can_be_answered_again(
    client: TestClient, engine: Engine, replies: Replies
) -> None:
    engine.condition(level=2)
    given = code(replies, engine, dispatch=False)
    engine.down = True
    assert client.post("/api/v1/replies", json={"code": given}).status_code == 503
    engine.down = False
    assert client.post("/api/v1/replies", json={"code": given}).status_code == 200


def test_codes_cannot_be_tried_out(client: TestClient, engine: Engine, replies: Replies) -> None:
    engine.condition(level=2)
    given = code(replies, engine, dispatch=False)
    found = [
        client.post("/api/v1/replies", json={"code": f"2345-6789-{ALPHABET[n]}BCD"}).status_code for n in range(25)
    ]
    assert found[:20] == [410] * 20 and set(found[20:]) == {429}
    assert client.post("/api/v1/replies", json={"code": given}).status_code == 429
    assert engine.commands == []


def callback(client: TestClient, body: bytes, target: str = "duty-mail", key: bytes = KEY, when: float = 0.0) -> Any:
    stamp = int(when or time.time())
    headers = {
        "webhook-id": "m-1", "webhook-timestamp": str(stamp), "webhook-signature": sign(key, "m-1", stamp, body),
    }  # fmt: skip
    return client.post(f"/api/v1/callbacks/{target}", content=body, headers=headers)


def test_a_gateway_brings_what_somebody_wrote_signed(client: TestClient, engine: Engine, replies: Replies) -> None:
    engine.condition(level=2)
    given = code(replies, engine, dispatch=False)
    body = json.dumps({"text": f"ok {given}, 马上到", "from": "+8613800000000"}).encode()
    assert callback(client, body, key=b"wrong").status_code == 401
    assert callback(client, body, when=time.time() - 400).status_code == 401
    assert callback(client, body, target="nobody").status_code == 401
    for wrong in (b"{", b"[]", b'{"text": 5}', b'{"text": "no code here"}'):
        assert callback(client, wrong).status_code == 422
    assert engine.commands == []
    assert callback(client, body).status_code == 200
    assert callback(client, body).status_code == 410, "a callback that is played again does nothing"
    assert len(engine.commands) == 1


def test_a_gateway_answers_for_its_own_target_only(client: TestClient, engine: Engine, replies: Replies) -> None:
    engine.condition(level=2)
    given = code(replies, engine, dispatch=False, target=ChatTarget(name="other", url_env="X"))
    assert callback(client, json.dumps({"text": given}).encode()).status_code == 410
    assert engine.commands == []


def test_codes_are_found_in_what_people_write() -> None:
    assert codes_in("ok 2345-6789-abcd!") == ["23456789ABCD"]
    assert codes_in("收到23456789ABCD谢谢") == ["23456789ABCD"]
    assert codes_in("0000-1111-2222 A2345-6789-ABCD 23456789ABCDE") == []
    assert len(codes_in("2345-6789-ABCD " * 1000)) == 5

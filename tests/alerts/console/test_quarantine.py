"""The API of the quarantine: search, one, counts, replay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from alerts.console import schema
from alerts.console.accounts import list_audit
from sensors.quarantine import BusyError, Query
from tests.alerts.console.conftest import Configure, Desktop

ITEM = {"id": "q-7", "time": 1.0, "source": "bridge", "topic": "t", "reason": "malformed", "raw": "\\xff", "size": 1}


class Box:
    """A quarantine that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.fails: Exception | None = None

    def page(self, query: Query, limit: int, cursor: str | None) -> tuple[list[Mapping[str, Any]], str | None]:
        if cursor == "bad":
            raise ValueError(cursor)
        self.asked.append((query, limit, cursor))
        return [ITEM], "7.0"

    def one(self, id: str) -> Mapping[str, Any] | None:
        return ITEM if id == "q-7" else None

    def statistics(self, query: Query) -> Mapping[str, Any]:
        self.asked.append(query)
        return {"messages": 2, "by_reason": {"malformed": {"messages": 2, "readings": 2}}}

    async def replay(self, query: Query, actor: str, *, dry_run: bool, start: int) -> Mapping[str, Any]:
        if self.fails is not None:
            raise self.fails
        self.asked.append((query, actor, dry_run, start))
        return {
            "dry_run": dry_run,
            "messages": 3,
            "outcomes": {"accepted": 3},
            "readings": 3,
            "events": 0,
            "refused": {},
            "details": [],
            "following": None,
        }


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def desk(configure: Configure, box: Box) -> Desktop:
    return Desktop(configure(quarantine=box))


def test_refusals_are_listed_by_all_that_they_are_searched_by(desk: Desktop, box: Box) -> None:
    with desk.client() as client:
        headers = desk.token("analyst")
        path = "/api/v1/quarantine?reason=malformed&source=bridge&topic=t&from=1&to=2&limit=7&cursor=9.0"
        told = client.get(path, headers=headers).json()
        bad = client.get("/api/v1/quarantine?cursor=bad", headers=headers)
    wanted = Query(source="bridge", reason="malformed", topic="t", since=1.0, until=2.0)
    assert box.asked == [(wanted, 7, "9.0")]
    assert told["cursor"] == "7.0"
    assert told["items"][0]["text"] == {"zh": "格式错误", "en": "It cannot be decoded"}
    schema.Quarantine.model_validate(told)
    assert (bad.status_code, bad.json()["error"]["code"]) == (422, "bad_cursor")


def test_one_is_shown_by_its_id_and_counts_are_given(desk: Desktop) -> None:
    with desk.client() as client:
        headers = desk.token("duty")
        assert client.get("/api/v1/quarantine/q-7", headers=headers).json()["raw"] == "\\xff"
        assert client.get("/api/v1/quarantine/q-8", headers=headers).status_code == 404
        counted = client.get("/api/v1/quarantine/statistics", headers=headers).json()
    assert counted["by_reason"]["malformed"]["messages"] == 2


def test_a_replay_is_done_in_the_askers_name_and_audited(desk: Desktop, box: Box) -> None:
    with desk.client() as client:
        body = {"reason": "unknown_point", "from": 5.5, "start": 4}
        told = client.post("/api/v1/quarantine/replay", json=body, headers=desk.token("analyst"))
        assert told.status_code == 200 and told.json()["outcomes"] == {"accepted": 3}
        [(query, actor, dry_run, start)] = box.asked
        assert (query, dry_run, start) == (Query(reason="unknown_point", since=5.5), False, 4)
        [entry] = list_audit(desk.console.accounts, action="quarantine.replay")
        assert entry.actor == actor and actor.startswith("token:")
        assert entry.detail["reason"] == "unknown_point" and entry.detail["from"] == 5.5


def test_a_dry_run_leaves_no_trace_in_the_audit(desk: Desktop, box: Box) -> None:
    with desk.client() as client:
        client.post("/api/v1/quarantine/replay", json={"dry_run": True}, headers=desk.token("analyst"))
        assert box.asked[0][2] is True
        assert list_audit(desk.console.accounts, action="quarantine.replay") == []


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BusyError("x"), 409, "replay_busy"),
        (TimeoutError(), 504, "no_answer"),
        (ConnectionError("gone"), 503, "no_engine"),
    ],
)
def test_why_a_replay_could_not_be_done_is_said(
    desk: Desktop, box: Box, error: Exception, status: int, code: str
) -> None:
    box.fails = error
    with desk.client() as client:
        told = client.post("/api/v1/quarantine/replay", json={}, headers=desk.token("analyst"))
    assert (told.status_code, told.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("body", [{"reason": 1}, {"from": -1}, {"start": -1}, {"all": True}, {"topic": "t" * 2000}])
def test_a_request_that_makes_no_sense_is_refused(desk: Desktop, box: Box, body: Any) -> None:
    with desk.client() as client:
        told = client.post("/api/v1/quarantine/replay", json=body, headers=desk.token("analyst"))
    assert told.status_code == 422 and not box.asked

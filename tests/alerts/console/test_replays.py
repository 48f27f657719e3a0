"""Replays over the API: begun, watched, cancelled; who may, what is refused, what is written down."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.console import schema
from alerts.console.accounts import list_audit
from tests.alerts.console.conftest import Configure, Desktop

STANDS: dict[str, Any] = {
    "state": "running", "started": 1.0, "ended": None, "done": 0, "total": 10, "reason": "",
}  # fmt: skip


class Desk:
    """Hold what was asked for, as the desk of the process does; nothing is replayed."""

    def __init__(self) -> None:
        self.all_: dict[str, dict[str, Any]] = {}

    def start(self, author: str, asked: dict[str, Any]) -> dict[str, Any]:
        if any(one["state"] == "running" for one in self.all_.values()):
            raise RuntimeError
        said = {name: asked[name] for name in ("version", "against", "from", "to")}
        one = STANDS | said | {"id": f"r{len(self.all_)}", "author": author}
        self.all_[one["id"]] = one
        return one

    def all(self) -> list[dict[str, Any]]:
        return list(self.all_.values())

    def get(self, id: str) -> dict[str, Any] | None:
        one = self.all_.get(id)
        flaw = {"file": "rules.yaml", "line": 3, "field": "levels", "message": "the file is empty"}
        return None if one is None else one | {"problems": [flaw], "result": None, "reason": "the rules have mistakes"}

    def cancel(self, id: str) -> bool:
        return self.all_.pop(id, None) is not None


URL = "/api/v1/replays"


@pytest.fixture
def desk(configure: Configure) -> Desktop:
    return Desktop(configure(replay_desk=Desk()))


def test_a_replay_is_begun_watched_and_cancelled_in_the_askers_name(desk: Desktop) -> None:
    with desk.client() as client:
        headers = desk.token("analyst")
        begun = client.post(URL, json={"text": "rules: []", "from": 5, "to": 9.5}, headers=headers)
        assert begun.status_code == 202
        told = begun.json()
        assert (told["from"], told["to"], told["state"], told["against"]) == (5.0, 9.5, "running", "")
        assert told["author"].startswith("token:")
        busy = client.post(URL, json={"version": "0123456789ab"}, headers=headers)
        assert (busy.status_code, busy.json()["error"]["code"]) == (409, "replay_runs")
        assert [one["id"] for one in client.get(URL, headers=headers).json()["items"]] == [told["id"]]
        seen = client.get(f"{URL}/{told['id']}", headers=headers | {"Accept-Language": "zh-CN"}).json()
        assert schema.ReplayFound.model_validate(seen) and seen["result"] is None and seen["total"] == 10
        assert (seen["reason"], seen["problems"][0]["said"]) == ("规则有错误", "文件为空")
        assert client.delete(f"{URL}/{told['id']}", headers=headers).status_code == 204
        for method in (client.get, client.delete):
            assert method(f"{URL}/{told['id']}", headers=headers).status_code == 404
        actions = [entry.action for entry in list_audit(desk.console.accounts)]
        assert {"replays.start", "replays.cancel"} <= set(actions)
        [entry] = list_audit(desk.console.accounts, action="replays.start")
        assert entry.detail["from"] == 5.0 and entry.target == told["id"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": "rules: []", "version": "0123456789ab"},
        {"text": " "},
        {"text": "x" * 500_001},
        {"version": "v" * 65},
        {"version": "v", "from": 9, "to": 5},
        {"version": "v", "from": "yesterday"},
        {"version": "v", "from": -1},
        {"version": "v", "unknown": 1},
        {"version": 5},
    ],
)
def test_what_cannot_be_replayed_is_refused_and_nothing_begins(desk: Desktop, body: dict[str, Any]) -> None:
    with desk.client() as client:
        headers = desk.token("analyst")
        answer = client.post(URL, json=body, headers=headers)
        assert answer.status_code == 422 and answer.json()["error"]["code"] in ("invalid", "bad_request")
        assert client.get(URL, headers=headers).json()["items"] == []


def test_a_console_without_an_engine_replays_nothing(desktop: Desktop) -> None:
    with desktop.client() as client:
        answer = client.post(URL, json={"version": "v"}, headers=desktop.token("analyst"))
        assert answer.status_code == 503

"""The notifications' routes: what was not taken is listed and tried again; a target is tried out."""

from __future__ import annotations

import threading
import time

import pytest
from starlette.testclient import TestClient

from alerts.console.accounts import list_audit
from alerts.console.routes import notifications
from alerts.notifiers.deliveries import Deliveries, Letter
from alerts.notifiers.notice import Notice
from tests.waiting import until

from .conftest import Configure, Desktop


@pytest.fixture
def desktop(configure: Configure) -> Desktop:
    return Desktop(configure(test_wait=5.0))


@pytest.fixture
def deliveries(desktop: Desktop) -> Deliveries:
    it = Deliveries(desktop.config.outbox)
    it.know("hook", "webhook", time.time())
    it.know("m:li@example.org", "mail", time.time(), "away")
    for number in range(3):
        notice = Notice(
            id=f"d-{number}.1", kind="dispatch", area="a", unit="team", simulated=False, time=1.0, payload={"data": {}}
        )
        it.put_off("hook", Letter(notice, 3, 5.0, number < 2, "answered 400"))
        it.hold("m:li@example.org", notice, 1.0, quiet=False)
    return it


def test_what_was_not_taken_is_listed_and_tried_again(
    client: TestClient, desktop: Desktop, deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = desktop.token("administrator")
    hook, mail = client.get("/api/v1/notifications", headers=headers).json()["items"]
    assert (hook["name"], hook["kind"], hook["dead"], hook["waiting"], hook["held"]) == ("hook", "webhook", 2, 1, 0)
    assert [one["dead"] for one in hook["letters"]] == [True, True, False]
    assert (mail["held"], mail["error"]) == (3, "away")
    assert {one["error"] for one in hook["letters"]} == {"answered 400"}
    (chinese, _) = client.get("/api/v1/notifications", headers=headers | {"Accept-Language": "zh-CN"}).json()["items"]
    assert {one["error"] for one in chinese["letters"]} == {"应答 400"}
    path = "/api/v1/notifications/hook/retry"
    with monkeypatch.context() as broken:
        broken.setattr(notifications, "record_audit", lambda *_, **__: 1 / 0)
        assert client.post(path, json={}, headers=headers).status_code == 500
    assert deliveries.counts("hook") == (1, 2)  # what cannot be noted is not done
    assert client.post(path, json={"id": "d-0.1"}, headers=headers).json() == {"count": 1}
    assert client.post(path, json={}, headers=headers).json() == {"count": 1}
    assert client.post(path, json={}, headers=headers).status_code == 404
    assert deliveries.counts("hook") == (3, 0)
    assert len(list_audit(desktop.console.accounts, action="notification.retry")) == 2


def test_a_target_is_tried_out(client: TestClient, desktop: Desktop, deliveries: Deliveries) -> None:
    headers = desktop.token("administrator")
    assert client.post("/api/v1/notifications/nobody/test", headers=headers).status_code == 404

    def notifier() -> None:
        beside = Deliveries(desktop.config.outbox)
        (notice,) = until(lambda: beside.tests("hook"))
        assert notice.payload["data"]["status"] == "Test"
        beside.answer_test(notice.id, "answered 401")
        beside.close()

    thread = threading.Thread(target=notifier)
    thread.start()
    answer = client.post("/api/v1/notifications/hook/test", headers=headers).json()
    thread.join()
    assert answer["done"] and answer["error"] == "answered 401"


def test_without_a_notifier_it_says_so(client: TestClient, desktop: Desktop) -> None:
    answer = client.get("/api/v1/notifications", headers=desktop.token("duty"))
    assert answer.status_code == 503 and answer.json()["error"]["code"] == "no_notifier"

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from starlette.testclient import TestClient

from alerts.console.accounts import (
    Accounts,
    audit_break,
    change_user,
    end_sessions,
    find_user,
    first_link,
    list_audit,
    revoke_token,
    set_password,
)
from alerts.console.throttle import Throttle, network_of
from sensors.site import Site

from .conftest import PASSWORD, Configure, Desktop

WRONG = {"name": "duty", "password": "wrong password"}


def test_a_log_in_sets_a_strict_cookie_that_opens_me(client: TestClient, desktop: Desktop) -> None:
    desktop.user("duty")
    answer = client.post("/api/v1/session", json={"name": " DUTY ", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie  # loopback without TLS
    me = client.get("/api/v1/me").json()
    assert me == answer.json()
    assert (me["name"], me["roles"], me["zone"]) == ("duty", ["duty"], "Asia/Shanghai")
    assert me["site"]["name"]["zh"] == "测试区"


def test_over_tls_the_cookie_is_secure(desktop: Desktop) -> None:
    desktop.user("duty")
    with TestClient(desktop.app, base_url="https://console.example") as client:
        answer = client.post("/api/v1/session", json={"name": "duty", "password": PASSWORD})
        assert "; secure" in answer.headers["set-cookie"].lower()


def test_behind_a_proxy_with_tls_the_cookie_is_secure_though_the_request_is_not(
    configure: Configure, site: Site
) -> None:
    """What the proxy sends on is plain HTTP; the site says at which address people open the console."""
    desktop = Desktop(configure(site=msgspec.structs.replace(site, console="https://desk.example")))
    with TestClient(desktop.app, base_url="http://desk.example") as client:
        body = {"name": desktop.user("duty"), "password": PASSWORD}
        answer = client.post("/api/v1/session", json=body, headers={"Origin": "https://desk.example"})
        assert "; secure" in answer.headers["set-cookie"].lower()
        headers = {"Cookie": answer.headers["set-cookie"].split(";")[0], "X-Foreshock-CSRF": answer.json()["csrf"]}
        left = client.delete("/api/v1/session", headers=headers)
        assert left.status_code == 204
        assert "max-age=0" in left.headers["set-cookie"].lower()
        assert "; secure" in left.headers["set-cookie"].lower()


def test_a_log_out_ends_the_session_on_the_server(client: TestClient, desktop: Desktop) -> None:
    headers = desktop.log_in(client, "duty")
    cookie = client.cookies["foreshock_session"]
    assert client.delete("/api/v1/session", headers=headers).status_code == 204
    client.cookies.set("foreshock_session", cookie)
    assert client.get("/api/v1/me").status_code == 401


def test_a_forged_cookie_opens_nothing(client: TestClient, desktop: Desktop) -> None:
    desktop.log_in(client, "duty")
    cookie = client.cookies["foreshock_session"]
    # not the last character: some of its bits belong to no byte, so that another one may sign the same
    changed = cookie[:-8] + ("a" if cookie[-8] != "a" else "b") + cookie[-7:]
    for forged in (changed, "x", cookie.split(".")[0], "é" * 3, "a" * 5000):
        assert client.get("/api/v1/me", headers={"Cookie": f"foreshock_session={forged}".encode()}).status_code == 401


@pytest.mark.parametrize("limits", [{"session_idle": 0.0}, {"session_absolute": -1.0}])
def test_sessions_end_with_idleness_and_with_age(configure: Configure, limits: dict[str, float]) -> None:
    desktop = Desktop(configure(**limits))
    with desktop.client() as client:
        desktop.log_in(client, "viewer")
        assert client.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "end",
    [
        lambda accounts: end_sessions(accounts, "viewer"),
        lambda accounts: change_user(accounts, "viewer", disabled=True),
        lambda accounts: set_password(accounts, "viewer", "another long one"),
    ],
)
def test_sessions_end_by_hand_and_with_the_account(
    client: TestClient, desktop: Desktop, end: Callable[[Accounts], object]
) -> None:
    desktop.log_in(client, "viewer")
    assert client.get("/api/v1/me").status_code == 200
    end(desktop.console.accounts)
    assert client.get("/api/v1/me").status_code == 401


def test_a_wrong_password_and_an_unknown_name_look_alike(client: TestClient, desktop: Desktop) -> None:
    desktop.user("duty")
    known = client.post("/api/v1/session", json=WRONG)
    unknown = client.post("/api/v1/session", json={"name": "nobody", "password": "wrong password"})
    assert known.status_code == unknown.status_code == 401
    assert known.json() == unknown.json()
    actions = [entry.action for entry in list_audit(desktop.console.accounts)]
    assert actions.count("session.refused") == 2


def test_after_five_failures_even_the_right_password_waits(client: TestClient, desktop: Desktop) -> None:
    desktop.user("duty")
    for _ in range(5):
        assert client.post("/api/v1/session", json=WRONG).status_code == 401
    answer = client.post("/api/v1/session", json={"name": "duty", "password": PASSWORD})
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "locked"
    assert 0 < int(answer.headers["retry-after"]) <= 300


def test_a_right_password_forgets_the_failures_before_it(client: TestClient, desktop: Desktop) -> None:
    desktop.user("duty")
    for _ in range(3):
        for _ in range(4):
            assert client.post("/api/v1/session", json=WRONG).status_code == 401
        assert client.post("/api/v1/session", json={"name": "duty", "password": PASSWORD}).status_code == 200


def test_a_stranger_elsewhere_cannot_lock_an_officer_out() -> None:
    throttle = Throttle(5)
    for _ in range(20):
        throttle.attempt("duty", "203.0.113.9")
    assert throttle.attempt("duty", "203.0.113.9") is not None
    assert throttle.attempt("duty", "192.0.2.1") is None


def test_one_address_cannot_try_name_after_name() -> None:
    throttle = Throttle(5)
    answers = [throttle.attempt(f"name-{n}", "203.0.113.9") for n in range(80)]
    assert answers.count(None) == 60


def test_a_hundred_addresses_share_what_one_name_may_have() -> None:
    throttle = Throttle(5)
    answers = [throttle.attempt("duty", f"203.0.113.{n}") for n in range(150)]
    assert answers.count(None) == 100


def test_an_ipv6_place_is_its_network() -> None:
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2::9") == "2001:db8:1:2::/64"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),  # no token
        ({"X-Foreshock-CSRF": "0" * 64}, 403),
        ({"X-Foreshock-CSRF": "good", "Origin": "https://evil.example"}, 403),
        ({"X-Foreshock-CSRF": "good", "Origin": "null"}, 403),
        ({"X-Foreshock-CSRF": "good", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"X-Foreshock-CSRF": "good", "Sec-Fetch-Site": "same-site"}, 403),
        ({"X-Foreshock-CSRF": "good", "Origin": "http://127.0.0.1:8700", "Sec-Fetch-Site": "same-origin"}, 201),
        ({"X-Foreshock-CSRF": "good"}, 201),
    ],
)
def test_a_write_by_cookie_needs_the_token_and_the_same_origin(
    client: TestClient, desktop: Desktop, headers: dict[str, str], status: int
) -> None:
    good = desktop.log_in(client, "administrator")
    if headers.get("X-Foreshock-CSRF") == "good":
        headers = {**headers, **good}
    answer = client.post("/api/v1/tokens", json={"name": "t", "roles": ["viewer"]}, headers=headers)
    assert answer.status_code == status, answer.text


def test_another_site_cannot_log_someone_in(client: TestClient, desktop: Desktop) -> None:
    desktop.user("duty")
    body = {"name": "duty", "password": PASSWORD}
    assert client.post("/api/v1/session", json=body, headers={"Origin": "https://evil.example"}).status_code == 403
    form = client.post("/api/v1/session", content=b'{"name":"duty"}', headers={"Content-Type": "text/plain"})
    assert form.status_code == 422


def test_tokens_are_shown_once_expire_and_can_be_revoked(client: TestClient, desktop: Desktop) -> None:
    headers = desktop.token("administrator")
    made = client.post("/api/v1/tokens", json={"name": "grafana", "roles": ["viewer"], "days": 1}, headers=headers)
    assert made.status_code == 201
    bearer = {"Authorization": f"Bearer {made.json()['secret']}"}
    assert client.get("/api/v1/me", headers=bearer).json()["csrf"] == ""
    listed = client.get("/api/v1/tokens", headers=headers).json()["items"]
    assert all("secret" not in token and "hash" not in token for token in listed)
    assert made.json()["expires"] - time.time() < 86400.5
    assert client.delete(f"/api/v1/tokens/{made.json()['id']}", headers=headers).json()["revoked"] is True
    assert client.get("/api/v1/me", headers=bearer).status_code == 401
    with pytest.raises(ValueError, match="no token"):
        revoke_token(desktop.console.accounts, "nothing")


def test_the_first_administrator_comes_by_a_link_that_works_once(client: TestClient, desktop: Desktop) -> None:
    accounts = desktop.console.accounts
    link = first_link(accounts, "http://127.0.0.1:8700")
    assert link is not None
    path, _, token = link.partition("/#/first?token=")
    assert path == "http://127.0.0.1:8700"
    body = {"token": token, "name": "chief", "password": PASSWORD}
    assert client.post("/api/v1/first-administrator", json={**body, "token": "x"}).status_code == 422
    weak = client.post("/api/v1/first-administrator", json={**body, "password": "short"})
    assert weak.json()["error"] | {"message": ""} == {"code": "weak_password", "field": "password", "message": ""}
    made = client.post("/api/v1/first-administrator", json=body)
    assert made.status_code == 200
    assert client.get("/api/v1/me").json()["roles"] == ["administrator"]
    again = client.post("/api/v1/first-administrator", json={**body, "name": "second"})
    assert again.json()["error"]["code"] == "bad_link"
    assert first_link(accounts) is None


def test_accounts_are_managed_by_administrators_and_audited(client: TestClient, desktop: Desktop) -> None:
    headers = desktop.log_in(client, "administrator", "chief")
    body = {"name": "li.wei", "display": "李伟", "password": PASSWORD, "roles": ["field"], "unit": "team"}
    assert client.post("/api/v1/users", json=body, headers=headers).json()["display"] == "李伟"
    assert client.post("/api/v1/users", json=body, headers=headers).status_code == 409
    for wrong in ({"unit": None}, {"unit": "nowhere"}, {"roles": ["king"]}, {"roles": []}, {"name": "a b"}):
        answer = client.post("/api/v1/users", json={**body, "name": "x", **wrong}, headers=headers)
        assert answer.status_code == 422, wrong
        assert answer.json()["error"]["field"] == next(iter(wrong))
    changed = client.patch("/api/v1/users/li.wei", json={"roles": ["duty"], "unit": None}, headers=headers).json()
    assert (changed["roles"], changed["unit"], changed["display"]) == (["duty"], None, "李伟")
    half = client.patch("/api/v1/users/li.wei", json={"roles": ["viewer"], "password": "short"}, headers=headers)
    assert (half.status_code, half.json()["error"]["code"]) == (422, "weak_password")
    assert find_user(desktop.console.accounts, "li.wei").roles == ("duty",), "all of it, or nothing"
    assert client.patch("/api/v1/users/nobody", json={"disabled": True}, headers=headers).status_code == 404
    last = client.patch("/api/v1/users/chief", json={"disabled": True}, headers=headers)
    assert (last.status_code, last.json()["error"]["code"]) == (409, "last_administrator")
    listed = client.get("/api/v1/users").json()["items"]
    assert all("password" not in user for user in listed)
    entry = next(entry for entry in list_audit(desktop.console.accounts) if entry.action == "user.change")
    assert (entry.actor, entry.target) == ("user:chief", "li.wei")
    assert audit_break(desktop.console.accounts) is None


def test_the_audit_is_read_page_by_page_and_says_when_it_was_changed(
    client: TestClient, desktop: Desktop, tmp_path: Path
) -> None:
    headers = desktop.log_in(client, "administrator", "chief")
    body = {"name": "li", "password": PASSWORD, "roles": ["duty"]}
    assert client.post("/api/v1/users", json=body, headers=headers).status_code == 201
    first = client.get("/api/v1/audit?limit=2").json()
    assert [(item["actor"], item["action"], item["target"]) for item in first["items"]] == [
        ("user:chief", "user.add", "li"),
        ("user:chief", "session.begin", "chief"),
    ]
    assert (first["checked"], first["broken"]) == (True, None)
    second = client.get(f"/api/v1/audit?limit=2&before={first['next']}").json()
    assert [(item["action"], item["target"]) for item in second["items"]] == [("user.add", "chief")]
    assert (second["next"], second["checked"]) == (None, False)
    found = client.get("/api/v1/audit?actor=user:chief&action=user&target=li").json()
    assert (len(found["items"]), found["next"]) == (1, None)
    with sqlite3.connect(tmp_path / "accounts.sqlite") as database:
        database.execute("DROP TRIGGER audit_no_update")
        database.execute("UPDATE audit SET detail = 'rubbish' WHERE sequence = 2")
    changed = client.get("/api/v1/audit").json()
    assert changed["broken"] == 2
    assert changed["items"][1]["detail"] == {"unreadable": "rubbish"}


def test_errors_are_in_the_language_of_the_account_else_of_the_browser(client: TestClient, desktop: Desktop) -> None:
    for accept, message in (
        ("en-GB,en;q=0.9", "log in first"),
        ("zh-CN", "请先登录"),
        ("fr", "请先登录"),
        ("", "请先登录"),
    ):
        answer = client.get("/api/v1/me", headers={"Accept-Language": accept})
        assert answer.json()["error"]["message"] == message
    desktop.log_in(client, "viewer")  # an account that chose English
    assert client.get("/api/v1/users", headers={"Accept-Language": "zh-CN"}).json()["error"]["message"].isascii()

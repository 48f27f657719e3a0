"""The second step of a log-in, sessions that are listed and ended, and the place whose reports one may read."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pyotp
import pytest
from starlette.testclient import TestClient

from alerts.console.accounts import (
    AccountError,
    add_user,
    ask_second,
    audit_break,
    check_second,
    confirm_second,
    find_user,
    list_audit,
    open_accounts,
    remove_second,
)

from .conftest import CHEAP, PASSWORD, Configure, Desktop

NOW = 1_795_000_000.0


def code(secret: str, at: float = NOW) -> str:
    return pyotp.TOTP(secret).at(at)


def test_a_code_is_taken_once_and_none_that_is_older(tmp_path: Path) -> None:
    accounts = open_accounts(tmp_path / "accounts.sqlite", hasher=CHEAP)
    add_user(accounts, "anna", PASSWORD, ["administrator"])
    secret = ask_second(accounts, "anna")
    assert not check_second(accounts, "anna", code(secret), now=NOW), "not in force before it is confirmed"
    with pytest.raises(AccountError, match="not the code"):
        confirm_second(accounts, "anna", "000000", actor="user:anna", now=NOW)
    confirm_second(accounts, "anna", code(secret), actor="user:anna", now=NOW)
    assert not check_second(accounts, "anna", code(secret), now=NOW + 5), "the code that confirmed it is used"
    assert not check_second(accounts, "anna", code(secret, NOW - 30), now=NOW)
    assert check_second(accounts, "anna", code(secret, NOW + 60), now=NOW + 65)
    assert not check_second(accounts, "anna", code(secret, NOW + 30), now=NOW + 65)
    assert check_second(
        accounts, "anna", code(secret, NOW + 150)[:3] + " " + code(secret, NOW + 150)[3:], now=NOW + 125
    )
    with pytest.raises(AccountError, match="already"):
        ask_second(accounts, "anna")
    remove_second(accounts, "anna", actor="user:root", now=NOW)
    known = find_user(accounts, "anna")
    assert known is not None and not known.second
    assert [one.detail for one in list_audit(accounts, action="user.second_step")] == [{"on": False}, {"on": True}]
    assert audit_break(accounts) is None
    accounts.close()


def test_a_store_of_before_has_the_new_columns_and_its_accounts(tmp_path: Path) -> None:
    file = tmp_path / "accounts.sqlite"
    accounts = open_accounts(file, hasher=CHEAP)
    add_user(accounts, "anna", PASSWORD, ["viewer"])
    accounts.close()
    with sqlite3.connect(file) as connection:
        for column in ("places", "second", "second_asked", "second_used"):
            connection.execute(f"ALTER TABLE users DROP COLUMN {column}")
    accounts = open_accounts(file, hasher=CHEAP)
    known = find_user(accounts, "anna")
    assert known is not None and known.places == () and not known.second
    accounts.close()


def test_whoever_has_a_second_step_gives_its_code_to_log_in(desktop: Desktop, client: TestClient) -> None:
    headers = desktop.log_in(client, "administrator")
    asked = client.post("/api/v1/me/second-step", json={"password": "not my password"}, headers=headers)
    assert (asked.status_code, asked.json()["error"]["field"]) == (422, "password")
    made = client.post("/api/v1/me/second-step", json={"password": PASSWORD}, headers=headers).json()
    assert made["address"].startswith("otpauth://totp/") and made["picture"].startswith("data:image/svg+xml")
    totp = pyotp.TOTP(made["secret"])
    wrong = client.put("/api/v1/me/second-step", json={"code": "abcdef"}, headers=headers)
    assert wrong.json()["error"]["code"] == "wrong_code"
    assert client.put("/api/v1/me/second-step", json={"code": totp.now()}, headers=headers).status_code == 204
    assert client.get("/api/v1/me").json()["second"], "the session that gave the code goes on"
    with desktop.client() as other:
        log_in = {"name": "administrator", "password": PASSWORD}
        first = other.post("/api/v1/session", json=log_in)
        assert (first.status_code, first.json()["error"]["code"]) == (401, "code_needed")
        assert "set-cookie" not in first.headers
        refused = other.post("/api/v1/session", json={**log_in, "code": "000000"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "wrong_code")
        entry = list_audit(desktop.console.accounts, action="session.refused")[0]
        assert (entry.target, entry.detail) == ("administrator", {"second_step": True})
        for _ in range(desktop.config.failures):
            last = other.post("/api/v1/session", json={**log_in, "code": "111111"})
        assert last.status_code == 429, "codes are counted as passwords are"


def test_open_sessions_are_listed_and_ended_by_an_administrator(desktop: Desktop, client: TestClient) -> None:
    headers = desktop.log_in(client, "administrator")
    with desktop.client() as other:
        desktop.log_in(other, "duty")
        listed = client.get("/api/v1/sessions").json()["items"]
        assert {one["user"]: one["mine"] for one in listed} == {"duty": False, "administrator": True}
        theirs = next(one["id"] for one in listed if not one["mine"])
        assert client.delete(f"/api/v1/sessions/{theirs}", headers=headers).status_code == 204
        assert other.get("/api/v1/me").status_code == 401
        assert client.delete(f"/api/v1/sessions/{theirs}", headers=headers).status_code == 404
    assert [one["user"] for one in client.get("/api/v1/sessions").json()["items"]] == ["administrator"]
    assert list_audit(desktop.console.accounts, action="session.revoke")[0].target == "duty"


def test_an_account_reads_the_reports_of_its_own_place_and_those_below(desktop: Desktop, client: TestClient) -> None:
    headers = desktop.log_in(client, "administrator")
    new = {"name": "sub", "password": PASSWORD, "roles": ["viewer"], "places": ["s"]}
    assert client.post("/api/v1/users", json={**new, "places": ["nowhere"]}, headers=headers).status_code == 422
    assert client.post("/api/v1/users", json=new, headers=headers).json()["places"] == ["s"]
    with desktop.client() as other:
        other.post("/api/v1/session", json={"name": "sub", "password": PASSWORD})
        assert other.get("/api/v1/situation").json()["place"] == "s", "one's own is what is shown first"
        assert other.get("/api/v1/situation?place=c").status_code == 200
        for path in ("/api/v1/situation?place=d", "/api/v1/situation/report.pdf?place=d"):
            assert other.get(path).json()["error"]["code"] == "other_place"
        client.patch("/api/v1/users/sub", json={"places": []}, headers=headers)
        assert other.get("/api/v1/situation?place=d").status_code == 200


def test_where_the_site_asks_for_it_an_administrator_sets_it_up_before_anything_else(configure: Configure) -> None:
    desktop = Desktop(configure(second_step=True))
    with desktop.client() as client:
        headers = desktop.log_in(client, "administrator")
        assert client.get("/api/v1/me").json()["second_needed"]
        for path in ("/api/v1/users", "/api/v1/incidents", "/api/v1/site", "/api/v1/changes"):
            refused = client.get(path)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "second_needed"), path
        made = client.post("/api/v1/me/second-step", json={"password": PASSWORD}, headers=headers).json()
        code = {"code": pyotp.TOTP(made["secret"]).now()}
        assert client.put("/api/v1/me/second-step", json=code, headers=headers).status_code == 204
        me = client.get("/api/v1/me").json()
        assert (me["second"], me["second_needed"], me["second_kept"]) == (True, False, True)
        assert client.get("/api/v1/users").status_code == 200
        kept = client.post("/api/v1/me/second-step/remove", json={"password": PASSWORD}, headers=headers)
        assert (kept.status_code, kept.json()["error"]["code"]) == (409, "second_kept")
        remove_second(desktop.console.accounts, "administrator", actor="user:root")
        assert client.get("/api/v1/users").status_code == 403, "a session that is open asks for it, too"
        client.cookies.clear()
        desktop.log_in(client, "duty")
        assert not client.get("/api/v1/me").json()["second_needed"]
        client.cookies.clear()
        assert client.get("/api/v1/users", headers=desktop.token("administrator")).status_code == 200, (
            "a token has none"
        )

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alerts.console.accounts import (
    AccountError,
    Accounts,
    External,
    add_token,
    add_user,
    ask_second,
    audit_break,
    begin_session,
    change_user,
    check_password,
    claim_first,
    disable_user,
    enter_external,
    find_external,
    find_session,
    find_token,
    find_user,
    first_link,
    list_audit,
    list_tokens,
    list_users,
    open_accounts,
    personal,
    read_key,
    record_audit,
    revoke_token,
    set_password,
)

from .conftest import CHEAP, PASSWORD


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    accounts = open_accounts(tmp_path / "accounts.sqlite", hasher=CHEAP)
    yield accounts
    accounts.close()


def test_a_persons_data_is_given_and_taken_away_on_request(tmp_path: Path) -> None:
    accounts = open_accounts(tmp_path / "accounts.sqlite", hasher=CHEAP)
    add_user(accounts, "root", PASSWORD, ["administrator"])
    add_user(accounts, "li.wei", PASSWORD, ["duty"], display="李伟", language="en", places=["s"])
    session = begin_session(accounts, "li.wei", address="10.0.0.7", agent="a telephone")
    told = personal.export_person(accounts, "li.wei", actor="user:root")
    text = msgspec.json.encode(told).decode()
    assert told["account"]["display"] == "李伟" and told["sessions"][0]["address"] == "10.0.0.7"
    assert {entry["action"] for entry in told["audit"]} == {"user.add", "session.begin"}
    assert "argon2" not in text and session not in text
    gone = personal.erase_person(accounts, "li.wei", actor="user:root")
    assert (gone.display, gone.disabled, gone.places, gone.language) == ("li.wei", True, (), None)
    assert find_session(accounts, session) is None and check_password(accounts, "li.wei", PASSWORD) is None
    left = personal.export_person(accounts, "li.wei", actor="user:root")
    assert left["sessions"] == [] and "李伟" not in msgspec.json.encode(left["account"]).decode()
    assert [entry.action for entry in list_audit(accounts, actor="user:root")] == [
        "user.export",
        "user.erase",
        "user.export",
    ]
    with pytest.raises(AccountError, match="last administrator"):
        personal.erase_person(accounts, "root", actor="user:root")
    with pytest.raises(AccountError, match="no account"):
        personal.export_person(accounts, "nobody", actor="user:root")
    assert audit_break(accounts) is None
    accounts.close()


@pytest.mark.parametrize("external", [False, True], ids=["by a password", "by a provider"])
def test_an_account_that_was_erased_is_so_for_good(accounts: Accounts, external: bool) -> None:
    known = External(issuer="https://sign.in", subject="77", name="li", display="李伟", roles=("administrator",))
    enter: dict[str, Any] = {"first": "make", "units": set(), "places": set(), "actor": "provider:x"}
    if external:
        enter_external(accounts, known, **enter)
    else:
        add_user(accounts, "li", PASSWORD, ["administrator"])
    add_user(accounts, "root", PASSWORD, ["administrator"])
    _, theirs = add_token(accounts, "probe", ["viewer"], actor="user:li")
    _, others = add_token(accounts, "dash", ["viewer"], actor="user:root")
    assert personal.erase_person(accounts, "li", actor="user:root").erased
    before = find_user(accounts, "li")
    for attempt in (
        lambda: disable_user(accounts, "li", disabled=False),
        lambda: change_user(accounts, "li", roles=["administrator"]),
        lambda: change_user(accounts, "li", display="李伟", by_provider=True),
        lambda: set_password(accounts, "li", "quite another one"),
        lambda: ask_second(accounts, "li"),
    ):
        with pytest.raises(AccountError) as caught:
            attempt()
        assert caught.value.code == "erased"
    for again in (
        lambda: add_user(accounts, "LI", PASSWORD, ["viewer"]),
        lambda: enter_external(accounts, known, **enter),
    ):
        with pytest.raises(AccountError, match="already"):
            again()
    assert find_external(accounts, known.issuer, known.subject) is None
    assert find_user(accounts, "li") == before and before is not None and before.disabled
    assert check_password(accounts, "li", PASSWORD) is check_password(accounts, "li", "!") is None
    assert find_session(accounts, begin_session(accounts, "li")) is None, "one that was about to begin"
    assert find_token(accounts, theirs) is None and find_token(accounts, others) is not None
    assert personal.erase_person(accounts, "li", actor="user:root") == before, "again"


def test_the_store_and_the_key_are_for_their_owner_only(accounts: Accounts, tmp_path: Path) -> None:
    key = read_key(tmp_path)
    assert len(key) == 32
    assert read_key(tmp_path) == key
    for name in ("accounts.sqlite", "secret.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    (tmp_path / "secret.key").chmod(0o644)
    with pytest.raises(PermissionError, match="chmod 600"):
        read_key(tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".secret")]


def test_nothing_secret_is_stored_as_it_is(accounts: Accounts, tmp_path: Path) -> None:
    add_user(accounts, "duty", PASSWORD, ["duty"])
    session = begin_session(accounts, "duty")
    _, secret = add_token(accounts, "t", ["viewer"])
    link = first_link(accounts)
    assert link is not None
    accounts.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("accounts.sqlite*"))
    for clear in (PASSWORD, session, secret, link.partition("token=")[2]):
        assert clear.encode() not in stored


def test_passwords_are_checked_against_the_normal_form_of_the_name(accounts: Accounts) -> None:
    add_user(accounts, "Ａnna", PASSWORD, ["viewer"], display="Anna")  # a full-width letter
    found = check_password(accounts, "ANNA", PASSWORD)
    assert found is not None
    assert found.name == "anna"
    assert check_password(accounts, "anna", PASSWORD + "x") is None
    assert check_password(accounts, "nobody", PASSWORD) is None
    disable_user(accounts, "anna")
    assert check_password(accounts, "anna", PASSWORD) is None
    disable_user(accounts, "anna", disabled=False)
    set_password(accounts, "anna", "quite another one")
    assert check_password(accounts, "anna", "quite another one") is not None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": ""}, "bad_name"),
        ({"name": "-x"}, "bad_name"),
        ({"name": "a/b"}, "bad_name"),
        ({"name": "a" * 65}, "bad_name"),
        ({"password": "too short"}, "weak_password"),
        ({"password": "aaaaaaaaaaaa"}, "weak_password"),
        ({"password": "x" * 257}, "weak_password"),
        ({"name": "longenoughname", "password": "LongEnoughName"}, "weak_password"),
        ({"roles": []}, "bad_role"),
        ({"roles": ["root"]}, "bad_role"),
        ({"roles": ["field"]}, "unit_needed"),
        ({"roles": ["field"], "unit": "x", "units": {"team"}}, "unknown_unit"),
        ({"language": "fr"}, "bad_language"),
        ({"display": "x" * 101}, "bad_display"),
        ({"name": "taken"}, "name_taken"),
    ],
)
def test_an_account_that_cannot_be_is_refused_with_the_reason(accounts: Accounts, changes: dict, code: str) -> None:  # type: ignore[type-arg]
    add_user(accounts, "taken", PASSWORD, ["viewer"])
    values = {"name": "x", "password": PASSWORD, "roles": ["viewer"], **changes}
    with pytest.raises(AccountError) as caught:
        add_user(accounts, **values)
    assert caught.value.code == code
    assert [user.name for user in list_users(accounts)] == ["taken"]


def test_the_last_administrator_stays(accounts: Accounts) -> None:
    add_user(accounts, "one", PASSWORD, ["administrator"])
    add_user(accounts, "two", PASSWORD, ["administrator"])
    disable_user(accounts, "one")
    for attempt in ({"disabled": True}, {"roles": ["viewer"]}):
        with pytest.raises(AccountError, match="last administrator"):
            change_user(accounts, "two", **attempt)  # type: ignore[arg-type]


def test_sessions_end_by_time(accounts: Accounts) -> None:
    add_user(accounts, "duty", PASSWORD, ["duty"])
    session = begin_session(accounts, "duty", absolute=100.0, now=1000.0)
    assert find_session(accounts, session, idle=50.0, now=1049.0) is not None
    assert find_session(accounts, session, idle=50.0, now=1051.0) is None
    assert find_session(accounts, session, idle=500.0, now=1099.0) is not None
    assert find_session(accounts, session, idle=500.0, now=1101.0) is None
    assert find_session(accounts, "another", now=1001.0) is None


def test_tokens_end_by_time(accounts: Accounts) -> None:
    token, secret = add_token(accounts, "t", ["viewer", "analyst"], days=1, now=1000.0)
    assert token.roles == ("viewer", "analyst")
    assert find_token(accounts, secret, now=1000.0 + 86399) is not None
    assert find_token(accounts, secret, now=1000.0 + 86401) is None
    assert find_token(accounts, secret + "x", now=1001.0) is None
    assert list_tokens(accounts)[0].used == 1000.0 + 86399
    for days in (0, -1, 731, float("nan")):
        with pytest.raises(AccountError):
            add_token(accounts, "t", ["viewer"], days=days)


def test_a_token_is_revoked_by_id_or_by_a_name_that_one_in_force_has(accounts: Accounts) -> None:
    """Who renews a token makes a second one of the same name, and the old one expires or is revoked."""
    expired, _ = add_token(accounts, "probe", ["viewer"], days=1, now=1000.0)
    current, secret = add_token(accounts, "Probe", ["viewer"], days=9, now=2000.0)
    other, _ = add_token(accounts, "other", ["viewer"], now=2000.0)
    assert revoke_token(accounts, "PROBE", now=100_000.0).id == current.id
    assert find_token(accounts, secret, now=100_000.0) is None
    assert revoke_token(accounts, other.id, now=100_000.0).id == other.id
    assert [entry.target for entry in list_audit(accounts) if entry.action == "token.revoke"] == [other.id, current.id]
    assert revoke_token(accounts, "probe", now=100_000.0).id == current.id, "again: nothing is left to do"
    assert revoke_token(accounts, expired.id, now=100_000.0).id == expired.id


def test_a_name_that_several_tokens_in_force_have_revokes_none(accounts: Accounts) -> None:
    tokens = [add_token(accounts, "probe", ["viewer"])[0] for _ in range(2)]
    with pytest.raises(AccountError) as caught:
        revoke_token(accounts, "probe")
    assert caught.value.code == "ambiguous_token"
    assert all(token.id in str(caught.value) for token in tokens)
    assert not any(token.revoked for token in list_tokens(accounts))
    with pytest.raises(AccountError, match="no token nothing"):
        revoke_token(accounts, "nothing")


def test_the_first_link_is_over_after_a_day_and_by_a_newer_one(accounts: Accounts) -> None:
    first, second = (str(first_link(accounts, now=now)).partition("token=")[2] for now in (1000.0, 2000.0))
    for token, now in ((first, 2001.0), (second, 2000.0 + 86401)):
        with pytest.raises(AccountError) as caught:
            claim_first(accounts, token, "chief", PASSWORD, now=now)
        assert caught.value.code == "bad_link"
    assert claim_first(accounts, second, "chief", PASSWORD, now=2000.0 + 86399).roles == ("administrator",)


def test_the_audit_cannot_be_changed_and_shows_when_it_was(accounts: Accounts, tmp_path: Path) -> None:
    for number in range(5):
        record_audit(accounts, "user:x", "act", str(number), now=float(number), value=number)
    assert [entry.detail["value"] for entry in list_audit(accounts, limit=2)] == [4, 3]
    assert audit_break(accounts) is None
    with sqlite3.connect(tmp_path / "accounts.sqlite") as database:
        for statement in ("UPDATE audit SET actor = 'user:y'", "DELETE FROM audit WHERE sequence = 5"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute(statement)
        database.execute("DROP TRIGGER audit_no_update")
        database.execute("UPDATE audit SET actor = 'user:y' WHERE sequence = 3")
    assert audit_break(accounts) == 3


def test_the_audit_is_found_by_who_and_what_and_page_by_page(accounts: Accounts) -> None:
    for actor, action, target in (
        ("user:li", "user.add", "a"),
        ("user:li.wei", "user.change", "a"),
        ("token:probe#0123", "command.close", "i-1"),
        ("token:probe-2#4567", "username", "i-1"),
        ("token:pr_be#89ab", "command.close", "i-2"),
    ):
        record_audit(accounts, actor, action, target)

    def found(**filters: Any) -> list[int]:
        return [entry.sequence for entry in list_audit(accounts, **filters)]

    assert found(actor="user:li") == [1]
    assert found(actor="token:probe") == found(actor="token:probe#0123") == [3]
    assert found(actor="token:pr_be") == [5], "what is looked for is no pattern"
    assert found(action="user") == [2, 1]
    assert found(action="command.close", target="i-1") == [3]
    assert found(limit=2) == [5, 4]
    assert found(limit=2, before=4) == [3, 2]
    assert found(actor="", action="", target="") == [5, 4, 3, 2, 1]


def test_two_processes_append_to_one_chain(accounts: Accounts, tmp_path: Path) -> None:
    other = open_accounts(tmp_path / "accounts.sqlite", hasher=CHEAP)
    for number in range(10):
        record_audit(accounts if number % 2 else other, "user:x", "act", str(number))
    other.close()
    assert audit_break(accounts) is None
    assert len(list_audit(accounts)) == 10

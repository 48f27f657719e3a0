"""What several runs share in one PostgreSQL: the notifiers' memory, codes, accounts and the audit."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import argon2
import pytest
import sqlalchemy as sa

from alerts.console.accounts import (
    add_token,
    add_user,
    audit_break,
    begin_session,
    check_password,
    disable_user,
    find_session,
    find_token,
    list_audit,
    open_accounts,
    record_audit,
)
from alerts.console.accounts.pushes import first_stamp
from alerts.console.accounts.secret import keep_key, read_key
from alerts.elsewhere import open_elsewhere
from alerts.notifiers.deliveries import Deliveries, Letter
from alerts.notifiers.notice import Notice
from alerts.notifiers.replies import Replies
from alerts.notifiers.targets import MailTarget

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "a horse and a battery"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Either place for what the notifiers remember."""
    return tmp_path / "outbox.sqlite" if request.param == "sqlite" else str(request.getfixturevalue("database"))


@pytest.fixture
def database(postgresql: str) -> Iterator[str]:
    """A database without anything shared in it."""
    yield postgresql
    engine = sa.create_engine(postgresql)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA IF EXISTS outbox, accounts CASCADE")
    engine.dispose()


def notice(id: str) -> Notice:
    data = {"incident": "i-1", "title": {"zh": "险情", "en": "danger"}}
    return Notice(
        id=id, kind="dispatch", area="a", unit="", simulated=False, time=100.0, payload={"id": id, "data": data}
    )


def test_two_notifiers_memories_are_one(place: Path | str) -> None:
    before, after = Deliveries(place), Deliveries(place)
    assert before.cursor("hook") is None
    before.move("hook", 3)
    before.move("hook", 7)
    before.deliver("hook", "one", 101.0)
    before.deliver("hook", "one", 102.0)  # again: noted once
    before.put_off("hook", Letter(notice("two"), 1, 110.0, False, "503"))
    before.put_off("hook", Letter(notice("two"), 2, 120.5, False, "503 again"))
    before.put_off("hook", Letter(notice("three"), 9, 1.0, True, "gone"))
    before.note_sent("hook", 1_750_000_000.123, digest=False)
    before.know("hook", "webhook", 5.0)
    before.know("hook", "webhook", 6.0, "away")
    before.ask_test("hook", notice("try"))
    before.close()  # and the next goes on where it stood
    assert after.cursor("hook") == 7
    assert after.is_delivered("hook", "one") and not after.is_delivered("hook", "two")
    assert after.is_put_off("hook", "two")
    (letter,) = after.waiting("hook")
    assert (letter.attempts, letter.due, letter.error) == (2, 120.5, "503 again")
    assert after.due("hook", 120.0) == [] and after.next_due("hook") == 120.5
    assert after.counts("hook") == (1, 1) and after.dead_ids("hook") == {"three"}
    assert after.revive("hook", "three") and not after.revive("hook", "three")
    assert after.sent_since("hook", 1_750_000_000.0) == [(1_750_000_000.123, False)], "to the millisecond"
    assert after.known() == {"hook": ("webhook", 6.0, "away")}
    assert [one.id for one in after.tests("hook")] == ["try"]
    after.answer_test("try", "")
    assert after.test_result("try") == ""
    after.close()


def test_what_is_told_together_is_delivered_together_or_not_at_all(place: Path | str) -> None:
    memory = Deliveries(place)
    for name in ("a", "b"):
        memory.hold("mail", notice(name), 100.0, quiet=False)
    assert memory.count_held("mail") == (2, 0)
    memory.gather("mail", notice("digest"), ["a", "b"], 101.0)
    assert memory.has_digest("mail") and memory.held("mail", 10) == []
    memory.deliver("mail", "digest", 102.0)
    assert all(memory.is_delivered("mail", id) for id in ("digest", "a", "b"))
    with pytest.raises(RuntimeError, match="amid"), memory._memory.transaction():
        memory.move("mail", 5)
        raise RuntimeError("amid")
    assert memory.cursor("mail") is None
    memory.close()


def test_letters_that_are_long_dead_are_forgotten_with_what_was_gathered_in_them(place: Path | str) -> None:
    deliveries = Deliveries(place)
    for id, due, dead in (("old", 10.0, True), ("late", 50.0, True), ("waits", 10.0, False)):
        deliveries.put_off("mail", Letter(notice(id), 20, due, dead, "full"))
    for digest, died in (("digest-1", 10.0), ("digest-2", 50.0)):
        for id in (f"{digest}.a", f"{digest}.b"):
            deliveries.hold("mail", notice(id), 5.0, quiet=False)
        deliveries.gather("mail", notice(digest), [f"{digest}.a", f"{digest}.b"], 5.0)
        deliveries.put_off("mail", Letter(notice(digest), 20, died, True, "full"))
    deliveries.hold("mail", notice("held"), 5.0, quiet=True)
    assert deliveries.prune(30.0) == 2
    assert deliveries.dead_ids("mail") == {"late", "digest-2"}
    assert [one.notice.id for one in deliveries.waiting("mail")] == ["waits"]
    kept = {id for id in ("digest-1.a", "digest-2.a", "digest-2.b", "held") if deliveries.is_put_off("mail", id)}
    assert kept == {"digest-2.a", "digest-2.b", "held"}
    deliveries.close()


def test_a_code_is_used_up_once_whoever_is_asked(place: Path | str) -> None:
    key = secrets.token_bytes(32)
    told, asked = Replies(place, key), Replies(place, key)
    target = MailTarget(name="mail", host="mail.example", sender="a@example.org", to=("b@example.org",))
    code = told.give(notice("one"), target)
    assert code and told.give(notice("one"), target) == code
    found = asked.find(code.lower())
    assert found is not None and (found.object, found.title["zh"]) == ("i-1", "险情")
    assert asked.use(code, 101.0) and not told.use(code, 101.0)
    told.give_back(code, 100.0)
    assert not told.use(code, 102.0), "only who used it gives it back"
    told.give_back(code, 101.0)
    assert told.use(code, 102.0)
    told.close()
    asked.close()


@pytest.mark.server
def test_two_consoles_know_the_same_people_and_write_one_audit(database: str) -> None:
    here, there = (open_accounts(database, hasher=CHEAP) for _ in range(2))
    add_user(here, "duty", PASSWORD, ["duty"])
    assert check_password(there, "duty", PASSWORD) is not None
    session = begin_session(here, "duty")
    assert find_session(there, session) is not None
    _, secret = add_token(there, "probe", ["viewer"])
    assert find_token(here, secret) is not None
    for n in range(4):
        record_audit((here, there)[n % 2], "duty", "command.tried", str(n))
    entries = list_audit(here)
    assert [one.sequence for one in entries] == list(range(len(entries), 0, -1)) and audit_break(there) is None
    assert first_stamp(here, "p", "x", 5.0) == 5.0 and first_stamp(there, "p", "x", 9.0) == 5.0
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), here.writing() as connection:
        connection.exec_driver_sql("DELETE FROM audit")
    disable_user(there, "duty")
    assert find_session(here, session) is None, "put out at the other console as well"
    here.close()
    there.close()


@pytest.mark.server
def test_a_database_that_was_away_is_asked_again(database: str) -> None:
    memory, other = Deliveries(database), open_elsewhere(database, "outbox")
    memory.move("hook", 3)
    with other.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
    assert memory.cursor("hook") == 3
    memory.close()
    other.dispose()


def test_a_shared_key_takes_the_place_of_a_folders_own(tmp_path: Path) -> None:
    before = read_key(tmp_path)
    keep_key(tmp_path, "ab" * 32)
    assert read_key(tmp_path) == bytes.fromhex("ab" * 32) != before

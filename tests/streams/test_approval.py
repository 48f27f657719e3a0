"""Publications that wait for a second person."""

from __future__ import annotations

import pytest

from alerts.outcome import AnyOutcome, CommandResult, ProposalChange
from sensors.observation import Decision, Proposal
from streams.approval import MOST, person
from streams.bundle import Bundle
from streams.engine import Engine
from tests.streams.small_site import START, published, record, rules, site, tick


def run(engine: Engine, *log: bytes) -> list[AnyOutcome]:
    first = engine.offset + 1
    applied = engine.apply([(first + place, value) for place, value in enumerate(log)])
    return [one for entry in applied.records for one in entry.outcomes]


def proposal(version: str = "v2", author: str = "user:li", time: float = START + 1.0) -> bytes:
    return record(
        Proposal(version=version, bundle=b"x", source="", author=author, reason="calmer", time=time, difference=("a",))
    )


def decision(number: int, actor: str, *, approve: bool = True, id: str = "d", reason: str = "") -> bytes:
    return record(Decision(id=id, number=number, approve=approve, actor=actor, time=START + 5.0, reason=reason))


@pytest.fixture
def engine() -> Engine:
    made = Engine(0)
    run(made, published(Bundle(site=site(), rules=rules())), tick(START))
    return made


def answers(outcomes: list[AnyOutcome]) -> list[tuple[bool, str]]:
    return [(one.ok, one.reason) for one in outcomes if isinstance(one, CommandResult)]


def test_another_person_approves(engine: Engine) -> None:
    (waits,) = run(engine, proposal())
    assert isinstance(waits, ProposalChange)
    assert (waits.number, waits.state, waits.author, waits.difference) == (1, "waiting", "user:li", ("a",))
    assert engine.approvals.due() is None
    assert engine.version == "v1"
    found = run(engine, decision(1, "user:wang"))
    assert answers(found) == [(True, "")]
    assert [(one.state, one.by) for one in found if isinstance(one, ProposalChange)] == [("approved", "user:wang")]
    due = engine.approvals.due()
    assert due is not None and due.version == "v2"
    run(engine, published(Bundle(site=site(), rules=rules(15.0)), "v2", START + 6.0))
    assert engine.approvals.due() is None


@pytest.mark.parametrize("actor", ["user:li", "user:li@terminal", "cli:li", "token:li#7", "user:LI"])
def test_nobody_approves_their_own(engine: Engine, actor: str) -> None:
    run(engine, proposal())
    found = run(engine, decision(1, actor))
    assert answers(found) == [(False, "own_proposal")]
    assert engine.approvals.due() is None
    assert answers(run(engine, decision(1, "user:wang", id="e"))) == [(True, "")]


def test_the_author_may_take_it_back_and_it_can_no_longer_be_approved(engine: Engine) -> None:
    run(engine, proposal())
    found = run(engine, decision(1, "user:li", approve=False, reason="wrong folder"))
    assert [(one.state, one.reason) for one in found if isinstance(one, ProposalChange)] == [
        ("rejected", "wrong folder")
    ]
    assert answers(run(engine, decision(1, "user:wang", id="e"))) == [(False, "not_waiting")]
    assert answers(run(engine, decision(9, "user:wang", id="f"))) == [(False, "not_waiting")]


def test_of_two_that_are_approved_at_once_the_second_is_said_to_be_let_go_of(engine: Engine) -> None:
    run(engine, proposal(), proposal("v3"))
    run(engine, decision(1, "user:wang"), decision(2, "user:wang", id="e"))
    found = run(engine, published(Bundle(site=site(), rules=rules(15.0)), "v2", START + 6.0))
    (change,) = [one for one in found if isinstance(one, ProposalChange)]
    assert (change.number, change.version, change.state) == (2, "v3", "replaced")
    assert engine.approvals.due() is None


def test_it_waits_over_a_restart(engine: Engine) -> None:
    run(engine, proposal(), proposal("v3", "user:wang"))
    run(engine, decision(2, "user:li"))
    again = Engine.restore(engine.snapshot())
    due = again.approvals.due()
    assert due is not None and (due.version, due.bundle) == ("v3", b"x")
    assert answers(run(again, decision(1, "user:wang", id="e"))) == [(True, "")]


def test_what_waits_is_replaced_by_a_publication_that_comes_before_it(engine: Engine) -> None:
    run(engine, proposal())
    found = run(engine, published(Bundle(site=site(), rules=rules(15.0)), "v9", START + 3.0))
    assert [(one.number, one.state) for one in found if isinstance(one, ProposalChange)] == [(1, "replaced")]
    assert answers(run(engine, decision(1, "user:wang"))) == [(False, "not_waiting")]


def test_proposing_the_same_again_replaces_it_and_only_so_many_wait(engine: Engine) -> None:
    run(engine, proposal(), proposal())
    assert answers(run(engine, decision(1, "user:wang"))) == [(False, "not_waiting")]
    run(engine, *(proposal(f"w{place}") for place in range(MOST)))
    assert answers(run(engine, decision(2, "user:wang", id="e"))) == [(False, "not_waiting")]
    assert answers(run(engine, decision(3, "user:wang", id="f"))) == [(True, "")]


def test_a_person_is_the_same_by_any_door() -> None:
    assert (
        person("user:li")
        == person("token:li#3")
        == person("cli:Li")
        == person("user:Li@terminal")
        != person("user:wang")
    )
    assert person("gateway") == "gateway"

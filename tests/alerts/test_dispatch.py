"""The legs of a dispatch: every leg with every order, and the deadlines."""

from __future__ import annotations

from typing import get_args

import pytest

from alerts import messages
from alerts.alarm import Refusal
from alerts.dispatch import EDGES, LEGS, Dispatch, Leg, Order, allowed_seconds, raise_level, set_deadline, step
from sensors.site import Deadlines, Loop

LOOP = ("feed_back", "follow_up")
DONE = ("accept", "on_scene", "resolve")

REFUSED: dict[tuple[str, str], str] = {
    ("issued", "on_scene"): "dispatch.wrong_leg",
    ("issued", "resolve"): "dispatch.wrong_leg",
    ("accepted", "accept"): "dispatch.already_done",
    ("accepted", "resolve"): "dispatch.wrong_leg",
    ("on_scene", "accept"): "dispatch.already_done",
    ("on_scene", "on_scene"): "dispatch.already_done",
    ("on_scene", "refuse"): "dispatch.past_refusing",
    **{(leg, order): "dispatch.wrong_leg" for leg in ("issued", "accepted", "on_scene") for order in LOOP},
    **{(leg, "refuse"): "dispatch.past_refusing" for leg in ("fed_back", "follow_up")},
    **{(leg, order): "dispatch.already_done" for leg in ("fed_back", "follow_up") for order in DONE},
    **{(leg, "feed_back"): "dispatch.already_done" for leg in ("fed_back", "follow_up")},
    ("resolved", "accept"): "dispatch.already_done",
    ("resolved", "on_scene"): "dispatch.already_done",
    ("resolved", "resolve"): "dispatch.already_done",
    ("resolved", "refuse"): "dispatch.past_refusing",
    **{("closed", order): "dispatch.closed" for order in get_args(Order)},
    **{("refused", order): "dispatch.refused" for order in get_args(Order)},
}


@pytest.mark.parametrize("order", get_args(Order))
@pytest.mark.parametrize("leg", LEGS)
def test_every_leg_takes_every_order_or_says_why_not(leg: Leg, order: Order) -> None:
    if (leg, order) in EDGES:
        assert step(leg, order, "because") == EDGES[leg, order]
        return
    with pytest.raises(Refusal) as refused:
        step(leg, order, "because")
    assert refused.value.key == REFUSED[leg, order]
    assert refused.value.key in messages.MESSAGES


@pytest.mark.parametrize("leg", ["issued", "accepted"])
def test_a_refusal_needs_a_reason(leg: Leg) -> None:
    with pytest.raises(Refusal, match="reason_needed"):
        step(leg, "refuse")


@pytest.mark.parametrize("leg", ["issued", "accepted", "on_scene"])
def test_a_recall_needs_a_reason(leg: Leg) -> None:
    with pytest.raises(Refusal, match="reason_needed"):
        step(leg, "close")
    assert step("resolved", "close") == "closed"


@pytest.mark.parametrize(
    ("leg", "order"), [("resolved", "feed_back"), ("follow_up", "follow_up"), ("follow_up", "close")]
)
def test_what_was_told_or_found_and_why_a_visit_is_put_off_is_said(leg: Leg, order: Order) -> None:
    with pytest.raises(Refusal, match="reason_needed"):
        step(leg, order)
    assert step("resolved", "follow_up") == "follow_up"


def test_where_the_loop_is_asked_for_no_dispatch_that_was_dealt_with_closes_before() -> None:
    both: tuple[Loop, ...] = ("feed_back", "follow_up")
    for leg, order, key in (
        ("resolved", "close", "feed_back"),
        ("resolved", "follow_up", "feed_back"),
        ("fed_back", "close", "follow_up"),
    ):
        with pytest.raises(Refusal, match=f"dispatch.{key}_needed"):
            step(leg, order, "done", both)  # type: ignore[arg-type]
        assert f"dispatch.{key}_needed" in messages.MESSAGES
    assert step("resolved", "close", "", ()) == "closed"
    assert step("resolved", "follow_up", "", ("follow_up",)) == "follow_up"
    assert step("follow_up", "close", "all is well", both) == "closed"
    assert step("on_scene", "close", "a false alarm", both) == "closed", "a recall is no end of the loop"


def test_the_loop_has_deadlines_where_it_is_asked_for() -> None:
    deadlines = Deadlines()
    assert allowed_seconds(deadlines, "resolved", 3) is None
    assert allowed_seconds(deadlines, "resolved", 3, ("feed_back",)) == deadlines.feed_back["orange"]
    assert allowed_seconds(deadlines, "fed_back", 3, ("feed_back",)) is None
    assert allowed_seconds(deadlines, "fed_back", 3, ("follow_up",)) == deadlines.feed_back["orange"]
    assert allowed_seconds(deadlines, "follow_up", 3) == deadlines.follow_up["orange"]
    one = made(leg="follow_up")
    set_deadline(one, deadlines, 100.0, (), 50.0)
    assert one.deadline == 150.0


def made(level: int = 3, leg: Leg = "issued") -> Dispatch:
    return Dispatch(id="d", incident="i", area="a", unit="u", level=level, deadline=None, tried=["u"], leg=leg)


@pytest.mark.parametrize(
    ("leg", "seconds"), [("issued", 300.0), ("accepted", 1800.0), ("on_scene", 14400.0), ("resolved", None)]
)
def test_each_leg_sets_the_deadline_of_the_next(leg: Leg, seconds: float | None) -> None:
    dispatch = made(leg=leg)
    dispatch.overdue = True
    set_deadline(dispatch, Deadlines(), 1000.0)
    assert dispatch.deadline == (None if seconds is None else 1000.0 + seconds)
    assert dispatch.overdue is False
    assert allowed_seconds(Deadlines(), leg, 3) == seconds


def test_a_raise_never_gives_more_time() -> None:
    dispatch = made()
    set_deadline(dispatch, Deadlines(), 1000.0)
    raise_level(dispatch, Deadlines(), 4, 1200.0)
    assert (dispatch.level, dispatch.deadline) == (4, 1300.0)
    sooner = made()
    set_deadline(sooner, Deadlines(), 1000.0)
    raise_level(sooner, Deadlines(), 4, 1010.0)
    assert sooner.deadline == 1190.0

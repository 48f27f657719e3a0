"""The signature under a handover: once, by somebody of the turn that comes on duty. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from alerts.alarm import Refusal
from alerts.duty import Roster, Turn
from alerts.outcome import AnyOutcome, HandoverSigned
from sensors.observation import Command

if TYPE_CHECKING:
    from alerts.casebook import Casebook

MOST_BYTES = 400_000
"""Of a sheet that is signed, as JSON."""

REMEMBERED = 400
"""Turns whose signature is remembered: more than a quarter of a year with four a day."""


def take_over(book: Casebook, command: Command, clock: float, out: list[AnyOutcome], comment: str) -> None:
    """Record that a turn was taken over. Raise `Refusal` when it is not to be, or not by this person."""
    signed = book.cases.signed
    turn = sign(book.roster, signed, command.args.get("turn"), command.actor, clock)
    sheet = command.args.get("sheet")
    if not isinstance(sheet, dict):
        raise Refusal("bad_argument")
    if len(msgspec.json.encode(sheet)) > MOST_BYTES:
        raise Refusal("handover.too_large")
    while len(signed) >= REMEMBERED:
        del signed[next(iter(signed))]
    signed[turn.key] = command.actor
    out.append(
        HandoverSigned(
            id=f"handover-{turn.key}",
            turn=turn.key,
            shift=turn.shift,
            begin=turn.begin,
            time=clock,
            actor=command.actor,
            reason=comment,
            people={one.seat: one.account for one in turn.people},
            sheet=sheet,
        )
    )


def sign(roster: Roster, signed: dict[str, str], turn: object, actor: str, clock: float) -> Turn:
    """Check that a person may take a turn over now, for the first time. Raise `Refusal` otherwise."""
    due = roster.turn(clock)
    if due is None:
        raise Refusal("handover.nobody")
    if turn != due.key:
        raise Refusal("handover.other_turn")
    if due.key in signed:
        raise Refusal("handover.signed")
    kind, _, name = actor.partition(":")
    if kind != "user" or name.removesuffix("@terminal") not in due.accounts:
        raise Refusal("handover.not_on_duty")
    return due

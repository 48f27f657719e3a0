"""Publications that wait for a second person: part of the engine's state, in the partition of the site itself."""

from __future__ import annotations

from typing import Any

import msgspec

from alerts.outcome import ProposalChange
from sensors.observation import Decision, Proposal

MOST = 20
"""Publications that wait at once; the oldest beyond is let go of."""


class Approvals:
    """Hold what waits and what was approved. Pure: time comes with the observations."""

    def __init__(self) -> None:
        self.count = 0
        self._waiting: dict[int, Proposal] = {}
        self._approved: dict[int, Proposal] = {}

    def propose(self, what: Proposal) -> list[ProposalChange]:
        """Have a publication wait; one of the same content that waits already is replaced."""
        out = [
            self._end(number, "replaced", what.author, "", what.time)
            for number, one in list(self._waiting.items())
            if one.version == what.version
        ]
        while len(self._waiting) >= MOST:
            out.append(self._end(next(iter(self._waiting)), "replaced", "foreshock", "too many wait", what.time))
        self.count += 1
        self._waiting[self.count] = what
        return [*out, _change(self.count, what, "waiting", what.author, what.reason, what.time)]

    def decide(self, what: Decision) -> tuple[str, list[ProposalChange]]:
        """Approve or reject what waits. Return why not, a key of messages, else "", and what changed."""
        one = self._waiting.get(what.number)
        if one is None:
            return "not_waiting", []
        if what.approve and person(what.actor) == person(one.author):
            return "own_proposal", []
        change = self._end(what.number, "approved" if what.approve else "rejected", what.actor, what.reason, what.time)
        if what.approve:
            self._approved[what.number] = one
        return "", [change]

    def published(self, version: str, time: float) -> list[ProposalChange]:
        """Take it that another version is in force: what was approved is done, and what waits was made of a former one.

        To approve that later would undo what came meanwhile; so it is to be proposed again.
        """
        reason = f"version {version} came before it"
        others = [(number, one) for number, one in self._approved.items() if one.version != version]
        self._approved.clear()
        return [
            *(_change(number, one, "replaced", "foreshock", reason, time) for number, one in others),
            *(self._end(number, "replaced", "foreshock", reason, time) for number in list(self._waiting)),
        ]

    def due(self) -> Proposal | None:
        """Return the publication that is approved and not in force yet, the first of them."""
        return next(iter(self._approved.values()), None)

    def state(self) -> dict[str, Any]:
        """Return all state as plain data."""
        return {
            "count": self.count,
            "waiting": [(number, msgspec.structs.asdict(one)) for number, one in self._waiting.items()],
            "approved": [(number, msgspec.structs.asdict(one)) for number, one in self._approved.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `state` gave."""
        self.count = state["count"]
        self._waiting = {number: Proposal(**one) for number, one in state["waiting"]}
        self._approved = {number: Proposal(**one) for number, one in state["approved"]}

    def _end(self, number: int, state: Any, by: str, reason: str, time: float) -> ProposalChange:
        return _change(number, self._waiting.pop(number), state, by, reason, time)


def person(actor: str) -> str:
    """Name who an actor is: the same person at the console, at a terminal and by a token."""
    name = actor.partition(":")[2].partition("#")[0].strip().removesuffix("@terminal")
    return name.casefold() or actor.casefold()


def _change(number: int, what: Proposal, state: Any, by: str, reason: str, time: float) -> ProposalChange:
    return ProposalChange(
        id=f"proposal-{number}-{state}",
        number=number,
        version=what.version,
        state=state,
        author=what.author,
        proposed=what.time,
        why=what.reason,
        difference=what.difference,
        time=time,
        by=by,
        reason=reason,
    )

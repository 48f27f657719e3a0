"""How much the units of one partition have to do: the orders that each of them has open."""

from __future__ import annotations

from collections import Counter

from alerts.dispatch import WORKING, Dispatch


class Burden:
    """Count the open orders of units. What is played and what is real are apart: no drill keeps a unit from a danger.

    It follows the orders of one partition: what a district's unit does for another is not known there.
    """

    def __init__(self) -> None:
        self._has: dict[str, tuple[bool, str]] = {}  # the order → whether it is played, and who has it
        self._counts: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}

    def note(self, dispatch: Dispatch) -> None:
        """Follow an order to whoever has it now; one that nobody works on any more is nobody's burden."""
        after = (dispatch.simulated, dispatch.unit) if dispatch.leg in WORKING else None
        before = self._has.pop(dispatch.id, None)
        if after is not None:
            self._has[dispatch.id] = after
        if before == after:
            return
        if before is not None:
            simulated, unit = before
            counts = self._counts[simulated]
            counts[unit] -= 1
            if not counts[unit]:
                del counts[unit]
        if after is not None:
            self._counts[after[0]][after[1]] += 1

    def of(self, simulated: bool) -> Counter[str]:
        """Return how many orders each unit has open, of the real ones or of those that are played."""
        return self._counts[simulated]

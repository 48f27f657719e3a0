"""Escalation chains: what the clock does, step by step, about a leg that is overdue, until a person acts.

The chain begins when the deadline passes, and anew with every unit and leg. Once its steps are through, the last one
is done again at growing intervals.
"""

from __future__ import annotations

from sensors.site import LEVELS, EscalationStep, Site

DEFAULT = (EscalationStep(),)
"""Go up a level at once, and again at growing intervals: what a site has that says nothing else."""


class Chains:
    """Answer which chain holds for an area's type and a level. Built once from a site; pure."""

    def __init__(self, site: Site) -> None:
        self._chains = site.escalation
        self._types = {area.id: area.type for area in site.areas}
        self._found: dict[tuple[str, str], tuple[EscalationStep, ...]] = {}

    def of(self, area: str, level: int) -> tuple[EscalationStep, ...]:
        """Return the steps for an area at a rank, repeated ones one by one: those of the first chain that holds."""
        key = self._types.get(area, ""), LEVELS[level - 1]
        steps = self._found.get(key)
        if steps is None:
            steps = self._found[key] = self._steps(*key)
        return steps

    def _steps(self, kind: str, level: str) -> tuple[EscalationStep, ...]:
        for chain in self._chains:
            if (not chain.types or kind in chain.types) and (not chain.levels or level in chain.levels):
                return tuple(step for step in chain.steps for _ in range(step.repeat))
        return DEFAULT

"""Is a triage model older than its alarms' drift? Odds that were told, against the verdicts that came after.

Two tests of the hypothesis that every alarm was real with the odds told: of the sum of what came true (in the large),
and of the Brier score (Spiegelhalter 1986). As chance shrinks with verdicts, what is told as drift must matter too.
The alarms of an incident share its verdict: they count as one.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from models.triage.case import Verdict

FEWEST = 30
"""Verdicts (incidents) from which `no drift` means something."""

LARGE, SPREAD = 3.48, 3.29
"""Standard deviations beyond which the sum (either way) and the Brier score (upwards) are no chance: 1e-3 for both."""

OFF, WORSE = 0.1, 1.25
"""What matters: a mean off by so much, a Brier score so many times what the odds themselves expect."""


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """Say how the odds of alarms after a model's verdicts came true; shares and scores are NaN-free, 0 without any."""

    verdicts: int  # incidents that were judged
    told: float  # mean of the odds
    real: float  # share that was real
    brier: float
    expected: float  # the Brier score if the odds are right
    drifted: bool


def judge(verdicts: Sequence[Verdict], odds: Sequence[float]) -> Since:
    """Judge the odds (0..1, one a verdict) by what came true."""
    if not verdicts:
        return Since(verdicts=0, told=0.0, real=0.0, brier=0.0, expected=0.0, drifted=False)
    told = np.array(odds, np.float64)
    real = np.array([one.real for one in verdicts], np.float64)
    weight = np.array([one.weight for one in verdicts], np.float64)
    places: dict[str | float, int] = {}
    incident = [places.setdefault(one.incident or one.closed, len(places)) for one in verdicts]
    count = len(places)
    spread = np.sqrt(told * (1.0 - told))
    lean = 1.0 - 2.0 * told

    def deviations(of: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        """Return the standard deviations by which a weighted sum of what came true is off."""
        off = float((weight * of * (real - told)).sum())
        each = np.bincount(incident, weight * of * spread, count)  # an incident's alarms come true together
        return off / max(float(np.sqrt((each**2).sum())), 1e-12)

    brier = float(np.average((told - real) ** 2, weights=weight))
    expected = float(np.average(told * (1.0 - told), weights=weight))
    mean_told, mean_real = (float(np.average(one, weights=weight)) for one in (told, real))
    large = abs(deviations(np.ones_like(told))) > LARGE and abs(mean_told - mean_real) > OFF
    spreads = deviations(lean) > SPREAD and brier > WORSE * expected
    return Since(
        verdicts=count,
        told=mean_told,
        real=mean_real,
        brier=brier,
        expected=expected,
        drifted=count >= FEWEST and (large or spreads),
    )


def said(since: Since, version: str) -> dict[str, str]:
    """Say of a model in drift that it is, by language; nothing when it is not."""
    if not since.drifted:
        return {}
    return {
        "en": f"triage model {version} is older than its alarms' drift: of {since.verdicts} incidents since, "
        f"{since.real:.0%} were real where {since.told:.0%} was told (Brier {since.brier:.3f}, expected "
        f"{since.expected:.3f}); train another",
        "zh": f"研判模型 {version} 已落后于报警的漂移：此后 {since.verdicts} 个事件中 {since.real:.0%} 为真实，"
        f"而模型给出 {since.told:.0%}（Brier {since.brier:.3f}，应为 {since.expected:.3f}）；请重新训练",
    }

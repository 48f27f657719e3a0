"""Verdicts on drawn alarms, of which it is known how likely each was to be real."""

from __future__ import annotations

import numpy as np

from models.triage.case import Case, Verdict


def drawn(count: int, seed: int = 0, *, informative: bool = True) -> list[tuple[Verdict, float]]:
    """Draw alarms of a good and a chattering rule; what people found out a while later, and the odds it came of."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        good, seen = bool(random.random() < 0.5), bool(random.random() < 0.3)
        score = float(random.choice([0.5, 0.99, 0.9999]))
        odds = 0.5
        if informative:
            odds = 1.0 / (1.0 + np.exp(-(-1.2 + 2.0 * good + 1.5 * seen + 0.8 * (score > 0.999))))
        case = Case(
            opened=1.7e9 + 3600.0 * number,
            rule="creep" if good else "motion",
            scope=f"p{number % 7}",
            area=f"a{number % 3}",
            type="slope",
            level=2,
            quality=False,
            score=score,
            events=int(seen),
            reports=0,
            points=1,
            beside=0,
            repeats=0 if good else 3,
            doubtful=False,
        )
        real = bool(random.random() < odds)
        found.append((Verdict(case, real, case.opened + 7200.0), float(odds)))
    return found

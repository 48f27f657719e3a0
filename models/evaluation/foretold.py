"""How triage does on verdicts in the order of time: each part foretold by what was learnt from those before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import msgspec
import numpy as np

from models.evaluation.plot import Mark, Panel
from models.triage.case import Verdict
from models.triage.fitting import BINS, Bin, TriageError, fit

PARTS = 5
"""Parts of the later half, each foretold by all verdicts that were known when its first alarm opened."""
EARLIEST = 0.5
AT = 0.5
"""Odds below which a real alarm was missed, and from which a nuisance was a false one."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """How one part was foretold; Brier: 0 the best, `constant` of always telling the share that was real before."""

    begin: float  # unix s
    learnt: int
    foretold: int
    real: int
    brier: float
    constant: float
    missed: int  # real ones told below `AT`
    false: int  # nuisances told from it on


class Foretold(msgspec.Struct, frozen=True, kw_only=True):
    """All parts, their alarms with the odds told, and what they add up to."""

    parts: tuple[Part, ...]
    verdicts: tuple[Verdict, ...]
    odds: tuple[float, ...]
    bins: tuple[Bin, ...]
    order: float  # how often a real alarm is put before a nuisance; 0.5 is chance

    @property
    def brier(self) -> float:
        """Return the mean squared error of all odds."""
        return _brier(self.verdicts, self.odds)

    @property
    def constant(self) -> float:
        """Return the same of constants."""
        total = sum(one.foretold for one in self.parts)
        return sum(one.constant * one.foretold for one in self.parts) / max(total, 1)


def foretell(verdicts: Sequence[Verdict], progress: Callable[[int, int], None] | None = None) -> Foretold:
    """Foretell the later half, part by part. Raise `TriageError` where the first part has too few before it."""
    ordered = sorted(verdicts, key=lambda one: (one.case.opened, one.closed, one.case.rule, one.case.scope))
    if len(ordered) < PARTS:
        fit(ordered)  # says how many are needed
    edges = np.linspace(EARLIEST * len(ordered), len(ordered), PARTS + 1).astype(int).tolist()
    parts: list[Part] = []
    told: list[float] = []
    seen: list[Verdict] = []
    for number, (begin, end) in enumerate(pairwise(edges)):
        part = ordered[begin:end]
        if not part:
            continue
        known = [one for one in ordered[:begin] if one.closed <= part[0].case.opened]
        try:
            model = fit(known).model
        except TriageError as error:
            raise TriageError(f"before part {number + 1} of {PARTS} of the later half: {error}") from error
        odds = [model.odds(one.case) for one in part]
        share = float(np.average([one.real for one in known], weights=[one.weight for one in known]))
        parts.append(
            Part(
                begin=part[0].case.opened,
                learnt=len(known),
                foretold=len(part),
                real=sum(one.real for one in part),
                brier=_brier(part, odds),
                constant=_brier(part, [share] * len(part)),
                missed=sum(one.real and odd < AT for one, odd in zip(part, odds, strict=True)),
                false=sum(not one.real and odd >= AT for one, odd in zip(part, odds, strict=True)),
            )
        )
        told += odds
        seen += part
        if progress is not None:
            progress(number + 1, PARTS)
    return Foretold(
        parts=tuple(parts), verdicts=tuple(seen), odds=tuple(told), bins=_bins(seen, told), order=_order(seen, told)
    )


def panels(found: Foretold) -> Iterator[Panel]:
    """Draw the odds told in the order of time, each part a picture: marked where a real one was missed, or none was."""
    times = np.array([one.case.opened for one in found.verdicts])
    odds = np.array(found.odds)
    begin = 0
    for number, part in enumerate(found.parts):
        end = begin + part.foretold
        marks = [
            Mark(one.case.opened, one.case.rule, "missed" if one.real else "false")
            for one, odd in zip(found.verdicts[begin:end], found.odds[begin:end], strict=True)
            if one.real == (odd < AT)
        ]
        note = f"odds told; missed: real below {AT:.0%}, false: a nuisance from there on"
        yield Panel(f"part {number + 1}", times[begin:end], odds[begin:end], marks, limit=AT, note=note)
        begin = end


def _brier(verdicts: Sequence[Verdict], odds: Sequence[float]) -> float:
    if not verdicts:
        return 0.0
    errors = [(odd - one.real) ** 2 for one, odd in zip(verdicts, odds, strict=True)]
    return float(np.average(errors, weights=[one.weight for one in verdicts]))


def _bins(verdicts: Sequence[Verdict], odds: Sequence[float]) -> tuple[Bin, ...]:
    told = np.array(odds)
    real = np.array([one.real for one in verdicts], np.float64)
    weight = np.array([one.weight for one in verdicts])
    return tuple(
        Bin(len(part), float(np.average(told[part], weights=weight[part])),
            float(np.average(real[part], weights=weight[part])))
        for part in np.array_split(np.argsort(told, kind="stable"), BINS)
        if len(part)
    )  # fmt: skip


def _order(verdicts: Sequence[Verdict], odds: Sequence[float]) -> float:
    told, real = np.array(odds), np.array([one.real for one in verdicts], np.bool_)
    yes, no = told[real], told[~real]
    if not len(yes) or not len(no):
        return 0.5
    return float(0.5 + 0.5 * np.sign(yes[:, None] - no[None, :]).mean())

"""Draw what the bank missed and what it told wrongly: on NAB, on quiet series, and of faults put on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from models.evaluation.benchmark import Rates, quiet
from models.evaluation.injection import Stretch, Trial
from models.evaluation.nab import Series
from models.evaluation.plot import Band, Look, Mark, Panel

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

BESIDE = 150
"""Readings drawn on either side of a miss or a false alarm."""

BEFORE = 600
"""Readings drawn before a fault that was put on."""


def nab_panels(series: Sequence[Series], scores: Mapping[str, Floats], threshold: float) -> Iterator[Panel]:
    """Draw each series with a miss or a false alarm whole, then each of these with what is beside it.

    Of the detections at a threshold (rows in order) the first in a window finds it; those outside windows are false.
    """
    for one in series:
        told = np.flatnonzero(scores[one.name] >= threshold)
        told = told[told >= one.probation]
        inside = np.zeros(len(one.time), np.bool_)
        marks, bands = [], []
        missed: list[tuple[int, int]] = []
        for first, last in one.windows:
            inside[first : last + 1] = True
            hits = told[(told >= first) & (told <= last)]
            bands.append(Band(float(one.time[first]), float(one.time[last]), "", "found" if len(hits) else "missed"))
            if len(hits):
                marks.append(Mark(float(one.time[hits[0]]), "", "found"))
            else:
                missed.append((first, last))
        false = told[~inside[told]]
        marks += [Mark(float(one.time[at]), "", "false") for at in false.tolist()]
        if not missed and not len(false):
            continue
        hits_of = f"{len(one.windows) - len(missed)} of {len(one.windows)} windows found"
        note = f"{hits_of if one.windows else 'nothing to find'}, {len(false)} false"
        yield Panel(one.name, one.time, one.value, marks, bands, note=note)
        spots = [(first, last, "missed") for first, last in missed] + [(a, b, "false alarm") for a, b in _spots(false)]
        for first, last, words in sorted(spots):
            part = slice(max(first - BESIDE, 0), last + BESIDE + 1)
            worst = float(scores[one.name][first : last + 1].max())
            note = f"the score reaches {worst:.5f}; the threshold is {threshold:.5f}"
            yield Panel(f"{one.name}: {words}", one.time[part], one.value[part], marks, bands, note=note)


def budget_panels(
    series: Sequence[Series], scores: Mapping[str, Floats], alarms: Mapping[str, Bools], rates: Sequence[Rates]
) -> Iterator[Panel]:
    """Draw each series with false alarms, or whose 0.999 comes less than half or more than twice as often as it says.

    False alarms are marked; so is, without one, each reading at 0.999 outside labelled windows.
    """
    for one, rate in zip(series, rates, strict=True):
        odd = rate.varies and not 0.5 <= rate.seldom <= 2.0
        if not odd and not rate.alarms:
            continue
        calm = quiet(one)
        false = np.flatnonzero(alarms[one.name] & calm)
        high = np.flatnonzero((scores[one.name] >= 0.999) & calm) if odd else np.empty(0, np.intp)
        marks = [Mark(float(one.time[at]), "", "event") for at in np.setdiff1d(high, false).tolist()]
        marks += [Mark(float(one.time[at]), "", "false") for at in false.tolist()]
        bands = [Band(float(one.time[first]), float(one.time[last]), "labelled") for first, last in one.windows]
        often = "" if not odd else f"; 0.999 comes {rate.seldom:.2f} times as often as it says (grey)"
        note = f"{len(false)} false alarms in {rate.days:.1f} days{often}"
        yield Panel(one.name, one.time, one.value, marks, bands, note=note)


def injected_panels(stretches: Sequence[Stretch], found: Sequence[Trial]) -> Iterator[Panel]:
    """Draw each fault that was missed or called by another name, and each stretch as it was in which one was found."""
    for stretch, trial in sorted(zip(stretches, found, strict=True), key=lambda pair: pair[1].fault or "~"):
        hit = trial.after is not None
        if not trial.fault and not hit:
            continue
        if hit and trial.named == trial.fault:
            continue
        look: Look = "missed" if not hit else "event" if trial.fault else "false"
        words = "missed" if not hit else f"called {trial.named}" if trial.fault else f"false: {trial.named}"
        part = slice(max(stretch.begin - BEFORE, 0), len(stretch.time))
        bands = [Band(trial.onset, float(stretch.time[stretch.end - 1]), trial.fault, look)] if trial.fault else []
        marks = [Mark(trial.onset + trial.after, trial.named, look)] if trial.after is not None else []
        title = f"{trial.fault.replace('_', ' ') or 'as it was'}: {words}"
        yield Panel(title, stretch.time[part], stretch.value[part], marks, bands, note=stretch.series)


def _spots(rows: Iterable[int]) -> list[tuple[int, int]]:
    """Join rows that would be drawn in one picture; return (first, last) of each."""
    found: list[tuple[int, int]] = []
    for row in rows:
        if found and row - found[-1][1] <= BESIDE:
            found[-1] = found[-1][0], int(row)
        else:
            found.append((int(row), int(row)))
    return found

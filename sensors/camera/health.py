"""Judge a camera's picture: black, frozen, blurred, covered, moved, over-exposed; or that the view cannot be judged.

See `sensors.camera.view` for what is compared. A view that has too few edges that stand still cannot be judged for
blur, cover and shift; black, frozen and over-exposed are told of any.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from sensors.camera.stream import Frame
from sensors.camera.view import COLOURED, GREY, Array, Look, View, look_at
from sensors.site import Fault, HealthSettings

ALIKE = 0.75
"""Correlation of the coarse picture with the usual one, from which it shows the same scene, sharp or not."""

ENERGY = 0.4
"""Share of the usual gradient energy from which a picture without its structure shows another scene, not a cover."""

DULL = 0.8
"""Share of the usual energy of the finer detail, above which it has only moved."""

CLEAR = 0.2
"""By how much less than ever before the finer detail must be left; where it hardly varies a slight blur is told."""

CLEARER = 0.15
"""By how much that may raise the share from which the picture is blurred."""

SAME_THERE = 0.7
"""Correlation of the coarse picture, where its structure is gone, from which the same is to be seen there, blurred."""

NIGHTFALL = 0.6
"""Share of the usual light, where the structure is there, below which the rest may only be too dark to be seen."""

CONTRAST = 8.0
"""Spread of luma below which a picture has no contrast."""

STATIONARY = 0.3
"""Share of the camera's own noise between two frames, below which nothing has changed."""

QUIET = 0.02
"""Mean difference between two frames, in levels of luma, below which a view is too still to tell that it froze."""

Phase = Literal["learning", "good", "fault", "unjudged", "lost"]


class Judgement(NamedTuple):
    """What a camera's picture is like since `time` (unix seconds): `faults` maps each fault to a confidence 0..1.

    `judged` is false while the view is learnt, and where it has too little texture to tell.
    """

    time: float
    state: Phase
    faults: dict[Fault, float]
    judged: bool


class Health:
    """Judge one camera's frames in order. Pure. It keeps the usual view, by day and by night: 2 MB."""

    def __init__(self, settings: HealthSettings | None = None) -> None:
        self.settings = settings or HealthSettings()
        self.now: Judgement | None = None
        self._view = View()
        self._other: View | None = None  # the view in colour while it is grey, and the other way round
        self._last: Array | None = None
        self._floor = 0.0  # how much two frames differ when nothing moves
        self._changes = 0
        self._still = 0
        self._shown: dict[Fault, int] = {}  # frames in a row that show a fault; below 0: that do not, since it is told
        self._told: dict[Fault, float] = {}
        self._strange_since: float | None = None
        self._lost = False

    def feed(self, time: float, frame: Frame) -> Judgement | None:
        """Judge a BGR frame taken at a unix time; return a judgement when the state changes, else None.

        Raise ValueError on what is no BGR picture.
        """
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.size == 0 or frame.dtype != np.uint8:
            raise ValueError("a frame is height × width × 3 bytes")
        self._lost = False
        look = look_at(frame)
        found = self._faults(time, look)
        for ignored in self.settings.ignore:
            found.pop(ignored, None)
        self._confirm(found)
        return self._say(time)

    def lost(self, time: float) -> Judgement | None:
        """Say that the signal is lost; the next frame ends that."""
        self._lost = True
        self._last = None
        self._still = 0
        return self._say(time)

    def _faults(self, time: float, look: Look) -> dict[Fault, float]:
        """Say what this frame alone shows, and learn from it if it shows nothing."""
        settings, view = self.settings, self._view
        found: dict[Fault, float] = {}
        if look.mean < settings.dark and look.spread < CONTRAST:
            found["black"] = _sure(1.0 - look.mean / settings.dark)
        elif look.burnt > max(settings.bright, view.burnt + 0.3 if view.frames else 0.0):
            found["overexposed"] = _sure((look.burnt - settings.bright) / (1.0 - settings.bright + 1e-6))
        if found:
            self._last, self._still = None, 0  # where nothing is to be seen, nothing changes
            return found
        if self._frozen(look):
            found["freeze"] = 0.9
        if view.frames < settings.learn or not view.judged:
            if not found:
                view.learn(look)
            return found
        detail = view.detailed(look)
        structure = self._structure(look, detail)
        if structure is None:
            return found
        if structure:
            strange = look.energy > ENERGY * view.energy
            self._relearn(time, look, strange and not structure.keys() - {"shift", "cover"})
            return found | structure
        self._strange_since = None
        if not found:
            view.learn(look, detail[0])
        return found

    def _structure(self, look: Look, finer: tuple[float, float]) -> dict[Fault, float] | None:
        """Say whether the view is blurred, covered or moved; None when it has just gone over to another view."""
        settings, view = self.settings, self._view
        gone, sharpness = view.compare(look)
        alike = view.alike(look)
        found: dict[Fault, float] = {}
        detail, whole = finer
        soft = min(max(view.least_detail - CLEAR, settings.sharp), settings.sharp + CLEARER)
        if alike > ALIKE and (sharpness < settings.sharp or (detail < soft and whole < DULL)):
            found["blur"] = _sure(1.0 - min(sharpness, detail))
        if gone < 0.5 * settings.cover and not found:
            return found
        hidden = self._hidden(look)
        energetic = look.energy > ENERGY * view.energy
        if energetic and gone >= settings.cover and not hidden and self._changed_colour(look):
            return None
        moved = view.moved(look) if energetic and whole >= DULL else 0.0
        if moved:
            found["shift"] = _sure(0.5 + 0.5 * moved)
            found.pop("blur", None)
        elif hidden:
            found = {"cover": _sure(hidden + 0.2)}
        elif gone >= settings.cover and alike <= ALIKE:
            found["cover"] = _sure(gone * (1.0 - max(alike, 0.0)) + 0.2)
            if energetic:
                found["shift"] = _sure(0.5 * gone)  # it may as well look elsewhere
        return found

    def _hidden(self, look: Look) -> float:
        """Return the share of the view behind something without any structure of its own; 0 where it is too little."""
        hidden, same, light = self._view.hidden(look)
        there = hidden >= 0.5 * self.settings.cover and same < SAME_THERE and light > NIGHTFALL
        return hidden if there else 0.0

    def _frozen(self, look: Look) -> bool:
        last, self._last = self._last, look.coarse
        if last is None:
            return False
        change = float(np.abs(last - look.coarse).mean())
        known = self._changes >= self.settings.learn // 2 and self._floor > QUIET
        if known and change < STATIONARY * self._floor:
            self._still += 1
            return self._still > self.settings.freeze - self.settings.confirm
        self._still = 0
        self._changes += 1
        if self._changes <= self.settings.learn:
            self._floor = min(change, self._floor) if self._changes > 1 else change
        else:  # follows the lowest tenth of the changes: what the camera shows when nothing moves
            self._floor *= 1.0 + 0.01 if change > self._floor else 1.0 - 0.09
        return False

    def _changed_colour(self, look: Look) -> bool:
        """Go over to the night's view, or back, when the structure changed together with the colour."""
        coloured = look.chroma > COLOURED
        if coloured == self._view.coloured or (not coloured and look.chroma >= GREY):
            return False
        other = self._other
        if (
            other is None
            or other.coloured != coloured
            or (other.frames and other.compare(look)[0] >= self.settings.cover)
        ):
            other = View()
        self._view, self._other = other, self._view
        self._view.learn(look)
        return True

    def _relearn(self, time: float, look: Look, strange: bool) -> None:
        """Take a view that has stood for long for the new one."""
        if not strange or self.settings.relearn <= 0:
            self._strange_since = None
            return
        if self._strange_since is None:
            self._strange_since = time
        if time - self._strange_since >= self.settings.relearn:
            self._view, self._other, self._strange_since = View(), None, None
            self._view.learn(look)

    def _confirm(self, found: dict[Fault, float]) -> None:
        confirm = self.settings.confirm
        for fault in {*found, *self._shown}:
            count = self._shown.get(fault, 0)
            if fault in found:
                count = count + 1 if count > 0 else 1
                if count >= confirm or fault in self._told:
                    self._told[fault] = round(max(found[fault], self._told.get(fault, 0.0)), 2)
            elif fault in self._told:
                count = count - 1 if count < 0 else -1
                if count <= -confirm:
                    del self._told[fault]
                    count = 0
            else:
                count = 0
            if count:
                self._shown[fault] = count
            else:
                self._shown.pop(fault, None)

    def _say(self, time: float) -> Judgement | None:
        learning = self._view.frames < self.settings.learn
        judged = not learning and self._view.judged and not self._lost
        faults: dict[Fault, float] = {"loss": 1.0} if self._lost else dict(self._told)
        state: Phase = "learning" if learning else "good" if judged else "unjudged"
        state = "lost" if self._lost else "fault" if faults else state
        before = self.now
        self.now = Judgement(time, state, faults, judged)
        if before and (before.state, before.faults.keys(), before.judged) == (state, faults.keys(), judged):
            self.now = self.now._replace(time=before.time)
            return None
        return self.now


def _sure(confidence: float) -> float:
    return min(max(confidence, 0.3), 1.0)

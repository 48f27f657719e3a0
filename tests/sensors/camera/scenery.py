"""Pictures made for tests: a street with things that stand and things that walk, and a wall with nothing on it."""

from __future__ import annotations

import cv2
import numpy as np

from sensors.camera.stream import Frame

SIZE = (240, 320)  # height, width


class Street:
    """A fixed view with houses, windows and kerbs; people walk through it, and the sensor is noisy."""

    def __init__(self, seed: int = 3, people: int = 4) -> None:
        self._random = np.random.default_rng(seed)
        height, width = SIZE
        scene = np.full((height, width, 3), (90, 120, 100), np.uint8)
        for _ in range(45):
            x, y = int(self._random.integers(0, width - 30)), int(self._random.integers(0, height - 30))
            w, h = (int(one) for one in self._random.integers(10, 60, 2))
            colour = tuple(int(one) for one in self._random.integers(20, 200, 3))
            cv2.rectangle(scene, (x, y), (x + w, y + h), colour, -1)
        self.scene = scene
        self._people = [
            (int(self._random.integers(0, width)), int(self._random.integers(60, 200))) for _ in range(people)
        ]
        self._step = 0

    def frame(self) -> Frame:
        """Return the next picture: everybody has walked on."""
        self._step += 1
        shown = self.scene.copy()
        for number, (x, y) in enumerate(self._people):
            at = (x + (3 + number) * self._step) % SIZE[1]
            cv2.rectangle(shown, (at, y), (at + 12, y + 34), (30, 20, 60 + 40 * number), -1)
        noise = self._random.normal(0, 3, SIZE)[:, :, None]
        return np.clip(shown + noise, 0, 255).astype(np.uint8)


class Wall:
    """A view with nothing in it but the sensor's noise and a slow change of light."""

    def __init__(self, seed: int = 3) -> None:
        self._random = np.random.default_rng(seed)
        self._step = 0

    def frame(self) -> Frame:
        """Return the next picture."""
        self._step += 1
        light = 110 + 6 * np.sin(self._step / 9)
        noise = self._random.normal(0, 3, SIZE)[:, :, None]
        return np.clip(light + noise + np.zeros((*SIZE, 3)), 0, 255).astype(np.uint8)

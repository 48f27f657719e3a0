"""Scenes by name: what goes wrong where, as effects on points over time, and what the cameras see.

Times are seconds from the scene's start, in the scene's own time; `--speed` plays them faster.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
MINUTE, HOUR = 60.0, 3600.0


class Effect(msgspec.Struct, frozen=True):
    """Change the values of some points over time. `change(value, seconds, random) -> value`."""

    points: tuple[str, ...]
    change: Callable[[Floats, Floats, np.random.Generator], Floats] | None = None
    silent: tuple[float, float] | None = None  # no readings in this span of seconds

    def apply(self, value: Floats, seconds: Floats, random: np.random.Generator) -> Floats:
        """Return the changed values."""
        return value if self.change is None else self.change(value, seconds, random)

    def silences(self, seconds: Floats) -> npt.NDArray[np.bool_]:
        """Return where the points say nothing."""
        if self.silent is None:
            return np.zeros(len(seconds), bool)
        return (seconds >= self.silent[0]) & (seconds < self.silent[1])


class Seen(msgspec.Struct, frozen=True):
    """Have a camera's analytics see something at a time."""

    at: float
    camera: str
    label: str
    score: float
    seconds: float = 20.0


class Scene(msgspec.Struct, frozen=True):
    """A named course of events. `lasts` seconds; `history` seconds of the past that are delivered first."""

    name: str
    title: tuple[str, str]  # zh, en
    lasts: float
    effects: tuple[Effect, ...] = ()
    seen: tuple[Seen, ...] = ()


def ramp(seconds: Floats, start: float, end: float) -> Floats:
    """Rise from 0 at `start` to 1 at `end`, smoothly."""
    share = np.clip((seconds - start) / (end - start), 0.0, 1.0)
    return share * share * (3 - 2 * share)


def toward(target: float, start: float, end: float, spread: float = 0.03) -> Callable[..., Floats]:
    """Move values toward a target between two times, with some noise."""

    def change(value: Floats, seconds: Floats, random: np.random.Generator) -> Floats:
        share = ramp(seconds, start, end)
        noise = 1 + spread * random.standard_normal(len(value))
        return value + (target * noise - value) * share

    return change


def creep(failure: float, onset: float, scale: float, most: float) -> Callable[..., Floats]:
    """Creep by inverse velocity (Fukuzono 1985): speed = scale / (failure − t), from `onset` until it gives way."""

    def change(value: Floats, seconds: Floats, random: np.random.Generator) -> Floats:
        left = np.maximum(failure - seconds, 1.0)
        moved = np.where(seconds > onset, scale * np.log((failure - onset) / left), 0.0)
        return value + np.minimum(moved, most)

    return change


def rainfall(start: float, end: float, rate: float) -> Callable[..., Floats]:
    """Rain in mm/h that comes in bursts around a rate."""

    def change(value: Floats, seconds: Floats, random: np.random.Generator) -> Floats:
        wet = ramp(seconds, start, start + 30 * MINUTE) * (1 - ramp(seconds, end - 30 * MINUTE, end))
        bursts = 1 + 0.35 * np.sin(seconds / 700.0) + 0.15 * random.standard_normal(len(value))
        return np.maximum(value + rate * wet * bursts, 0.0)

    return change


def switched(start: float, end: float = np.inf) -> Callable[..., Floats]:
    """Turn an on/off point on for a span."""

    def change(value: Floats, seconds: Floats, random: np.random.Generator) -> Floats:
        return np.where((seconds >= start) & (seconds < end), 1.0, value)

    return change


def _scene(scene: Scene) -> Scene:
    SCENES[scene.name] = scene
    return scene


SCENES: dict[str, Scene] = {}

STORM = Effect(("rain@*",), rainfall(-8 * HOUR, 6 * HOUR, 26.0))
"""Rain over the whole district since hours before the scene begins."""

OTHER_UNDERPASSES = tuple(f"level@drainage-0{number}" for number in range(2, 7))

_scene(Scene("quiet-night", ("平静的夜晚", "Quiet night"), 8 * HOUR))

_scene(
    Scene(
        "landslide",
        ("山体滑坡", "Landslide"),
        1 * HOUR,
        effects=(
            STORM,
            Effect(("soil@slope-*",), toward(46.0, -6 * HOUR, 30 * MINUTE)),
            Effect(("displacement@slope-01",), creep(52 * MINUTE, 6 * MINUTE, 9.0, 160.0)),
            Effect(("tilt@slope-01",), creep(52 * MINUTE, 8 * MINUTE, 0.16, 6.0)),
            Effect(("crack@slope-01",), creep(52 * MINUTE, 9 * MINUTE, 0.9, 25.0)),
        ),
        seen=(
            Seen(16 * MINUTE, "slope-01-cam-1", "debris", 0.74),
            Seen(24 * MINUTE, "slope-01-cam-1", "debris", 0.81),
            Seen(33 * MINUTE, "slope-01-cam-1", "debris", 0.93),
            Seen(45 * MINUTE, "slope-01-cam-1", "debris", 0.97),
        ),
    )
)

_scene(
    Scene(
        "flooded-underpass",
        ("下穿通道积水", "Flooded underpass"),
        90 * MINUTE,
        effects=(
            Effect(("rain@*",), rainfall(-1 * HOUR, 2 * HOUR, 68.0)),
            Effect(OTHER_UNDERPASSES, toward(4.0, 10 * MINUTE, 80 * MINUTE, 0.05)),  # they cope
            Effect(("drainage-01-level-4",), toward(440.0, -20 * MINUTE, 50 * MINUTE, 0.005)),  # the sump is full first
            Effect(
                ("drainage-01-level-1", "drainage-01-level-2", "drainage-01-level-3"),
                toward(62.0, 10 * MINUTE, 60 * MINUTE),
            ),
            Effect(("pump@drainage-01",), switched(12 * MINUTE)),
        ),
        seen=(
            Seen(30 * MINUTE, "drainage-01-cam-1", "water", 0.88),
            Seen(42 * MINUTE, "drainage-01-cam-1", "car", 0.9),
        ),
    )
)

_scene(
    Scene(
        "gas-leak",
        ("燃气泄漏", "Gas leak"),
        20 * MINUTE,
        effects=(
            Effect(("gas-01-methane-1", "gas-01-methane-2"), toward(64.0, 2 * MINUTE, 14 * MINUTE)),
            Effect(("gas-01-methane-3",), toward(18.0, 5 * MINUTE, 16 * MINUTE)),
            Effect(("gas-01-pressure-1",), toward(0.12, 2 * MINUTE, 10 * MINUTE)),
        ),
    )
)

_scene(
    Scene(
        "charging-fire",
        ("电动车充电起火", "E-bike charging fire"),
        10 * MINUTE,
        effects=(
            Effect(("village-01-charging-1",), toward(58.0, 20.0, 2 * MINUTE)),
            Effect(("village-01-temperature-1", "village-01-temperature-2"), toward(96.0, 1 * MINUTE, 5 * MINUTE)),
            Effect(("co@village-01",), toward(210.0, 90.0, 5 * MINUTE)),
            Effect(("smoke@village-01",), toward(14.0, 2 * MINUTE, 5 * MINUTE)),
        ),
        seen=(Seen(150.0, "village-01-cam-1", "smoke", 0.83), Seen(210.0, "village-01-cam-1", "fire", 0.92)),
    )
)

_scene(
    Scene(
        "crowd-surge",
        ("人群聚集", "Crowd surge"),
        40 * MINUTE,
        effects=(
            Effect(("density@crowd-05",), toward(5.6, 5 * MINUTE, 30 * MINUTE)),
            Effect(("people@crowd-05",), toward(5200.0, 5 * MINUTE, 30 * MINUTE)),
            Effect(("speed@crowd-05",), toward(0.15, 8 * MINUTE, 30 * MINUTE)),
        ),
        seen=(Seen(18 * MINUTE, "crowd-05-cam-1", "crowd", 0.86), Seen(26 * MINUTE, "crowd-05-cam-1", "crowd", 0.93)),
    )
)

_scene(
    Scene(
        "sensor-death",
        ("传感器失联", "Sensor death"),
        40 * MINUTE,
        effects=(
            Effect(("slope-02-displacement-1", "slope-02-displacement-2"), silent=(1 * MINUTE, 6 * HOUR)),
            Effect(("chemical-01-toxic-1",), silent=(2 * MINUTE, 6 * HOUR)),
            Effect(("dust-02-h2s-1",), change=lambda value, seconds, random: np.where(seconds > 60.0, 0.42, value)),
        ),
    )
)

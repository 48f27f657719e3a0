"""A log as it is lived, of all that can change an outcome: shared by the tests of replays."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from alerts.outcome import AlarmTransition, DispatchChange
from rules.rule import Rule
from sensors import observation
from sensors.observation import HISTORICAL, SIMULATED, CameraHealth, Report, Shadow, SystemEvent
from sensors.site import Driver, Site
from streams import shadow
from streams.bundle import Bundle
from streams.embedded.store import Log
from streams.replay import outcomes
from streams.station import Station
from streams.topics import GROUP, OBSERVATIONS
from tests.rules.stage import a_rule
from tests.streams.small_site import START, command, debris, frame_of, published, rules, site, source, tick
from tests.streams.test_engine_together import model, other_model
from tests.streams.test_station import work

STEP = 10.0
POINTS = 8

CLAUSES = (
    "value > {0}",
    "score > 0.99",
    "eta('limit') < 30 min",
    "warned('limit')",
    "flat('2 min')",
    "deviation > 1",
    "mean('1 min') > {0}",
    "max('5 min') > {0} and min('5 min') < {0} and sum('2 min') > {0}",
    "count('5 min') > 10 and spread('5 min') > 5",
    "median('2 min') > {0} or quantile('5 min', 0.9) > {0}",
    "abs(rate('2 min')) > 0.2 mm/s or slope('2 min') > 0.2 mm/s or delta('1 min') > 8",
    "area.max(displacement.value) > {0}",
    "area.count(displacement.score > 0.9) >= 2",
    "area.min(displacement.eta('limit')) < 10 min",
    "area.any(displacement.warned('limit'))",
    "area.score > 0.9",
    "seen('debris', '2 min') and value > 5",
    "not seen('debris', '2 min') and value > {0}",
    "sequence('debris', 'report-slope', '5 min')",
    "seen('report-slope', '3 min')",
    "neighbours.max(displacement.value) > {0} and value > 5",
    "hour >= 8 and value > {0}",
    "night and value > {0}",
    "value > limit or value > normal_high",
    "upstream.max(displacement.value) > {0}",
    "surge('debris', '5 min') > 1",
)
"""Conditions of every kind that a rule may have; {0} is a threshold."""


def every(threshold: float) -> tuple[Rule, ...]:
    """Make rules of every kind of clause, of all ways in which a level may be raised and left."""
    made = [a_rule(f"every-{number}", when=one.format(threshold)) for number, one in enumerate(CLAUSES)]
    made.append(a_rule("m-of-n", levels={"orange": {"when": f"value > {threshold}", "samples": "3 of 5"}}))
    made.append(
        a_rule(
            "stays",
            levels={
                "blue": {"when": f"value > {threshold / 2}", "for": "30 s", "clear_after": "40 s"},
                "red": {"when": f"value > {threshold}", "clear": f"value < {threshold / 2}"},
            },
        )
    )
    made.append(a_rule("still", when="flat('1 min')", kind="data_quality"))
    made.append(a_rule("parts", when="flagged('disagrees', '1 min')", kind="data_quality"))
    made.append(a_rule("jumps", when="flagged('jump', '5 min') or flagged('gap', '5 min')", kind="data_quality"))
    made.append(a_rule("blind", when="fault('any')", scope="camera", kind="data_quality"))
    made.append(a_rule("mute", when="age > 60 s", kind="data_quality"))
    made.append(a_rule("place", when=f"area.max(displacement.mean('1 min')) > {threshold}", scope="area"))
    return (*rules(threshold), *made)


def grown(version: str, points: int = POINTS) -> Site:
    """Make the small site with redundant points, one that another drives, and places on the map."""
    plain = site(points, version=version)
    made = []
    for number, point in enumerate(plain.points):
        more: dict[str, object] = {"location": (22.5, 114.0 + 0.001 * number)}
        if number in (0, 3, 6):
            more["redundant"] = tuple(f"p{k}" for k in (0, 3, 6) if k != number and k < points)
        if number == 1:
            more["drivers"] = (Driver(point="p4", lag=120.0),)
        if number == 5:
            more |= {"limit": None, "guess": True}
        made.append(msgspec.structs.replace(point, **more))
    return msgspec.structs.replace(plain, points=tuple(made))


class Life:
    """Live through steps drawn from a seed, writing them to a log as a running site would."""

    def __init__(self, log: Log, seed: int, kinds: Callable[[float], tuple[Rule, ...]] = every) -> None:
        self.log, self.random, self.kinds = log, np.random.default_rng(seed), kinds
        self.now, self.count, self.versions, self.points = START, 0, 0, POINTS
        self.level = self.random.uniform(2.0, 26.0, POINTS + 6)
        self.station = Station(0, log, None)
        self.publish()
        self.see(tick(START))

    def see(self, *values: bytes) -> None:
        """Write observations and let the engine take them."""
        self.log.write([(OBSERVATIONS, 0, None, value) for value in values])
        work(self.log, self.station)

    def publish(self) -> None:
        """Put a version in force: other rules, another point, a model of an area."""
        self.versions += 1
        self.points = min(self.points + int(self.random.integers(2)), POINTS + 4)
        models = ((), (model(),), (other_model(),))[self.random.integers(3)]
        threshold = float(self.random.choice([15.0, 20.0, 25.0]))
        content = Bundle(site=grown(f"v{self.versions}", self.points), rules=self.kinds(threshold), models=models)
        self.see(published(content, f"v{self.versions}", self.now))

    def kill(self) -> None:
        """End the engine where it stands, and go on with another from what the log has."""
        if self.random.integers(2):
            self.log.write(self.station.snapshot(self.log.committed(GROUP, OBSERVATIONS, 0)))
        self.station = Station(0, self.log, self.log.committed(GROUP, OBSERVATIONS, 0))

    def order(self) -> None:
        """Have somebody do something to what there is."""
        found = [one for record in list(outcomes(self.log, 0))[-20:] for one in record.outcomes]
        alarms = [one for one in found if isinstance(one, AlarmTransition)]
        dispatches = [one for one in found if isinstance(one, DispatchChange)]
        self.count += 1
        some = f"c{self.count}"
        if dispatches and self.random.integers(2):
            kind = str(self.random.choice(["accept", "on_scene", "refuse"]))
            self.see(command(kind, dispatches[-1].dispatch, dispatches[-1].area, self.now, some, reason="far"))
        elif alarms:
            one = alarms[int(self.random.integers(len(alarms)))]
            kind = str(self.random.choice(["shelve", "acknowledge", "unshelve", "suppress"]))
            target = (one.incident or one.alarm) if kind == "acknowledge" else one.alarm
            self.see(command(kind, target, one.area, self.now, some, seconds=60.0, reason="works"))

    def happen(self) -> None:
        """Let something happen that is no reading."""
        now, random = self.now, self.random
        match int(random.integers(9)):
            case 0:
                self.publish()
            case 1:
                self.kill()
            case 2 | 3:
                self.order()
            case 4:
                self.see(debris(now))
            case 5:
                told = Report(
                    id=f"r{now}", area="a0", category="slope", time=now, received=now, text="cracks", actor="u"
                )
                self.see(observation.encode(told))
            case 6:
                self.see(source(str(random.choice(["offline", "online"])), now, 2, 5))  # type: ignore[arg-type]
            case 7:
                faults = {"black": 0.9} if random.integers(2) else {}
                self.see(
                    observation.encode(CameraHealth(area="a0", camera="cam", faults=faults, time=now, received=now))
                )
            case 8 if random.integers(2):
                self.see(
                    observation.encode(
                        Shadow(id=f"s{now}", rules=shadow.pack(self.kinds(18.0)), author="li", reason="try", time=now)
                    )
                )
            case _:
                self.see(observation.encode(SystemEvent(component="mqtt", state="down", time=now, detail="gone")))

    def measure(self) -> None:
        """Let the points be read, some of them late, twice, historical, simulated or not at all."""
        random, now = self.random, self.now
        self.level += random.normal(0.0, 0.6, len(self.level)) + (random.random(len(self.level)) < 0.01) * 15.0
        self.level = np.where(random.random(len(self.level)) < 0.02, 3.0, self.level)
        still = random.random(len(self.level)) < 0.3
        for _ in range(int(random.integers(1, 4))):
            mine = [k for k in range(self.points + 1) if random.random() < 0.8]
            readings = [
                (
                    k,
                    now - float(random.choice([0.0, 0.0, 0.0, 0.0, 7.0, 25.0, -3.0])) + 0.1 * k,
                    float("nan") if random.random() < 0.01 else float(np.round(self.level[k], 0 if still[k] else 3)),
                )
                for k in mine
            ]
            quality = int(random.choice([0] * 17 + [HISTORICAL, SIMULATED, 0]))
            if readings:
                self.see(frame_of(readings, now, quality))

    def live(self, steps: int) -> None:
        """Go on for so many steps of ten seconds, with a silence or a clock set back now and then."""
        for _ in range(steps):
            self.now += STEP
            self.measure()
            if self.random.random() < 0.15:
                self.happen()
            jump = self.random.random()
            if jump < 0.01:
                self.now -= 120.0  # the clock was set back
            elif jump < 0.03:
                self.now += 90.0  # nobody listened
            self.see(tick(self.now + 1.0))

"""Play a scripted drill into a running system: begin it, take its steps at their times, end it whatever happens."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import Any, Literal

from alerts import exercise
from alerts.drill_script import Act, Script, Step
from alerts.queries import Reader
from sensors import observation
from sensors.lookup import Registry
from sensors.observation import SIMULATED, CameraEvent, Command, Exercise, Report
from sensors.site import Site, Text
from streams.drill_signals import Signals
from streams.hub import HubClient
from streams.settings import Settings
from streams.topics import OBSERVATIONS

ANSWERED = 5.0
"""Seconds within which the engine answers what the script does."""

BEGUN = 10.0
"""Seconds within which the journal knows that a drill has begun, or has ended."""

GRACE = 120.0
"""Seconds after its last step at which a drill ends by itself: should whoever plays it be gone by then."""

LOOK = 0.5
"""Seconds between two looks at whether somebody has ended it."""

Row = dict[str, Any]


class NotBegunError(RuntimeError):
    """Raised when the engine has not begun a drill."""


class Heard:
    """Is told how a drill goes. This one heeds nothing; who cares overrides what they care about."""

    def began(self) -> None:
        """Hear that the engine has begun it."""

    def moved(self, seconds: float) -> None:
        """Hear how far it is, in seconds of its script."""

    def said(self, text: Text) -> None:
        """Hear what the script says."""

    def missed(self, act: Act, reason: str) -> None:
        """Hear that an act came to nothing, and why: a key of `alerts.messages`."""


def new_id() -> str:
    """Name a drill that is to be played."""
    return f"exercise-{uuid.uuid4().hex[:12]}"


async def play(
    found: Settings,
    site: Site,
    script: Script,
    id: str,
    actor: str,
    reader: Reader,
    *,
    heard: Heard | None = None,
    speed: float = 1.0,
) -> None:
    """Play a drill from its beginning to its end, `speed` times as fast; it ends early when anybody ends it.

    Raise `NotBegunError` when the engine does not begin it, `BrokerError` and `TlsError` when what cameras see cannot
    be published, `OSError`, `HubError` and `TimeoutError` when no log takes what it does. It is ended in any case.
    """
    hub, signals = HubClient(found.hub_path), Signals(found, site)
    player = Player(site, script, id, actor, hub.produce, reader, signals.see, heard=heard, speed=speed)
    try:
        await player.play()
    finally:
        await asyncio.to_thread(signals.close)
        await hub.close()


def told(id: str, edge: Literal["begin", "end"], actor: str, **facts: Any) -> bytes:
    """Write the observation that begins or ends a drill; it is for every partition of its areas."""
    return observation.encode(Exercise(id=id, edge=edge, actor=actor, time=time.time(), **facts))


class Player:
    """One drill while it is played. `produce` puts records into the log; `see` publishes what a camera sees."""

    def __init__(
        self,
        site: Site,
        script: Script,
        id: str,
        actor: str,
        produce: Callable[[Any], Any],
        reader: Reader,
        see: Callable[[str, str, str], bool],
        *,
        heard: Heard | None = None,
        speed: float = 1.0,
    ) -> None:
        self._registry = Registry(site)
        self._script, self._id, self._actor, self._speed = script, id, actor, speed
        self._produce, self._reader, self._see = produce, reader, see
        self._heard = heard or Heard()
        self._looked = 0.0

    async def play(self) -> None:
        """Play it; see `play`."""
        script = self._script
        try:
            await self._say("begin")
            if not await self._reached(lambda: self._reader.exercise(self._id) is not None):
                raise NotBegunError("the exercise was not begun: does another one run in its areas?")
            self._heard.began()
            begun = time.monotonic()
            for number, (at, step) in enumerate(script.ordered()):
                if not await self._until(begun, at):
                    return
                if step.say is not None:
                    self._heard.said(step.say)
                await self._step(step)
                if step.act is not None and (missed := await self._act(number, step.act)):
                    self._heard.missed(step.act, missed)
            await self._until(begun, script.lasting)
        finally:
            await asyncio.shield(self._say("end"))
            await self._reached(lambda: not self._runs())

    async def _until(self, begun: float, at: float) -> bool:
        """Wait for a second of the script; False when somebody has ended the drill."""
        while True:
            now = time.monotonic()
            self._heard.moved(min((now - begun) * self._speed, self._script.lasting))
            if now - self._looked >= LOOK:
                self._looked = now
                if not self._runs():
                    return False
            if (left := begun + at / self._speed - now) <= 0:
                return True
            await asyncio.sleep(min(left, LOOK))

    def _runs(self) -> bool:
        return any(one["id"] == self._id for one in self._reader.exercises(running=True))

    async def _say(self, edge: Literal["begin", "end"]) -> None:
        script = self._script
        what = told(
            self._id,
            edge,
            self._actor,
            title={"zh": script.title.zh, "en": script.title.en},
            areas=script.areas,
            units=script.units,
            objectives=script.seconds(),
            until=time.time() + script.lasting / self._speed + GRACE,
        )
        partitions = sorted({self._registry.partition(area) for area in script.areas})
        await self._put([(OBSERVATIONS, partition, None, what) for partition in partitions])

    async def _reached(self, condition: Callable[[], bool]) -> bool:
        end = time.monotonic() + BEGUN
        while not condition():
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.1)
        return True

    async def _step(self, step: Step) -> None:
        now = time.time()
        if step.event is not None:
            camera = self._registry.cameras[step.event.camera]
            named = f"{self._id}-{uuid.uuid4().hex[:8]}"
            if not await asyncio.to_thread(self._see, named, camera.id, step.event.kind):
                # the site takes no events of cameras from a broker: it goes into the log as the bridge would put it
                seen = CameraEvent(
                    area=camera.areas[0],
                    camera=camera.id,
                    kind=step.event.kind,
                    event=named,
                    time=now,
                    received=now,
                    quality=SIMULATED,
                )
                await self._observe(camera.areas[0], seen)
        if step.report is not None:
            reported = Report(
                id=f"{self._id}-{uuid.uuid4().hex[:8]}",
                area=step.report.area,
                category=step.report.category,
                time=now,
                received=now,
                text=f"【演练 EXERCISE】{step.report.text}",
                actor=self._actor,
                quality=SIMULATED,
            )
            await self._observe(step.report.area, reported)

    async def _act(self, number: int, act: Act) -> str:
        """Play a part of the script; tell, and have the journal keep, why it came to nothing. Empty: it was done.

        An act that finds nothing is an order without an object: the engine refuses it, under the drill's id.
        """
        ids, drill = [], self._reader.exercise(self._id)
        for target, kind, area, args in orders(drill, act):
            ids.append(uuid.uuid4().hex)
            await self._observe(area, self._order(ids[-1], kind, target, area, args))
        answers: dict[str, Row] = {}
        end = time.monotonic() + ANSWERED
        while len(answers) < len(ids) and time.monotonic() < end:
            answers |= {
                one: answer for one in ids if one not in answers and (answer := self._reader.result(one)) is not None
            }
            if len(answers) < len(ids):
                await asyncio.sleep(0.05)
        if any(answer["ok"] for answer in answers.values()):
            return ""
        refused = next((str(answer["reason"]) for answer in answers.values()), "no_answer" if ids else exercise.NOTHING)
        area = self._script.areas[0]
        target = exercise.missed_target(act.do, act.unit or act.step, refused)
        await self._observe(area, self._order(exercise.missed_id(self._id, number), "act", target, area, {}))
        return refused

    def _order(self, named: str, kind: str, target: str, area: str, args: Row) -> Command:
        actor = f"exercise:{self._id}"
        return Command(id=named, kind=kind, target=target, area=area, actor=actor, time=time.time(), args=args)

    async def _observe(self, area: str, what: Any) -> None:
        await self._put([(OBSERVATIONS, self._registry.partition(area), None, observation.encode(what))])

    async def _put(self, records: list[tuple[str, int, bytes | None, bytes]]) -> None:
        async with asyncio.timeout(BEGUN):
            await self._produce(records)


def orders(drill: Row | None, act: Act) -> list[tuple[str, str, str, Row]]:
    """Make the orders by which the script plays a part: target, kind, area and arguments of each."""
    found: list[tuple[str, str, str, Row]] = []
    for incident in drill["incidents"] if drill else ():
        if incident["state"] == "closed":
            continue
        at = incident["id"], incident["area"]
        if act.do == "acknowledge":
            found.append((at[0], "acknowledge", at[1], {}))
        elif act.do == "dispatch":
            found.append((at[0], "dispatch", at[1], {"unit": act.unit, "note": "演练 Exercise"}))
        elif act.do == "tick":
            found.append((at[0], "tick", at[1], {"step": act.step}))
        elif act.do == "close":
            found.append((at[0], "close", at[1], {"disposition": "test", "reason": "演练 Exercise"}))
        else:
            kind = "close" if act.do == "close_dispatch" else act.do
            for dispatch in incident["dispatch_details"]:
                if dispatch["leg"] not in ("closed", "refused") and act.unit in ("", dispatch["unit"]):
                    found.append((dispatch["id"], kind, at[1], {"reason": "演练 Exercise"}))
    return found

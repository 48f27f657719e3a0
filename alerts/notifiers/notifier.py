"""Tell every target what the journal's outbox holds: each by itself, so that a dead one holds up nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec

from alerts.duty import Roster
from alerts.notifiers.deliveries import Deliveries, Letter
from alerts.notifiers.homeassistant import HomeAssistantSender
from alerts.notifiers.mqtt import MqttSender
from alerts.notifiers.notice import Failed, Kind, Notice, Rejected, Sender, Unavailable
from alerts.notifiers.pacing import MINUTE, Pacing, read_quiet
from alerts.notifiers.replies import Replies
from alerts.notifiers.scheduled import LATE, Reports
from alerts.notifiers.targets import (
    ASKING,
    SENDING,
    ChatTarget,
    HomeAssistantTarget,
    MailTarget,
    MqttTarget,
    PeopleTarget,
    Target,
    TargetError,
    WebhookTarget,
)
from alerts.notifiers.wording import Voice
from alerts.queries import Reader
from sensors.site import RANK, SYSTEM

logger = logging.getLogger(__name__)

_PAGE = 100
_KEEP = 30 * 86400.0  # seconds for which ids of deliveries, and letters that are dead, are kept
_TIDY = 3600.0  # seconds between two times that older ones are forgotten
_GRACE = 2.0  # seconds that a delivery under way may take to end when all stops
_LOOK = 5.0  # seconds after which the outbox is looked at even without a poke
_UNMADE = 300.0  # seconds after which a report that could not be made is tried again
_NAP = 0.5  # seconds after which one that waits for its limit a minute looks whether all stops


class Figures(msgspec.Struct):
    """What a target's deliveries came to since the start, and how it stands."""

    delivered: int = 0
    failed: int = 0
    waiting: int = 0
    dead: int = 0
    answered: int = 0  # what was left out: somebody had acted, or the order was over, before it could be told
    error: str = ""


class Notifier:
    """Deliver the outbox of a journal to targets. At least once, with the same id; once unless it dies in between.

    `started_after` seconds is how old a notice may be that is still told when this is the first start of all; a target
    that joins others, or comes back, begins with what is new. `voice` says how people are told; with `key`, the data
    folder's secret, they get codes to acknowledge by. `reports` are sent by the calendar. `whole` says that `targets`
    are all that there are; else the others are only away. `told` is given what a target took (its name,
    the notice, and when the sending began and ended, unix seconds): it must return at once, and raise nothing.
    """

    def __init__(
        self,
        journal_url: str | Path,
        outbox: Path | str,
        targets: Sequence[Target],
        *,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
        started_after: float = 3600.0,
        voice: Voice | None = None,
        key: bytes | None = None,
        roster: Roster | None = None,
        reports: Reports | None = None,
        whole: bool = True,
        told: Callable[[str, Notice, float, float], None] | None = None,
    ) -> None:
        self._told = told
        self._reader = Reader(journal_url)
        self._deliveries = Deliveries(outbox)
        self._replies = None if key is None else Replies(outbox, key)
        self._clock, self._jitter = clock, jitter
        self._said = _Said(voice or Voice(), self._replies, roster, reports)
        since = clock() - started_after if self._deliveries.is_new() else math.inf
        self._channels = [self._channel(target, since) for target in targets]
        if whole:
            self._deliveries.forget_others([target.name for target in targets])
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._tidying: asyncio.Task[None] | None = None

    def _channel(self, target: Target, since: float = math.inf) -> _Channel:
        return _Channel(
            target, self._reader, self._deliveries, self._clock, self._jitter, since, self._said, self._told
        )

    async def start(self) -> None:
        """Open all targets and begin to deliver."""
        for channel in self._channels:
            await self._begin(channel)
        self._tidying = asyncio.create_task(self._tidy(), name="tidy the notifier's memory")

    async def prune(self) -> None:
        """Forget what was delivered, letters that were dead, and codes that were over, long ago.

        What was taken out of the journal, as it is personal, is forgotten with it; that goes letter by letter, and
        what is told goes on in between.
        """
        for _ in self._deliveries.follow(self._reader.events_told):
            await asyncio.sleep(0)
        gone = self._deliveries.prune(self._clock() - _KEEP)
        if gone:
            logger.warning("dead letters were forgotten after 30 days, count=%d", gone)
        if self._replies is not None:
            self._replies.prune(self._clock())

    async def _tidy(self) -> None:
        """Prune for as long as this runs: it may be for months."""
        while True:
            try:
                await self.prune()
            except Exception:  # a locked or full disk: the next time will do
                logger.exception("the notifier's memory cannot be pruned")
            await asyncio.sleep(_TIDY)

    async def _begin(self, channel: _Channel) -> None:
        await channel.sender.open()
        name = channel.target.name
        self._tasks[name] = asyncio.create_task(channel.run(), name=f"notify {name}")

    async def notify(self) -> None:
        """Wake all targets: the outbox has something new."""
        for channel in self._channels:
            channel.wake.set()

    async def replace(
        self, targets: Sequence[Target], voice: Voice, roster: Roster | None = None, reports: Reports | None = None
    ) -> list[str]:
        """Serve these targets from now on; return the names of those that came, went or changed.

        One that is as before goes on undisturbed. One that changed begins where it stood, so that nothing is left out;
        what it was just being told ends first. One that cannot be served now (the journal is away) is not among
        `served`, and keeps its place for the next try.
        """
        words = voice != self._said.voice
        self._said = _Said(voice, self._replies, roster, reports)
        wanted = {target.name: target for target in targets}
        going = [one for one in self._channels if not one.stays(wanted.get(one.target.name), words)]
        staying = [one for one in self._channels if one not in going]
        await self._end(going)
        for channel in staying:
            channel.roster, channel.reports = roster, reports
            channel.wake.set()
        there = {channel.target.name for channel in staying}
        coming = []
        for target in targets:
            if target.name not in there:
                try:
                    coming.append(self._channel(target))
                except Exception:  # the others are told all the same
                    logger.exception("a target cannot be served, target=%s", target.name)
        self._channels = [*staying, *coming]
        for channel in coming:
            await self._begin(channel)
        self._deliveries.forget_others(list(wanted))  # one that cannot be served yet goes on where it stood
        return sorted({channel.target.name for channel in (*going, *coming)})

    @property
    def served(self) -> set[str]:
        """Name the targets that are served."""
        return {channel.target.name for channel in self._channels}

    async def _end(self, channels: Sequence[_Channel]) -> None:
        """Have channels stop; what is being sent may end, so that it is not sent again."""
        tasks = [self._tasks.pop(one.target.name) for one in channels if one.target.name in self._tasks]
        for channel in channels:
            channel.stop()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_GRACE)
            for task in late:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for channel in channels:
            with contextlib.suppress(Exception):
                await channel.sender.close()

    def follow(self, targets: Sequence[Target]) -> None:
        """Have those who show the site's areas go by another version of it; in the event loop's thread."""
        named = {target.name: target for target in targets}
        for channel in self._channels:
            target = named.get(channel.target.name)
            if isinstance(channel.sender, HomeAssistantSender) and isinstance(target, HomeAssistantTarget):
                channel.sender.follow(target)

    async def run(self, pokes: asyncio.Event | None = None) -> None:
        """Start and deliver until cancelled; every time `pokes` is set counts as a `notify`."""
        await self.start()
        try:
            while True:
                if pokes is None:
                    await asyncio.Event().wait()
                else:
                    await pokes.wait()
                    pokes.clear()
                    await self.notify()
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Stop delivering and close everything. What is being sent may end, so that it is not sent again."""
        if self._tidying is not None:
            self._tidying.cancel()
            await asyncio.gather(self._tidying, return_exceptions=True)
        await self._end(self._channels)
        if self._replies is not None:
            self._replies.close()
        self._deliveries.close()
        self._reader.close()

    def figures(self) -> dict[str, Figures]:
        """Say how each target stands."""
        for channel in self._channels:
            channel.figures.waiting, channel.figures.dead = self._deliveries.counts(channel.target.name)
        return {channel.target.name: channel.figures for channel in self._channels}

    def dead_letters(self) -> dict[str, list[Letter]]:
        """List what targets never took, by target; one that is revived in the file is tried at the next look."""
        found = {channel.target.name: self._deliveries.dead(channel.target.name) for channel in self._channels}
        return {name: letters for name, letters in found.items() if letters}

    def dead_ids(self) -> set[tuple[str, str]]:
        """Name all that targets never took: (target, id)."""
        return {
            (channel.target.name, id)
            for channel in self._channels
            for id in self._deliveries.dead_ids(channel.target.name)
        }


class _Said:
    """How people are told: the voice, and the codes that are given out."""

    def __init__(
        self,
        voice: Voice,
        replies: Replies | None,
        roster: Roster | None = None,
        reports: Reports | None = None,
    ) -> None:
        self.voice, self._replies, self.roster, self.reports = voice, replies, roster, reports

    def code(self, target: PeopleTarget) -> Callable[[Notice], str]:
        """Make what gives a target's notices their codes."""
        replies = self._replies
        return (lambda _: "") if replies is None else (lambda notice: replies.give(notice, target))


class _Unusable:
    """Stand in for a target that cannot be what it is set to: nothing is lost, and the others go on."""

    retained = False
    areas: Sequence[str] = ()

    def __init__(self, why: str, exercise: bool) -> None:
        self._why, self._exercise = why, exercise

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    def wants(self, kind: str, simulated: bool) -> bool:
        """Take what it would, were it usable."""
        return kind == "dispatch" and (not simulated or self._exercise)

    def take_stale(self) -> bool:
        """Say no."""
        return False

    async def send(self, notice: Notice) -> None:
        """Raise `Unavailable`."""
        raise Unavailable(self._why)


def _sender(target: Target, wake: Callable[[], None], clock: Callable[[], float], said: _Said) -> Sender:
    if isinstance(target, HomeAssistantTarget):
        return HomeAssistantSender(target, wake)
    if isinstance(target, MqttTarget):
        return MqttSender(target, wake)
    # each here: their libraries take longest to load, and most sites have none
    if isinstance(target, PeopleTarget):
        try:
            if isinstance(target, MailTarget):
                from alerts.notifiers.mail import MailSender

                return MailSender(target, said.voice, said.code(target))
            if isinstance(target, ChatTarget):
                from alerts.notifiers.chat import ChatSender

                return ChatSender(target, said.voice, said.code(target))
        except TargetError as error:
            logger.error("a target cannot be used, target=%s error=%s", target.name, error)
            return _Unusable(str(error), target.exercise)
    from alerts.notifiers.webhook import WebhookSender

    assert isinstance(target, WebhookTarget)
    return WebhookSender(target, clock)


def kind_of(target: Target) -> str:
    """Name the kind of a target, as its settings do."""
    return str(type(target).__struct_config__.tag)


def concerns(target: Target, notice: Notice, on_duty: Collection[str] = ()) -> bool:
    """Tell whether a notice is one that people asked to be told of; `on_duty` are the accounts that are."""
    if not isinstance(target, PeopleTarget) or notice.kind != "dispatch":
        return True
    if target.on_duty and on_duty and set(on_duty).isdisjoint(target.on_duty):
        return False
    told = [notice.unit, *notice.data.get("copies", ())] if notice.unit else []
    return (
        RANK[notice.level] >= RANK[target.level]
        and (not target.areas or notice.area in (*target.areas, SYSTEM))  # what is about no one area concerns all
        and (not target.units or not told or not set(told).isdisjoint(target.units))
        and (not notice.edge or not {notice.edge, notice.data.get("edge")}.isdisjoint(target.edges))
    )


def backoff(target: Target, attempts: int, asked: float | None, jitter: float) -> float:
    """Return the seconds until the next attempt: doubling, capped, half of it random (`jitter` in 0..1)."""
    grown: float = min(target.retry_cap, target.retry_first * 2.0 ** min(attempts - 1, 30))
    wait = grown * (0.5 + 0.5 * jitter)
    return max(wait, min(asked, target.retry_cap)) if asked is not None else wait


class _Channel:
    """The deliveries of one target, in the outbox's order; what fails is put off and does not hold up the rest."""

    def __init__(
        self,
        target: Target,
        reader: Reader,
        deliveries: Deliveries,
        clock: Callable[[], float],
        jitter: Callable[[], float],
        since: float,
        said: _Said,
        told: Callable[[str, Notice, float, float], None] | None = None,
    ) -> None:
        self._told = told
        self.target = target
        self.wake = asyncio.Event()
        self.figures = Figures()
        self._stopping = False
        self.sender = _sender(target, self.wake.set, clock, said)
        self._reader = reader
        self._deliveries = deliveries
        self._clock = clock
        self._jitter = jitter
        self.roster, self.reports = said.roster, said.reports
        self._reporting = 0.0  # no report is made before
        self._pacing: Pacing | None = None
        if isinstance(target, PeopleTarget):
            quiet = read_quiet(target.quiet, said.voice.zone)
            self._pacing = Pacing(target.name, target.per_minute, quiet, deliveries)
        self._down = ""
        cursor = deliveries.cursor(target.name)
        if cursor is not None and target.name not in deliveries.known():  # what it had to be told then is old by now
            deliveries.lay_aside(target.name, "the target had been taken out", clock())
            cursor = None
        seen = deliveries.known().get(target.name, ("", since, ""))[1]
        deliveries.know(target.name, kind_of(target), clock())
        if cursor is None:
            cursor = reader.outbox_start(since)
        elif cursor > reader.position():  # the journal was made anew: ids tell what was delivered of late
            told_since = deliveries.told_since(target.name)
            cursor = reader.outbox_start(seen if told_since is None else told_since)
        self._cursor = cursor
        deliveries.move(target.name, cursor)

    def stays(self, wanted: Target | None, words: bool) -> bool:
        """Tell whether a target goes on as it is; `words` says that people are told in other words from now on."""
        if isinstance(self.target, HomeAssistantTarget) and isinstance(wanted, HomeAssistantTarget):
            return True  # it follows the site by itself
        return wanted == self.target and not (words and isinstance(self.target, PeopleTarget))

    def stop(self) -> None:
        """End `run` after the delivery under way."""
        self._stopping = True
        self.wake.set()

    async def run(self) -> None:
        """Deliver what there is, wait for a poke or the next try, and again."""
        down = 0
        stale = False
        while not self._stopping:
            self.wake.clear()
            wait = _LOOK
            try:
                stale = self.sender.take_stale() or stale
                await self._try_tests()
                await self._deliver()
                if self._pacing is not None:
                    self._pacing.gather(self._clock(), self._is_past)
                await self._retry()
                await self._report()
                if stale:  # after the orders: a broker that has only just come up may be slow at hundreds of summaries
                    await self._tell_areas()
                    stale = False
                down = 0
                self._know("")
                for due in (self._deliveries.next_due(self.target.name), self._digest_due()):
                    if due is not None:
                        wait = min(wait, max(0.01, due - self._clock()))
            except Unavailable as error:
                down += 1
                self.figures.error = str(error)
                self._know(str(error))
                wait = min(_LOOK, backoff(self.target, down, None, self._jitter()))
                if down == 2:  # at the first try after a start the connection is only being made
                    logger.warning("target is out of reach, target=%s error=%s", self.target.name, error)
            except Exception:
                # whatever it is (the journal made anew, a full disk), the other targets and the next try go on
                logger.exception("notifier failed, target=%s", self.target.name)
            # not wait_for: in Python 3.11 it loses a cancellation that meets a poke
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self.wake.wait()

    async def _deliver(self) -> None:
        """Deliver the rows after the cursor."""
        while rows := self._reader.outbox(self._cursor, _PAGE):
            # an area told of later in this page needs no telling earlier: the summary is of now
            latest = {row["area"]: row["position"] for row in rows if row["kind"] == "area"}
            # orders first: someone is to be sent, a summary can wait the moment it takes
            for row in sorted(rows, key=lambda row: row["kind"] == "area"):
                if self._stopping:
                    return
                kind: Kind = row["kind"]
                skipped = kind == "area" and latest[row["area"]] != row["position"]
                if not skipped and self.sender.wants(kind, bool(row["simulated"])):
                    await self._first(row, kind)
            if self._stopping:
                return
            # not before the whole page is told: an order's position would stand past areas that are not
            self._cursor = int(rows[-1]["position"])
            self._deliveries.move(self.target.name, self._cursor)

    def _know(self, error: str) -> None:
        """Note, where others can read it, what is wrong with the target."""
        if error != self._down:
            self._down = error
            self._deliveries.know(self.target.name, kind_of(self.target), self._clock(), error)

    def _digest_due(self) -> float | None:
        return None if self._pacing is None else self._pacing.due(self._clock())

    async def _first(self, row: dict[str, Any], kind: Kind) -> None:
        """Try a row for the first time; one that was tried, in a page that was not ended, is left alone."""
        if kind == "area":
            await self._tell_area(row["area"], row["id"], row["time"])
            return
        if self._deliveries.is_delivered(self.target.name, row["id"]):
            return
        if self._deliveries.is_put_off(self.target.name, row["id"]):
            return
        notice = Notice(
            id=row["id"],
            kind=kind,
            area=row["area"],
            unit=row["unit"],
            simulated=bool(row["simulated"]),
            time=row["time"],
            payload=row["payload"],
        )
        on_duty = self.roster.on(self._clock()) if self.roster is not None else ()
        if not concerns(self.target, notice, on_duty) or self._is_answered(notice):
            return
        if self._pacing is not None and self._pacing.keep(notice, self._clock()):
            return
        if await self._admitted():
            await self._try(notice, 1)

    async def _report(self) -> None:
        """Put what the calendar says among the letters, once each; they are sent as those that are tried again."""
        now, target = self._clock(), self.target.name
        if now < self._reporting:
            return
        listed = self.reports.due(target, now) if self.reports is not None else []
        self._deliveries.forget_plans(target, [plan.name for plan, *_ in listed])
        for plan, span, at, id in listed:
            if self._deliveries.planned(target, plan.name, now) > at or now - at > LATE:
                continue  # it was due before anybody wanted it, or is too late to be of use
            if self._deliveries.is_delivered(target, id) or self._deliveries.is_put_off(target, id):
                continue
            assert self.reports is not None
            try:
                notice = await asyncio.to_thread(self.reports.notice, self._reader, plan, span, at, id)
            except Exception:  # what is wrong with one must keep nothing else from being told
                logger.exception("a report cannot be made, target=%s report=%s", target, id)
                self._reporting = now + _UNMADE
                continue
            self._deliveries.put_off(target, Letter(notice, 0, now, False, ""))

    async def _retry(self) -> None:
        """Try the letters whose time has come, as the journal has them now: a person may have been taken out."""
        for letter in self._deliveries.due(self.target.name, self._clock(), self._reader.events_told):
            if self._stopping:
                break
            if not await self._due(letter.notice):
                continue
            await self._try(letter.notice, letter.attempts + 1)

    async def _due(self, notice: Notice) -> bool:
        """Tell whether a letter may be tried now; what has piled up for people goes into a digest instead."""
        if self._pacing is None:
            return await self._admitted()
        if self._is_past(notice):
            return False
        if notice.kind in ("digest", "report") or self._deliveries.is_gathered(self.target.name, notice.id):
            return True
        return not self._pacing.keep(notice, self._clock())

    def _is_past(self, notice: Notice) -> bool:
        """Leave out, and count, what waited and would send people out in vain: its order is over, or answered."""
        if self._is_answered(notice):
            return True
        asks = notice.kind == "dispatch" and bool(notice.unit) and notice.edge in SENDING
        order = notice.data.get("dispatch")
        if not (asks and order and isinstance(self.target, PeopleTarget)) or not self._reader.is_over(str(order)):
            return False
        self._leave_out(notice, "what was told of an order that is over")
        return True

    def _is_answered(self, notice: Notice) -> bool:
        """Leave out, and count, what asks people again for something that somebody has seen to by now."""
        asks = notice.kind == "dispatch" and notice.edge in ASKING and notice.data.get("reminders")
        if not (asks and isinstance(self.target, PeopleTarget)) or not self._reader.is_answered(
            notice.id, of_dispatch=bool(notice.unit)
        ):
            return False
        self._leave_out(notice, "a reminder")
        return True

    def _leave_out(self, notice: Notice, what: str) -> None:
        """Tell the target no more of a notice, and count it."""
        self._deliveries.drop(self.target.name, notice.id, self._clock())
        self.figures.answered += 1
        logger.info("%s was left out, target=%s id=%s", what, self.target.name, notice.id)

    async def _admitted(self) -> bool:
        """Wait until a target for machines may have one more this minute; False when all stops first."""
        most = self.target.per_minute
        while self._pacing is None and most:
            now = self._clock()
            sent = self._deliveries.sent_since(self.target.name, now - MINUTE)
            if len(sent) < most:
                break
            if self._stopping:
                return False
            await asyncio.sleep(min(_NAP, max(0.01, sent[-most][0] + MINUTE - now)))
        return not self._stopping

    async def _try(self, notice: Notice, attempts: int) -> None:
        """Send a notice; note the delivery, or put it off, or bury it."""
        begun = self._clock()
        try:
            await self.sender.send(notice)
        except Failed as error:
            self._note_sent(notice, attempts)
            dead = attempts >= self.target.attempts
            due = self._clock() + backoff(self.target, attempts, error.after, self._jitter())
            self._put_off(Letter(notice, attempts, due, dead, str(error)[:500]))
        except Rejected as error:
            self._note_sent(notice, attempts)
            self._put_off(Letter(notice, attempts, self._clock(), True, str(error)[:500]))
        else:
            # before all else, and in one write: whoever is killed between the answer and this tells it again
            taken = self._clock()
            self._deliveries.deliver(self.target.name, notice.id, taken, count=self._counts(notice))
            self.figures.delivered += 1
            if self._told is not None:
                self._told(self.target.name, notice, begun, taken)

    def _note_sent(self, notice: Notice, attempts: int) -> None:
        """Count a notice for the limit a minute: when it is taken, or was tried for the first time."""
        if attempts == 1 and (count := self._counts(notice)) is not None:
            self._deliveries.note_sent(self.target.name, self._clock(), digest=count)

    def _counts(self, notice: Notice) -> bool | None:
        """Tell whether a notice counts as a digest for the limit a minute; None where there is no limit."""
        return notice.kind == "digest" if self.target.per_minute else None

    async def _try_tests(self) -> None:
        """Send what was asked for to try the target, once each, and note what came of it."""
        for notice in self._deliveries.tests(self.target.name):
            error = ""
            if isinstance(self.target, MqttTarget):
                error = "this target is told all the time: look at its topics"
            else:
                try:
                    await self.sender.send(notice)
                except (Unavailable, Failed, Rejected) as failure:
                    error = str(failure) or type(failure).__name__
            self._deliveries.answer_test(notice.id, error[:500])

    def _put_off(self, letter: Letter) -> None:
        self._deliveries.put_off(self.target.name, letter)
        self.figures.failed += 1
        self.figures.error = letter.error
        logger.log(
            logging.ERROR if letter.dead else logging.WARNING,
            "notice was not taken, target=%s id=%s attempts=%d dead=%s error=%s",
            self.target.name,
            letter.notice.id,
            letter.attempts,
            letter.dead,
            letter.error,
        )

    async def _tell_areas(self) -> None:
        """Tell all areas' summaries again."""
        for area in dict.fromkeys([*self._reader.areas(), *self.sender.areas]):
            await self._tell_area(area, f"summary.{area}", self._clock())

    async def _tell_area(self, area: str, id: str, time: float) -> None:
        """Tell an area's summary as it is now. It needs no memory: the next one replaces it."""
        payload = self._reader.summary(area)
        notice = Notice(
            id=id,
            kind="area",
            area=area,
            unit="",
            simulated=bool(payload["simulated"]),
            time=time,
            payload=payload,
        )
        try:
            await self.sender.send(notice)
        except (Failed, Rejected) as error:
            self.figures.failed += 1
            self.figures.error = str(error)
            logger.warning("area was not told, target=%s area=%s error=%s", self.target.name, area, error)
        else:
            self.figures.delivered += 1

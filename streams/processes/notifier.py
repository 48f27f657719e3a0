"""The notifier process: the journal's outbox to MQTT, webhooks, mail and chats."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from alerts.console.accounts.secret import read_key
from alerts.duty import Roster
from alerts.notifiers import file as notify
from alerts.notifiers.notice import Notice
from alerts.notifiers.notifier import Notifier
from alerts.notifiers.scheduled import Reports
from alerts.notifiers.targets import HomeAssistantTarget, MqttTarget, Target, WebhookTarget
from alerts.queries import Reader
from sensors.document import DocumentError
from sensors.site import Site
from streams import bundle, publication, settings
from streams.brokers import brokers
from streams.bundle import Bundle, version_of
from streams.figures import keep_writing, read_figures
from streams.following import Following
from streams.hub import HubClient
from streams.processes import child
from streams.processes.holder import NOTIFIER, in_turn
from streams.settings import Settings
from streams.telling import sound
from streams.topics import JOURNAL
from streams.vitals import Vitals

logger = logging.getLogger(__name__)

OUTBOX = "outbox"
"""The component that an alarm on dead letters names."""

AGAIN = 60.0
"""Seconds between two times that a standing alarm asks again: a receiver that refuses all would fill the journal."""


def targets(found: Settings, site: Site) -> list[Target]:
    """List whom a run tells: its MQTT broker always, Home Assistant there and the webhook when they are set."""
    main = brokers(found)[0]
    variable, file = settings.secret_of(found, "mqtt_password")
    broker = MqttTarget(
        name="mqtt",
        host=main.address[0],
        port=main.address[1],
        tls=main.encrypted is not None,
        ca_file=main.ca_file,
        cert_file=main.cert_file,
        key_file=main.key_file,
        prefix=site.signals.native,
        username=found.mqtt_username,
        password_env=variable,
        password_file=file,
        client_id="foreshock-notifier",
        exercise=True,  # what is simulated says so in its payload
    )
    listed: list[Target] = [broker]
    if found.homeassistant_prefix:
        chinese = site.language.startswith("zh")
        listed.append(
            HomeAssistantTarget(
                **msgspec.structs.asdict(broker)
                | {"name": "homeassistant", "client_id": "foreshock-notifier-homeassistant"},
                discovery=found.homeassistant_prefix,
                site=site.id,
                title=site.name.zh if chinese else site.name.en,
                areas={area.id: area.name.zh if chinese else area.name.en for area in site.areas},
                language=site.language,
                console=site.console,
            )
        )
    if found.webhook_url:
        env, file = settings.secret_of(found, "webhook_secret")
        listed.append(
            WebhookTarget(
                name="webhook",
                url=found.webhook_url,
                secret_env=env,
                secret_file=file,
                allow_private=found.webhook_private,
                exercise=found.webhook_exercise,
            )
        )
    return listed


def reports(found: Settings, site: Site, listed: notify.Listed) -> Reports:
    """Give the reports that the site's file has sent by the calendar; the console knows what was never heard of."""

    def never() -> list[str]:
        return list(read_figures(found.data_folder).get("console", {}).get("never", ()))

    return Reports(listed.reports, site, font=found.pdf_font, never=never)


class Retelling:
    """Have the notifier serve what the site's file of targets says, whenever that or the site has changed.

    A file that is not sound changes nothing: whom it named before is told as before, and the log says what is wrong.
    """

    def __init__(self, notifier: Notifier, found: Settings, site: Site) -> None:
        self.site = site
        self._notifier, self._found = notifier, found
        self._seen: tuple[object, ...] | None = self._mark()

    def _mark(self) -> tuple[object, ...]:
        """Tell one state of the file and the site from another."""
        file = self._found.notify_file
        try:
            stat = None if file is None else file.stat()
        except OSError:
            stat = None
        return self.site.version, file, None if stat is None else (stat.st_mtime_ns, stat.st_ino, stat.st_size)

    async def look(self) -> list[str]:
        """Look once; return the names of targets that came, went or changed."""
        mark = self._mark()
        if mark == self._seen:
            return []
        self._seen, site, file = mark, self.site, self._found.notify_file
        try:
            listed = notify.Listed() if file is None else await asyncio.to_thread(notify.read, file, site)
        except DocumentError as error:
            logger.error("the file of targets cannot be used, error=%s", error.problems[0])
            return []
        wanted = [*targets(self._found, site), *notify.expanded(listed)]
        changed = await self._notifier.replace(
            wanted, notify.voice_of(site, listed.templates), Roster(site), reports(self._found, site, listed)
        )
        if not {target.name for target in wanted} <= self._notifier.served:
            self._seen = None  # the journal is away, mostly: the next look tries again
        if changed:
            logger.info("targets changed: %s", ", ".join(changed))
        return changed

    async def watch(self) -> None:
        """Look once a second, until cancelled."""
        while True:
            await asyncio.sleep(1.0)
            try:
                await self.look()
            except Exception:  # the next change is tried all the same
                logger.exception("the targets cannot be followed")


def taking(
    notifier: Notifier, found: Settings, loop: asyncio.AbstractEventLoop, retelling: Retelling | None = None
) -> Callable[[Bundle], None]:
    """Make what hands each new version of the site over to a notifier, from any thread.

    The prefix of its topics cannot change while it runs; what Home Assistant shows can.
    """

    def take(content: Bundle) -> None:
        loop.call_soon_threadsafe(notifier.follow, targets(found, content.site))
        if retelling is not None:
            retelling.site = content.site

    return take


class Undelivered:
    """Have an alarm stand for as long as there are orders that are tried no more, and ask again when there are others.

    Who has acknowledged it knows of those before only. `clock`: seconds, never set back.
    """

    def __init__(self, notifier: Notifier, vitals: Vitals, clock: Callable[[], float] = time.monotonic) -> None:
        self._notifier, self._vitals, self._clock = notifier, vitals, clock
        self._told: set[tuple[str, str]] | None = None  # not said yet: an earlier run may have left either
        self._asked = 0.0  # clock

    def look(self) -> None:
        """Look for dead letters and say what has changed."""
        dead = self._notifier.dead_ids()
        if not dead:
            if self._told != dead:
                self._vitals.back(OUTBOX)
        elif not self._told:
            self._down(dead)
        elif dead <= self._told:
            pass  # fewer of the same: what is delivered after all is forgotten, so that it can be told of again
        elif self._clock() - self._asked < AGAIN:
            return
        else:
            self._vitals.back(OUTBOX)  # an alarm that stands does not ask again: it returns, and comes anew
            self._down(dead)
        self._told = dead

    def _down(self, dead: set[tuple[str, str]]) -> None:
        counts = Counter(target for target, _ in dead)
        errors = {target: letters[-1].error for target, letters in self._notifier.dead_letters().items()}
        said = (f"{target}: {count} ({errors.get(target, '')})" for target, count in sorted(counts.items()))
        self._vitals.down(OUTBOX, ", ".join(said))
        self._asked = self._clock()

    async def watch(self) -> None:
        """Look once a second, until cancelled; a look that fails is made up for by the next."""
        trouble = ""
        while True:
            try:
                self.look()
                trouble = ""
            except Exception as error:  # a locked or full disk, mostly: the watch must outlast it
                before, trouble = trouble, repr(error)
                if trouble != before:
                    logger.exception("the dead letters cannot be watched")
            await asyncio.sleep(1.0)


def tracing(found: Settings) -> tuple[Callable[[str, Notice, float, float], None], Callable[[], None]] | None:
    """Give what traces each delivery and what ends that, where traces are wanted."""
    if not found.traces_url:
        return None
    from streams.tracing import Tracer  # here: its libraries take long to load

    tracer, reader = Tracer(found, "notifier"), Reader(found.journal_url)

    def told(target: str, notice: Notice, begun: float, ended: float) -> None:
        try:
            if notice.kind == "dispatch" and (place := reader.observed(notice.id)) is not None:
                tracer.dispatched(place[0], place[1:], notice, target, (begun, ended))
        except Exception:  # nobody waits for a trace
            logger.exception("a delivery is not traced, target=%s id=%s", target, notice.id)

    def end() -> None:
        tracer.close()
        reader.close()

    return told, end


async def _run(found: Settings) -> None:
    child.await_site()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if not await asyncio.to_thread(child.await_journal, found.journal_url, stop.is_set):
        return
    if found.cluster:
        child.ready()  # one run of the cluster tells people; the others stand by
    await in_turn(found, NOTIFIER, "notifier", stop, lambda ended: _serve(found, ended))


async def _serve(found: Settings, stop: asyncio.Event) -> None:
    """Tell whom there is to tell, until `stop`."""
    packed = publication.read(found.data_folder)
    site = bundle.unpack(packed).site
    loop = asyncio.get_running_loop()
    there = sound(found, site)
    listed = there or notify.Listed()
    traced = tracing(found)
    notifier = Notifier(
        found.journal_url,
        found.outbox_at,
        [*targets(found, site), *notify.expanded(listed)],
        voice=notify.voice_of(site, listed.templates),
        key=read_key(found.data_folder),
        roster=Roster(site),
        reports=reports(found, site, listed),
        whole=there is not None,
        told=traced[0] if traced is not None else None,
    )
    retelling = Retelling(notifier, found, site)
    hub = HubClient(found.hub_path)

    async def listen() -> None:
        async for _ in hub.subscribe([JOURNAL]):
            await notifier.notify()

    await notifier.start()
    vitals = Vitals(found.hub_path)

    following = Following(found.data_folder, version_of(packed), taking(notifier, found, loop, retelling))
    following.start()

    def figures() -> dict[str, Any]:
        return {**_flat(notifier), "holder": True, "following": following.version}

    tasks = [
        asyncio.create_task(listen()),
        asyncio.create_task(retelling.watch()),
        asyncio.create_task(Undelivered(notifier, vitals).watch()),
        asyncio.create_task(keep_writing(found.data_folder, "notifier", figures, child.parent().alive)),
    ]
    child.ready()
    try:
        await stop.wait()
    finally:
        following.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await hub.close()
        await asyncio.to_thread(vitals.close)
        await notifier.stop()
        if traced is not None:
            await asyncio.to_thread(traced[1])


def _flat(notifier: Notifier) -> dict[str, Any]:
    counted: Counter[str] = Counter()
    for name, figures in notifier.figures().items():
        for field in ("delivered", "failed", "waiting", "dead", "answered"):
            counted[f"{name.partition(':')[0]}_{field}"] += getattr(figures, field)
    return dict(counted)


def main() -> None:
    """Run the notifier until SIGTERM."""
    found = settings.load()
    child.begin("notifier", found)
    asyncio.run(_run(found))


if __name__ == "__main__":
    main()

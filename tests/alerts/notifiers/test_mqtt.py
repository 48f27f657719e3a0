"""MQTT outputs against real brokers."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alerts.journal import Journal
from alerts.notifiers.deliveries import Deliveries
from alerts.notifiers.notifier import Notifier
from alerts.notifiers.targets import MqttTarget
from scripts.ports import free_port
from streams.embedded import broker as embedded
from tests.alerts.cases import change
from tests.alerts.notifiers.world import Listener, Town
from tests.sensors.conftest import MOSQUITTO
from tests.sensors.secured import PAST, Certificates
from tests.sensors.secured import broker as secured
from tests.waiting import reached

pytestmark = pytest.mark.server

Start = Callable[[], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def own(port: int, folder: Path) -> Iterator[None]:
    process = embedded.start(port, folder)
    try:
        yield
    finally:
        process.stop()


@contextlib.contextmanager
def mosquitto(port: int, folder: Path) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    assert program
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 5
        while not embedded.answers(port):
            assert time.monotonic() < deadline
        yield
    finally:
        process.terminate()
        process.wait(5)


BROKERS = {"embedded": own, "mosquitto": mosquitto}


@pytest.fixture(params=sorted(BROKERS))
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[int, Start]:
    if request.param == "mosquitto" and not shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin"):
        pytest.skip("mosquitto is not installed")
    port = free_port()
    return port, lambda: BROKERS[request.param](port, tmp_path / "broker")


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(Journal(tmp_path / "journal.sqlite"))


def notifier_of(tmp_path: Path, port: int) -> Notifier:
    target = MqttTarget(name="mqtt", port=port, exercise=True, timeout=5.0, retry_first=0.05)
    return Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [target])


def test_alarms_are_retained_and_dispatches_reach_their_unit(
    broker: tuple[int, Start], town: Town, tmp_path: Path
) -> None:
    port, start = broker

    async def scenario() -> None:
        notifier = notifier_of(tmp_path, port)
        listener = Listener(port)
        await notifier.start()
        id = town.dispatch()
        await notifier.notify()
        await reached(lambda: listener.on("foreshock/dispatches/u-c1"))
        (event,) = listener.on("foreshock/dispatches/u-c1")
        assert (event["id"], event["type"], event["data"]["unit"]["id"]) == (
            id, "com.foreshock.dispatch.issued", "u-c1",
        )  # fmt: skip
        await reached(lambda: listener.on("foreshock/alarms/slope-1"))
        assert listener.on("foreshock/alarms/slope-1")[-1]["level"] == "red"
        listener.close()

        late = Listener(port)  # who comes later finds the areas as they are, and no old orders
        await reached(lambda: late.on("foreshock/alarms/slope-1"))
        assert late.messages[0][2] is True
        assert not late.on("foreshock/dispatches/u-c1")
        town.calm()
        await notifier.notify()
        await reached(lambda: late.on("foreshock/alarms/slope-1")[-1]["open"] == [])
        assert late.on("foreshock/alarms/slope-1")[-1]["level"] is None
        late.close()
        await notifier.stop()

    with start():
        asyncio.run(scenario())


@pytest.mark.skipif(MOSQUITTO is None, reason="Mosquitto is not installed")
def test_a_broker_that_asks_for_a_certificate_is_shown_the_newest(town: Town, tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "tls")
    shown = certificates.client("notifier", PAST)
    plain = free_port()

    async def scenario(port: int) -> None:
        target = MqttTarget(
            name="mqtt",
            port=port,
            exercise=True,
            timeout=2.0,
            retry_first=0.05,
            tls=True,
            ca_file=shown.ca_file,
            cert_file=shown.cert_file,
            key_file=shown.key_file,
        )
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [target])
        listener = Listener(plain)
        await notifier.start()
        town.dispatch()
        await notifier.notify()
        await reached(lambda: "no connection" in notifier.figures()["mqtt"].error, what="a refusal of the old one")
        certificates.client("notifier")
        await reached(lambda: listener.on("foreshock/dispatches/u-c1"))
        listener.close()
        await notifier.stop()

    more = f"allow_anonymous true\nlistener {plain} 127.0.0.1\nallow_anonymous true"
    with secured(tmp_path, certificates, certificates.issue("server", "127.0.0.1"), more) as port:
        asyncio.run(scenario(port))


def test_who_loses_an_order_is_told_and_so_is_all_the_world_when_nobody_is_on_it(
    broker: tuple[int, Start], town: Town, tmp_path: Path
) -> None:
    port, start = broker

    async def scenario() -> None:
        notifier = notifier_of(tmp_path, port)
        listener = Listener(port)
        await notifier.start()
        town.dispatch()
        town.record(town.desk.tick(town.now + 200.0))  # nobody has accepted
        town.dispatch("slide", area="nowhere")  # there is nobody to send
        await notifier.notify()
        await reached(lambda: listener.on("foreshock/undispatched/nowhere"))
        await reached(lambda: len(listener.on("foreshock/dispatches/u-c1")) == 3)
        await reached(lambda: listener.on("foreshock/dispatches/u-s1"))
        lost, (won,) = listener.on("foreshock/dispatches/u-c1")[-1], listener.on("foreshock/dispatches/u-s1")
        assert lost == won
        assert (won["type"], won["data"]["unit"]["id"], won["data"]["previous"]) == (
            "com.foreshock.dispatch.reassigned", "u-s1", "u-c1",
        )  # fmt: skip
        (event,) = listener.on("foreshock/undispatched/nowhere")
        assert event["type"] == "com.foreshock.incident.undispatched"
        listener.close()
        await notifier.stop()

    with start():
        asyncio.run(scenario())


def test_the_world_is_reminded_of_what_nobody_acknowledges(
    broker: tuple[int, Start], town: Town, tmp_path: Path
) -> None:
    port, start = broker

    async def scenario() -> None:
        notifier = notifier_of(tmp_path, port)
        listener = Listener(port)
        await notifier.start()
        town.record(town.desk.condition(change(2, area="river-1", scope="p9", time=town.now), town.now))
        town.record(town.desk.tick(town.now + 300.0))
        await notifier.notify()
        await reached(lambda: listener.on("foreshock/reminded/river-1"))
        (event,) = listener.on("foreshock/reminded/river-1")
        assert (event["type"], event["data"]["reminders"]) == ("com.foreshock.incident.reminded", 1)
        listener.close()
        await notifier.stop()

    with start():
        asyncio.run(scenario())


def test_a_broker_that_comes_back_empty_is_told_again(broker: tuple[int, Start], town: Town, tmp_path: Path) -> None:
    port, start = broker

    async def scenario() -> None:
        notifier = notifier_of(tmp_path, port)
        with start():
            await notifier.start()
            first = town.dispatch()
            await notifier.notify()
            outbox = Deliveries(tmp_path / "outbox.sqlite")
            await reached(lambda: outbox.is_delivered("mqtt", first))
            outbox.close()
        second = town.dispatch("level", area="river-1")  # while there is no broker
        await notifier.notify()
        with start():
            listener = Listener(port)
            await reached(lambda: listener.on("foreshock/dispatches/u-c2"), 30)
            await reached(lambda: listener.on("foreshock/alarms/slope-1"), 30)
            events = [body["id"] for topic, body, _, _ in listener.messages if "dispatches" in topic]
            assert second in events
            assert first not in events
            listener.close()
            await notifier.stop()

    asyncio.run(scenario())


def test_from_poke_to_publish_takes_milliseconds(broker: tuple[int, Start], town: Town, tmp_path: Path) -> None:
    port, start = broker

    async def scenario() -> list[float]:
        notifier = notifier_of(tmp_path, port)
        listener = Listener(port)
        await notifier.start()
        spans = []
        for number in range(20):
            area = f"x{number}"
            town.record(town.desk.condition(_low(number, area, town.now), town.now))
            begun = time.perf_counter()
            await notifier.notify()
            await reached(lambda topic=f"foreshock/alarms/{area}": listener.on(topic))  # type: ignore[misc]
            spans.append(listener.messages[-1][3] - begun)
        listener.close()
        await notifier.stop()
        return sorted(spans)

    with start():
        spans = asyncio.run(scenario())
    print(f"poke to MQTT: p50 {spans[10] * 1e3:.1f} ms, worst {spans[-1] * 1e3:.1f} ms")
    assert spans[10] < 0.1


def _low(number: int, area: str, now: float):  # type: ignore[no-untyped-def]
    from tests.alerts.cases import change

    return change(1, rule=f"r{number}", area=area, time=now)

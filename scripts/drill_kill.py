"""Kill processes with -9 under load, and count ids: nothing acknowledged is lost, nothing is dispatched twice.

Readings are published with QoS 1 over real MQTT while the engine's worker, the bridge, the broker, the notifier and the
console are killed at random; with `--on kafka` the log is in Kafka and the journal in PostgreSQL, and these are killed,
too. A recording proxy stands between bridge and broker and notes which readings the bridge acknowledged; a
unit listens to orders over MQTT and at a webhook. At the end:

- every reading that the bridge acknowledged, and every one that its publisher was told is taken, must be in the log;
- every alarm that an unbroken run over the logged observations raises must be in the journal, and no other;
- every dispatch event must be in the log, the journal and the outbox exactly once;
- every one of them must have been heard, at the webhook at least, and nothing else: what came again came under its id,
  and is counted apart. Over MQTT one may be missed when the broker that has it is killed: that is counted, too.

Prints one JSON line; exit code 1 on any loss.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.progress import Progress

from alerts import outcome
from alerts.outcome import AlarmTransition, DispatchChange, Record
from scripts.backing import Backing, Journalled, backing, log_of
from scripts.bench_pipeline import PROBES, content
from scripts.load import publish
from scripts.ports import free_port
from scripts.product import Product
from scripts.units import Radio, Telephone
from sensors import frame, observation
from sensors.observation import FRAME, Tick
from streams.replay import compare, entries
from streams.topics import GROUP, OBSERVATIONS, OUTCOMES

VICTIMS = ("worker", "bridge", "broker", "notifier", "console")
PATIENCE = 300.0
"""Seconds after which what has not picked itself up is taken for what never will; a busy machine takes its time."""

POINTS = 200
START = int(time.time()) - 600

Reading = tuple[str, int]  # point, number: what tells one reading from another, however its clock is corrected
DIGITS = 9
"""Digits after a value's first, in which the number of its reading stands."""


def packets(buffer: bytearray) -> Iterator[bytes]:
    """Take whole MQTT packets off the front of a buffer."""
    while len(buffer) >= 2:
        size, shift, at = 0, 0, 1
        while True:
            if at >= len(buffer):
                return
            byte = buffer[at]
            size |= (byte & 127) << shift
            shift += 7
            at += 1
            if byte < 128:
                break
        if len(buffer) < at + size:
            return
        yield bytes(buffer[: at + size])
        del buffer[: at + size]


class Witness:
    """Follow one connection of the bridge, and note in `acknowledged` which readings it acknowledges."""

    def __init__(self, acknowledged: set[bytes], *, five: bool = False) -> None:
        self._acknowledged, self._five = acknowledged, five
        self._delivered: dict[bytes, bytes] = {}
        self._down, self._up = bytearray(), bytearray()

    def down(self, data: bytes) -> None:
        """Take bytes from the broker."""
        self._down += data
        for packet in packets(self._down):
            if packet[0] >> 4 == 3 and packet[0] & 6:
                topic, mid, payload = parse(packet, five=self._five)
                self._delivered[mid] = topic + b" " + payload

    def up(self, data: bytes) -> None:
        """Take bytes from the bridge."""
        self._up += data
        for packet in packets(self._up):
            if packet[0] >> 4 == 4 and packet[2:4] in self._delivered:
                self._acknowledged.add(self._delivered.pop(packet[2:4]))


class Proxy:
    """Pass bytes between the bridge and the broker, and note the readings that the bridge acknowledges."""

    def __init__(self, broker_port: int) -> None:
        self.acknowledged: set[bytes] = set()
        self._target = broker_port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            client, _ = self._server.accept()
            try:
                broker = socket.create_connection(("127.0.0.1", self._target), 2)
            except OSError:
                client.close()
                continue
            threading.Thread(target=self._pass, args=(client, broker), daemon=True).start()

    def _pass(self, client: socket.socket, broker: socket.socket) -> None:
        for one in (client, broker):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        witness = Witness(self.acknowledged)
        try:
            while True:
                readable, _, _ = select.select([client, broker], [], [])
                for one in readable:
                    data = one.recv(1 << 18)
                    if not data:
                        return
                    if one is broker:
                        witness.down(data)
                        client.sendall(data)
                    else:
                        witness.up(data)
                        broker.sendall(data)
        except OSError:
            return
        finally:
            client.close()
            broker.close()


def parse(packet: bytes, *, five: bool = False) -> tuple[bytes, bytes, bytes]:
    """Return topic, packet id and payload of a QoS 1 PUBLISH."""
    at = 1
    while packet[at] & 128:
        at += 1
    at += 1
    size = int.from_bytes(packet[at : at + 2], "big")
    topic = packet[at + 2 : at + 2 + size]
    rest = packet[at + 2 + size :]
    skipped = 3 + rest[2] if five else 2  # properties of MQTT 5: fewer than 128 bytes here
    return topic, rest[:2], rest[skipped:]


class Source:
    """A gateway: publishes readings at QoS 1, keeps what is not acknowledged and sends it again after a break."""

    def __init__(self, port: int, rate: float) -> None:
        self.acknowledged: set[bytes] = set()
        self.sent = 0
        self._port, self._rate = port, rate
        self._open: dict[int, tuple[str, bytes]] = {}
        self._mid = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop publishing; what is open is given time to be acknowledged."""
        self._stop.set()
        self._thread.join(60)

    def _run(self) -> None:
        while not self._stop.is_set() or (self._open and not self._stop.wait(0.1)):
            try:
                with self._connect() as connection:
                    for mid, (topic, payload) in list(self._open.items()):
                        connection.sendall(publish(topic, payload, 1, mid))
                    self._converse(connection)
            except OSError:
                time.sleep(0.05)

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), 2)
        name = f"drill-{time.time_ns()}".encode()
        body = b"\0\4MQTT\4\2\0\x3c" + len(name).to_bytes(2, "big") + name
        connection.sendall(bytes((0x10, len(body))) + body)
        if len(connection.recv(4)) < 4:
            connection.close()
            raise ConnectionError("no answer")
        return connection

    def _converse(self, connection: socket.socket) -> None:
        begun, sent = time.monotonic(), 0
        buffer = bytearray()
        idle = 0
        while True:
            due = int((time.monotonic() - begun) * self._rate) - sent
            while due > 0 and len(self._open) < 500 and not self._stop.is_set():
                connection.sendall(self._next())
                sent += 1
                due -= 1
            if not select.select([connection], [], [], 0.005)[0]:
                idle += 1
                if self._stop.is_set() and (not self._open or idle > 1000):
                    return
                continue
            data = connection.recv(65536)
            if not data:
                raise ConnectionError("closed")
            idle = 0
            buffer += data
            for packet in packets(buffer):
                if packet[0] >> 4 == 4:
                    done = self._open.pop(int.from_bytes(packet[2:4], "big"), None)
                    if done is not None:
                        self.acknowledged.add(done[0].encode() + b" " + done[1])

    def _next(self) -> bytes:
        number = self.sent
        self.sent += 1
        self._mid = self._mid % 65535 + 1
        while self._mid in self._open:
            self._mid = self._mid % 65535 + 1
        at = START * 1000 + int(number * 1000 / self._rate)  # as fast as life: a clock that is not is corrected
        if number % 997 == 0 and number // 997 < PROBES:
            probe = number // 997
            topic, payload = (
                f"foreshock/readings/probe{probe}/x{probe}",
                b'{"value": 200.5%09d, "time": %d}' % (number, at),
            )
        else:
            point = number % POINTS
            topic = f"foreshock/readings/a{point % 61}/p{point}"
            payload = b'{"value": %d.5%09d, "time": %d}' % (30 + number % 40, number, at)
        self._open[self._mid] = (topic, payload)
        return publish(topic, payload, 1, self._mid)


def logged(log: Any, names: dict[int, str]) -> dict[Reading, int]:
    """Count each reading in the log by point and number."""
    found: dict[Reading, int] = {}
    for partition in range(log.topics()[OBSERVATIONS]):
        for batch in entries(log, OBSERVATIONS, partition):
            for _, value in batch:
                if value[0] != FRAME:
                    continue
                one = frame.decode(value)
                for point, number in zip(one.point.tolist(), numbers(one.value).tolist(), strict=True):
                    key = (names[point], number)
                    found[key] = found.get(key, 0) + 1
    return found


def numbers(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Read from values the numbers of their readings."""
    return np.rint((values * 10 % 1) * 10**DIGITS).astype(np.int64)


def reading_of(message: bytes) -> Reading:
    """Tell which reading a message was."""
    topic, _, payload = message.partition(b" ")
    return topic.decode().rsplit("/", 1)[1], int(numbers(np.array([json.loads(payload)["value"]]))[0])


def outcomes(log: Any) -> Iterator[Record]:
    """Yield the recorded outcomes."""
    for partition in range(log.topics()[OUTCOMES]):
        for batch in entries(log, OUTCOMES, partition):
            for _, value in batch:
                yield outcome.decode(value)


def drill(kills: int, rate: float, seed: int, folder: Path, on: Backing, advance: Any) -> dict[str, Any]:
    """Run the drill and count."""
    victims = (*VICTIMS, *on.killers)
    chance = random.Random(seed)
    broker_port = free_port()
    proxy = Proxy(broker_port)
    counted: dict[str, int] = dict.fromkeys(victims, 0)
    telephone = Telephone()
    webhook = {"webhook_url": telephone.url, "webhook_secret": "drill", "webhook_private": True, **on.given}
    with Product(folder, content(), mqtt_port=broker_port, **webhook) as product:
        # the bridge, and it alone, reaches the broker through the proxy
        bridge = next(child for child in product.supervisor.children if child.name == "bridge")
        bridge.environment = {**bridge.environment, "FORESHOCK_MQTT_PORT": str(proxy.port)}
        assert bridge.process is not None
        before = bridge.process.pid
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: bridge.process is not None and bridge.process.pid != before, PATIENCE)
        wait_for(lambda: product.figures("bridge").get("connected") is True, PATIENCE)
        radio = Radio(broker_port)
        source = Source(broker_port, rate)
        order: list[str] = []
        stuck = 0
        for _ in range(kills):
            time.sleep(chance.uniform(0.2, 1.2))
            if chance.random() < 0.7:  # the others hit a product that is still picking itself up
                stuck += not comes(lambda: whole(product))
            if stuck:
                break  # what was counted until then is told
            if not order:
                order = chance.sample(victims, len(victims))  # each in its turn, in a random order
            name = order.pop()
            counted[name] += 1
            advance(1)
            if name in on.killers:
                on.killers[name]()
                continue
            victim = next(child for child in product.supervisor.children if child.name == name)
            wait_for(lambda victim=victim: victim.process.returncode is None, PATIENCE)
            os.kill(victim.process.pid, signal.SIGKILL)
        stuck += not comes(lambda: whole(product))
        time.sleep(2)
        source.stop()
        quiet(product)
        owed = {*Journalled.of(product.settings).told}  # what is told from here on, the end of the drill may cut off
        with contextlib.suppress(TimeoutError):  # what is missing then is counted below
            wait_for(lambda: owed <= {*telephone.ids} & {*radio.ids}, 120)
        names = {point.index: point.id for point in product.content.site.points}
    with log_of(product.settings) as log:
        held = logged(log, names)
        committed = {p: log.committed(GROUP, OBSERVATIONS, p) or 0 for p in range(log.topics()[OBSERVATIONS])}
        unbroken = compare(log, committed.__getitem__)
        recorded = list(outcomes(log))
        behind = [waiting(log, p, committed[p]) for p in committed]
    acknowledged = {reading_of(message) for message in proxy.acknowledged}
    published = {reading_of(message) for message in source.acknowledged}
    alarms = [one.id for record in recorded for one in record.outcomes if isinstance(one, AlarmTransition)]
    issued = [
        one.id
        for record in recorded
        for one in record.outcomes
        if isinstance(one, DispatchChange) and one.edge == "issued"
    ]
    radio.close()
    telephone.close()
    journal = Journalled.of(product.settings)
    told = {*journal.told}
    lost = acknowledged - held.keys()
    return {
        "drill": "kill",
        "on": "kafka" if on.distributed else "sqlite",
        "kills": sum(counted.values()),
        "never_recovered": stuck,
        "killed": counted,
        "published": source.sent,
        "acknowledged_by_bridge": len(acknowledged),
        "lost": len(lost),
        "in_log": len(held),
        "stored_twice": sum(count - 1 for count in held.values()),
        "acknowledged_to_publisher": len(published),
        "lost_to_publisher": len(published - held.keys()),
        "observations_not_taken": sum(observations for observations, _ in behind),
        "ticks_not_taken": sum(ticks for _, ticks in behind),
        "alarm_transitions": len(alarms),
        "alarms_missed": len(set(unbroken.added)) + len({*alarms} - {*journal.transitions}),
        "alarms_differing": len(unbroken.changed) + len(unbroken.missing),
        "alarm_ids_repeated": repeats(alarms),
        "dispatches": len(set(issued)),
        "dispatches_missed": len({*issued} - {*journal.dispatches}),
        "dispatches_repeated": repeats(issued) + repeats(journal.dispatches) + repeats(journal.told),
        "events_told": len(told),
        "events_unheard": len(owed - {*telephone.ids}),
        "events_unheard_over_mqtt": len(owed - {*radio.ids}),
        "events_never_told": len({*telephone.ids, *radio.ids} - told) + telephone.altered + radio.altered,
        "events_again_at_webhook": telephone.repeats,
        "events_again_over_mqtt": radio.repeats,
    }


def waiting(log: Any, partition: int, committed: int) -> tuple[int, int]:
    """Count the observations that the engine has not taken, and apart the ticks of the clock among them.

    A worker that is slow to end is killed at the end of the drill, as at any stop on a busy machine: the tick of that
    second may lie in the log, for the next start to take. Nothing else comes any more then.
    """
    left = [value for batch in entries(log, OBSERVATIONS, partition, start=committed) for _, value in batch]
    ticks = sum(value[0] != FRAME and isinstance(observation.decode(value), Tick) for value in left)
    return len(left) - ticks, ticks


def repeats(ids: list[str]) -> int:
    """Count the ids that are there once more."""
    return len(ids) - len(set(ids))


def whole(product: Product) -> bool:
    """Tell whether every process runs and has said that it is ready."""
    return all(
        child.process is not None and child.process.returncode is None and child.ready.is_set()
        for child in product.supervisor.children
    )


def wait_for(condition: Any, seconds: float, pause: float = 0.02) -> None:
    """Wait until a condition holds. Raise TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the drill waited in vain")
        time.sleep(pause)


def comes(condition: Callable[[], bool]) -> bool:
    """Tell whether a condition holds before patience ends."""
    with contextlib.suppress(TimeoutError):
        wait_for(condition, PATIENCE)
        return True
    return False


def quiet(product: Product, seconds: float = 60.0) -> None:
    """Wait until the engine has taken everything and nothing more comes."""
    same, last, deadline = 0, None, time.monotonic() + seconds
    while same < 4 and time.monotonic() < deadline:
        figures = (product.figures("worker").get("readings"), product.figures("worker").get("engine_lag"))
        same = same + 1 if figures == last and figures[1] is not None and figures[1] <= 2 else 0
        last = figures
        time.sleep(0.6)


def main(
    kills: Annotated[int, typer.Option(help="How many processes to kill.")] = 30,
    rate: Annotated[float, typer.Option(help="Readings a second.")] = 2000.0,
    seed: Annotated[int, typer.Option(help="Which order of kills.")] = 1,
    on: Annotated[str, typer.Option(help="Where the log is: sqlite or kafka.")] = "sqlite",
    brokers: Annotated[int, typer.Option(help="Kafka's brokers, of which one is killed at a time.")] = 1,
) -> None:
    """Run the drill and print what was counted."""
    with tempfile.TemporaryDirectory() as name, Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("killing", total=kills)
        with backing(content().site, distributed=on == "kafka", copies=brokers) as under:
            counted = drill(kills, rate, seed, Path(name), under, lambda count: progress.advance(task, count))
    print(json.dumps(counted))
    failed = (
        "never_recovered",
        "lost",
        "lost_to_publisher",
        "observations_not_taken",
        "alarms_missed",
        "alarms_differing",
        "dispatches_missed",
        "dispatches_repeated",
        "events_unheard",
        "events_never_told",
    )
    if any(counted[name] for name in failed) or not counted["dispatches"]:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)

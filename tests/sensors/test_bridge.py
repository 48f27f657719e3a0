"""The bridge between a real broker and a sink."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
from paho.mqtt.client import Client, ConnectFlags
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from scripts import load
from scripts.ports import free_port
from sensors import frame, observation, packing, quarantine
from sensors.bridge import Bridge, BridgeSettings
from sensors.flights import Flight, Records
from sensors.observation import HISTORICAL, CameraEvent, SourceState
from sensors.site import HomeAssistant, Mapping, Onvif, Signals, Site
from streams.embedded import broker as embedded
from tests.sensors.dialects.suite import site as camera_site
from tests.waiting import until

pytestmark = pytest.mark.server

SITE = load.bench_site(100, 10)
_ids = itertools.count()


class ForGoodError(Exception):
    permanent = True


def values_of(record: tuple[str, int, bytes]) -> list[float]:
    topic, _, value = record
    return frame.decode(value).value.tolist() if topic == packing.TOPIC and value[0] == observation.FRAME else []


class Sink:
    """Keep records; answer at once, or when `release` is called, or with failures first."""

    def __init__(self, *, held: bool = False, failures: int = 0, poison: float | None = None, ill: int = 0) -> None:
        self.records: Records = []
        self.poison = poison  # a batch with this value is refused for good
        self.ill = ill  # so often even the quarantine's records are refused for good
        self.offered = 0
        self.held = held
        self.failures = failures
        self.waiting: list[Callable[[Exception | None], None]] = []

    def produce(self, records: Records, done: Callable[[Exception | None], None]) -> None:
        if self.failures:
            self.failures -= 1
            done(OSError("disk full"))
            return
        self.offered += 1
        if self.ill and any(topic == quarantine.TOPIC for topic, _, _ in records):
            self.ill -= 1
            done(ForGoodError("ill"))
            return
        if self.poison is not None and any(self.poison in values_of(record) for record in records):
            done(ForGoodError("poison"))
            return
        self.records += records
        if self.held:
            self.waiting.append(done)
        else:
            done(None)

    def release(self) -> None:
        waiting, self.waiting = self.waiting, []
        for done in waiting:
            done(None)

    def values(self) -> list[float]:
        return [value for record in list(self.records) for value in values_of(record)]

    def events(self) -> list[CameraEvent]:
        kept = [value for topic, _, value in list(self.records) if topic == packing.TOPIC]
        said = [observation.decode(value) for value in kept if value[0] == observation.RECORD]
        return [one for one in said if isinstance(one, CameraEvent)]

    def refused(self) -> list[quarantine.Refused]:
        return [quarantine.decode(record) for topic, _, record in list(self.records) if topic == quarantine.TOPIC]


@contextmanager
def running(port: int, sink: Sink, *, site: Site = SITE, **changes: object) -> Iterator[Bridge]:
    chosen = {"client_id": f"bridge-{next(_ids)}", "retry_least": 0.05, "port": port, **changes}
    bridge = Bridge(site, sink, BridgeSettings(**chosen))  # type: ignore[arg-type]
    thread = threading.Thread(target=bridge.run)
    thread.start()
    try:
        yield bridge
    finally:
        sink.held = False
        sink.release()
        bridge.stop()
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def publisher(port: int) -> Iterator[Client]:
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"test-{next(_ids)}")
    ready = threading.Event()
    client.on_connect = lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert ready.wait(5)
    yield client
    client.disconnect()
    client.loop_stop()


def test_readings_of_every_kind_and_qos_arrive(broker_port: int) -> None:
    sink = Sink()
    with running(broker_port, sink) as bridge, publisher(broker_port) as client:
        assert until(lambda: bridge.connected)
        client.publish("foreshock/readings/a0/p0", "1.5", qos=0)
        client.publish("foreshock/readings/a1/p1", f'{{"value": 2.5, "time": {time.time():.3f}}}', qos=1)
        client.publish("foreshock/readings/a2/p2", "3.5", qos=2)
        client.publish("foreshock/frames/a0", '{"points": ["p3", "p4"], "values": [4.5, 5.5]}', qos=1)
        client.publish("foreshock/readings/a0/nobody", "9", qos=1)
        assert until(lambda: len(sink.values()) == 5 and sink.refused())
        assert sorted(sink.values()) == [1.5, 2.5, 3.5, 4.5, 5.5]
        assert [one.reason for one in sink.refused()] == ["unknown_point"]
        assert until(lambda: bridge.figures()["unlogged"] == 0)
        figures = bridge.figures()
        assert figures["readings"] == 5
        assert figures["refused"] == {"unknown_point": 1}
        assert figures["connected"] is True


def test_nothing_is_acknowledged_before_the_sink_says_durable(broker_port: int) -> None:
    name = f"kept-{next(_ids)}"
    topic = "foreshock/readings/a0/p0"
    with publisher(broker_port) as client:
        first = Sink(held=True)
        bridge = Bridge(SITE, first, BridgeSettings(port=broker_port, client_id=name))
        thread = threading.Thread(target=bridge.run, daemon=True)
        thread.start()
        assert until(lambda: bridge.connected)
        for k in range(20):
            client.publish(topic, str(k), qos=1).wait_for_publish(5)
        assert until(lambda: len(first.values()) == 20)
        sock = bridge.client.socket()  # the bridge dies: its connection breaks with nothing durable
        bridge._stopping.set()
        assert sock is not None
        sock.close()
        thread.join(10)
        client.publish(topic, "20", qos=1).wait_for_publish(5)
        second = Sink()
        with running(broker_port, second, client_id=name) as again:
            assert until(lambda: len(second.values()) == 21), second.values()
            assert second.values() == [float(k) for k in range(21)]
            assert until(lambda: again.connected and again.figures()["unlogged"] == 0)
            # a broker takes a connection's packets in order: once this is answered, it has the acknowledgements too
            again.client.publish("elsewhere", b"", qos=1).wait_for_publish(5)
        third = Sink()
        with running(broker_port, third, client_id=name) as after:
            assert until(lambda: after.connected)
            client.publish(topic, "21", qos=1).wait_for_publish(5)
            assert until(lambda: third.values() == [21.0]), "what was acknowledged does not come again"


def test_a_batch_that_fails_is_offered_again(broker_port: int) -> None:
    sink = Sink(failures=2)
    with running(broker_port, sink) as bridge, publisher(broker_port) as client:
        assert until(lambda: bridge.connected)
        client.publish("foreshock/readings/a0/p0", "7", qos=1)
        assert until(lambda: sink.values() == [7.0])
        assert until(lambda: bridge.figures()["unlogged"] == 0)
        assert bridge.figures()["failed"] == 2


@pytest.mark.parametrize("ill", [0, 2])
def test_what_the_log_refuses_for_good_is_quarantined_and_the_rest_acknowledged(broker_port: int, ill: int) -> None:
    sink = Sink(poison=666.0, ill=ill)
    with running(broker_port, sink, floor=0.2) as bridge, publisher(broker_port) as client:
        assert until(lambda: bridge.connected)
        for k in range(20):
            client.publish(f"foreshock/readings/a{k % 10}/p{k}", "666" if k == 7 else str(k), qos=1)
        assert until(lambda: bridge.figures()["readings"] == 20 and bridge.figures()["unlogged"] == 0)
        [word] = sink.refused()
        assert (word.reason, word.detail) == ("log_refused", "poison")
        assert word.topic.startswith("observations/") and word.size >= len(word.raw) > 0
        together = word.readings
        assert len(sink.values()) == 20 - together and 666.0 not in sink.values()
        assert bridge.figures()["refused"] == {"log_refused": together}
        offered = sink.offered
        with pytest.raises(TimeoutError):  # it is not offered again
            until(lambda: sink.offered > offered, 0.6)
        client.publish("foreshock/readings/a0/p0", "99", qos=1).wait_for_publish(5)
        assert until(lambda: 99.0 in sink.values() and bridge.figures()["unlogged"] == 0)


def test_a_batch_is_split_so_that_only_the_record_at_fault_is_lost() -> None:
    sink = Sink(poison=666.0)
    bridge = Bridge(SITE, sink)
    sent: list[bytes] = []
    bridge.client.is_connected = lambda: True  # type: ignore[method-assign]
    bridge.client.send_acks = sent.append  # type: ignore[method-assign]
    made: Records = []
    for value in (1.0, 666.0, 2.0):
        column = np.array([value])
        made.append(
            (
                packing.TOPIC,
                0,
                frame.encode(
                    np.array([0], np.uint32),
                    column,
                    column,
                    np.array([0], np.uint8),
                    registry="1",
                    received=1.0,
                    source="",
                ),
            )
        )
    bridge._flights.add(Flight(made, 3, 99, b"\x40\x02\x00\x01", bridge.client.connection, time.monotonic()))
    for _ in range(5):
        bridge._settle(time.monotonic())
    assert sink.values() == [1.0, 2.0]
    assert [(one.reason, one.readings) for one in sink.refused()] == [("log_refused", 1)]
    assert sent == [b"\x40\x02\x00\x01"]
    assert (bridge.figures()["unlogged"], bridge._flights.bytes) == (0, 0)


def test_a_refused_subscription_is_not_a_connection_and_is_asked_for_again() -> None:
    bridge = Bridge(SITE, Sink(), BridgeSettings(retry_least=100.0, retry_most=300.0))
    asked: list[list[str]] = []

    def subscribe(filters: list[tuple[str, int]]) -> tuple[int, int]:
        asked.append([topic for topic, _ in filters])
        return 0, len(asked)

    def answer(*codes: int) -> None:
        reasons = [ReasonCode(PacketTypes.SUBACK, identifier=code) for code in codes]
        bridge._on_subscribe(None, None, len(asked), reasons, None)

    bridge.client.subscribe = subscribe  # type: ignore[method-assign, assignment]
    bridge.client.is_connected = lambda: True  # type: ignore[method-assign]
    accepted = ReasonCode(PacketTypes.CONNACK, identifier=0)
    bridge._on_connect(None, None, ConnectFlags(session_present=False), accepted, None)
    first, second = asked[0]
    answer(1, 0x80)
    assert not bridge.connected and bridge.figures()["refused_filters"] == 1
    now = time.monotonic()
    bridge._ask_again(now)
    assert len(asked) == 1, "not at once"
    bridge._ask_again(now + 101)
    answer(0x80)
    bridge._ask_again(time.monotonic() + 99)
    assert asked[1:] == [[second]], "longer each time"
    bridge._on_connect(None, None, ConnectFlags(session_present=True), accepted, None)
    assert asked[2:] == [[second]], "the other one is kept by the broker"
    answer(1)
    assert bridge.connected and bridge.figures()["refused_filters"] == 0 and first != second


def test_a_sink_that_stalls_stops_the_reading_and_loses_nothing(broker_port: int) -> None:
    sink = Sink(held=True)
    with running(broker_port, sink, max_unlogged=500) as bridge:
        assert until(lambda: bridge.connected)
        connection = load.Connection(port=broker_port)
        packets = load.Singles(load.native_topics(SITE), qos=1)
        for _ in range(50):
            connection.send(packets.burst(100, time.time()), 100, 1, window=5000)
        assert connection.drain()
        assert until(lambda: bridge.figures()["unlogged"] >= 90)
        assert bridge.figures()["readings"] < 5000
        sink.held = False
        sink.release()
        assert until(lambda: (sink.release(), len(sink.values()) == 5000)[1])
        connection.close()


def test_stored_copies_do_not_look_fresh(broker_port: int) -> None:
    with publisher(broker_port) as client:
        client.publish("foreshock/readings/a5/p5", "1", qos=1, retain=True).wait_for_publish(5)
        sink = Sink()
        with running(broker_port, sink) as bridge:
            assert until(lambda: bridge.connected and sink.refused())
            assert [one.reason for one in sink.refused()] == ["retained"]
            client.publish("foreshock/readings/a5/p5", "2", qos=1, retain=True)
            assert until(lambda: sink.values() == [2.0]), "a live one is a reading, though it is to be stored"
        client.publish("foreshock/readings/a5/p5", "", qos=1, retain=True).wait_for_publish(5)


def test_a_stored_property_is_history_until_it_changes_and_ends_when_it_is_deleted(broker_port: int) -> None:
    topic = "yard/onvif-ej/RuleEngine/FieldDetector/ObjectsInside/&1/2/Yard"
    site = camera_site(Signals(onvif=(Onvif(prefix="+"),)))

    def inside(age: float) -> str:
        at = datetime.fromtimestamp(time.time() - age, UTC).isoformat()
        return json.dumps({"UtcTime": at, "Source": {"Rule": "Yard"}, "Data": {"IsInside": "true"}})

    with publisher(broker_port) as client:
        client.publish(topic, inside(3600), qos=1, retain=True).wait_for_publish(5)
        sink = Sink()
        with running(broker_port, sink, site=site):
            assert until(lambda: len(sink.events()) == 1)
            client.publish(topic, inside(0), qos=1, retain=True)
            assert until(lambda: len(sink.events()) == 2)
            client.publish(topic, "", qos=1, retain=True)
            assert until(lambda: len(sink.events()) == 3)
    assert [(one.kind, one.phase, bool(one.quality & HISTORICAL)) for one in sink.events()] == [
        ("intrusion", "new", True),
        ("intrusion", "new", False),
        ("intrusion", "end", False),
    ]


def test_a_broker_that_comes_back_is_found_again(tmp_path: Path) -> None:
    port = free_port()
    sink = Sink()
    with running(port, sink, retry_most=0.1) as bridge:
        assert until(lambda: bridge.figures()["waits"] > 0), "no broker yet"
        assert bridge.figures()["connected"] is False
        for turn in range(2):
            broker = embedded.start(port, tmp_path)
            assert until(lambda: bridge.connected)
            with publisher(port) as client:
                expected = len(sink.values()) + 1
                client.publish("foreshock/readings/a0/p0", str(turn), qos=1)
                assert until(lambda: len(sink.values()) == expected)  # noqa: B023
            broker.stop()
            assert until(lambda: not bridge.connected)
        assert bridge.figures()["lost"] >= 2
    assert sink.values() == [0.0, 1.0]


def test_stopping_hands_on_and_acknowledges_what_was_taken(broker_port: int) -> None:
    sink = Sink()
    with running(broker_port, sink) as bridge, publisher(broker_port) as client:
        assert until(lambda: bridge.connected)
        for k in range(300):
            client.publish("foreshock/readings/a0/p0", str(k), qos=1)
        assert until(lambda: len(sink.values()) == 300)
    assert bridge.figures()["unlogged"] == 0


@pytest.mark.parametrize("mode", ["singles", "frames"])
def test_a_load_arrives_whole_and_in_order(broker_port: int, mode: str) -> None:
    sink = Sink()
    site = SITE
    with running(broker_port, sink) as bridge:
        assert until(lambda: bridge.connected)
        connection = load.Connection(port=broker_port)
        packets: load.Packets = load.Singles(load.native_topics(site), qos=1)
        if mode == "frames":
            packets = load.Frames("foreshock/frames/a0", [point.id for point in site.points], 100, qos=1)
        made = load.run(connection, packets, 20_000, 0.5)
        connection.close()
        assert until(lambda: len(sink.values()) == made["readings"])
        assert not bridge.figures()["refused"]
        last: dict[tuple[int, int], float] = {}
        for _, partition, record in sink.records:
            one = frame.decode(record)
            for point, moment in zip(one.point.tolist(), one.time.tolist(), strict=True):
                assert moment > last.get((partition, point), 0.0)
                last[(partition, point)] = moment


def other_site() -> Site:
    """Rename p0, take p1 out, add p100, and listen to mapped topics."""
    points = [msgspec.structs.replace(SITE.points[0], id="q0", renamed_from=("p0",)), *SITE.points[2:]]
    points.append(msgspec.structs.replace(SITE.points[1], id="p100", index=100))
    signals = msgspec.structs.replace(SITE.signals, mapped=(Mapping(topic="site/{point}", point="{point}"),))
    return msgspec.structs.replace(SITE, version="v-other", points=tuple(points), signals=signals)


def test_another_version_of_the_site_is_taken_between_two_batches(broker_port: int) -> None:
    sink = Sink()
    with running(broker_port, sink) as bridge, publisher(broker_port) as client:
        assert until(lambda: bridge.connected)
        client.publish("foreshock/readings/a1/p1", "1", qos=1)
        assert until(lambda: sink.values() == [1.0])
        bridge.adopt(other_site(), 5.0)
        assert bridge.figures()["version"] == "v-other"
        assert until(lambda: bridge.connected and not bridge._asked)
        client.publish("foreshock/readings/a0/p0", "2", qos=1)
        client.publish("foreshock/readings/a0/q0", "3", qos=1)
        client.publish("foreshock/readings/a1/p1", "4", qos=1)
        client.publish("foreshock/readings/a1/p100", "5", qos=1)
        client.publish("site/p100", '{"value": 6}', qos=1)
        assert until(lambda: len(sink.values()) == 5 and sink.refused())
        assert sorted(sink.values()) == [1.0, 2.0, 3.0, 5.0, 6.0]
        assert [(one.reason, one.topic) for one in sink.refused()] == [("unknown_point", "foreshock/readings/a1/p1")]
        figures = bridge.figures()
        assert (figures["renamed"], figures["readings"]) == (1, 5)
        frames = [frame.decode(value) for topic, _, value in sink.records if topic == packing.TOPIC]
        assert [one.header.registry for one in frames] == [SITE.version] + ["v-other"] * (len(frames) - 1)
        bridge.adopt(SITE, 5.0)  # and back: what it no longer listens to is given up
        client.publish("site/p100", '{"value": 7}', qos=1)
        client.publish("foreshock/readings/a1/p1", "8", qos=1)
        assert until(lambda: 8.0 in sink.values())
        assert 7.0 not in sink.values()


def house(*points: int) -> Site:
    """Bind points to the entities of their numbers, as Home Assistant knows them."""
    bound = tuple(
        msgspec.structs.replace(point, sources=(f"homeassistant:e{point.index}",)) if point.index in points else point
        for point in SITE.points
    )
    return msgspec.structs.replace(
        SITE, version=f"v-{points}", points=bound, signals=Signals(homeassistant=(HomeAssistant(),))
    )


def test_a_point_newly_bound_to_an_entity_that_has_gone_is_told_so_at_once(broker_port: int) -> None:
    sink = Sink()

    def gone() -> set[int]:
        kept = [value for topic, _, value in list(sink.records) if topic == packing.TOPIC]
        said = [observation.decode(value) for value in kept if value[0] == observation.RECORD]
        assert all(abs(one.time - time.time()) < 60 for one in said if isinstance(one, SourceState))
        offline = [one for one in said if isinstance(one, SourceState) and one.state == "offline"]
        return {point for one in offline for point in one.points}

    with running(broker_port, sink, site=house(0)) as bridge, publisher(broker_port) as client:
        assert until(lambda: bridge.connected)
        for number in range(2):
            entity = {"unique_id": f"e{number}", "state_topic": f"gw/{number}", "availability_topic": "gw/lwt"}
            client.publish(f"homeassistant/sensor/e{number}/config", json.dumps(entity), qos=1)
        assert until(lambda: "gw/lwt" in bridge._learnt and not bridge._asked)
        client.publish("gw/lwt", "offline", qos=1)
        assert until(lambda: gone() == {0})
        assert bridge.adopt(house(0, 1), 5.0)
        assert until(lambda: gone() == {0, 1}), "with no further message"
        assert until(lambda: "gw/1" in bridge._learnt and not bridge._asked)
        client.publish("gw/1", "5", qos=1)
        assert until(lambda: sink.values() == [5.0])


def test_no_reading_is_lost_or_doubled_while_versions_change(broker_port: int) -> None:
    sink = Sink()
    with running(broker_port, sink) as bridge, publisher(broker_port) as client:
        assert until(lambda: bridge.connected)
        other = other_site()
        for number in range(3000):
            client.publish(f"foreshock/readings/a{number % 3 + 2}/p{number % 3 + 2}", str(float(number)), qos=1)
            if number % 500 == 499:
                bridge.adopt(other if number // 500 % 2 else SITE, 5.0)
        assert until(lambda: len(sink.values()) >= 3000, 20)
        assert sorted(sink.values()) == [float(number) for number in range(3000)]


@pytest.mark.parametrize(
    ("signals", "loaded"),
    [
        ("Signals()", False),
        ("Signals(mapped=(Mapping(topic='x/{point}', point='{point}'),))", False),
        ("Signals(mapped=(Mapping(topic='x/{point}', point='{point}', unit='cm'),))", True),
        ("Signals(senml=(SenML(topic='senml/#'),))", True),
    ],
)
@pytest.mark.parametrize("adopted", [False, True])
def test_what_converts_units_is_loaded_before_the_loop_needs_it_and_only_then(
    signals: str, loaded: bool, adopted: bool
) -> None:
    program = (
        "import sys\n"
        "from scripts.load import bench_site\n"
        "from sensors.bridge import Bridge\n"
        "from sensors.site import Mapping, SenML, Signals\n"
        f"made = bench_site(3, 1, signals={signals})\n"
        f"bridge = Bridge(bench_site(3, 1) if {adopted} else made, None)\n"
        f"{adopted} and bridge.adopt(made)\n"
        "before = 'pint' in sys.modules\n"
        "from sensors import measure\n"
        "print(before, measure.registry.cache_info().currsize)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.split() == [str(loaded), str(int(loaded))]

"""From end to end: a publisher is acknowledged once the durable subscriber has acknowledged, and not before."""

from __future__ import annotations

import threading
import time

import pytest

from scripts import load
from streams.embedded.mqtt.packets import packet
from tests.sensors.test_bridge import SITE, Sink
from tests.sensors.test_bridge import running as bridging
from tests.streams.embedded.mqtt.peers import Bare, Peer, Running, fresh_name, serving
from tests.waiting import until

pytestmark = pytest.mark.server

BRIDGE = "foreshock-bridge"
TOPIC = "foreshock/readings/a0/p0"


def durable(broker: Running, *, clean: bool = False, text: str = "foreshock/#") -> Bare:
    bare = Bare(broker.port, BRIDGE, clean=clean)
    if not bare.present:
        bare.subscribe(text)
    return bare


def take(bare: Bare) -> tuple[bytes, bytes]:
    """Take a QoS 1 message without acknowledging it; give its identifier and payload."""
    first, body = bare.next()
    assert first & 0xF6 == 0x32
    at = 2 + body[1]
    return body[at : at + 2], body[at + 2 :]


def held(broker: Running) -> int:
    return int(broker.server.exchange.figures([])["unacknowledged"])


@pytest.mark.parametrize("qos", [1, 2])
def test_a_publisher_waits_for_the_durable_subscriber(qos: int) -> None:
    with serving() as broker:
        bridge, pub = durable(broker), Bare(broker.port, fresh_name())
        ordinary = Bare(broker.port, fresh_name())
        ordinary.subscribe("foreshock/#")
        pub.publish(TOPIC, b"1", qos, 5)
        mid, payload = take(bridge)
        assert payload == b"1"
        assert take(ordinary)[1] == b"1"
        assert pub.silent(), "the other subscriber's acknowledgement is not waited for, the bridge's is"
        bridge.send(packet(0x40, mid))
        assert pub.next() == (0x40 if qos == 1 else 0x50, b"\0\5")
        pub.publish("elsewhere", b"", qos, 6)
        assert pub.next() == (0x40 if qos == 1 else 0x50, b"\0\6")


def test_answers_come_in_the_order_of_the_publishes() -> None:
    with serving() as broker:
        bridge, pub = durable(broker), Bare(broker.port, fresh_name())
        for mid, topic in enumerate((TOPIC, TOPIC, "elsewhere", TOPIC), 1):
            pub.publish(topic, b"%d" % mid, 1, mid)
        first, second, fourth = (take(bridge)[0] for _ in range(3))
        bridge.send(packet(0x40, second) + packet(0x40, fourth))
        assert pub.silent()
        bridge.send(packet(0x40, first))
        assert [pub.next()[1][1] for _ in range(4)] == [1, 2, 3, 4]


def test_messages_wait_for_a_bridge_that_is_away_and_for_one_that_died_half_way() -> None:
    with serving() as broker:
        bridge, pub = durable(broker), Bare(broker.port, fresh_name())
        pub.publish(TOPIC, b"1", 1, 1)
        take(bridge)
        bridge.close()
        assert until(lambda: broker.server.exchange.sessions[BRIDGE].link is None)
        pub.publish(TOPIC, b"2", 1, 2)
        pub.publish(TOPIC, b"light", 0)
        assert pub.silent()
        bridge = durable(broker)
        assert bridge.present
        first, body = bridge.next()
        assert (first, body[-1:]) == (0x3A, b"1"), "marked as a second delivery"
        mid, payload = take(bridge)
        assert payload == b"2"
        assert bridge.next()[1].endswith(b"light"), "what came with QoS 0 is kept too"
        bridge.send(packet(0x40, body[2 + body[1] :][:2]) + packet(0x40, mid))
        assert [pub.next() for _ in range(2)] == [(0x40, b"\0\1"), (0x40, b"\0\2")]
        assert held(broker) == 0


def test_nothing_is_acknowledged_before_there_was_a_bridge() -> None:
    with serving(held=("#",)) as broker:
        pub = Bare(broker.port, fresh_name())
        pub.publish(TOPIC, b"1", 1, 1)
        pub.publish("elsewhere", b"2", 1, 2)
        pub.publish(TOPIC, b"3", 2, 3)
        pub.publish(TOPIC, b"4", 0)
        assert pub.silent()
        bridge = durable(broker)
        mids = []
        for expected in (b"1", b"3"):
            mid, payload = take(bridge)
            assert payload == expected
            mids.append(mid)
        assert bridge.next()[1].endswith(b"4")
        assert pub.silent()
        for mid in mids:
            bridge.send(packet(0x40, mid))
        assert [pub.next() for _ in range(3)] == [(0x40, b"\0\1"), (0x40, b"\0\2"), (0x50, b"\0\3")]
        pub.publish("elsewhere", b"", 1, 4)
        assert pub.next() == (0x40, b"\0\4")


def test_the_products_own_words_do_not_wait_for_a_bridge() -> None:
    with serving(held=("#",), unheld=("foreshock/alarms/#", "foreshock/dispatches/#")) as broker:
        pub, unit = Bare(broker.port, fresh_name()), Bare(broker.port, fresh_name())
        unit.subscribe("foreshock/dispatches/team-1")
        pub.publish("foreshock/dispatches/team-1", b"order", 1, 1)
        assert take(unit)[1] == b"order"
        assert pub.next() == (0x40, b"\0\1"), "acknowledged though there is no bridge"
        pub.publish("foreshock/alarms/slope-1", b"summary", 1, 2, 1)
        assert pub.next() == (0x40, b"\0\2")
        pub.publish(TOPIC, b"reading", 1, 3)
        pub.publish("foreshock/dispatches2/x", b"no order", 1, 4)
        assert pub.silent()
        assert held(broker) == 2


def test_a_bridge_that_starts_afresh_is_given_what_the_old_one_left() -> None:
    with serving(held=("#",)) as broker:
        bridge, pub = durable(broker), Bare(broker.port, fresh_name())
        pub.publish(TOPIC, b"1", 1, 1)
        take(bridge)
        bridge.close()
        afresh = durable(broker, clean=True)
        mid, payload = take(afresh)
        assert payload == b"1"
        assert pub.silent()
        afresh.send(packet(0x40, mid))
        assert pub.next() == (0x40, b"\0\1")


def test_a_message_goes_on_though_its_publisher_left() -> None:
    with serving() as broker:
        bridge, pub = durable(broker), Bare(broker.port, "leaver", clean=False)
        pub.publish(TOPIC, b"1", 1, 1)
        pub.publish(TOPIC, b"2", 2, 2)
        one, two = take(bridge), take(bridge)
        pub.close()
        assert until(lambda: broker.server.exchange.sessions["leaver"].link is None)
        back = Bare(broker.port, "leaver", clean=False)
        back.publish(TOPIC, b"2", 2, 2, flags=8)
        back.publish("elsewhere", b"", 1, 3)
        assert back.silent()
        bridge.send(packet(0x40, one[0]) + packet(0x40, two[0]))
        assert [back.next() for _ in range(2)] == [(0x50, b"\0\2"), (0x40, b"\0\3")], "an old answer is for nobody"
        assert bridge.silent(), "and the message of QoS 2 is not passed on twice"


def test_every_durable_subscriber_is_waited_for() -> None:
    with serving() as broker:
        both = [Bare(broker.port, f"{BRIDGE}-{k}", clean=False) for k in range(2)]
        for one in both:
            one.subscribe("foreshock/#")
        pub = Bare(broker.port, fresh_name())
        pub.publish(TOPIC, b"1", 1, 1)
        mids = [take(one)[0] for one in both]
        both[0].send(packet(0x40, mids[0]))
        assert pub.silent()
        both[1].send(packet(0x40, mids[1]))
        assert pub.next() == (0x40, b"\0\1")


def test_durable_subscribers_that_share_are_waited_for_one_each() -> None:
    with serving() as broker:
        both = [Bare(broker.port, f"{BRIDGE}-{k}", clean=False) for k in range(2)]
        for one in both:
            one.subscribe("$share/bridges/foreshock/#")
        pub = Bare(broker.port, fresh_name())
        for mid in (1, 2):
            pub.publish(TOPIC, b"x", 1, mid)
        assert pub.silent()
        for one in both:
            one.send(packet(0x40, take(one)[0]))
        assert [pub.next()[1][1] for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("away", [True, False])
def test_a_full_durable_subscriber_holds_publishers_up_and_loses_nothing(away: bool) -> None:
    with serving(kept=500, durable_in_flight=100) as broker:
        bridge = durable(broker)
        if away:
            bridge.close()
        pub = load.Connection(port=broker.port)
        packets = load.Singles([TOPIC], qos=1)
        sent = 0
        for _ in range(5000):
            pub.send(packets.burst(1, time.time()), 1, 1, window=10_000)
            sent += 1
        assert until(lambda: broker.counts.paused)
        other = Bare(broker.port, fresh_name())
        other.publish("elsewhere", b"", 1, 1)
        assert other.next() == (0x40, b"\0\1"), "others are served"
        assert pub.acknowledged == 0
        if away:
            bridge = durable(broker)
        for _ in range(sent):
            first, body = bridge.next()
            assert first & 0xF0 == 0x30
            bridge.send(packet(0x40, body[2 + body[1] :][:2]))
        assert pub.drain()
        assert not broker.counts.dropped
        pub.close()


def test_a_slow_durable_subscriber_of_qos_0_holds_publishers_up() -> None:
    with serving(unsent=100_000) as broker:
        bridge = durable(broker)
        pub = Bare(broker.port, fresh_name())
        payload = b"x" * 10_000
        sender = threading.Thread(target=lambda: [pub.publish(TOPIC, payload, 0) for _ in range(2000)])
        sender.start()
        assert until(lambda: broker.counts.paused)
        for _ in range(2000):
            assert bridge.next()[1].endswith(payload)
        sender.join(5)
        assert not broker.counts.dropped


def test_a_slow_ordinary_subscriber_of_qos_0_is_skipped_and_counted() -> None:
    with serving(unsent=100_000) as broker:
        slow, quick = Bare(broker.port, fresh_name()), Peer(broker.port)
        slow.subscribe("flood", 0)
        quick.subscribe("flood", qos=1)
        pub = Bare(broker.port, fresh_name())
        for k in range(1500):
            pub.publish("flood", b"x" * 10_000, 0)
            if not k % 8:
                assert until(lambda: len(quick.got) == k + 1)  # noqa: B023
        assert until(lambda: len(quick.got) == 1500)
        assert broker.counts.dropped["slow_qos0"] > 100
        assert set(broker.counts.dropped) == {"slow_qos0"}
        quick.close()


def test_what_waits_for_an_ordinary_subscriber_is_bounded_and_counted() -> None:
    with serving(queued=50) as broker:
        away = Bare(broker.port, "away", clean=False)
        away.subscribe("some/#")
        away.sock.close()
        assert until(lambda: broker.server.exchange.sessions["away"].link is None)
        pub = Bare(broker.port, fresh_name())
        for k in range(80):
            pub.publish("some/x", b"%d" % k, 1, k + 1)
            assert pub.next() == (0x40, (k + 1).to_bytes(2, "big"))
        assert broker.counts.dropped == {"queue_full": 30}


def test_the_bridge_itself_killed_and_returning() -> None:
    with serving(held=("#",)) as broker:
        connection = load.Connection(port=broker.port)
        packets = load.Singles(load.native_topics(SITE), qos=1)

        def offer(count: int) -> None:
            for _ in range(count):
                connection.send(packets.burst(50, time.time()), 50, 1, window=60_000)
            connection.poll(0.05)

        offer(4)
        assert connection.acknowledged == 0, "no bridge yet"
        first = Sink(held=True)
        with bridging(broker.port, first, client_id=BRIDGE) as bridge:
            assert until(lambda: len(first.values()) == 200)
            connection.poll(0.05)
            assert connection.acknowledged == 0, "the log does not have it yet"
            first.release()
            assert connection.drain()
            sock = bridge.client.socket()
            bridge._stopping.set()
            offer(4)
            assert sock is not None
            sock.close()  # it dies with the batch in hand
        offer(4)
        second = Sink()
        with bridging(broker.port, second, client_id=BRIDGE):
            assert connection.drain()
            assert until(lambda: held(broker) == 0)
            assert len(first.values()) + len(second.values()) >= 600
            assert len(second.values()) >= 200
        connection.close()

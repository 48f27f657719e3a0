"""The broker against real clients: paho, MQTT 3.1.1 and 5."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.streams.embedded.mqtt.peers import Peer, Running, fresh_name, peers, serving
from tests.waiting import until

pytestmark = pytest.mark.server
VERSIONS = [4, 5]


@pytest.mark.parametrize("from_version", VERSIONS)
@pytest.mark.parametrize("to_version", VERSIONS)
@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("wanted", [0, 1, 2])
def test_messages_arrive_whole_and_in_order(
    broker: Running, from_version: int, to_version: int, qos: int, wanted: int
) -> None:
    topic = fresh_name("order")
    with peers(broker.port, 1, to_version) as (sub,), peers(broker.port, 1, from_version) as (pub,):
        assert sub.subscribe(f"{topic}/#", qos=wanted) == [wanted]
        last = None
        for k in range(300):
            last = pub.client.publish(f"{topic}/x", str(k), qos)
        assert until(lambda: len(sub.got) == 300)
        assert [int(payload) for payload in sub.payloads()] == list(range(300))
        assert {one for _, _, one, _ in sub.got} == {min(qos, wanted)}
        assert last is not None and until(last.is_published)
    assert not broker.counts.refused


@pytest.mark.parametrize("version", VERSIONS)
def test_retained_messages_are_kept_replaced_and_removed(broker: Running, version: int) -> None:
    topic = fresh_name("kept")
    with peers(broker.port, 3, version) as (pub, first, second):
        for name, payload in (("a", "1"), ("b", "2"), ("b", "3"), ("c", "4"), ("c", "")):
            pub.client.publish(f"{topic}/{name}", payload, 1, retain=True).wait_for_publish(5)
        first.subscribe(f"{topic}/#")
        assert until(lambda: len(first.got) == 2)
        assert sorted(first.got) == [(f"{topic}/a", b"1", 1, True), (f"{topic}/b", b"3", 1, True)]
        second.subscribe(f"{topic}/a", qos=0)
        assert until(lambda: second.got == [(f"{topic}/a", b"1", 0, True)])
        pub.client.publish(f"{topic}/a", "5", 1, retain=True).wait_for_publish(5)
        assert until(lambda: (f"{topic}/a", b"5", 1, False) in first.got), "a live one is not marked as stored"


def test_retain_handling_retain_as_published_and_no_local(broker: Running) -> None:
    topic = fresh_name("options")
    with peers(broker.port, 1) as (pub,), peers(broker.port, 1, 5) as (sub,):
        pub.client.publish(topic, "old", 1, retain=True).wait_for_publish(5)
        sub.subscribe(topic, options=SubscribeOptions(qos=1, retainHandling=2))
        sub.subscribe(topic, options=SubscribeOptions(qos=1, retainHandling=1))
        sub.subscribe(topic, options=SubscribeOptions(qos=1, retainAsPublished=True, noLocal=True, retainHandling=2))
        sub.client.publish(topic, "mine", 1).wait_for_publish(5)
        sub.client.publish(topic, "mine", 0)
        pub.client.publish(topic, "new", 1, retain=True).wait_for_publish(5)
        assert until(lambda: sub.got)
        assert sub.got == [(topic, b"new", 1, True)]
        sub.subscribe(topic, options=SubscribeOptions(qos=1, retainHandling=0))
        assert until(lambda: len(sub.got) == 2)


def test_wildcards(broker: Running) -> None:
    with peers(broker.port, 2) as (sub, pub):
        sub.subscribe("w/+/x", "d/#")
        for topic in ("w/1/x", "w/1/y", "w/x", "d", "d/a/b", "e"):
            pub.client.publish(topic, "", 1)
        pub.client.publish("d/last", "end", 1)
        assert until(lambda: any(topic == "d/last" for topic, *_ in sub.got))
        assert [topic for topic, *_ in sub.got] == ["w/1/x", "d", "d/a/b", "d/last"]


def test_topics_with_a_dollar_are_not_for_leading_wildcards() -> None:
    with serving() as broker, peers(broker.port, 3) as (every, some, pub):
        every.subscribe("#", "+/x")
        some.subscribe("$own/#")
        pub.client.publish("$own/x", "1", 1)
        pub.client.publish("plain", "2", 1)
        assert until(lambda: some.got and every.got)
        assert every.payloads() == [b"2"]


@pytest.mark.parametrize("version", VERSIONS)
def test_unsubscribed_is_unsubscribed(broker: Running, version: int) -> None:
    topic = fresh_name("un")
    with peers(broker.port, 2, version) as (sub, pub):
        sub.subscribe(f"{topic}/a", f"{topic}/b")
        sub.unsubscribe(f"{topic}/a", "never/subscribed")
        pub.client.publish(f"{topic}/a", "1", 1)
        pub.client.publish(f"{topic}/b", "2", 1)
        assert until(lambda: sub.payloads() == [b"2"])


@pytest.mark.parametrize("qos", [0, 1])
def test_a_shared_subscription_gives_each_message_to_one(broker: Running, qos: int) -> None:
    topic = fresh_name("shared")
    with peers(broker.port, 2, 5) as (one, two), peers(broker.port, 2) as (every, pub):
        one.subscribe(f"$share/g/{topic}/#", qos=1)
        two.subscribe(f"$share/g/{topic}/#", qos=1)
        every.subscribe(f"{topic}/#")
        for k in range(100):
            pub.client.publish(f"{topic}/x", str(k), qos)
        assert until(lambda: len(one.got) + len(two.got) == 100 == len(every.got))
        assert len(one.got) == len(two.got) == 50
        assert sorted(map(int, one.payloads() + two.payloads())) == list(range(100))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("parting", ["close", "break_off"])
def test_a_session_keeps_what_comes_while_its_client_is_away(broker: Running, version: int, parting: str) -> None:
    name = fresh_name("away")
    sub = Peer(broker.port, version, name, clean=False)
    sub.subscribe(f"{name}/#")
    getattr(sub, parting)()
    with peers(broker.port, 1, 4) as (pub,):
        last = None
        for k in range(2000):
            last = pub.client.publish(f"{name}/x", str(k), 1)
        assert last is not None and until(last.is_published), "an ordinary subscriber does not hold up a publisher"
        again = Peer(broker.port, version, name, clean=False)
        assert again.present
        assert until(lambda: len(again.got) >= 2000)
        assert [int(payload) for payload in again.payloads()] == list(range(2000))
        again.close()
    afresh = Peer(broker.port, version, name, clean=True)
    assert not afresh.present
    afresh.close()


def test_a_session_of_mqtt_5_expires(broker: Running) -> None:
    name = fresh_name("expires")
    for expiry, present in ((1, True), (0, False)):
        Peer(broker.port, 5, name, clean=True, expiry=expiry).break_off()
        again = Peer(broker.port, 5, name, clean=False, expiry=1)
        assert again.present is present
        again.close()
    sessions = broker.server.exchange.sessions
    assert name in sessions
    assert until(lambda: name not in sessions, 5)


@pytest.mark.parametrize("qos", [1, 2])
def test_what_was_not_acknowledged_comes_again(broker: Running, qos: int) -> None:
    name = fresh_name("half")
    sub = Peer(broker.port, name=name, clean=False)
    sub.client._send_puback = lambda mid: 0  # type: ignore[method-assign]
    sub.client._send_pubrec = lambda mid: 0  # type: ignore[method-assign]
    sub.subscribe(f"{name}/#", qos=qos)
    with peers(broker.port, 1) as (pub,):
        for k in range(100):
            pub.client.publish(f"{name}/x", str(k), qos)
        session = broker.server.exchange.sessions[name]
        assert until(lambda: len(session.in_flight) == 100)
        sub.break_off()
        again = Peer(broker.port, name=name, clean=False)
        assert until(lambda: len(again.got) == 100)
        assert [int(payload) for payload in again.payloads()] == list(range(100))
        assert all(message.dup for message in again.messages)
        assert until(lambda: not session.in_flight)
        again.close()


def test_no_more_fly_than_a_client_of_mqtt_5_allows(broker: Running) -> None:
    name = fresh_name("few")
    sub = Peer(broker.port, 5, name, receive_maximum=7)
    sub.subscribe(f"{name}/#")
    answer, waiting = sub.client._send_puback, []
    sub.client._send_puback = lambda mid: waiting.append(mid) or 0  # type: ignore[method-assign, func-returns-value]
    with peers(broker.port, 1) as (pub,):
        for k in range(50):
            pub.client.publish(f"{name}/x", str(k), 1)
        assert until(lambda: len(sub.got) == 7 and broker.server.exchange.sessions[name].held == 50)
        assert len(broker.server.exchange.sessions[name].in_flight) == 7
        sub.client._send_puback = answer  # type: ignore[method-assign]
        for mid in waiting:
            answer(mid)
        assert until(lambda: len(sub.got) == 50)
        assert [int(payload) for payload in sub.payloads()] == list(range(50))
    sub.close()


@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize("to_version", VERSIONS)
def test_properties_of_a_message_are_passed_on(broker: Running, qos: int, to_version: int) -> None:
    topic = fresh_name("properties")
    with peers(broker.port, 1, to_version) as (sub,), peers(broker.port, 1, 5) as (pub,):
        sub.subscribe(topic)
        given = Properties(PacketTypes.PUBLISH)
        given.UserProperty = [("a", "1"), ("a", "2")]
        given.ContentType = "text/plain"
        given.ResponseTopic = "answers"
        given.CorrelationData = b"\1\2"
        given.PayloadFormatIndicator = 1
        given.MessageExpiryInterval = 60
        pub.client.publish(topic, "x", qos, properties=given)
        assert until(lambda: sub.messages)
        assert sub.payloads() == [b"x"]
        if to_version == 5:
            found = sub.messages[0].properties
            assert found.UserProperty == given.UserProperty
            assert (found.ContentType, found.ResponseTopic) == ("text/plain", "answers")
            assert (found.CorrelationData, found.PayloadFormatIndicator) == (b"\1\2", 1)
            assert 58 <= found.MessageExpiryInterval <= 60


def test_a_message_that_expired_is_dropped_and_counted() -> None:
    with serving() as broker:
        name = fresh_name("late")
        sub = Peer(broker.port, 5, name, clean=False)
        sub.subscribe("late/#")
        sub.close()
        with peers(broker.port, 1, 5) as (pub,):
            short = Properties(PacketTypes.PUBLISH)
            short.MessageExpiryInterval = 1
            pub.client.publish("late/x", "short", 1, properties=short).wait_for_publish(5)
            pub.client.publish("late/x", "long", 1).wait_for_publish(5)
            queued = broker.server.exchange.sessions[name].queue[0]
            assert until(lambda: time.monotonic() > (queued.expires or 0), 3)
            again = Peer(broker.port, 5, name, clean=False)
            assert until(lambda: again.payloads() == [b"long"])
            assert broker.counts.dropped == {"expired": 1}
            again.close()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("parting", "sent"), [("close", False), ("break_off", True)])
def test_a_last_will_is_sent_for_the_lost_only(broker: Running, version: int, parting: str, sent: bool) -> None:
    topic = fresh_name("will")
    with peers(broker.port, 1) as (sub,):
        sub.subscribe(f"{topic}/#")
        mortal = Peer(broker.port, version, will=(f"{topic}/gone", "gone", 1, True))
        getattr(mortal, parting)()
        assert until(lambda: sub.got) if sent else True
        with peers(broker.port, 1) as (late,):
            late.subscribe(f"{topic}/#")
            late.client.publish(f"{topic}/end", "end", 1)
            assert until(lambda: b"end" in sub.payloads() and b"end" in late.payloads())
            assert (b"gone" in sub.payloads()) is sent
            assert ((f"{topic}/gone", b"gone", 1, True) in late.got) is sent


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_id_is_taken_over(broker: Running, version: int) -> None:
    name = fresh_name("twin")
    lost = threading.Event()
    first = Peer(broker.port, version, name, clean=False)
    first.client.on_disconnect = lambda *_: lost.set()
    first.subscribe(f"{name}/#")
    first.client.reconnect_delay_set(60, 60)
    second = Peer(broker.port, version, name, clean=False)
    assert lost.wait(5)
    assert second.present
    with peers(broker.port, 1) as (pub,):
        pub.client.publish(f"{name}/x", "1", 1)
        assert until(lambda: second.payloads() == [b"1"])
    first.client.loop_stop()
    second.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_large_messages_up_to_the_limit(version: int) -> None:
    with serving() as broker, peers(broker.port, 2, version) as (sub, pub):
        sub.subscribe("big/#")
        payload = os.urandom(2_000_000)
        pub.client.publish("big/1", payload, 1).wait_for_publish(10)
        assert until(lambda: bool(sub.got))
        assert sub.got[0][1] == payload
        pub.client.publish("big/2", bytes(3 << 20), 1)
        assert until(lambda: not pub.client.is_connected()), "a larger one ends its sender's connection"
        assert broker.counts.refused["too_large"] >= 1


@pytest.mark.parametrize("version", VERSIONS)
def test_a_login_is_asked_for(version: int) -> None:
    with serving(username="plant", password="secret") as broker:
        known = Peer(broker.port, version, login=("plant", "secret"))
        assert not known.reason.is_failure
        known.close()
        wrong: list[Any] = [None, ("plant", "wrong"), ("other", "secret")]
        for login in wrong:
            refused = Peer(broker.port, version, login=login)
            assert refused.reason.is_failure
            refused.client.loop_stop()
        assert broker.counts.refused["bad_login"] >= 3

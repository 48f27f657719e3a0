"""What a broker keeps for a bridge that is gone comes by another, and its session ends."""

from __future__ import annotations

import threading

import pytest

from sensors import draining
from sensors.bridge import BridgeSettings
from tests.sensors.test_bridge import SITE, Sink, publisher, running
from tests.waiting import until

pytestmark = pytest.mark.server


@pytest.mark.parametrize("version", [4, 5])
def test_what_is_kept_for_a_bridge_that_is_gone_comes_and_its_part_goes_to_the_others(
    broker_port: int, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "IDLE", 0.3)
    gone = f"gone-{version}-{broker_port}"
    shared = {"share": f"drained-{version}", "version": version}
    here = Sink()
    with running(broker_port, here, **shared) as bridge, publisher(broker_port) as client:
        with running(broker_port, Sink(), client_id=gone, **shared) as other:
            assert until(lambda: bridge.connected and other.connected)

        def publish(numbers: range) -> None:
            for sent in [client.publish(f"foreshock/readings/a{k % 10}/p{k % 100}", str(k), qos=1) for k in numbers]:
                sent.wait_for_publish(10)

        publish(range(100))
        sink = Sink()
        count = draining.drain(SITE, sink, BridgeSettings(port=broker_port, client_id=gone, qos=1, **shared))  # type: ignore[arg-type]
        assert count == len(sink.values())
        assert until(lambda: sorted([*here.values(), *sink.values()]) == list(range(100)))
        publish(range(100, 150))
        assert until(lambda: sorted([*here.values(), *sink.values()]) == list(range(150)))
        assert len(sink.values()) == count, "nothing is kept for it any more"


def test_one_that_is_back_is_not_put_out(broker_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "IDLE", 30.0)
    name = f"back-{broker_port}"
    settings = BridgeSettings(port=broker_port, client_id=name, share="returned")
    standing_in = draining.Draining(SITE, Sink(), settings)
    thread = threading.Thread(target=standing_in.run)
    thread.start()
    assert until(lambda: standing_in.connects)
    with running(broker_port, Sink(), client_id=name, share="returned") as bridge:
        thread.join(20)
        assert not thread.is_alive() and not standing_in.done
        assert until(lambda: bridge.connected)

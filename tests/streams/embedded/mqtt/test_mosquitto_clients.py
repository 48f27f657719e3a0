"""The broker against Mosquitto's command-line clients, where they are installed."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.streams.embedded.mqtt.peers import Running, fresh_name
from tests.waiting import until

PUB, SUB = shutil.which("mosquitto_pub"), shutil.which("mosquitto_sub")
pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(PUB is None or SUB is None, reason="Mosquitto's clients are not installed"),
]


def subscribed(broker: Running, topic: str) -> bool:
    sessions = list(broker.server.exchange.sessions.values())
    return any(text.startswith(topic) for session in sessions for text in list(session.filters))


@pytest.mark.parametrize("version", ["311", "5"])
@pytest.mark.parametrize("qos", ["0", "1", "2"])
def test_a_message_goes_through(broker: Running, version: str, qos: str) -> None:
    topic = fresh_name("cli")
    common = ["-p", str(broker.port), "-V", f"mqttv{version}", "-q", qos]
    command = [str(SUB), *common, "-t", f"{topic}/+", "-C", "3", "-W", "10", "-F", "%t %q %r %p"]
    sub = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert until(lambda: subscribed(broker, topic))
    for payload in ("one", "two", "three"):
        retain = ["-r"] if payload == "three" else []
        subprocess.run([str(PUB), *common, "-t", f"{topic}/x", "-m", payload, *retain], check=True, timeout=10)
    out, _ = sub.communicate(timeout=15)
    assert out.splitlines() == [f"{topic}/x {qos} 0 {payload}" for payload in ("one", "two", "three")]
    stored = subprocess.run(
        [str(SUB), *common, "-t", f"{topic}/#", "-C", "1", "-W", "10", "-F", "%r %p"],
        check=True,
        capture_output=True,
        text=True,
        timeout=15,
    )
    assert stored.stdout == "1 three\n"


def test_request_and_response_with_properties(broker: Running) -> None:
    rr = shutil.which("mosquitto_rr")
    if rr is None:
        pytest.skip("mosquitto_rr is not installed")
    topic = fresh_name("rr")
    command = [str(SUB), "-p", str(broker.port), "-V", "mqttv5", "-t", topic, "-C", "1", "-W", "10", "-F", "%R %D %p"]
    sub = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert until(lambda: subscribed(broker, topic))
    asking = ["-V", "mqttv5", "-t", topic, "-e", f"{topic}/answer", "-m", "ask", "-W", "10"]
    asker = subprocess.Popen(
        [rr, "-p", str(broker.port), *asking, "-D", "publish", "correlation-data", "c7"],
        stdout=subprocess.PIPE,
        text=True,
    )
    out, _ = sub.communicate(timeout=15)
    assert out.strip() == f"{topic}/answer c7 ask"
    reply = ["-V", "mqttv5", "-t", f"{topic}/answer", "-m", "told", "-D", "publish", "correlation-data", "c7"]
    subprocess.run([str(PUB), "-p", str(broker.port), *reply], check=True, timeout=10)
    assert asker.communicate(timeout=15)[0].strip() == "told"

"""Bench the bridge beside a bare paho loop and a raw-socket reader: same broker, same load, CPU from /proc.

Every subject is a process of its own that subscribes and decodes single JSON readings; the load comes from another.
JSON lines: microseconds of CPU (user + system) a reading, the broker's a message, and the ratio to the bridge. The
default is what the product runs: the embedded broker, subscribed to with QoS 1. Bar: the bridge at 60 k/s offered
within 4 µs, with every message arriving.

--decode benches decoding alone, without a broker: Sparkplug B data messages by aliases, of a node that has more metrics
than the site binds. Microseconds of CPU a metric.
within 4 µs, with every message arriving; 8 µs for singles of the mapped and SenML dialects. A last line is of topics:
what 100 000 take to resolve, beside the first 1 000, with five hundred mapped templates, and in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from scripts.load import bench_site
from scripts.ports import free_port
from sensors.lookup import Registry
from sensors.site import Mapping, SenML, Signals
from sensors.topics import Topics

BARS = {"native": 4.0, "mapped": 8.0, "senml": 8.0}
TOPICS_BAR = 100.0  # MB
MOSQUITTO = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
_TICK = os.sysconf("SC_CLK_TCK")


class Reading(msgspec.Struct, gc=False):
    """A reading as the bare subjects decode it."""

    value: float
    time: float


def cpu(pid: int) -> float:
    """Read a process's CPU seconds, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def be_bridge(port: int, qos: int, ready: Callable[[], None]) -> Callable[[], int]:
    """Run the product's bridge into a sink that accepts at once."""
    from sensors.bridge import Bridge, BridgeSettings
    from sensors.flights import Records

    class Accepting:
        def produce(self, records: Records, done: Callable[[Exception | None], None]) -> None:
            done(None)

    signals = Signals(
        mapped=(Mapping(topic="site/{area}/{point}", point="{point}", time="ts"),), senml=(SenML(topic="senml/+"),)
    )
    bridge = Bridge(bench_site(signals=signals), Accepting(), BridgeSettings(port=port, qos=qos))
    threading.Thread(target=bridge.run, daemon=True).start()
    while not bridge.connected:
        time.sleep(0.01)
    ready()
    return lambda: int(bridge.figures()["readings"])


def be_paho(port: int, qos: int, ready: Callable[[], None]) -> Callable[[], int]:
    """Run paho as it comes: `on_message`, one typed decode each."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    decode = msgspec.json.Decoder(Reading).decode
    values: list[float] = []
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"bench-{os.getpid()}")
    client.on_message = lambda _client, _data, message: values.append(decode(message.payload).value)
    client.on_subscribe = lambda *_: ready()
    client.connect("127.0.0.1", port)
    client.subscribe("foreshock/readings/#", qos)
    threading.Thread(target=client.loop_forever, daemon=True).start()
    return lambda: len(values)


def be_raw(port: int, qos: int, ready: Callable[[], None]) -> Callable[[], int]:
    """Read the socket and take the packets apart, one typed decode each, and nothing else (QoS 0)."""
    from scripts.load import Connection, remaining

    decode = msgspec.json.Decoder(Reading).decode
    values: list[float] = []
    connection = Connection(port=port)
    name = b"foreshock/readings/#"
    body = b"\0\1" + len(name).to_bytes(2, "big") + name + b"\0"
    connection.socket.sendall(b"\x82" + remaining(len(body)) + body)
    connection.socket.settimeout(None)

    def read() -> None:
        rest = b""
        while data := connection.socket.recv(262_144):
            data = rest + data
            at, end = 0, len(data)
            while end - at > 1:
                size, head, shift = 0, at + 1, 0
                while head < end:
                    size |= (data[head] & 127) << shift
                    shift += 7
                    head += 1
                    if data[head - 1] < 128:
                        break
                if head + size > end:
                    break
                if data[at] >> 4 == 3:
                    topic = head + 2 + (data[head] << 8 | data[head + 1])
                    values.append(decode(data[topic : head + size]).value)
                elif data[at] >> 4 == 9:
                    ready()
                at = head + size
            rest = data[at:]

    threading.Thread(target=read, daemon=True).start()
    return lambda: len(values)


SUBJECTS = {"bridge": be_bridge, "paho": be_paho, "raw": be_raw}


def be(subject: str, port: int, qos: int) -> None:
    """Be a subject: say `ready`, and for each line asked for, the count so far."""
    count = SUBJECTS[subject](port, qos, lambda: print("ready", flush=True))
    for _ in sys.stdin:
        print(count(), flush=True)


def measure(
    subject: str,
    port: int,
    qos: int,
    rate: float,
    seconds: float,
    *,
    load_qos: int = 0,
    broker: int = 0,
    dialect: str = "native",
) -> dict[str, Any]:
    """Measure one subject at one rate; `broker` is the broker's process, 0 if it is not ours."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.bench_bridge", "--subject", subject, "--port", str(port), "--qos", str(qos)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    def count() -> int:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    before = cpu(process.pid)
    broker_before = cpu(broker) if broker else 0.0
    load = ["-m", "scripts.load", "--port", str(port), "--rate", str(rate), "--duration", str(seconds)]
    load += ["--qos", str(load_qos), *([] if dialect == "native" else [f"--{dialect}"])]
    offered = json.loads(subprocess.run([sys.executable, *load], check=True, capture_output=True, text=True).stdout)
    deadline = time.monotonic() + 2
    readings = count()
    while readings < offered["readings"] and time.monotonic() < deadline:
        time.sleep(0.1)
        readings = count()
    spent = cpu(process.pid) - before
    broker_spent = cpu(broker) - broker_before if broker else 0.0
    status = Path(f"/proc/{process.pid}/status").read_text()
    memory = next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmRSS"))
    process.stdin.close()
    process.terminate()
    process.wait(10)
    return {
        "subject": subject,
        "dialect": dialect,
        "offered": rate,
        "published": offered["rate"],
        "readings": readings,
        "arrived": round(readings / offered["readings"], 4),
        "us_a_reading": round(spent / max(1, readings) * 1e6, 2),
        "broker_us_a_message": round(broker_spent / max(1, offered["messages"]) * 1e6, 2),
        "rss_mb": memory,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line; the exit code is 1 when the bridge misses its bar."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench_bridge", description=__doc__)
    parser.add_argument("--broker", choices=("embedded", "mosquitto"), default="embedded")
    parser.add_argument("--rates", type=float, nargs="+", default=[20_000, 60_000])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--qos", type=int, choices=(0, 1), default=1, help="of the subscriptions")
    parser.add_argument("--load-qos", type=int, choices=(0, 1), default=0, help="of the load")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--subjects", nargs="+", choices=tuple(SUBJECTS), default=tuple(SUBJECTS), help="the first is own"
    )
    parser.add_argument("--decode", action="store_true", help="bench decoding alone, without a broker")
    parser.add_argument(
        "--dialects", nargs="*", choices=tuple(BARS), default=tuple(BARS), help="that the bridge is sent"
    )
    parser.add_argument("--topics", type=int, default=100_000, help="topics to resolve; 0 leaves that out")
    parser.add_argument("--subject", choices=tuple(SUBJECTS), help="(be a subject; used by the bench itself)")
    given = parser.parse_args(argv)
    if given.subject:
        be(given.subject, given.port, given.qos)
        return 0
    if given.decode:
        for metrics, bound in ((1, 1), (10, 10), (500, 500), (500, 3)):
            best = min((decode_sparkplug(metrics, bound, 50_000) for _ in range(3)), key=itemgetter("us_a_metric"))
            print(json.dumps(best), flush=True)
        return 0
    passed = True
    for rate in given.rates:
        lines = [measure_alone(subject, rate, given) for subject in given.subjects if "native" in given.dialects]
        if "bridge" in given.subjects:
            lines += [measure_alone("bridge", rate, given, one) for one in given.dialects if one != "native"]
        own = lines[0]["us_a_reading"] if lines else 0.0
        for line in lines:
            line |= {"bench": "bridge", "broker": given.broker, "qos": given.qos, "load_qos": given.load_qos}
            line["times_the_bridge"] = round(line["us_a_reading"] / max(own, 0.01), 2)
            if line["subject"] == "bridge" and rate >= 60_000:
                bar = BARS[line["dialect"]]
                line |= {"bar": bar, "passed": line["us_a_reading"] <= bar and line["arrived"] == 1}
                passed = passed and line["passed"]
            print(json.dumps(line), flush=True)
    if given.topics:
        figure = resolve_topics(given.topics)
        passed = passed and bool(figure["passed"])
        print(json.dumps(figure), flush=True)
    return 0 if passed else 1


def resolve_topics(count: int) -> dict[str, Any]:
    """Resolve so many topics of a site with five hundred mapped templates; what they take in time and memory."""
    mapped = tuple(Mapping(topic=f"plant{k}/{{area}}/{{point}}/up", point="{point}") for k in range(500))
    site = bench_site(count, signals=Signals(mapped=mapped))
    registry = Registry(site)
    names = [f"plant{k % 500}/{point.areas[0]}/{point.id}/up".encode() for k, point in enumerate(site.points)]
    few = min(1000, count)
    spent = {}
    assert all(Topics(registry)[name] for name in names[:few])  # every template is compiled once
    for these in (few, count):
        table = Topics(registry)
        begun = time.process_time()
        for name in names[:these]:
            assert table[name]
        spent[these] = (time.process_time() - begun) / these * 1e6
    del table
    tracemalloc.start()
    table = Topics(registry)
    for name in names:
        assert table[bytes(bytearray(name))]  # as they come: bytes of their own
    taken = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    return {
        "bench": "topics",
        "topics": count,
        "templates": len(mapped),
        "us_a_topic": round(spent[count], 2),
        f"us_a_topic_of_{few}": round(spent[few], 2),
        "mb": round(taken, 1),
        "bar": TOPICS_BAR,
        "passed": taken <= TOPICS_BAR,
    }


def measure_alone(subject: str, rate: float, given: argparse.Namespace, dialect: str = "native") -> dict[str, Any]:
    """Measure one subject on a broker of its own: the bridge's session would hold up the next one's publishers."""
    port = given.port or free_port()
    with tempfile.TemporaryDirectory() as folder:
        pid, stop = start(given.broker, port, Path(folder))
        try:
            return measure(
                subject, port, given.qos, rate, given.seconds, load_qos=given.load_qos, broker=pid, dialect=dialect
            )
        finally:
            stop()


def decode_sparkplug(metrics: int, bound: int, total: int) -> dict[str, Any]:
    """Bench the decoding of data messages: `metrics` by alias in each, `bound` of them points; `total` in all."""
    from sensors.dialects import sparkplug
    from sensors.dialects.dialect import Lane
    from sensors.dialects.sparkplug_b_pb2 import Payload
    from sensors.lookup import Registry
    from sensors.site import Sparkplug

    site = bench_site(1_000)
    points = tuple(
        msgspec.structs.replace(point, sources=(f"sparkplug:plant/edge/M{k}",) if k < bound else ())
        for k, point in enumerate(site.points)
    )
    registry = Registry(msgspec.structs.replace(site, points=points))
    lane = Lane("frame", Sparkplug(), registry)
    lane.subjects = [sparkplug.Subject("NBIRTH", "plant", "edge"), sparkplug.Subject("NDATA", "plant", "edge")]
    now = 1_763_900_000

    def payload(seq: int, named: bool) -> bytes:
        made = Payload(seq=seq, timestamp=now * 1000)
        for k in range(metrics):
            told = {"name": f"M{k}", "datatype": 10} if named else {}
            made.metrics.add(alias=k, double_value=0.1 * k, timestamp=now * 1000 + k, **told)
        return made.SerializeToString()

    sparkplug.decode(lane, np.array([0]), [payload(0, True)], now)
    sent = [payload((k + 1) % 256, False) for k in range(total // metrics)]
    begun = time.process_time()
    decoded = sparkplug.decode(lane, np.ones(len(sent), np.intp), sent, now)
    spent = time.process_time() - begun
    assert len(decoded) == bound * len(sent) and not decoded.replies
    return {
        "bench": "sparkplug",
        "metrics": metrics,
        "bound": bound,
        "messages": len(sent),
        "readings": len(decoded),
        "us_a_metric": round(spent / (metrics * len(sent)) * 1e6, 2),
        "us_a_message": round(spent / len(sent) * 1e6, 2),
    }


def start(broker: str, port: int, folder: Path) -> tuple[int, Callable[[], None]]:
    """Start a broker; give its process id and what stops it."""
    from streams.embedded import broker as embedded

    if broker == "embedded":
        running = embedded.start(port, folder)
        return running.pid, running.stop
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
        "max_queued_messages 0\nmax_inflight_messages 0\n"
    )
    assert MOSQUITTO is not None
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not embedded.answers(port):
        time.sleep(0.02)

    def stop() -> None:
        process.terminate()
        process.wait(5)

    return process.pid, stop


if __name__ == "__main__":
    sys.exit(main())

"""Apache Kafka brokers of our own, in fresh folders on free ports: for tests, drills and benchmarks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from scripts.ports import free_port
from scripts.provide_kafka import provide
from streams.embedded.broker import die_with_parent

CLUSTER = "Zm9yZXNob2NrLXRlc3RzAA"
START_SECONDS = 90.0
_JAVA = ("-Xmx384m", "-Xms96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto")

_SETTINGS = """process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
log.dirs={folder}/data
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=1
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={least}
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor={copies}
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=4194304
"""


class KafkaBroker:
    """A broker's process. `servers` is its address for clients, host:port."""

    def __init__(
        self,
        folder: Path,
        jars: Path,
        more: Mapping[str, str],
        port: int,
        node: int = 1,
        controllers: Sequence[int] = (),
    ) -> None:
        """`controllers`: the ports of the controllers of all brokers, by node, where this is one of several."""
        self.folder, self._jars = folder, jars
        self.port, self.node = port, node
        self.servers = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        controllers = controllers or (free_port(),)
        controller = controllers[node - 1]
        listeners = {
            "listeners": f"PLAINTEXT://{self.servers},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.servers}",
            **more,
        }
        text = _SETTINGS.format(
            folder=folder,
            node=node,
            voters=",".join(f"{number}@127.0.0.1:{one}" for number, one in enumerate(controllers, 1)),
            copies=min(3, len(controllers)),
            least=max(1, min(3, len(controllers)) - 1),
        )
        text += "".join(f"{key}={value.replace('{controller}', str(controller))}\n" for key, value in listeners.items())
        self._settings = folder / "server.properties"
        self._settings.write_text(text, encoding="utf-8")
        self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(self._settings))

    def _command(self, *arguments: str) -> list[str]:
        return ["java", *_JAVA, "-cp", f"{self._jars}/*", *arguments]

    def _java(self, *arguments: str) -> None:
        done = subprocess.run(self._command(*arguments), capture_output=True, text=True, timeout=START_SECONDS)
        if done.returncode:
            raise RuntimeError(f"{arguments[0]} failed: {done.stderr[-500:]}")

    def start(self) -> None:
        """Start, and wait until it listens. Raise `RuntimeError` with the end of what it said.

        It ends with the thread that calls this.
        """
        self.begin()
        self.wait()

    def begin(self) -> None:
        """Start, and do not wait: one of several listens only once most of them are there."""
        with (self.folder / "broker.log").open("ab") as said:
            self._process = subprocess.Popen(
                self._command("kafka.Kafka", str(self._settings)),
                cwd=self.folder,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid()),
            )

    def wait(self) -> None:
        """Wait until it listens. Raise `RuntimeError` with the end of what it said."""
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                lines = (self.folder / "broker.log").read_text(errors="replace").splitlines()
                wrong = [line for line in lines if " ERROR " in line or line.startswith("Caused by")]
                raise RuntimeError(f"Kafka did not start: {' | '.join(wrong[:5]) or lines[-3:]}")
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def pause(self) -> None:
        """Have it do nothing, and keep its connections."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Have it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
            return True
        return False

    def kill(self) -> None:
        """End it at once, as a loss of power would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(15)


class KafkaBrokers:
    """Several brokers of one cluster. `servers` is their address for clients: host:port, with commas."""

    def __init__(self, brokers: Sequence[KafkaBroker]) -> None:
        self.brokers = brokers
        self.servers = ",".join(one.servers for one in brokers)

    def start(self) -> None:
        """Start all, and wait until all listen."""
        for one in self.brokers:
            one.begin()
        for one in self.brokers:
            one.wait()

    def kill(self) -> None:
        """End all at once."""
        for one in self.brokers:
            one.kill()

    def leader(self, topic: str, partition: int = 0) -> KafkaBroker:
        """Find the broker that leads a partition. Raise `RuntimeError` where none does."""
        for topics in asyncio.run(_described(self.servers, topic)):
            for one in topics["partitions"]:
                if one["partition"] == partition and one["leader"] > 0:
                    return self.brokers[one["leader"] - 1]
        raise RuntimeError(f"nobody leads partition {partition} of {topic}")


async def _described(servers: str, topic: str) -> list[dict[str, Any]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        found: list[dict[str, Any]] = await admin.describe_topics([topic])
        return found
    finally:
        await admin.close()


@contextlib.contextmanager
def brokers(count: int, more: Mapping[str, str] | None = None, port: int | None = None) -> Iterator[KafkaBrokers]:
    """Start so many of one cluster and end them, with their folders, afterwards. Raise `KafkaMissing`.

    `more`: settings of their own, in which {controller} stands for the controller's port; `port` is the first's plain
    listener's.
    """
    jars = provide()
    root = Path(tempfile.mkdtemp(prefix="foreshock-kafka-"))
    made: list[KafkaBroker] = []
    try:
        controllers = [free_port() for _ in range(count)]
        for node in range(1, count + 1):
            folder = root / str(node)
            folder.mkdir()
            at = (port if node == 1 else None) or free_port()
            made.append(KafkaBroker(folder, jars, more or {}, at, node, controllers))
        several = KafkaBrokers(made)
        several.start()
        yield several
    finally:
        for one in made:
            one.kill()  # nothing of it is needed any more, and to stop in order takes it seconds
        shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def broker(more: Mapping[str, str] | None = None, port: int | None = None) -> Iterator[KafkaBroker]:
    """Start one and end it, with its folder, afterwards, as `brokers` does. Raise `KafkaMissing`."""
    with brokers(1, more, port) as several:
        yield several.brokers[0]

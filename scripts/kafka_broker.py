"""One Apache Kafka broker of our own, in a fresh folder on free ports: for tests, drills and benchmarks."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from scripts.ports import free_port
from scripts.provide_kafka import provide
from streams.embedded.broker import die_with_parent

CLUSTER = "Zm9yZXNob2NrLXRlc3RzAA"
START_SECONDS = 90.0
_JAVA = ("-Xmx384m", "-Xms96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto")

_SETTINGS = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=4194304
"""


class KafkaBroker:
    """A broker's process. `servers` is its address for clients, host:port."""

    def __init__(self, folder: Path, jars: Path, more: Mapping[str, str], port: int) -> None:
        self.folder, self._jars = folder, jars
        self.port = port
        self.servers = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        controller = free_port()
        listeners = {
            "listeners": f"PLAINTEXT://{self.servers},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.servers}",
            **more,
        }
        text = _SETTINGS.format(folder=folder, controller=controller)
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
        with (self.folder / "broker.log").open("ab") as said:
            self._process = subprocess.Popen(
                self._command("kafka.Kafka", str(self._settings)),
                cwd=self.folder,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid()),
            )
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

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
            return True
        return False

    def kill(self) -> None:
        """End it at once, as a loss of power would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(15)


@contextlib.contextmanager
def broker(more: Mapping[str, str] | None = None, port: int | None = None) -> Iterator[KafkaBroker]:
    """Start one and end it, with its folder, afterwards. Raise `KafkaMissing`.

    `more`: settings of its own, in which {controller} stands for the controller's port; `port` is the plain listener's.
    """
    jars = provide()
    folder = Path(tempfile.mkdtemp(prefix="foreshock-kafka-"))
    one = None
    try:
        one = KafkaBroker(folder, jars, more or {}, port or free_port())
        one.start()
        yield one
    finally:
        if one is not None:
            one.kill()  # nothing of it is needed any more, and to stop in order takes it seconds
        shutil.rmtree(folder, ignore_errors=True)

"""Get Apache Kafka's jars with Maven, once, into a cache folder: for tests and benchmarks that need a broker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.provided import MissingError, cache, tell

VERSION = "4.1.2"
BROKER = f"kafka_2.13-{VERSION}.jar"
HOME = "FORESHOCK_KAFKA_JARS"
"""Variable that names a folder with the jars, for a machine without Maven."""

SECONDS = 240.0

_DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
_WANTED = (("org.apache.kafka", "kafka_2.13", VERSION), ("org.slf4j", "slf4j-simple", "1.7.36"))


class KafkaMissing(MissingError):
    """Say why there is no Kafka to start, and what would provide it."""


def provide() -> Path:
    """Return the folder of the jars, got when they are not there yet. Raise `KafkaMissing` with the reason."""
    if shutil.which("java") is None:
        raise KafkaMissing("no java is installed (Debian: default-jre-headless)")
    given = os.environ.get(HOME)
    folder = Path(given) if given else cache() / f"kafka-{VERSION}"
    if (folder / BROKER).is_file():
        return folder
    if given:
        raise KafkaMissing(f"{HOME}={given}: there is no {BROKER} in it")
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaMissing(f"no mvn is installed to get Kafka with (Debian: maven); or set {HOME}")
    return _get(maven, folder)


def _get(maven: str, folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        project = Path(work) / "pom.xml"
        project.write_text(_project(), encoding="utf-8")
        jars = Path(work) / "jars"
        command = [maven, "-B", "-q", "-f", str(project), "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired as error:
            raise KafkaMissing(f"Maven did not get Kafka's jars within {SECONDS:g} s") from error
        if done.returncode or not (jars / BROKER).is_file():
            said = next((line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line), "no reason")
            raise KafkaMissing(f"Maven could not get Kafka's jars: {said[:300]}")
        try:
            jars.rename(folder)
        except OSError:  # another process was faster
            if not (folder / BROKER).is_file():
                raise
    return folder


def _project() -> str:
    wanted = "".join(_DEPENDENCY.format(*one) for one in _WANTED)
    return (
        "<project><modelVersion>4.0.0</modelVersion><groupId>foreshock</groupId><artifactId>kafka</artifactId>"
        f"<version>1</version><packaging>pom</packaging><dependencies>{wanted}</dependencies></project>"
    )


def main() -> int:
    """Print where the jars are, or why there are none."""
    return tell(provide)


if __name__ == "__main__":
    sys.exit(main())

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import argon2
import msgspec
import pytest
from starlette.testclient import TestClient

from alerts.console.accounts import add_token, add_user
from alerts.console.app import create_app
from alerts.console.config import ConsoleConfig
from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import Record
from sensors.observation import RECORD, Command, Exercise, Silence, SiteMode, decode
from sensors.partition import partition_of
from sensors.site import SYSTEM, SYSTEM_PARTITION, Area, AreaType, Camera, Field, Place, Point, Site, Text, Unit

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "correct horse battery"
ROLES = ("gateway", "viewer", "duty", "dispatcher", "field", "analyst", "administrator")


def named(text: str) -> Text:
    return Text(zh=text, en=text)


def make_site() -> Site:
    return Site(
        id="test",
        name=Text(zh="测试区", en="Test district"),
        version="v1",
        partitions=2,
        fields=(Field(id="natural", name=named("natural")),),
        area_types=(AreaType(id="slope", field="natural", name=named("slope")),),
        places=(
            Place(id="d", kind="district", name=named("d")),
            Place(id="s", kind="subdistrict", name=named("s"), parent="d"),
            Place(id="c", kind="community", name=named("c"), parent="s"),
        ),
        areas=(
            Area(id="slope-1", name=named("slope 1"), type="slope", place="c", group="s"),
            Area(id="slope-2", name=named("slope 2"), type="slope", place="c", group="s", renamed_from=("old-slope",)),
        ),
        points=tuple(
            Point(
                id=f"p{n}", name=named(f"p{n}"), areas=("slope-1",), quantity="tilt", unit="mm", index=n, interval=1.0
            )
            for n in range(3)
        ),
        cameras=(Camera(id="cam", name=named("cam"), areas=("slope-1",)),),
        units=(
            Unit(id="team", name=named("team"), kind="community", place="c", contact="110"),
            Unit(id="sub", name=named("sub"), kind="subdistrict", place="s"),
            Unit(id="other", name=named("other"), kind="district", place="d"),
        ),
    )


class Engine:
    """The desk and the journal behind a feed, in this process: what a worker does, without its log."""

    def __init__(self, site: Site, url: str) -> None:
        self.site = site
        self.journal = Journal(url)
        self.desk = Desk(site)
        self.partition = partition_of("s", site.partitions)
        self.offset = 0
        self.silent = False
        self.down = False
        self.commands: list[Command] = []
        self.others: list[tuple[str, bytes]] = []  # what else was produced: topic, record
        self._listeners: list[tuple[asyncio.AbstractEventLoop, asyncio.Queue[tuple[str, int, int, bytes]]]] = []
        self._lock = threading.Lock()

    def condition(
        self, area: str = "slope-1", level: int = 2, rule: str = "creep", simulated: bool = False, why: Any = None
    ) -> None:
        change = SimpleNamespace(
            rule=SimpleNamespace(
                id=rule, version="1", kind="risk", title={"zh": "蠕变", "en": "creep"}, rationale={"cause": "rain"}
            ),
            scope="p0",
            area=area,
            before=0,
            after=level,
            onset=time.time(),
            time=time.time(),
            why=why,
            simulated=simulated,
        )
        self.record(self.desk.condition(change, time.time()))

    def camera_trouble(self, camera: str, level: int) -> None:
        """Begin or end (level 0) an alarm of data quality about a camera."""
        now = time.time()
        change = SimpleNamespace(
            rule=SimpleNamespace(id="lost", version="1", kind="data_quality", title={"zh": "", "en": ""}, rationale={}),
            scope=camera,
            area="slope-1",
            before=1 - level,
            after=level,
            onset=now,
            time=now,
            why=None,
            simulated=False,
        )
        self.record(self.desk.condition(change, now))

    def record(self, outcomes: Sequence[Any]) -> None:
        with self._lock:
            self.offset += 1
            position = self.journal.record([Record(self.partition, self.offset, tuple(outcomes))])
        self.publish("journal", msgspec.msgpack.encode({"position": position}))

    def publish(self, topic: str, value: bytes, offset: int = 0) -> None:
        for loop, queue in self._listeners:
            if not loop.is_closed():
                loop.call_soon_threadsafe(queue.put_nowait, (topic, 0, offset, value))

    def pulse(self, **figures: Any) -> None:
        self.publish("pulse", msgspec.msgpack.encode({"time": time.time(), **figures}))

    async def produce(self, records: Sequence[tuple[str, int, bytes | None, bytes]]) -> list[int]:
        if self.down:
            raise ConnectionError("down")
        for topic, partition, _, value in records:
            command = decode(value) if value[:1] == bytes((RECORD,)) else None
            if isinstance(command, Silence) and not self.silent:
                if partition == self.partition:
                    known = [area.id for area in self.site.areas]
                    await asyncio.to_thread(self.record, self.desk.silence(command, known, time.time()))
                continue
            if isinstance(command, SiteMode) and not self.silent:
                if partition == self.partition:  # the engine that has the areas
                    areas = [area.id for area in self.site.areas]
                    await asyncio.to_thread(self.record, self.desk.mode(command, areas, time.time()))
                continue
            if isinstance(command, Exercise):
                if partition == self.partition:
                    await asyncio.to_thread(self.record, self.desk.exercise(command, time.time()))
                continue
            if not isinstance(command, Command):
                self.others.append((topic, value))
                continue
            home = SYSTEM_PARTITION if command.area == SYSTEM else self.partition
            assert (topic, partition) == ("observations", home)
            self.commands.append(command)
            if not self.silent:
                await asyncio.to_thread(self.record, self.desk.command(command, time.time()))
        return [self.offset]

    async def subscribe(self, topics: Sequence[str]) -> AsyncIterator[tuple[str, int, int, bytes]]:
        queue: asyncio.Queue[tuple[str, int, int, bytes]] = asyncio.Queue()
        self._listeners.append((asyncio.get_running_loop(), queue))
        self.pulse(readings_per_second=12.5, cameras={"cam": time.time()}, quarantine={"duplicate": 2})
        while True:
            message = await queue.get()
            if message[0] in topics or message[0] == "resync":
                yield message

    def open_incident(self) -> dict[str, Any]:
        return self.journal.incidents().items[0]

    def open_dispatch(self) -> dict[str, Any]:
        return self.journal.dispatches().items[0]


@pytest.fixture
def site() -> Site:
    return make_site()


@pytest.fixture(scope="session")
def blank_journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal without a line: to copy one takes a sixth of the time that it takes to make one."""
    path = tmp_path_factory.mktemp("blank") / "journal.sqlite"
    Journal(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def engine(tmp_path: Path, site: Site, blank_journal: Path) -> Iterator[Engine]:
    shutil.copy(blank_journal, tmp_path / "journal.sqlite")
    engine = Engine(site, f"sqlite:///{tmp_path / 'journal.sqlite'}")
    yield engine
    engine.journal.close()


Configure = Callable[..., ConsoleConfig]


@pytest.fixture
def configure(tmp_path: Path, site: Site, engine: Engine) -> Configure:
    def make(**changes: Any) -> ConsoleConfig:
        settings: dict[str, Any] = {
            "data": tmp_path,
            "site": site,
            "journal": f"sqlite:///{tmp_path / 'journal.sqlite'}",
            "feed": engine,
            "hasher": CHEAP,
            "static": tmp_path / "static",
            "pulse_seconds": 0.05,
            "command_wait": 2.0,
        }
        return ConsoleConfig(**{**settings, **changes})

    return make


class Desktop:
    """A client and the app behind it, with accounts made on demand."""

    def __init__(self, config: ConsoleConfig) -> None:
        self.config = config
        self.app = create_app(config)
        self.console = self.app.state.console
        self._tokens: dict[tuple[str, str | None], str] = {}

    def client(self, **settings: Any) -> TestClient:
        return TestClient(self.app, base_url="http://127.0.0.1:8700", raise_server_exceptions=False, **settings)

    def user(self, role: str, *, name: str | None = None, unit: str | None = None, language: str | None = "en") -> str:
        name = name or role
        unit = unit or ("team" if role == "field" else None)
        add_user(self.console.accounts, name, PASSWORD, [role], unit=unit, language=language)
        return name

    def token(self, role: str, unit: str | None = None) -> dict[str, str]:
        unit = unit or ("team" if role == "field" else None)
        if (role, unit) not in self._tokens:
            self._tokens[role, unit] = add_token(self.console.accounts, role, [role], unit=unit)[1]
        return {"Authorization": f"Bearer {self._tokens[role, unit]}", "Accept-Language": "en"}

    def log_in(self, client: TestClient, role: str, name: str | None = None) -> dict[str, str]:
        """Log a new account in; return the headers of its writes."""
        name = self.user(role, name=name)
        answer = client.post("/api/v1/session", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return {"X-Foreshock-CSRF": answer.json()["csrf"]}


@pytest.fixture
def desktop(configure: Configure) -> Desktop:
    return Desktop(configure())


@pytest.fixture
def client(desktop: Desktop) -> Iterator[TestClient]:
    with desktop.client() as client:
        yield client

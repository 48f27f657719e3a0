from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.requests import ClientDisconnect

from alerts.console import live as module
from alerts.console.accounts import change_user
from alerts.console.journal import Journal
from alerts.console.live import Live, TooManyViewers
from alerts.console.routes.changes import _Stream
from alerts.console.server import _Server
from sensors.observation import Command

from .conftest import PASSWORD, Configure, Desktop, Engine

Event = tuple[str, Any]


def parsed(data: bytes) -> list[Event]:
    events = []
    for block in data.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if "event" in fields:
            body = json.loads(fields["data"])
            if fields["event"] == "change":
                assert int(fields["id"]) == body["position"]
            events.append((fields["event"], body))
    return events


async def always() -> bool:
    return True


class Watch:
    """One viewer's stream, read event by event."""

    def __init__(self, live: Live, since: int | None = None, unit: str | None = None) -> None:
        self.viewer = viewer = live.open(unit, "user:x")
        self.stream = live.stream(viewer, since, always)
        self.events: list[Event] = []

    async def until(self, count: int) -> list[Event]:
        async with asyncio.timeout(5):
            while len(self.events) < count:
                self.events += parsed(await anext(self.stream))
        return self.events

    async def begin(self) -> None:
        await anext(self.stream)


@asynccontextmanager
async def following(tmp_path: Path, engine: Engine, queue: int = 100) -> AsyncIterator[Live]:
    journal = Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    live = Live(journal, most_viewers=10, most_each=6, queue=queue)
    engine.publish = lambda *_, **__: live.poke()  # type: ignore[method-assign]
    task = asyncio.create_task(live.follow())
    await live.ready.wait()
    try:
        yield live
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        journal.close()


def positions(events: list[Event]) -> list[int]:
    return [body["position"] for kind, body in events if kind == "change"]


def test_a_viewer_gets_what_happens_in_order_and_once(tmp_path: Path, engine: Engine) -> None:
    async def play() -> None:
        async with following(tmp_path, engine) as live:
            watch = Watch(live, since=0)
            await watch.begin()
            engine.condition(level=3)
            events = await watch.until(4)
            assert positions(events) == [1, 2, 3, 4]
            assert {body["kind"] for _, body in events} == {"alarm", "incident", "dispatch"}
            assert events[0][1]["record"]["type"] == events[0][1]["kind"]

    asyncio.run(play())


@pytest.mark.parametrize("recent", [True, False])
def test_a_viewer_that_comes_back_gets_what_it_missed(tmp_path: Path, engine: Engine, recent: bool) -> None:
    """From memory when it is recent, from the journal when it happened before the console started."""

    async def play() -> None:
        if not recent:
            engine.condition(level=3)
        async with following(tmp_path, engine) as live:
            if recent:
                first = Watch(live, since=0)
                engine.condition(level=3)
                await first.until(4)
            watch = Watch(live, since=2)
            assert positions(await watch.until(2)) == [3, 4]
            engine.condition(rule="more", level=1)
            assert positions(await watch.until(4)) == [3, 4, 5, 6]

    asyncio.run(play())


@pytest.mark.parametrize("turns", range(6))
def test_following_ends_when_told_to_though_the_journal_just_moved(tmp_path: Path, engine: Engine, turns: int) -> None:
    """`asyncio.wait_for` of Python 3.11 loses a cancellation that meets what it waited for."""

    async def play() -> None:
        async with following(tmp_path, engine) as live:
            task = next(each for each in asyncio.all_tasks() if each.get_coro().__qualname__ == "Live.follow")
            while not live._poke._waiters:  # type: ignore[attr-defined]
                await asyncio.sleep(0)
            live.poke()
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            done, _ = await asyncio.wait((task,), timeout=0.5)
            assert done
            assert task.cancelled()

    asyncio.run(play())


def test_nothing_falls_between_the_replay_and_what_is_live(tmp_path: Path, engine: Engine) -> None:
    async def play() -> None:
        engine.condition(level=1)
        async with following(tmp_path, engine) as live:
            real = live.journal.answer

            async def meanwhile(question: Any) -> Any:
                rows = await real(question)
                await asyncio.to_thread(engine.condition, "slope-1", 1, f"rule-{live.position}")
                async with asyncio.timeout(5):
                    while live.position < engine.journal.position():
                        live._spread(await real(live._next))
                return rows

            live.journal.answer = meanwhile  # type: ignore[method-assign]
            watch = Watch(live, since=0)
            await watch.begin()
            live.journal.answer = real  # type: ignore[method-assign]
            last = engine.journal.position()
            assert positions(await watch.until(last)) == list(range(1, last + 1))

    asyncio.run(play())


def test_a_slow_viewer_is_told_to_read_afresh_and_holds_nobody_up(tmp_path: Path, engine: Engine) -> None:
    async def play() -> None:
        async with following(tmp_path, engine, queue=10) as live:
            slow, quick = Watch(live), Watch(live)
            await slow.begin()
            await quick.begin()
            for number in range(10):
                engine.condition(rule=f"rule-{number}", level=1)
                await quick.until(2 * number + 2)
            assert len(slow.viewer.waiting) <= 10
            assert await slow.until(1) == [("resync", {})]
            engine.condition(rule="after", level=1)
            assert positions(await slow.until(3)) == [21, 22]

    asyncio.run(play())


def test_a_viewer_too_far_behind_or_of_another_journal_reads_afresh(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REPLAY", 3)

    async def play() -> None:
        for number in range(4):
            engine.condition(rule=f"rule-{number}", level=1)
        async with following(tmp_path, engine) as live:
            assert await Watch(live, since=0).until(1) == [("resync", {})]
            assert await Watch(live, since=10**9).until(1) == [("resync", {})]

    asyncio.run(play())


def test_a_pulse_that_was_not_taken_is_replaced_by_the_next(tmp_path: Path, engine: Engine) -> None:
    async def play() -> None:
        async with following(tmp_path, engine) as live:
            watch = Watch(live)
            await watch.begin()
            for number in range(5):
                live.beat(b'{"time": %d}' % number)
            assert await watch.until(1) == [("pulse", {"time": 4})]

    asyncio.run(play())


def test_a_field_viewer_hears_of_its_own_units_dispatches_only(tmp_path: Path, engine: Engine) -> None:
    async def play() -> None:
        async with following(tmp_path, engine) as live:
            team, sub, other = (Watch(live, unit=unit) for unit in ("team", "sub", "other"))
            for watch in (team, sub, other):
                await watch.begin()
            engine.condition(level=3)
            await team.until(1)
            refuse = engine.open_dispatch()["id"]
            command = Command(
                id="c1",
                kind="refuse",
                target=refuse,
                area="slope-1",
                actor="unit:team",
                time=0.0,
                args={"reason": "no"},
            )
            engine.record(engine.desk.command(command, 0.0))
            told = await team.until(3)
            assert [body["record"]["edge"] for _, body in told] == ["issued", "refused", "reassigned"]
            # the next unit hears of it from the moment it is its own
            assert [body["record"]["edge"] for _, body in await sub.until(1)] == ["reassigned"]
            assert not other.viewer.waiting

    asyncio.run(play())


def test_a_stream_ends_when_it_may_no_longer_be_watched(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECK", -1.0)

    async def never() -> bool:
        return False

    async def play() -> None:
        async with following(tmp_path, engine) as live:
            viewer = live.open(None, "user:x")
            stream = live.stream(viewer, None, never)
            await anext(stream)
            live.beat(b"{}")
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
            assert not live.viewers

    asyncio.run(play())


def test_viewers_are_counted(tmp_path: Path, engine: Engine) -> None:
    async def play() -> None:
        async with following(tmp_path, engine) as live:
            for number in range(10):
                live.open(None, f"user:{number}")
            with pytest.raises(TooManyViewers) as caught:
                live.open(None, "user:late")
            assert not caught.value.own

    asyncio.run(play())


def test_one_account_cannot_take_all_streams(tmp_path: Path, engine: Engine) -> None:
    async def play() -> None:
        async with following(tmp_path, engine) as live:
            mine = [live.open(None, "user:x") for _ in range(6)]
            with pytest.raises(TooManyViewers) as caught:
                live.open(None, "user:x")
            assert caught.value.own
            live.open(None, "user:y")
            live.leave(mine[0])
            live.open(None, "user:x")

    asyncio.run(play())


def test_too_many_streams_of_one_account_are_refused_with_words(configure: Configure) -> None:
    desktop = Desktop(configure(viewers_each=1))
    desktop.console.live.open(None, "user:viewer")
    with desktop.client() as client:
        desktop.log_in(client, "viewer")
        answer = client.get("/api/v1/changes")
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_of_yours")
        assert answer.headers["retry-after"] == "5"


def test_a_viewer_that_is_gone_before_its_first_event_is_not_counted_for_ever(tmp_path: Path, engine: Engine) -> None:
    async def gone(message: Any) -> None:
        raise OSError("the browser has hung up")

    async def never() -> Any:
        await asyncio.Event().wait()

    async def play() -> None:
        async with following(tmp_path, engine) as live:
            viewer = live.open(None, "user:x")
            response = _Stream(live, viewer, live.stream(viewer, None, always))
            scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
            with pytest.raises((OSError, ClientDisconnect)):
                await response(scope, never, gone)
            assert not live.viewers

    asyncio.run(play())


def test_a_dispatch_that_nobody_takes_is_not_followed_for_ever(tmp_path: Path, engine: Engine) -> None:
    async def play() -> None:
        async with following(tmp_path, engine) as live:
            watch = Watch(live)
            await watch.begin()
            engine.condition(level=3)
            await watch.until(engine.journal.position())
            id = engine.open_dispatch()["id"]
            assert live._units == {id: "team"}
            number = 0
            while engine.journal.dispatches().items:
                number += 1
                refuse = Command(
                    id=f"c{number}", kind="refuse", target=id, area="slope-1", actor="user:x", time=0.0,
                    args={"reason": "no"},
                )  # fmt: skip
                engine.record(engine.desk.command(refuse, 0.0))
            assert number > 1, "it went from unit to unit"
            await watch.until(engine.journal.position())
            assert live._units == {}

    asyncio.run(play())


@contextmanager
def served(desktop: Desktop) -> Iterator[str]:
    """Serve over a real socket, in a thread."""
    started = threading.Event()
    config = uvicorn.Config(
        desktop.app, port=0, log_config=None, server_header=False, timeout_graceful_shutdown=2, ws="none"
    )
    server = _Server(config, desktop.console)
    object.__setattr__(desktop.console.config, "started", started.set)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(5)
        assert not thread.is_alive(), "an open stream held the server up"


def test_over_a_socket_changes_and_pulses_stream_and_a_stop_does_not_wait(configure: Configure, engine: Engine) -> None:
    desktop = Desktop(configure())
    engine.condition(level=3)
    desktop.user("duty")
    with served(desktop) as url, httpx.Client(base_url=url, timeout=5) as client:
        client.post("/api/v1/session", json={"name": "duty", "password": PASSWORD}).raise_for_status()
        with client.stream("GET", "/api/v1/changes", headers={"Last-Event-ID": "2", "Accept-Encoding": "gzip"}) as got:
            assert got.headers["content-type"].startswith("text/event-stream")
            assert "content-encoding" not in got.headers
            assert "server" not in got.headers
            seen: list[Event] = []
            text = ""
            for piece in got.iter_text():
                text += piece
                *blocks, text = text.split("\n\n")
                seen += parsed("\n\n".join(blocks).encode())
                if len(positions(seen)) == 2 and any(kind == "pulse" for kind, _ in seen):
                    engine.condition(rule="live", level=1)
                if len(positions(seen)) >= 4:
                    break
            assert positions(seen)[:4] == [3, 4, 5, 6]
        with client.stream("GET", "/api/v1/changes") as held:
            assert held.status_code == 200  # still open while the server stops


def test_a_changed_account_is_noticed_by_the_gate(desktop: Desktop) -> None:
    with desktop.client() as client:
        desktop.log_in(client, "viewer")
        cookie = client.cookies["foreshock_session"]
        from starlette.requests import Request

        scope = {"type": "http", "method": "GET", "headers": [(b"cookie", f"foreshock_session={cookie}".encode())]}
        gate = desktop.console.gate
        identity = gate.identify(Request(scope))
        assert identity is not None
        assert gate.still(identity, "changes.read")
        change_user(desktop.console.accounts, "viewer", roles=["field"], unit="team")
        assert not gate.still(identity, "changes.read")

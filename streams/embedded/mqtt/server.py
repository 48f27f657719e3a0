"""The broker's sockets: one thread that waits, reads, acts and sends, a turn at a time."""

from __future__ import annotations

import contextlib
import gc
import logging
import resource
import selectors
import socket
import time
from collections.abc import Callable
from typing import Any

from streams.embedded.mqtt import packets
from streams.embedded.mqtt.connect import Refusal
from streams.embedded.mqtt.connection import Link
from streams.embedded.mqtt.exchange import Exchange
from streams.embedded.mqtt.limits import BrokerSettings
from streams.embedded.mqtt.packets import MalformedPacket
from streams.figures import FiguresWriter

log = logging.getLogger(__name__)

TICK = 0.5
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_LINGER = 1.0
"""Seconds in which a client that is sent away may still read why."""

_REASONS = {
    packets.MALFORMED: "malformed",
    packets.PROTOCOL: "protocol_error",
    packets.BAD_LOGIN: "bad_login",
    packets.TOO_LARGE: "too_large",
    packets.BAD_TOPIC: "bad_topic",
    packets.BAD_ALIAS: "topic_alias",
    packets.NO_SUBSCRIPTION_IDS: "subscription_id",
    0x84: "unsupported_version",
    packets.BAD_CLIENT_ID: "bad_client_id",
    packets.BAD_METHOD: "authentication_method",
}


class Server:
    """Serve MQTT. `listen`, then `run` until `stop`. `alive` is called once a second for as long as that turns."""

    def __init__(self, settings: BrokerSettings, alive: Callable[[], None] = lambda: None) -> None:
        self.settings = settings
        self._alive = alive
        self.exchange = Exchange(settings)
        self.ports: list[int] = []
        self.figures: dict[str, Any] = {}
        self._selector = selectors.DefaultSelector()
        self._listeners: list[socket.socket] = []
        self._accepting = False
        self._links: set[Link] = set()
        self._lingering: dict[Link, float] = {}
        self._stopping = False
        self._wake_read, self._wake_write = socket.socketpair()
        for end in (self._wake_read, self._wake_write):
            end.setblocking(False)
        self._selector.register(self._wake_read, _READ, self)

    def listen(self) -> None:
        """Listen on the ports of the settings; 0 takes a free one. Raise `OSError` if one is taken."""
        for port in self.settings.ports:
            family = socket.AF_INET6 if ":" in self.settings.host else socket.AF_INET
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.settings.host, port))
            listener.listen(1024)
            listener.setblocking(False)
            self._listeners.append(listener)
            self.ports.append(listener.getsockname()[1])
        self._accept_on(True)

    def run(self) -> None:
        """Serve until `stop`."""
        _prepare_process(self.settings.connections)
        writer = (
            None if self.settings.data is None else FiguresWriter(self.settings.data, "broker", lambda: self.figures)
        )
        if writer is not None:
            writer.start()
        tick_at = time.monotonic() + TICK
        try:
            while not self._stopping:
                self.turn(max(0.0, tick_at - time.monotonic()))
                if self.exchange.now >= tick_at:
                    tick_at = self.exchange.now + TICK
                    self.tick()
                    self._alive()
        finally:
            self.close()
            if writer is not None:
                writer.stop()

    def stop(self) -> None:
        """Have `run` end after this turn: from any thread, or a signal's handler."""
        self._stopping = True
        with contextlib.suppress(BlockingIOError):
            self._wake_write.send(b"\0")

    def turn(self, timeout: float) -> None:
        """Wait for something to do, do it, and send what it gives."""
        events = self._selector.select(timeout)
        self.exchange.now = time.monotonic()
        for key, mask in events:
            link = key.data
            if link is None:
                self._accept(key.fileobj)  # type: ignore[arg-type]
                continue
            if link is self:
                self._wake_read.recv(64)
                continue
            if mask & _WRITE and not link.dirty and not link.closed:
                link.mark()
            if mask & _READ:
                self._read(link)
        self._finish_turn()

    def tick(self) -> None:
        """Do what time asks for."""
        exchange = self.exchange
        exchange.tick(list(self._links))
        self._finish_turn()
        for link in [one for one, until in self._lingering.items() if until <= exchange.now]:
            self._drop(link)
        if not self._accepting:
            self._accept_on(True)
        self.figures = exchange.figures(self._links)

    def close(self) -> None:
        """Say goodbye and close everything."""
        for link in self._links:
            link.will = None
            if link.five and link.session is not None:
                link.send(packets.disconnect(packets.SHUTTING_DOWN))
            link.flush()
            link.sock.close()
        for end in (*self._listeners, self._wake_read, self._wake_write):
            end.close()
        self._selector.close()

    # ── in ──

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(64):
            try:
                sock, _ = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                return
            except OSError as error:  # most likely too many open files: try again at the next tick
                log.error("cannot accept a connection: %s", error)
                self._accept_on(False)
                return
            if len(self._links) >= self.settings.connections:
                self.exchange.counts.refuse("too_many_connections")
                sock.close()
                continue
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.exchange.counts.accepted += 1
            link = Link(sock, self.exchange)
            self._links.add(link)
            self._watch(link)

    def _accept_on(self, on: bool) -> None:
        if on is self._accepting:  # two listeners may find in one turn that nothing can be accepted
            return
        for listener in self._listeners:
            if on:
                self._selector.register(listener, _READ, None)
            else:
                self._selector.unregister(listener)
        self._accepting = on

    def _read(self, link: Link) -> None:
        if link.closed:
            if link in self._lingering and not _discard(link.sock):
                self._drop(link)
            return
        exchange = self.exchange
        try:
            if not link.read():
                exchange.close(link)
        except MalformedPacket as error:
            exchange.counts.refuse(_REASONS.get(error.reason, f"0x{error.reason:02x}"))
            log.info("a client is sent away: %s", error)
            exchange.close(link, error.reason, error.answer if isinstance(error, Refusal) else b"")
        except Exception:  # a fault of ours in one client's matter must not end the others' connections
            exchange.counts.refuse("fault")
            log.exception("a client is sent away for a fault of the broker")
            exchange.close(link, packets.UNSPECIFIED)

    # ── out ──

    def _finish_turn(self) -> None:
        exchange = self.exchange
        while exchange.dirty:
            dirty, exchange.dirty = exchange.dirty, []
            for link in dirty:
                if link.closed:
                    continue
                if not link.flush():
                    exchange.close(link)
                    continue
                session = link.session
                if session is not None:
                    session.progress()
                self._watch(link)
        if exchange.moved:
            moved, exchange.moved = exchange.moved, []
            for link in moved:
                if not link.closed:
                    self._watch(link)
        if exchange.ending:
            ending, exchange.ending = exchange.ending, []
            for link in ending:
                self._end(link)
            if exchange.dirty:  # wills
                self._finish_turn()

    def _watch(self, link: Link) -> None:
        interest = (0 if link.paused else _READ) | (_WRITE if link.unsent else 0)
        if interest == link.interest:
            return
        if not link.interest:
            self._selector.register(link.sock, interest, link)
        elif interest:
            self._selector.modify(link.sock, interest, link)
        else:
            self._selector.unregister(link.sock)
        link.interest = interest

    def _end(self, link: Link) -> None:
        """Close a connection; one that is told why may read it first."""
        told = bool(link.out)
        if link.flush() and told:
            with contextlib.suppress(OSError):
                link.sock.shutdown(socket.SHUT_WR)
                link.paused = False
                link.out = []
                self._watch(link)
                self._lingering[link] = self.exchange.now + _LINGER
                return
        self._drop(link)

    def _drop(self, link: Link) -> None:
        self._lingering.pop(link, None)
        if link.interest:
            self._selector.unregister(link.sock)
            link.interest = 0
        link.sock.close()
        self._links.discard(link)
        self.exchange.counts.sent += link.sent
        link.sent = 0


def _discard(sock: socket.socket) -> bool:
    """Read past what a client still sends; False once it is gone."""
    try:
        return bool(sock.recv(262_144))
    except BlockingIOError:
        return True
    except OSError:
        return False


def _prepare_process(connections: int) -> None:
    """Allow as many files as connections, and have the collector of cycles leave long queues alone."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 100
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)

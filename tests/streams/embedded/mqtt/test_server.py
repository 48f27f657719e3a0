"""The broker's sockets: what it does when the system gives it no more of them."""

from __future__ import annotations

import errno
import socket

import pytest

from streams.embedded.mqtt.limits import BrokerSettings
from streams.embedded.mqtt.server import Server
from tests.streams.embedded.mqtt.peers import connect

pytestmark = pytest.mark.server


def test_two_listeners_out_of_files_accept_again_at_the_next_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_listener: socket.socket) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    server = Server(BrokerSettings(ports=(0, 0)))
    server.listen()
    clients = [socket.create_connection(("127.0.0.1", port), 5) for port in server.ports]
    try:
        with monkeypatch.context() as patch:
            patch.setattr(socket.socket, "accept", refuse)
            server.turn(1.0)
            server.turn(0.0)  # the waiting clients keep nobody busy
        server.tick()
        for number, client in enumerate(clients):
            client.sendall(connect(f"client-{number}"))
        while server.exchange.counts.accepted < 2 or len(server.exchange.sessions) < 2:
            server.turn(5.0)
        assert [client.recv(4) for client in clients] == [b"\x20\x02\0\0"] * 2
    finally:
        for client in clients:
            client.close()
        server.close()

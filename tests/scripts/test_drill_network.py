"""The drill's own instruments: a line that fails as it is told to, and a witness of acknowledgements."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from scripts.drill_kill import Witness
from scripts.drill_network import Line
from scripts.load import publish
from tests.waiting import until


@pytest.fixture
def echo() -> Iterator[int]:
    """Run a server that says what it hears."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer(one: socket.socket) -> None:
        with one:
            try:
                while data := one.recv(4096):
                    one.sendall(data)
            except OSError:
                pass

    def serve() -> None:
        try:
            while True:
                threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    yield int(server.getsockname()[1])
    server.close()


def call(line: Line) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", line.port), 5)
    one.settimeout(5)
    return one


def works(one: socket.socket) -> bool:
    """Tell whether bytes come back; not when the connection ends."""
    try:
        one.sendall(b"\xc0\0")
        return one.recv(2) == b"\xc0\0"
    except ConnectionError:
        return False


def test_a_line_carries_and_a_stalled_one_carries_later(echo: int) -> None:
    line = Line(echo)
    with call(line) as one:
        assert works(one)
        stalled = threading.Thread(target=line.stall, args=(0.3,))
        stalled.start()
        until(lambda: not line._moving.is_set())
        one.sendall(b"\xc0\0")
        one.settimeout(0.05)
        with pytest.raises(TimeoutError):
            one.recv(2)
        one.settimeout(5)
        stalled.join()
        assert one.recv(2) == b"\xc0\0"


def test_a_reset_ends_connections_and_new_ones_work(echo: int) -> None:
    line = Line(echo)
    with call(line) as one, call(line) as other:
        assert works(one) and works(other)
        line.reset()
        assert not works(one) and not works(other)
    with call(line) as later:
        assert works(later)
    assert line.connections == 3


def test_what_is_sent_on_a_forgotten_connection_vanishes_and_it_does_not_end(echo: int) -> None:
    line = Line(echo)
    with call(line) as one:
        assert works(one)
        line.forget()
        one.sendall(b"\xc0\0")
        one.settimeout(0.1)
        with pytest.raises(TimeoutError):
            one.recv(1)
        with call(line) as later:
            assert works(later)


def test_while_it_refuses_nobody_gets_through(echo: int) -> None:
    line = Line(echo)
    with call(line) as one:
        assert works(one)
        refusing = threading.Thread(target=line.refuse, args=(1.0,))
        refusing.start()
        until(lambda: not works(one))
        with call(line) as early:
            assert not works(early)
        refusing.join()
    with call(line) as later:
        assert works(later)


@pytest.mark.parametrize("five", [False, True])
def test_a_witness_notes_what_is_acknowledged_however_the_bytes_come(five: bool) -> None:
    acknowledged: set[bytes] = set()
    witness = Witness(acknowledged, five=five)
    packet = publish("a/b", b"7", 1, 258)
    if five:  # a length of properties, and one of them, between the identifier and the payload
        packet = bytes((packet[0], packet[1] + 3)) + packet[2:-1] + b"\x02\x01\x00" + packet[-1:]
    for byte in packet:
        witness.down(bytes((byte,)))
    witness.up(b"\x40\x02\x01")
    assert acknowledged == set()
    witness.up(b"\x02\x40\x02\x09\x09")
    assert acknowledged == {b"a/b 7"}

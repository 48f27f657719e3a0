import socket
import threading
from pathlib import Path

import pytest

from alerts.console import server


def test_a_client_that_dribbles_its_request_is_hung_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import uvicorn

    monkeypatch.setattr(server, "PATIENCE", 0.2)

    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    listener = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, http=server._Prompt, log_config=None, lifespan="off"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        for begun in (
            b"",
            b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab",
        ):
            with socket.create_connection(listener.getsockname(), 10) as slow:
                slow.sendall(begun)
                slow.settimeout(10)
                while slow.recv(1000):
                    pass
        with socket.create_connection(listener.getsockname(), 10) as prompt:
            prompt.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert prompt.recv(1000).startswith(b"HTTP/1.1 200")
    finally:
        running.should_exit = True
        thread.join(10)

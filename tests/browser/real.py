"""The real console with a real desk and journal, served to a browser."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn

from alerts.console.app import create_app
from tests.browser import signing

FIXTURES = Path(__file__).parents[1] / "alerts" / "console" / "conftest.py"
PASSWORD = "correct horse battery"


def load_fixtures() -> Any:
    """Load what the tests of the console share: they are no package."""
    spec = importlib.util.spec_from_file_location("console_fixtures", FIXTURES)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def serving(engine: Any, config: Any) -> Iterator[Any]:
    """Serve a console until the block ends; gives its accounts, and the engine its address as `url`."""
    app = create_app(config)
    engine.console, engine.config = app.state.console, config
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    stopped = threading.Event()

    def beat() -> None:
        while not stopped.wait(0.5):
            engine.pulse(time=time.time(), readings_per_second=12.5)

    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    engine.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield app.state.console.accounts
    stopped.set()
    heart.join(5)
    server.should_exit = True
    thread.join(10)
    listener.close()
    engine.journal.close()


def enter(browser: Any, console: Any, name: str, **size: Any) -> Any:
    """Sign in on the page as `name`, in a browser of its own."""
    return signing.enter(browser, console.url, name, PASSWORD, **size)

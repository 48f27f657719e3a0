"""Receive Foreshock's webhook: check who signed, write down, answer, drop repeats. Needs nothing but Python.

WEBHOOK_SECRET=whsec_… python webhook.py inbox.sqlite 9000
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging
import os
import sys
import threading
import time
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from inbox import Inbox, act, keep_working

log = logging.getLogger(__name__)

MOST = 1_000_000  # bytes of an event
TOLERANCE = 300.0  # seconds that a signature may be old: a request that somebody kept is not taken later


def key_of(secret: str) -> bytes:
    """Turn the secret into the key of its signatures (Standard Webhooks 1.0.0). Raise `ValueError` on broken base64."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("the secret after whsec_ is not base64") from error


def is_genuine(key: bytes, headers: Any, body: bytes, now: float) -> bool:
    """Tell whether a request was signed with the key within `TOLERANCE` of now."""
    id, stamp, signed = (headers.get(f"webhook-{name}") or "" for name in ("id", "timestamp", "signature"))
    if not (stamp.isascii() and stamp.isdecimal()) or abs(now - int(stamp)) > TOLERANCE:
        return False
    mac = hmac.new(key, f"{id}.{stamp}.".encode() + body, sha256).digest()
    expected = b"v1," + base64.b64encode(mac)
    return any(hmac.compare_digest(expected, one.encode("utf-8", "replace")) for one in signed.split(" "))


class Handler(BaseHTTPRequestHandler):
    """Take one event a request."""

    timeout = 10.0  # seconds that a client may be silent
    server: Server

    def do_POST(self) -> None:
        """Answer 204 once the event is durable, and to a repeat; 4xx where it is none of ours."""
        length = self.headers.get("content-length") or ""
        if not (length.isascii() and length.isdecimal()) or int(length) > MOST:
            self._answer(413)
            return
        body = self.rfile.read(int(length))
        if not is_genuine(self.server.key, self.headers, body, time.time()):
            self._answer(401)
            return
        try:
            event = json.loads(body)
            id = event["id"]
        except (ValueError, TypeError, KeyError, RecursionError):
            self._answer(400)
            return
        if not isinstance(event, dict) or id != self.headers.get("webhook-id"):
            self._answer(400)
            return
        new = self.server.inbox.take(id, event)  # where this fails there is no answer, and the event comes again
        self._answer(204)
        if new:
            self.server.wake.set()

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_values: Any) -> None:
        """Keep no log of requests."""


class Server(ThreadingHTTPServer):
    """Listen on loopback: put the proxy that you have, with TLS, in front of it."""

    daemon_threads = True

    def __init__(self, inbox: Inbox, key: bytes, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.inbox, self.key, self.wake = inbox, key, threading.Event()


def main() -> None:
    """Receive until interrupted."""
    if len(sys.argv) != 3 or not sys.argv[2].isdecimal():
        sys.exit(f"usage: WEBHOOK_SECRET=… {sys.argv[0]} INBOX.sqlite PORT")
    if not os.environ.get("WEBHOOK_SECRET"):
        sys.exit("WEBHOOK_SECRET is not set: the one that Foreshock signs with")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    inbox = Inbox(sys.argv[1])
    server = Server(inbox, key_of(os.environ["WEBHOOK_SECRET"]), int(sys.argv[2]))
    threading.Thread(target=keep_working, args=(inbox, act, server.wake), daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        log.info("%d repeats were dropped", inbox.repeats)


if __name__ == "__main__":
    main()

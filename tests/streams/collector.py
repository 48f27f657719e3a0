"""A small collector of traces, and a webhook beside it."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """Take what is posted to /v1/traces, and everything posted elsewhere as a webhook would."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.tokens: set[str | None] = set()
        self.processes: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/traces":
                    collector.take(body, self.headers.get("Authorization"))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def take(self, body: bytes, token: str | None) -> None:
        self.tokens.add(token)
        for of in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.processes |= {
                one.value.string_value for one in of.resource.attributes if one.key == "service.instance.id"
            }
            self.spans += [span for scope in of.scope_spans for span in scope.spans]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def attributes(span: Any) -> dict[str, Any]:
    return {
        one.key: [part.string_value for part in one.value.array_value.values] or one.value.string_value
        for one in span.attributes
    }

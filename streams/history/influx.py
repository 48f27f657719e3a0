"""An InfluxDB 2 server: what is asked of it, in the words of this product, and what it answers."""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Iterator
from typing import Any

from influxdb_client import Dialect, InfluxDBClient, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from streams.settings import Settings

TIMEOUT_MS = 30_000
QUERY_BYTES = 256 * 1024 * 1024
"""Bytes of one answer at most."""

_DROPPED = re.compile(r"dropped[ =](\d+)")

# the client logs each failed request with its headers; what went wrong is told by who asked
logging.getLogger("influxdb_client").setLevel(logging.CRITICAL)


class InfluxError(Exception):
    """Say what InfluxDB, or the way to it, has against a request."""


class UnavailableError(InfluxError):
    """Raised when it may take the same later. `after` are the seconds that it asks to wait, or 0."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


class RefusedError(InfluxError):
    """Raised when it will never take it. `dropped` is how many lines it left out; 0: none of them was taken."""

    def __init__(self, reason: str, dropped: int = 0) -> None:
        super().__init__(reason)
        self.dropped = dropped


class TooLargeError(InfluxError):
    """Raised when it would take, or give, less at once."""


class Influx:
    """A server, an organisation of it, and the buckets of this site."""

    def __init__(self, found: Settings) -> None:
        self.url, self.org, self.bucket = found.influx_url, found.influx_org, found.influx_bucket
        self.client = InfluxDBClient(
            url=found.influx_url,
            token=found.influx_token,
            org=found.influx_org,
            timeout=TIMEOUT_MS,
            enable_gzip=False,  # the client packs at the highest level: 12 µs of CPU a line instead of half of one
            ssl_ca_cert=found.influx_ca_file or None,
        )
        self._write = self.client.write_api(write_options=SYNCHRONOUS)

    def __repr__(self) -> str:
        return f"Influx({self.url}, {self.bucket})"  # the token is nobody's to see

    def close(self) -> None:
        """Disconnect."""
        self.client.close()

    def write(self, bucket: str, lines: bytes) -> None:
        """Write lines. Raise `UnavailableError`, `RefusedError` or `TooLargeError`."""
        if not lines:
            return
        try:
            self._write.write(bucket, self.org, lines, write_precision=WritePrecision.NS)
        except (ApiException, HTTPError, OSError) as error:
            raise told(error) from error

    def query(self, flux: str) -> Iterator[dict[str, str]]:
        """Ask in Flux, and yield rows as texts by column. Raise `InfluxError`; one answer has a most of bytes."""
        try:
            answer = self.client.query_api().query_raw(flux, dialect=_dialect())
            yield from _rows(_lines(answer))
        except (ApiException, HTTPError, OSError) as error:
            raise told(error) from error

    def asked(self) -> None:
        """See whether it answers, takes the token, and has the bucket. Raise `InfluxError` with what is wrong."""
        try:
            found = self.client.buckets_api().find_bucket_by_name(self.bucket)
        except (ApiException, HTTPError, OSError) as error:
            raise told(error) from error
        if found is None:
            raise RefusedError(f"there is no bucket {self.bucket}: `foreshock history apply --yes` makes it")


def told(error: Exception) -> InfluxError:
    """Turn what the client raises into what it means."""
    if not isinstance(error, ApiException) or not error.status:
        text = " ".join(str(getattr(error, "reason", None) or error).split())
        return UnavailableError(f"cannot be reached: {text[:200]}")
    status, said = int(error.status), _message(error)
    if status == 413:
        return TooLargeError(said)
    if status in (400, 422):
        dropped = _DROPPED.search(said)
        return RefusedError(said, int(dropped[1]) if dropped else 0)
    if status == 401:
        return UnavailableError(f"does not take the token: {said}")
    if status in (403, 404):
        return UnavailableError(f"{said}; `foreshock history apply` says what is missing")
    return UnavailableError(f"answers {status}: {said}", _after(error))


def _message(error: ApiException) -> str:
    text = str(getattr(error, "message", "") or error.body or error.reason or "no reason")
    return " ".join(text.split())[:300]


def _after(error: ApiException) -> float:
    try:
        return min(max(float((error.headers or {}).get("Retry-After", 0)), 0.0), 600.0)
    except ValueError:
        return 0.0


def _dialect() -> Any:
    return Dialect(header=True, annotations=[], delimiter=",", date_time_format="RFC3339Nano")


def _lines(answer: Any) -> Iterator[str]:
    left, held = QUERY_BYTES, b""
    for chunk in answer.stream(1 << 20, decode_content=True):
        left -= len(chunk)
        if left < 0:
            raise TooLargeError("the answer is too large: ask for less of it")
        *whole, held = (held + chunk).split(b"\n")
        yield from (line.decode(errors="replace").rstrip("\r") for line in whole)
    if held:
        yield held.decode(errors="replace").rstrip("\r")


def _rows(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """Read tables of CSV, each with its header, that an empty line parts."""
    header: list[str] | None = None
    for row in csv.reader(lines):
        if not row:
            header = None
        elif header is None:
            header = row
            if row[1:2] == ["error"]:
                raise InfluxError(next(iter(csv.reader(lines)), ["", "no reason"])[1][:300])
        else:
            yield dict(zip(header, row, strict=False))

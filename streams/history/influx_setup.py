"""What InfluxDB has to hold for a site, what it holds, and the steps from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from influxdb_client import BucketRetentionRules, TaskCreateRequest, TaskUpdateRequest
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from streams.history.influx import Influx, told
from streams.history.lines import READINGS
from streams.history.tiers import DAY, Tier, tiers
from streams.settings import Settings

FUNCTIONS = ("min", "max", "mean", "last", "count")
"""What is kept of a span's values, each a field of its name; `score` is the highest."""

_EVERY = {"minutes": ("1m", "10m", "20m"), "hours": ("1h", "1h", "2h")}
"""Of a tier: a span, how often its task runs, and how far back: each span is summed up twice, for what comes late."""


def buckets(bucket: str) -> dict[str, str]:
    """Name the bucket of each tier, and that of alarms."""
    return {"readings": bucket, **{name: f"{bucket}_{name}" for name in ("minutes", "hours", "alarms")}}


class Change(msgspec.Struct, frozen=True):
    """Say one step: what is done to a bucket or a task, and with what."""

    action: str  # create, configure
    kind: str  # bucket, task
    name: str
    detail: str


class _Task(NamedTuple):
    name: str
    flux: str


def roll_up(bucket: str, tier: str, begin: str, end: str) -> str:
    """Write Flux that sums up readings between two moments (in Flux) as spans of a tier. Again, it changes nothing.

    Each function stands by itself, so that the storage does the work and no reading leaves it.
    """
    every = _EVERY[tier][0]
    names = buckets(bucket)

    def spans(field: str, function: str, name: str) -> str:
        return (
            f'from(bucket: "{names["readings"]}") |> range(start: {begin}, stop: {end})\n'
            f'  |> filter(fn: (r) => r._measurement == "{READINGS}" and r._field == "{field}")\n'
            f'  |> aggregateWindow(every: {every}, fn: {function}, createEmpty: false, timeSrc: "_start")\n'
            f'  |> set(key: "_field", value: "{name}") |> to(bucket: "{names[tier]}")\n'
            f'  |> limit(n: 1) |> yield(name: "{name}")\n'  # what was written comes back: one row a series will do
        )

    asked = [("value", function, function) for function in FUNCTIONS] + [("score", "max", "score")]
    return "".join(spans(*one) for one in asked)


def _task(bucket: str, tier: str) -> _Task:
    _, every, back = _EVERY[tier]
    name = buckets(bucket)[tier]
    flux = (
        f'import "date"\n\noption task = {{name: "{name}", every: {every}, offset: 30s}}\n\n'
        f"end = date.truncate(t: now(), unit: {every})\nbegin = date.sub(d: {back}, from: end)\n\n"
    )
    return _Task(name, flux + roll_up(bucket, tier, "begin", "end"))


class Setup:
    """Compare and change the buckets and tasks of a site."""

    def __init__(self, influx: Influx, found: Settings) -> None:
        self._influx = influx
        names, listed = buckets(found.influx_bucket), tiers(found)
        self.buckets = {names[one.name]: _seconds(one) for one in listed}
        self.buckets[names["alarms"]] = _seconds(listed[-1])  # few, and of use for as long as what is coarsest
        self.tasks = [_task(found.influx_bucket, tier) for tier in _EVERY]

    def plan(self) -> list[Change]:
        """List what has to be done, nothing when all is as it should be. Raise `InfluxError`."""
        try:
            return list(self._plan())
        except (ApiException, HTTPError, OSError) as error:
            raise told(error) from error

    def apply(self, changes: list[Change]) -> None:
        """Do the steps; nothing is deleted but what a shorter retention lets go. Raise `InfluxError`."""
        try:
            for change in changes:
                (self._bucket if change.kind == "bucket" else self._set_task)(change)
        except (ApiException, HTTPError, OSError) as error:
            raise told(error) from error

    def _plan(self) -> Iterator[Change]:
        for name, seconds in self.buckets.items():
            there = self._influx.client.buckets_api().find_bucket_by_name(name)
            if there is None:
                yield Change("create", "bucket", name, f"kept {_told(seconds)}")
            elif (now := _kept(there)) != seconds:
                yield Change("configure", "bucket", name, f"kept {_told(now)} → {_told(seconds)}")
        for task in self.tasks:
            found = self._find(task.name)
            if found is None:
                yield Change("create", "task", task.name, "sums up readings")
            elif found.flux.strip() != task.flux.strip() or found.status != "active":
                yield Change("configure", "task", task.name, "is another, or does not run")

    def _find(self, name: str) -> Any:
        found = [one for one in self._influx.client.tasks_api().find_tasks(name=name) if one.name == name]
        return found[0] if found else None

    def _bucket(self, change: Change) -> None:
        api, seconds = self._influx.client.buckets_api(), self.buckets[change.name]
        rules = [BucketRetentionRules(type="expire", every_seconds=seconds)]
        if change.action == "create":
            api.create_bucket(bucket_name=change.name, retention_rules=rules, org=self._influx.org)
            return
        bucket = api.find_bucket_by_name(change.name)
        bucket.retention_rules = rules
        api.update_bucket(bucket)

    def _set_task(self, change: Change) -> None:
        api = self._influx.client.tasks_api()
        flux = next(one.flux for one in self.tasks if one.name == change.name)
        if change.action == "create":
            api.create_task(task_create_request=TaskCreateRequest(org=self._influx.org, flux=flux, status="active"))
        else:
            api.update_task_request(self._find(change.name).id, TaskUpdateRequest(flux=flux, status="active"))


def sum_up(influx: Influx, hour: int) -> None:
    """Sum up one hour (of unix time) anew. Raise `InfluxError`."""
    begin, end = (f"time(v: {(hour + more) * 3_600_000_000_000})" for more in (0, 1))
    for tier in _EVERY:
        for _ in influx.query(roll_up(influx.bucket, tier, begin, end)):
            pass  # all of it has to come: what went wrong on the way is told at the end


def _seconds(tier: Tier) -> int:
    return int(tier.days * DAY)


def _kept(bucket: Any) -> int:
    return next((int(rule.every_seconds) for rule in bucket.retention_rules or () if rule.type == "expire"), 0)


def _told(seconds: int) -> str:
    return f"for {seconds / DAY:g} days" if seconds else "for good"

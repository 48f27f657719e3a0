"""Traces at a small collector: from a reading's publication until a target took the order."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.notifiers.notifier import Notifier
from alerts.notifiers.targets import WebhookTarget
from alerts.queries import Reader
from streams import bundle, settings
from streams.bundle import Bundle
from streams.hub import HubProducer
from streams.processes.notifier import tracing
from streams.settings import Settings, SettingsError
from streams.topics import OBSERVATIONS
from streams.tracing import WAITING, Tracer
from streams.worker import Worker
from tests.streams.collector import Collector, attributes
from tests.streams.small_site import frame_of, rules, site
from tests.waiting import reached

CONTENT = Bundle(site=site(points=6), rules=rules())


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


async def watch(found: Settings, readings: list[tuple[int, float, float]], received: float) -> None:
    """Run a worker until what a frame of readings leads to is in the journal, and tell a webhook."""
    (found.data_folder / "run").mkdir()
    worker = Worker(found, bundle.pack(CONTENT), 1)
    stop, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(worker.run(stop.wait(), ready.set))
    await reached(ready.is_set)
    producer = HubProducer(found.hub_path)
    producer.produce([(OBSERVATIONS, 0, frame_of(readings, received))], lambda error: None)
    with contextlib.closing(Reader(found.journal_url)) as reader:
        await reached(lambda: reader.outbox(0))
    await asyncio.to_thread(producer.close)
    told = tracing(found)
    target = WebhookTarget(name="desk", url=found.webhook_url, secret_env="DESK", allow_private=True)
    notifier = Notifier(found.journal_url, found.outbox_at, [target], told=told[0] if told is not None else None)
    await notifier.start()
    await reached(lambda: notifier.figures()["desk"].delivered)
    await notifier.stop()
    if told is not None:
        await asyncio.to_thread(told[1])
    stop.set()
    await task


def test_an_alarm_is_traced_from_its_reading_to_whoever_was_told(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK", "x" * 32)
    environment = {"FORESHOCK_TRACES_URL": f"{collector.url}/v1/traces", "FORESHOCK_TRACES_TOKEN": "t0ken"}
    found = settings.load(environment, data=str(tmp_path), webhook_url=f"{collector.url}/desk")
    now = time.time()
    asyncio.run(watch(found, [(1, now - 9, 1.0), (0, now - 3, 30.0), (2, now - 1, 1.0)], now - 0.5))

    (root,) = [
        span for span in collector.spans if span.name == "observation" and attributes(span)["foreshock.type"] == "frame"
    ]
    mine = [span for span in collector.spans if span.trace_id == root.trace_id]
    steps = {span.name: span for span in mine}
    assert [span.name for span in sorted(mine, key=lambda span: span.end_time_unix_nano) if span is not root] == [
        *("bridge", "log", "engine", "commit", "journal"),
        *["dispatch"] * (len(mine) - 6),
    ]
    assert root.start_time_unix_nano == int((now - 3) * 1e9), "when the alarm's own reading was published"
    assert steps["bridge"].end_time_unix_nano == steps["log"].start_time_unix_nano == int((now - 0.5) * 1e9)
    assert all(span.parent_span_id == root.span_id for span in mine if span is not root)
    assert len({span.span_id for span in mine}) == len(mine)
    said = attributes(root)
    assert said["foreshock.rule"] == ["creep"] and said["foreshock.area"] == ["a0"]
    with contextlib.closing(Reader(found.journal_url)) as reader:
        (alarm,) = [one for one in reader.alarms("all", limit=500).items if one["rule"] == "creep"]
        _, partition, offset = reader.observed(f"{alarm['id']}.1") or ("", 0, 0)
        orders = {row["id"] for row in reader.outbox(0) if row["kind"] == "dispatch"}
    assert said["foreshock.alarm"] == [alarm["id"]] and said["foreshock.observation"] == f"{partition}-{offset}"
    told = {attributes(span)["foreshock.notice"] for span in mine if span.name == "dispatch"}
    assert told and told <= orders and attributes(steps["dispatch"])["foreshock.target"] == "desk"
    assert collector.processes == {"worker", "notifier"} and collector.tokens == {"Bearer t0ken"}
    frames = [span for span in collector.spans if span.name == "observation"]
    assert all(attributes(span)["foreshock.type"] != "tick" or attributes(span)["foreshock.alarm"] for span in frames)


@pytest.mark.timeout(60)  # each request would wait for as long as the test may take, were it waited for
def test_a_collector_that_is_away_holds_up_nobody(tmp_path: Path) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as silent:  # takes connections and answers nothing
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"
        tracer = Tracer(settings.load({"FORESHOCK_TRACES_URL": url}, data=str(tmp_path)), "worker")
        for offset in range(2 * WAITING):
            tracer.root("log", 0, offset, [("log", 1.0, 2.0)], {})
        tracer.close()


def test_a_share_of_what_led_to_nothing_is_the_same_in_every_process(tmp_path: Path) -> None:
    def sampled(share: float) -> set[int]:
        found = settings.load({}, data=str(tmp_path), traces_share=share, traces_url="http://127.0.0.1:9/v1/traces")
        tracer = Tracer(found, "worker")
        chosen = {offset for offset in range(2000) if tracer.samples("log", 0, offset)}
        tracer.close()
        return chosen

    none, some, all_ = sampled(0.0), sampled(0.1), sampled(1.0)
    assert not none and len(all_) == 2000 and 140 < len(some) < 260
    assert some == sampled(0.1) and some < sampled(0.2)


TRACES = {"FORESHOCK_TRACES_URL": "https://traces.example:4318/v1/traces", "FORESHOCK_TRACES_TOKEN": "t0ken"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"FORESHOCK_TRACES_URL": "ftp://traces.example"}, "write https"),
        ({"FORESHOCK_TRACES_URL": "https://ann:pw@traces.example"}, "no name or password"),
        ({"FORESHOCK_TRACES_URL": "http://traces.example:4318/v1/traces"}, "use https beyond this machine"),
        ({"FORESHOCK_TRACES_TOKEN": "two\nlines"}, "FORESHOCK_TRACES_TOKEN_FILE"),
        ({"FORESHOCK_TRACES_SHARE": "1.5"}, "must be 0 to 1"),
        ({"FORESHOCK_TRACES_SHARE": "nan"}, "must be 0 to 1"),
    ],
)
def test_a_collector_is_reached_safely_or_not_at_all(changed: dict[str, str], said: str) -> None:
    assert settings.load(TRACES).traces_token == "t0ken"
    with pytest.raises(SettingsError, match=said) as refused:
        settings.load({**TRACES, **changed})
    assert "pw" not in str(refused.value) and "t0ken" not in str(refused.value)

"""A real InfluxDB 2: what is set up, written, summed up and asked for. And what is made of each of its answers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from influxdb_client import Permission, PermissionResource
from influxdb_client.rest import ApiException

from scripts.influx_server import InfluxServer
from streams import doctor, settings
from streams.embedded.reader import LogReader
from streams.history.influx import Influx, InfluxError, RefusedError, TooLargeError, UnavailableError
from streams.history.influx_setup import Setup, buckets, sum_up
from streams.history.lines import Lines, Naming, alarm_lines
from streams.history.spool import Spool
from streams.history.writer import Gatherer, Sender
from streams.settings import Settings
from tests.streams.history.test_lines import transition
from tests.streams.history.test_writer import log_of
from tests.streams.small_site import START, site
from tests.waiting import until

ROOT = Path(__file__).parents[3]
DAYS = {"FORESHOCK_HISTORY_DAYS": "3650", "FORESHOCK_HISTORY_MINUTE_DAYS": "3650"}


@pytest.fixture
def server(influx_server: InfluxServer) -> InfluxServer:
    return influx_server


def configured(server: InfluxServer, bucket: str, **more: str) -> Settings:
    return settings.load({**server.environment(), **DAYS, "FORESHOCK_INFLUX_BUCKET": bucket, **more})


@pytest.mark.server
def test_what_is_set_up_is_left_alone_until_it_differs(server: InfluxServer) -> None:
    found = configured(server, "set-up")
    influx = Influx(found)
    setup = Setup(influx, found)
    first = setup.plan()
    assert [(one.action, one.kind) for one in first] == [("create", "bucket")] * 4 + [("create", "task")] * 2
    setup.apply(first)
    assert setup.plan() == []
    shorter = msgspec.structs.replace(found, history_days=30.0)
    changed = Setup(influx, shorter)
    assert [one.detail for one in changed.plan()] == ["kept for 3650 days → for 30 days"]
    changed.apply(changed.plan())
    assert changed.plan() == []
    influx.close()


@pytest.mark.server
def test_a_token_of_the_four_buckets_that_reads_tasks_is_all_that_doctor_needs(server: InfluxServer) -> None:
    found = configured(server, "few-rights")
    influx = Influx(found)
    setup = Setup(influx, found)
    setup.apply(setup.plan())
    org = influx.client.organizations_api().find_organizations(org=found.influx_org)[0].id
    ids = [influx.client.buckets_api().find_bucket_by_name(name).id for name in buckets("few-rights").values()]

    def looked(*more: tuple[str, str]) -> doctor.Finding:
        rights = [(action, "buckets", id) for action in ("read", "write") for id in ids]
        permissions = [
            Permission(action=action, resource=PermissionResource(type=kind, id=id, org_id=org))
            for action, kind, id in [*rights, *((action, kind, None) for action, kind in more)]
        ]
        made = influx.client.authorizations_api().create_authorization(org_id=org, permissions=permissions)
        given = msgspec.structs.replace(found, influx_token=made.token)
        (finding,) = doctor.examine(given, "InfluxDB")
        return finding

    assert looked(("read", "tasks")).well
    unseen = looked()
    assert not unseen.well and "or let the token read tasks if they are there" in unseen.said
    influx.close()


@pytest.mark.server
def test_a_line_that_it_cannot_read_takes_no_other_with_it(server: InfluxServer, tmp_path: Path) -> None:
    found = configured(server, "unreadable")
    influx = Influx(found)
    setup = Setup(influx, found)
    setup.apply(setup.plan())
    spool, now = Spool(tmp_path, 10_000_000), int(time.time()) * 10**9
    lines = [f"readings,point=p{at} value={at}.0 {now}" for at in range(20)]
    lines[7] = "readings,point=p7 value=seven " + str(now)
    spool.put(Lines(lines, [], []), {})
    sender = Sender(influx, "unreadable", "unreadable_alarms", spool)
    assert sender.step() is not None, sender.trouble
    assert sender.counts["refused"] == 1
    flux = 'from(bucket: "unreadable") |> range(start: -1h) |> group() |> count() |> yield()'
    assert [row["_value"] for row in influx.query(flux)] == ["19"]
    influx.close()


@pytest.mark.server
def test_the_log_stands_there_once_and_is_summed_up(server: InfluxServer, tmp_path: Path) -> None:
    found = configured(server, "written")
    influx = Influx(found)
    setup = Setup(influx, found)
    setup.apply(setup.plan())
    names = buckets("written")
    spool = Spool(tmp_path / "spool", 10_000_000)
    with LogReader(log_of(tmp_path)) as log:
        for _ in range(2):  # as after a restart that lost what it had noted
            gatherer = Gatherer(log, spool, Naming(site()))
            gatherer.cursor = {}
            gatherer.step()
    sender = Sender(influx, names["readings"], names["alarms"], spool)
    while len(spool):
        assert sender.step() is not None, sender.trouble
    counted = influx.query(
        'from(bucket: "written") |> range(start: 2020-01-01T00:00:00Z) |> filter(fn: (r) => r._field == "value")'
        " |> group() |> count()"
    )
    assert [row["_value"] for row in counted] == ["1000"]
    assert (
        len(
            list(
                influx.query(
                    'from(bucket: "written_alarms") |> range(start: 0) |> filter(fn: (r) => r._field == "edge")'
                )
            )
        )
        == 2
    )
    for _ in range(2):
        sum_up(influx, int(START // 3600))
    asked = 'from(bucket: "written_{}") |> range(start: 0) |> filter(fn: (r) => r.point == "p0" and r._field == "{}")'
    minutes = [float(row["_value"]) for row in influx.query(asked.format("minutes", "max"))]
    assert len(minutes) == 17 and minutes[:2] == [54.0, 114.0]
    for field, value in {"min": 0, "max": 996, "mean": 498, "last": 996, "count": 167, "score": 0.5}.items():
        assert [float(row["_value"]) for row in influx.query(asked.format("hours", field))] == [value], field
    influx.close()


def ended(api: Any, task: str, run: str) -> str:
    """Say how a task's run ended; nothing while it runs."""
    try:
        status: str = api.get_run(task, run).status
    except ApiException as error:
        assert error.status == 404  # between the runs that it holds and those that it has written
        return ""
    return status if status in ("success", "failed") else ""


@pytest.mark.server
def test_what_came_in_the_last_hours_is_summed_up_by_the_tasks_and_shown_by_the_dashboard(server: InfluxServer) -> None:
    found = configured(server, "tasks")
    influx = Influx(found)
    setup = Setup(influx, found)
    setup.apply(setup.plan())
    now = time.time()
    begin = (now // 3600 - 1) * 3600
    at = [*(begin + 10 * k for k in range(360)), *(now - 600 + 10 * k for k in range(60))]
    head = "readings,area=a0,point=p0,quantity=q"
    lines = [f"{head} value={k}.0,score=0.5 {int(when) * 10**9}" for k, when in enumerate(at)]
    influx.write("tasks", "\n".join(lines).encode())
    influx.write("tasks_alarms", "\n".join(alarm_lines([transition(time=now - 60.0)])).encode())
    api = influx.client.tasks_api()
    for task in setup.tasks:
        (there,) = api.find_tasks(name=task.name)
        run = api.run_manually(there.id, datetime.fromtimestamp(int(now), UTC))
        assert until(partial(ended, api, there.id, run.id)) == "success", api.get_run_logs(there.id, run.id)
    asked = 'from(bucket: "tasks_{}") |> range(start: -3h) |> filter(fn: (r) => r._field == "max") |> max()'
    (row,) = influx.query(asked.format("hours"))
    assert float(row["_value"]) >= 359.0  # the newest may be of that hour, too
    assert list(influx.query(asked.format("minutes")))
    board = json.loads((ROOT / "deploy" / "monitoring" / "history-dashboard.json").read_text())
    shown = {"${bucket}": "tasks", "${area}": "a0", "${point:regex}": "(p0)", "v.timeRangeStart": "-3h"}
    shown |= {"v.timeRangeStop": "now()", "v.windowPeriod": "5m"}
    queries = [target["query"] for panel in board["panels"] for target in panel["targets"]]
    queries += [one["query"] for one in board["templating"]["list"] if one["type"] == "query"]
    for query in queries:
        for name, value in shown.items():
            query = query.replace(name, value)
        assert list(influx.query(query)), query
    influx.close()


@pytest.mark.server
def test_what_was_kept_long_enough_is_refused_alone(server: InfluxServer) -> None:
    found = configured(server, "short", FORESHOCK_HISTORY_DAYS="1")
    influx = Influx(found)
    setup = Setup(influx, found)
    setup.apply(setup.plan())
    now = b"%d" % (4_000_000_000 * 10**9)
    with pytest.raises(RefusedError) as refused:
        influx.write("short", b"readings,point=a value=1.0 1000000000\nreadings,point=a value=2.0 " + now)
    assert refused.value.dropped == 1
    rows = influx.query('from(bucket: "short") |> range(start: 0, stop: 2100-01-01T00:00:00Z)')
    assert [row["_value"] for row in rows] == ["2"]
    influx.close()


@pytest.mark.server
def test_a_token_that_is_not_taken_and_a_bucket_that_is_not_there_stop_it_with_a_sentence(
    server: InfluxServer, caplog: pytest.LogCaptureFixture
) -> None:
    bad = Influx(configured(server, "x", FORESHOCK_INFLUX_TOKEN="s3cret-token"))
    with pytest.raises(UnavailableError, match="does not take the token") as refused:
        bad.write("x", b"a b=1 1")
    with pytest.raises(InfluxError):
        list(bad.query("from("))
    good = Influx(configured(server, "x"))
    with pytest.raises(UnavailableError, match="foreshock history apply"):
        good.write("not-there", b"a b=1 1")
    assert "s3cret" not in str(refused.value) + repr(bad) + caplog.text
    bad.close(), good.close()


class Answers(BaseHTTPRequestHandler):
    """Answer as the first level of the path says, and note what came."""

    came: ClassVar[list[tuple[str, str]]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status = int(self.path.split("/")[1])
        self.came.append((self.headers["Host"], self.headers.get("Authorization", "")))
        self.send_response(status)
        self.send_header("Retry-After", "7")
        self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/204/")  # type: ignore[str-bytes-safe]
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be still."""


def test_each_answer_means_what_it_should_and_no_token_is_sent_on(caplog: pytest.LogCaptureFixture) -> None:
    with HTTPServer(("127.0.0.1", 0), Answers) as there:
        threading.Thread(target=there.serve_forever, daemon=True).start()
        port = there.server_address[1]

        def asked(status: int) -> InfluxError | None:
            given = {"FORESHOCK_INFLUX_URL": f"http://127.0.0.1:{port}/{status}", "FORESHOCK_INFLUX_TOKEN": "s3cret"}
            influx = Influx(settings.load(given))
            try:
                influx.write("x", b"a b=1 1")
            except InfluxError as error:
                return error
            finally:
                influx.close()
            return None

        assert asked(204) is None
        kinds = {status: type(asked(status)) for status in (400, 413, 422, 429, 500, 503)}
        busy = asked(503)
        Answers.came.clear()
        asked(307)
        there.shutdown()
    assert kinds == {
        400: RefusedError,
        413: TooLargeError,
        422: RefusedError,
        **dict.fromkeys((429, 500, 503), UnavailableError),
    }
    assert isinstance(busy, UnavailableError) and busy.after == 7.0
    assert [given for host, given in Answers.came if host.startswith("localhost")] in ([], [""])
    assert isinstance(asked(204), UnavailableError)  # nobody is there any more
    assert "s3cret" not in caplog.text


def test_an_answer_that_is_too_large_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.history.influx.QUERY_BYTES", 1000)

    class Answer:
        def stream(self, _: int, decode_content: bool) -> Iterator[bytes]:
            while True:
                yield b"a,b\n" * 50

    from streams.history import influx

    with pytest.raises(InfluxError, match="too large"):
        list(influx._rows(influx._lines(Answer())))

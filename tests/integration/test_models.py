"""An area's model promoted into a running product, taken back, killed in between: nothing is lost, all replays."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from alerts import outcome
from alerts.outcome import Published
from alerts.queries import Reader
from models.area.fitting import fit
from models.area.store import Facts, encode
from models.triage.fitting import fit as fit_triage
from models.triage.store import Facts as TriageFacts
from models.triage.store import encode as encode_triage
from sensors.lookup import Registry
from streams import area_models, bundle, models_watch, publication, settings, triage_models
from streams.embedded.reader import LogReader
from streams.replay import entries
from streams.topics import OUTCOMES
from tests.integration.running import ROOT, Mqtt, Running, environment, running
from tests.models.triage.verdicts import drawn
from tests.waiting import until

pytestmark = pytest.mark.server

AREA = "village-01"
POINTS = ("village-01-charging-1", "village-01-charging-2")
RULE = """
rules:
  - id: unlike
    title: {zh: 组合异常, en: Unlike its history}
    scope: area
    where: {types: [village]}
    levels:
      blue: {when: area.score > 0.99, clear: area.score < 0.9}
    rationale:
      cause: {zh: 测试, en: test}
      consequence: {zh: 测试, en: test}
      response: {zh: 测试, en: test}
      time_to_respond: 10 min
      owner: {zh: 测试, en: test}
      review: "2030-01-01"
    tests:
      - {name: raised, step: 10 s, area_score: "0.1*3 0.999*3", expect: {10 s: none, 50 s: blue}}
"""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(ROOT / "examples" / "district", folder / "site")
    (folder / "site" / "rules" / "models.yaml").write_text(RULE, encoding="utf-8")
    with running(folder / "data", "--site", str(folder / "site")) as started:
        yield started


@pytest.fixture(scope="module")
def mqtt(product: Running) -> Iterator[Mqtt]:
    client = Mqtt(product.mqtt_port)
    yield client
    client.close()


@pytest.fixture(scope="module")
def learnt(product: Running) -> tuple[str, str]:
    """Name two models: one knows both points to carry 10 A, the other 15 A."""
    return learn(product, 10.0), learn(product, 15.0)


def learn(product: Running, current: float) -> str:
    values = np.random.default_rng(int(current)).normal(current, 0.2, (60, 2))
    time = 1.7e9 + np.arange(60.0)
    facts = Facts(begin=float(time[0]), end=float(time[-1]), rows=60, code="test", trained=current)
    return area_models.keep(product.data, encode(AREA, fit(time, values, POINTS, 1.0), facts)).version


def carry(mqtt: Mqtt, current: float) -> None:
    """Have both points carry so many ampere from now on."""
    for point in POINTS:
        mqtt.publish(f"foreshock/readings/{AREA}/{point}", str(current))


def awaited(product: Running, state: str, why: str) -> None:
    """Wait until the alarm of the area's model stands there."""
    reader = Reader(settings.load({}, data=str(product.data)).journal_url)

    def stands() -> bool:
        return [one["state"] for one in reader.alarms("all", area=AREA).items if one["rule"] == "unlike"][:1] == [state]

    try:
        until(stands, 30.0, why)
    finally:
        reader.close()


def awaited_in_force(product: Running, version: str) -> None:
    """Wait until the worker says that a model, and no other, is in force."""
    site = bundle.unpack(publication.read(product.data)).site
    until(lambda: [one.version for one in models_watch.watched(product.data, site)] == [version], 30.0, "the model")


def agrees(product: Running) -> None:
    """See that a replay says what was said."""
    answer = json.loads(product.command("replay", "--json").stdout)
    assert answer["agrees"] and answer["transitions"] > 0, answer


def switches(product: Running) -> list[str]:
    """Name the versions that the area's partition went by, one after another, from the log."""
    partition = Registry(bundle.unpack(publication.read(product.data)).site).partition(AREA)
    with LogReader(product.data / "log.sqlite") as log:
        records = [outcome.decode(value) for batch in entries(log, OUTCOMES, partition) for _, value in batch]
    return [one.version for record in records for one in record.outcomes if isinstance(one, Published)]


def test_a_model_is_promoted_while_it_runs(product: Running, mqtt: Mqtt, learnt: tuple[str, str]) -> None:
    promoted = product.command("models", "promote", learnt[0])
    assert promoted.returncode == 0 and "village-01 启用" in promoted.stdout, promoted.stderr
    carry(mqtt, 15.0)
    awaited(product, "UNACK", "15 A are unlike what was learnt")
    awaited_in_force(product, learnt[0])


def test_a_promotion_outlives_the_death_of_the_worker_that_takes_it_up(
    product: Running, mqtt: Mqtt, learnt: tuple[str, str]
) -> None:
    worker = product.children()["worker"]
    asked = subprocess.Popen(
        [sys.executable, "-m", "scripts.cli", "models", "promote", learnt[1], "--data", str(product.data)],
        cwd=ROOT, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    until((product.data / publication.PROPOSED).exists, 30.0, "the proposal")
    os.kill(worker, signal.SIGKILL)
    said, trouble = asked.communicate(timeout=90)
    assert asked.returncode == 0, said + trouble
    awaited_in_force(product, learnt[1])
    carry(mqtt, 15.0)
    awaited(product, "RTNUN", "15 A are what the promoted model has learnt")
    carry(mqtt, 10.0)
    awaited(product, "UNACK", "10 A are unlike that")
    agrees(product)


def test_a_rollback_puts_the_model_before_in_force_again(product: Running, mqtt: Mqtt, learnt: tuple[str, str]) -> None:
    back = product.command("models", "rollback", AREA)
    assert back.returncode == 0 and "village-01 启用" in back.stdout, back.stderr
    awaited_in_force(product, learnt[0])
    carry(mqtt, 10.0)
    awaited(product, "RTNUN", "the former model knows 10 A")
    models = product.token("analyst").get("/models").json()["items"]
    assert [(one["area"], one["version"], one["points"]) for one in models] == [(AREA, learnt[0], list(POINTS))]
    assert models[0]["promoted"]["by"].endswith("@terminal") and models[0]["drift"]["rows"] > 0


def test_a_death_right_after_a_promotion_loses_nothing_and_all_of_it_replays(
    product: Running, mqtt: Mqtt, learnt: tuple[str, str]
) -> None:
    promoted = product.command("models", "promote", learnt[1])
    assert promoted.returncode == 0, promoted.stderr
    worker = product.children()["worker"]
    os.kill(worker, signal.SIGKILL)
    until(lambda: product.children().get("worker", worker) != worker, 30.0, "another worker")
    awaited_in_force(product, learnt[1])
    carry(mqtt, 10.0)
    awaited(product, "UNACK", "10 A are unlike what is in force")
    agrees(product)
    before, first, second, *again = switches(product)
    assert again == [first, second] and len({before, first, second}) == 3, "each switch once, in the order asked for"


def test_a_triage_model_is_a_publication_too_that_outlives_the_worker_and_is_taken_back(product: Running) -> None:
    fitted = fit_triage([verdict for verdict, _ in drawn(300)])
    facts = TriageFacts(begin=1.0, end=2.0, code="test", trained=3.0, figures=fitted.figures)
    version = triage_models.keep(product.data, encode_triage(fitted.model, facts)).version
    analyst = product.token("analyst")

    def odds() -> list[float | None]:
        return [one["odds"] for one in analyst.get("/alarms").json()["items"] if one["rule"] == "unlike"]

    assert odds() == [None], "nothing is learnt yet"
    said = product.command("models", "promote", version[:8], "--reason", "quieter nights")
    assert said.returncode == 0 and "研判 启用" in said.stdout, said.stderr
    until(lambda: odds()[0] is not None, 30.0, "the console goes by the publication")
    newest = analyst.get("/publications").json()["items"][0]
    assert newest["difference"] == ["模型新增 1 个（triage）"] and newest["reason"] == "quieter nights"
    worker = product.children()["worker"]
    os.kill(worker, signal.SIGKILL)
    until(lambda: product.children().get("worker", worker) != worker, 30.0, "another worker")
    [listed] = [
        one for one in json.loads(product.command("models", "list", "--json").stdout) if one["kind"] == "triage"
    ]
    assert listed["in_force"] and listed["promoted"]["reason"] == "quieter nights"
    assert odds()[0] is not None
    agrees(product)
    said = product.command("models", "rollback", "triage")
    assert said.returncode == 0, said.stderr
    until(lambda: odds() == [None], 30.0, "no odds are told any more")
    assert analyst.get("/publications").json()["items"][0]["difference"] == ["模型删除 1 个（triage）"]

"""The documents are true: links, commands, code, payloads, expressions and generated pages."""

from __future__ import annotations

import ast
import json
import re
import shlex
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import msgspec
import paho.mqtt.client
import pytest
import typer
import yaml

from alerts import cloudevent, messages
from alerts.casebook import Casebook, Settings
from alerts.dispatch import Dispatch
from alerts.incident import Incident
from alerts.journal import Journal
from alerts.notifiers import file as notify
from alerts.notifiers import wording
from alerts.notifiers.homeassistant import HomeAssistantSender
from alerts.notifiers.notice import Notice
from alerts.notifiers.targets import HomeAssistantTarget
from alerts.notifiers.webhook import secret_bytes, sign
from alerts.queries import Reader
from rules.expression import AREA, NAMES, parse
from rules.rule import load_rules
from scripts import reference
from scripts.cli import application
from scripts.load import bench_site
from sensors import frame, packing, quarantine
from sensors.intake import Batch, Intake
from sensors.lookup import Registry
from sensors.observation import FLOOD, FRAME, LATE, OUT_OF_RANGE, QUALITY_NAMES, SKEWED
from sensors.reader import Arrivals
from sensors.registry import load_site
from sensors.site import Frigate, HealthSettings, HomeAssistant, Mapping, Onvif, SenML, Signals, Site, Sparkplug
from sensors.site_files import CameraEntry
from streams import settings, topics

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "README.zh.md",
    ROOT / "CHANGELOG.md",
    ROOT / "examples" / "district" / "README.md",
    *sorted(DOCS.rglob("*.md")),
]
NAMED = [str(page.relative_to(ROOT)) for page in PAGES]
HOSTS = {"127.0.0.1", "desk.example.org"}

NOW = 1795420830.0  # half a minute after the times of the examples


class Block(NamedTuple):
    """One fenced block: its language, what follows it on the fence's line, and its text."""

    language: str
    label: str
    text: str


@cache
def blocks(page: Path) -> list[Block]:
    found = re.findall(r"^```(\w*) ?([^\n]*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [Block(*one) for one in found]


def labelled(name: str, label: str) -> list[str]:
    return [one.text for one in blocks(DOCS / name) if one.label.split(" ")[0] == label or one.language == label]


def prose(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


@cache
def site() -> Site:
    return load_site(ROOT / "examples" / "district")


# Links, files, hosts


def slug(heading: str) -> str:
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@pytest.mark.parametrize("name", NAMED)
def test_every_link_leads_somewhere(name: str) -> None:
    page = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", prose(file), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, f"{name} links to {target}"


@pytest.mark.parametrize("name", NAMED)
def test_every_file_that_is_named_exists(name: str) -> None:
    text = prose(ROOT / name)
    for path in re.findall(
        r"`((?:sensors|models|rules|alerts|streams|scripts|tests|examples|docs|\.ci)/[\w./*-]+)`", text
    ):
        assert list(ROOT.glob(path.rstrip("/"))) or list((ROOT / name).parent.glob(path)), f"{name} names {path}"


@pytest.mark.parametrize("name", NAMED)
def test_no_host_is_named_but_ours_and_examples(name: str) -> None:
    hosts = set(re.findall(r"\b(?:https?|rtsp)://([\w.-]+)", (ROOT / name).read_text(encoding="utf-8")))
    assert hosts <= HOSTS


@pytest.mark.parametrize("name", NAMED)
def test_every_setting_that_is_named_exists(name: str) -> None:
    known = {variable for _, variable, _, _ in settings.described()}
    for variable in re.findall(r"\bFORESHOCK_[A-Z_]+[A-Z]\b", (ROOT / name).read_text(encoding="utf-8")):
        assert known & {variable, variable.removesuffix("_FILE")}, f"{name} names {variable}"


def test_generated_pages_are_current() -> None:
    assert not reference.stale(), "run `python -m scripts.reference`"


def test_every_decision_is_one_page_of_context_decision_and_consequences() -> None:
    files = sorted((DOCS / "decisions").glob("*.md"))
    assert files
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert re.match(rf"# {file.name[:4]} \S", text), file.name
        for heading in ("Context", "Decision", "Consequences"):
            assert re.search(rf"^## {heading}$", text, re.MULTILINE), f"{file.name} has no {heading}"
        assert len(text.splitlines()) <= 70, f"{file.name} is longer than a page"


# Commands


@cache
def commands() -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}

    def walk(path: tuple[str, ...], command: Any) -> None:
        found[path] = command
        for name, member in getattr(command, "commands", {}).items():
            walk((*path, name), member)

    walk((), typer.main.get_command(application()))
    return found


def told(page: Path) -> Iterator[str]:
    """Yield what a reader is told to type: lines of shell blocks, indented lines, and `foreshock …` in the text."""
    for block in blocks(page):
        if block.language in ("sh", "ini"):
            yield from block.text.replace("\\\n", " ").splitlines()
    text = prose(page)
    yield from (line for line in text.splitlines() if line.startswith("    "))
    yield from re.findall(r"`((?:foreshock|make) [^`]+)`", text)


@pytest.mark.parametrize("name", NAMED)
def test_every_command_exists_with_its_options(name: str) -> None:
    for line in told(ROOT / name):
        for called in re.findall(r"(?:^|[\s(/])foreshock (?=[a-z-])((?:[^|#;&)\"]|\"[^\"]*\")+)", line):
            words = shlex.split(called.replace("…", ""))
            path: tuple[str, ...] = ()
            while len(path) < len(words) and (*path, words[len(path)]) in commands():
                path = (*path, words[len(path)])
            rest = words[len(path) :]
            if not path and rest and not rest[0].startswith("-"):
                pytest.fail(f"{name}: no command in {line!r}")
            known = {opt for one in commands()[path].params for opt in (*one.opts, *one.secondary_opts)} | {"--help"}
            for word in rest:
                if word.startswith("--"):
                    assert word in known, f"{name}: {line!r}: no option {word}"


@pytest.mark.parametrize("name", NAMED)
def test_every_target_of_make_exists(name: str) -> None:
    made = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    run = {opt for one in commands()["run",].params for opt in (*one.opts, *one.secondary_opts)}
    for line in told(ROOT / name):
        for targets, arguments in re.findall(r"^make ((?:[a-z-]+ ?)+)(?:ARGS=\"([^\"]*)\")?", line):
            assert set(targets.split()) <= set(made), f"{name}: {line!r}"
            assert {word for word in arguments.split() if word.startswith("--")} <= run, f"{name}: {line!r}"


# Code


def python_blocks() -> list[tuple[str, Block]]:
    return [(name, one) for name in NAMED for one in blocks(ROOT / name) if one.language == "python"]


def test_all_python_parses() -> None:
    assert len(python_blocks()) >= 3
    for name, one in python_blocks():
        ast.parse(one.text, name)


def take(*sent: tuple[str, bytes], received: float = NOW) -> tuple[Intake, Batch]:
    """Let the bridge's own intake take messages, for the example site."""
    intake = Intake(Registry(site()))
    arrivals = Arrivals()
    for place, (topic, payload) in enumerate(sent):
        route = intake.topics[topic.encode()]
        if not route:
            arrivals.refused[place] = topic.encode()
        arrivals.routes.append(route)
        arrivals.payloads.append(payload)
    return intake, intake.take(arrivals, received)


def readings(batch: Batch) -> list[tuple[str, float]]:
    names = Registry(site()).by_index
    frames = [frame.decode(value) for topic, _, value in batch.records if topic == packing.TOPIC and value[0] == FRAME]
    return [
        (names[point].id, value)
        for one in frames
        for point, value in zip(one.point.tolist(), one.value.tolist(), strict=True)
    ]


class Recorder:
    """Stand in for a paho client: keep what is published."""

    sent: ClassVar[list[tuple[str, bytes]]] = []

    def __init__(self, *_: object) -> None:
        Recorder.sent = []

    def publish(self, topic: str, payload: str, qos: int) -> SimpleNamespace:
        assert qos == 1
        Recorder.sent.append((topic, payload.encode()))
        return SimpleNamespace(wait_for_publish=lambda seconds: None)

    def connect(self, host: str, port: int) -> None:
        assert (host, port) == ("127.0.0.1", settings.Settings().mqtt_port)

    def loop_start(self) -> None:
        pass

    def disconnect(self) -> None:
        pass


def test_the_readmes_program_publishes_what_the_bridge_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    [program] = [one.text for one in blocks(ROOT / "README.md") if one.language == "python"]
    monkeypatch.setattr(paho.mqtt.client, "Client", Recorder)
    exec(compile(program, "README.md", "exec"), {})  # our own text, from the line above
    intake, batch = take(*Recorder.sent, received=time.time())
    assert readings(batch) == [("slope-01-tilt-1", 0.12)]
    assert not intake.quarantine.counts


def test_the_webhooks_receiver_believes_our_signature_only() -> None:
    [program] = labelled("tutorials/operator.md", "webhook")
    scope: dict[str, Any] = {}
    exec(compile(program, "operator.md", "exec"), scope)  # our own text
    secret, body, stamp = "whsec_c2VjcmV0", b'{"id": "d-1.1"}', 1_795_420_800
    headers = {"webhook-id": "d-1.1", "webhook-timestamp": str(stamp)}
    headers["webhook-signature"] = sign(secret_bytes(secret), "d-1.1", stamp, body)
    assert scope["genuine"](secret, headers, body, stamp + 5)
    assert not scope["genuine"](secret, headers, body + b" ", stamp + 5)
    assert not scope["genuine"](secret, headers, body, stamp + 3600)


# Payloads


def test_every_payload_of_the_page_is_taken() -> None:
    shown = [one for one in blocks(DOCS / "reference" / "payloads.md") if "topic=" in one.label]
    assert len(shown) >= 6
    for one in shown:
        payload = one.text.encode()
        if one.language == "python":
            scope: dict[str, Any] = {}
            exec(compile(one.text, "payloads.md", "exec"), scope)  # our own text
            payload = scope["payload"]
        intake, batch = take((one.label.rpartition("topic=")[2], payload))
        assert batch.readings or batch.events, one.text
        assert not intake.quarantine.counts, one.text


def test_what_the_page_announces_is_read_as_it_says() -> None:
    bound = next(point for point in site().points if point.unit == "°C")
    points = [
        msgspec.structs.replace(point, sources=("homeassistant:0x00158d0001a2b3c4_temperature",))
        if point is bound
        else point
        for point in site().points
    ]
    signals = msgspec.structs.replace(site().signals, homeassistant=(HomeAssistant(),))
    intake = Intake(Registry(msgspec.structs.replace(site(), points=tuple(points), signals=signals)))
    for name in ("announcement", "state"):
        [one] = [one for one in blocks(DOCS / "reference" / "payloads.md") if one.label.startswith(f"{name} ")]
        arrivals = Arrivals()
        arrivals.routes.append(intake.topics[one.label.rpartition("topic-of=")[2].encode()])
        arrivals.payloads.append(one.text.encode())
        batch = intake.take(arrivals, NOW)
    assert [(id, round(value, 6)) for id, value in readings(batch)] == [(bound.id, 21.5)]
    assert not intake.quarantine.counts


def test_every_message_of_the_readmes_is_taken() -> None:
    for page in (ROOT / "README.md", ROOT / "README.zh.md", ROOT / "examples" / "district" / "README.md"):
        for line in told(page):
            if "mosquitto_pub" in line:
                words = shlex.split(line)
                message = words[words.index("-t") + 1], words[words.index("-m") + 1].encode()
                intake, batch = take(message)
                assert batch.readings == 1, line
                assert not intake.quarantine.counts, line


def test_the_mapping_of_the_page_is_one() -> None:
    [text] = labelled("reference/payloads.md", "mapping")
    assert msgspec.convert(yaml.safe_load(text), Mapping) in site().signals.mapped


def test_the_sparkplug_settings_of_the_page_are_those_of_the_site() -> None:
    [text] = labelled("reference/payloads.md", "sparkplug")
    assert msgspec.convert(yaml.safe_load(text), tuple[Sparkplug, ...]) == site().signals.sparkplug


def test_the_configurations_of_the_page_are_right() -> None:
    for label, kind in (("frigate", Frigate), ("onvif", Onvif)):
        [text] = labelled("reference/payloads.md", label)
        msgspec.convert(yaml.safe_load(text), kind)


def test_the_topics_of_senml_on_the_page_are_the_examples() -> None:
    [text] = labelled("reference/payloads.md", "senml")
    assert msgspec.convert(yaml.safe_load(text), SenML) in site().signals.senml


def test_the_mapping_of_several_values_takes_a_message() -> None:
    [text] = labelled("reference/payloads.md", "several")
    mapping = msgspec.convert(yaml.safe_load(text), Mapping)
    made = bench_site(2, 1, signals=Signals(mapped=(mapping,)))
    rain, wind = made.points
    points = (msgspec.structs.replace(rain, id="rain-a0-1"), msgspec.structs.replace(wind, id="wind-a0-1"))
    intake = Intake(Registry(msgspec.structs.replace(made, points=points)))
    arrivals = Arrivals()
    arrivals.routes.append(intake.topics[b"weather/a0/up"])
    arrivals.payloads.append(b'{"at": "2026-11-23T08:00:00Z", "data": {"rain": 1.5, "wind": [34]}}')
    batch = intake.take(arrivals, NOW)
    [value] = [frame.decode(record).value.tolist() for topic, _, record in batch.records if topic == packing.TOPIC]
    assert value == pytest.approx([15.0, 3.4])


def table(name: str, head: str) -> list[list[str]]:
    """Return the rows of the first table whose head begins so."""
    lines = (DOCS / name).read_text(encoding="utf-8").split(f"| {head} |", 1)[1].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return rows


def test_all_reasons_of_refusal_are_explained() -> None:
    after_engine = (DOCS / "reference" / "payloads.md").read_text(encoding="utf-8").partition("By the engine;")
    by_bridge = set(re.findall(r"^\| `(\w+)` \|", after_engine[0].rpartition("## Why")[2], re.MULTILINE))
    by_engine = set(re.findall(r"^\| `(\w+)` \|", after_engine[2], re.MULTILINE))
    assert by_bridge == set(quarantine.REASONS)
    code = (ROOT / "streams" / "engine.py").read_text(encoding="utf-8")
    said = set(re.findall(r"\.refuse\(\"(\w+)\"|_refuse_record\(offset, f\"(\w+):", code))
    assert by_engine == {name for pair in said for name in pair if name}


def test_all_qualities_are_explained() -> None:
    shown = {row[0]: int(row[1]) for row in table("reference/payloads.md", "name | bit")}
    assert shown == QUALITY_NAMES | {"late": LATE, "out_of_range": OUT_OF_RANGE, "skewed": SKEWED, "flood": FLOOD}


# Topics


def test_the_topics_are_all_there() -> None:
    shown = {row[0] for row in table("reference/topics.md", "topic | partitions")}
    hub_only = {topics.JOURNAL, topics.PULSE, topics.GROUP}
    assert shown == {value for name, value in vars(topics).items() if name.isupper()} - hub_only


def test_the_examples_of_what_goes_out_have_the_real_fields(tmp_path: Path) -> None:
    [text] = labelled("reference/topics.md", "summary")
    url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    Journal(url).close()
    reader = Reader(url)
    assert json.loads(text).keys() == reader.summary("slope-01").keys()
    reader.close()
    [standing] = labelled("reference/topics.md", "standing")
    sender = HomeAssistantSender(HomeAssistantTarget(name="house", areas={"slope-02": "坡"}))
    notice = Notice(id="n", kind="area", area="slope-02", unit="", simulated=True, time=NOW, payload=json.loads(text))
    assert json.loads(standing) == sender.standing(notice)
    [text] = labelled("reference/topics.md", "cloudevent")
    shown = json.loads(text)
    dispatch = Dispatch(
        id="d", incident="i", area="slope-01", unit="command", level=3, deadline=None, tried=["command"]
    )
    data = Casebook(site(), Settings()).dispatch_record(dispatch, "issued", NOW).event
    assert data is not None
    event = cloudevent.dispatch_event(
        id="d.1", site="baoan", edge="issued", incident="i", time=NOW, data={}, simulated=True
    )
    assert shown.keys() == event.keys()
    assert shown["data"].keys() == data["data"].keys()
    [text] = labelled("reference/topics.md", "undispatched")
    shown = json.loads(text)
    incident = Incident(id="i", area="slope-01", kind="risk", cause="a", alarms=["a"], level=3, peak=3, opened=NOW)
    incident.title = {"zh": "位移", "en": "creep"}
    said = Casebook(site(), Settings()).incident_record(incident, "undispatched", NOW).event
    assert said is not None
    assert (shown.keys(), shown["type"]) == (said.keys(), said["type"])
    assert shown["data"].keys() == said["data"].keys()


# Cameras


def test_the_settings_of_a_camera_on_the_page_are_all_there_are_and_the_defaults() -> None:
    [text] = [one.text for one in blocks(DOCS / "tutorials" / "operator.md") if "health:" in one.text]
    [shown] = yaml.safe_load(text)["cameras"]
    entry = msgspec.convert(shown, CameraEntry)
    assert entry.timeout == CameraEntry().timeout
    assert msgspec.structs.replace(entry.health, ignore=()) == HealthSettings()
    assert shown["health"].keys() == set(HealthSettings.__struct_fields__) - {"watch"}


# Rules


def test_every_expression_of_the_page_is_one() -> None:
    expressions = [line for text in labelled("reference/rules.md", "rule") for line in text.splitlines()]
    shown = [
        line
        for one in blocks(DOCS / "reference" / "rules.md")
        if one.language == "rule"
        for line in one.text.splitlines()
    ]
    assert len(shown) >= 14
    for line in shown:
        assert line in expressions
        assert parse(line).boolean


def test_every_name_of_the_language_is_on_the_page() -> None:
    text = (DOCS / "reference" / "rules.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert re.search(rf"`{name}\b", text), name
    for operation in AREA:
        assert f"`area.{operation}(" in text, operation


def test_the_rule_and_the_template_of_the_page_load_and_pass_their_tests(tmp_path: Path) -> None:
    loaded = []
    for one in blocks(DOCS / "reference" / "rules.md"):
        if one.language == "yaml":
            file = tmp_path / "rules.yaml"
            file.write_text(one.text, encoding="utf-8")
            loaded.append([rule.id for rule in load_rules(file, site())])
    made = ["depth-example.slope", "depth-example.spoil", "depth-example.slope-02"]
    assert loaded == [["tilt-example"], made, ["night-tilt"]]


def test_the_rule_of_the_analysts_tutorial_is_the_sites() -> None:
    [text] = [one.text for one in blocks(DOCS / "tutorials" / "analyst.md") if one.language == "yaml"]
    [shown] = yaml.safe_load(text)
    real = yaml.safe_load((ROOT / "examples/district/rules/slopes.yaml").read_text(encoding="utf-8"))["rules"][0]
    assert shown["levels"]["yellow"] == real["levels"]["yellow"]
    assert shown["where"] == real["where"]


# The page's own words


def test_the_tutorials_use_the_words_of_the_page() -> None:
    catalogue = (ROOT / "alerts/console/web/src/i18n/zh.ts").read_text(encoding="utf-8")
    words = {value for _, value in re.findall(r"'([\w.-]+)': '((?:[^'\\]|\\.)*)'", catalogue)}
    words |= {texts[0] for texts in messages.MESSAGES.values()}
    rules = load_rules(ROOT / "examples/district/rules", site())
    known = {re.sub(r"\{\w+\}", "…", word).strip("。") for word in words} | {rule.title.zh for rule in rules}
    missing = [
        f"{name}: 「{word}」"
        for name in (page.name for page in (DOCS / "tutorials").glob("*.md"))
        for word in re.findall(r"「([^」]+)」", (DOCS / "tutorials" / name).read_text(encoding="utf-8"))
        if not any(word.strip("。") in (part, *part.split("。")) for part in known)
    ]
    assert not missing


@pytest.mark.parametrize("name", ["analyst", "operator"])
def test_who_reads_chinese_is_told_to_type_the_same(name: str) -> None:
    def typed(page: str) -> list[list[str]]:
        lines = [one.text.splitlines() for one in blocks(DOCS / "tutorials" / page) if one.language == "sh"]
        return [
            [re.sub(r"--language \S+", "--language", line.partition(" #")[0]).rstrip() for line in block]
            for block in lines
        ]

    assert typed(f"{name}.zh.md") == typed(f"{name}.md")


def test_the_targets_that_the_operator_is_shown_are_sound(tmp_path: Path) -> None:
    [text] = [one.text for one in blocks(DOCS / "tutorials" / "operator.md") if "kind: mail" in one.text]
    (tmp_path / "notify.yaml").write_text(text, encoding="utf-8")
    listed = notify.read(tmp_path / "notify.yaml")
    assert {msgspec.to_builtins(one)["kind"] for one in listed.targets} == {"mail", "chat", "webhook"}


def test_the_operator_is_shown_every_field_of_a_template_and_every_change() -> None:
    page = (DOCS / "tutorials" / "operator.md").read_text(encoding="utf-8")
    assert [name for name in wording.FIELDS if f"`${name}`" not in page] == []
    assert [edge for edge in notify.EDGES if f"`{edge}`" not in page] == []

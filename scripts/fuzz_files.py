"""Feed what reads files, rules, pictures, codes and records with hostile content, as `fuzz_dialects` does the dialects.

What a parser may raise is what it says it raises; anything else, or more than a second of CPU, is a fault. The good
content is the example site's and what the code itself writes (so it runs in a source tree). Prints a JSON line for
each parser; exit code 1 when something was found.

python -m scripts.fuzz_files                                a thousand contents for each
python -m scripts.fuzz_files --only rules --contents 100000
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import cv2
import msgspec
import numpy as np
import typer

from alerts.console.oidc import file as sign_in
from alerts.notifiers.replies import codes_in, normal
from rules.expression import ExpressionError
from rules.expression import parse as expression
from rules.rule import load_rules
from scripts.fuzz.mutator import Mutator
from sensors import frame, observation
from sensors.camera.picture import PictureError, renewed
from sensors.document import DocumentError, parse_document
from sensors.findings import Findings
from sensors.registry import load_site
from sensors.roster import read_duties
from sensors.site import Site
from sensors.site_files import RosterFile
from sensors.spreadsheet.table import read_table
from streams.archive.chain import ArchiveDamaged
from streams.archive.segment import Head, pack, unpack
from streams.snapshot import chunks, newest

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "district"
SLOWEST = 1.0
"""Seconds of CPU that a file may take: some are as large as a site."""

_TOLD = 5


class Parser(msgspec.Struct):
    """One parser, what it may raise, and what is good."""

    name: str
    parse: Callable[[bytes], object]
    raises: tuple[type[Exception], ...]
    good: Sequence[bytes]


class Report(msgspec.Struct):
    """Count what was tried; `slowest_ms` is CPU."""

    fuzz: str
    contents: int = 0
    taken: int = 0
    refused: int = 0
    slowest_ms: float = 0.0
    failures: list[str] = []


def parsers(folder: Path) -> list[Parser]:
    """List the parsers; `folder` holds the files of those that read some."""
    site = load_site(EXAMPLE)
    rule = min((EXAMPLE / "rules").rglob("*.yaml"), key=lambda path: path.stat().st_size)
    conditions = [level.when.encode() for rule in load_rules(rule, site) for _, level in rule.ranked()]
    picture = np.random.default_rng(1).integers(0, 255, (32, 48, 3), np.uint8)
    stills = [bytes(cv2.imencode(kind, picture)[1]) for kind in (".jpg", ".png")]
    return [
        Parser("rules", lambda text: _rules(folder, site, text), (DocumentError,), _written(rule.read_bytes())),
        Parser("expression", lambda text: expression(text.decode()), (ExpressionError, UnicodeDecodeError), conditions),
        Parser(
            "site", lambda text: _site(folder, text), (DocumentError,), _written((EXAMPLE / "site.yaml").read_bytes())
        ),
        Parser("sign-in", lambda text: _sign_in(folder, text), (DocumentError,), _written(_SIGN_IN)),
        Parser("roster.csv", lambda text: _roster(folder, "csv", text), (DocumentError,), [_csv()]),
        Parser("roster.ics", lambda text: _roster(folder, "icalendar", text), (DocumentError,), [_CALENDAR]),
        Parser("import", lambda text: _table(folder, text), (DocumentError,), [_csv()]),
        Parser("photo", renewed, (PictureError,), stills),
        Parser("reply", lambda text: [normal(code) for code in codes_in(text.decode(errors="replace"))], (), _REPLIES),
        Parser("segment", unpack, (ArchiveDamaged,), [_segment()]),
        Parser("snapshot", lambda part: newest([part]), (), [part for _, part in chunks(0, 7, b"state" * 9)]),
        Parser("frame", frame.decode, (frame.FrameError,), [_frame()]),
        Parser("observation", observation.decode, (msgspec.MsgspecError, ValueError), [_tick()]),
    ]


def fuzz(parser: Parser, contents: int, seed: int = 1) -> Report:
    """Try so many contents on a parser."""
    report, mutator = Report(parser.name), Mutator(parser.good, seed)
    for content in parser.good:
        parser.parse(content)
    for _ in range(contents):
        content = mutator.next()
        report.contents += 1
        begun = time.process_time()
        try:
            parser.parse(content)
            report.taken += 1
        except parser.raises:
            report.refused += 1
        except Exception as error:
            _fail(report, f"{type(error).__name__}: {error}"[:200], content)
        spent = time.process_time() - begun
        report.slowest_ms = max(report.slowest_ms, round(spent * 1e3, 1))
        if spent > SLOWEST:
            _fail(report, f"took {spent:.1f} s", content)
    return report


def _fail(report: Report, what: str, content: bytes) -> None:
    if len(report.failures) < _TOLD:
        report.failures.append(f"{what}: {content[:2000].hex()}")


def _written(text: bytes) -> list[bytes]:
    """Give YAML as it is written, and as JSON, which is YAML too and whose parts the mutator knows."""
    return [text, json.dumps(parse_document(text, "").data).encode()]


def _kept(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _rules(folder: Path, site: Site, text: bytes) -> object:
    return load_rules(_kept(folder, "rule.yaml", text), site)


def _site(folder: Path, text: bytes) -> object:
    place = folder / "site"
    place.mkdir(exist_ok=True)
    _kept(place, "map.geojson", b'{"type": "FeatureCollection", "features": []}')
    _kept(place, "site.yaml", text)
    try:
        return load_site(place)
    except DocumentError as error:  # the other files are missing, which is no merit of this one's
        if any(problem.file == "site.yaml" for problem in error.problems):
            raise
        return None


def _sign_in(folder: Path, text: bytes) -> object:
    return sign_in.read(_kept(folder, "sign-in.yaml", text))


def _roster(folder: Path, kind: str, text: bytes) -> object:
    name = _kept(folder, f"roster.{kind}", text).name
    given = msgspec.convert({"seats": _SEATS, kind: [name]}, RosterFile)
    document, findings = parse_document("{}", "roster.yaml"), Findings()
    duties = read_duties(document, given, folder, "Asia/Shanghai", findings)
    if findings.problems:
        raise DocumentError(findings.problems)
    return duties


def _table(folder: Path, text: bytes) -> object:
    return read_table(_kept(folder, "points.csv", text))


def _csv() -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(
        [("seat", "account", "start", "end"), ("duty", "chen", "2026-11-27 08:30", "2026-11-27 20:30")]
    )
    return written.getvalue().encode()


def _segment() -> bytes:
    head = Head(
        partition=0, begin=3, stop=5, outcomes_begin=0, outcomes_stop=0, since=1.0, until=2.0, observations=2,
        outcomes=0, lost=0, previous="",
    )  # fmt: skip
    return pack(head, [(3, 1.0, None, b"first"), (4, 2.0, b"key", b"second")], [])


def _frame() -> bytes:
    point, quality = np.array([1, 2], np.uint32), np.zeros(2, np.uint8)
    return frame.encode(point, np.ones(2), np.array([1.5, 2.0]), quality, registry="v1", received=1.0)


def _tick() -> bytes:
    return observation.encode(observation.Tick(time=1.0))


_SEATS = [{"id": "duty", "name": {"zh": "值班", "en": "Duty"}}]
_SIGN_IN = b"""name: {zh: \xe7\xbb\x9f\xe4\xb8\x80\xe8\xae\xa4\xe8\xaf\x81, en: City}
issuer: https://id.example.org/realms/city
client: foreshock
grants:
  - {group: duty, roles: [duty]}
  - {group: slope, roles: [duty], places: [slope-1]}
"""
_CALENDAR = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//example//EN\r
BEGIN:VEVENT\r
UID:1\r
DTSTART:20261127T083000\r
DTEND:20261127T203000\r
RRULE:FREQ=DAILY;COUNT=3\r
SUMMARY:chen\r
LOCATION:duty\r
END:VEVENT\r
END:VCALENDAR\r
"""
_REPLIES = [b"ABCD-EFGH-JKMN 1", "收到 abcd efgh jkmn".encode()]


def main(
    contents: Annotated[int, typer.Option(help="For each parser.", min=1)] = 1000,
    only: Annotated[str, typer.Option(help="Only this parser.")] = "",
    seed: Annotated[int, typer.Option(help="Another one makes other contents.")] = 1,
) -> None:
    """Run it and print what came of it."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for parser in parsers(Path(folder)):
            if only in ("", parser.name):
                report = fuzz(parser, contents, seed)
                print(json.dumps(msgspec.to_builtins(report)), flush=True)
                failed += len(report.failures)
    raise typer.Exit(1 if failed else 0)


if __name__ == "__main__":
    typer.run(main)

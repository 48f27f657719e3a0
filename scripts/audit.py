"""Ask for known weaknesses of the pinned packages, and write a list of what is installed (CycloneDX, build/sbom.json).

Exit code 0 when none is known that is not excepted (deploy/audit-exceptions.yaml), 1 when one is or an exception has
run out, 3 when the source of advisories could not be asked: then nothing is known.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import typer

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "constraints.txt"
EXCEPTIONS = ROOT / "deploy" / "audit-exceptions.yaml"
SBOM = ROOT / "build" / "sbom.json"
SECONDS = 300.0

SOURCES = ("pypi", "osv")
"""Who is asked for weaknesses, the second where the first knows of no package, as a mirror of PyPI may."""


class Exempt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A weakness that is lived with until a day."""

    id: str
    package: str
    reason: str
    until: datetime.date


class Found(NamedTuple):
    """What an audit came to."""

    asked: int  # packages that the source knew something of
    skipped: int
    weak: list[str]  # sentences about what is known and not excepted
    excepted: list[str]
    run_out: list[str]


def exceptions(text: str) -> list[Exempt]:
    """Read the list of exceptions. Raise `msgspec.ValidationError` naming what is wrong."""
    return msgspec.yaml.decode(text, type=list[Exempt])


def judge(report: dict[str, Any], exempt: Sequence[Exempt], today: datetime.date) -> Found:
    """Judge what pip-audit says (its JSON) by the exceptions."""
    held = {(one.package.lower(), one.id): one for one in exempt}
    found = Found(0, 0, [], [], [])
    asked = skipped = 0
    for package in report["dependencies"]:
        if "skip_reason" in package:
            skipped += 1
            continue
        asked += 1
        for weak in package["vulns"]:
            names = [weak["id"], *weak.get("aliases", ())]
            one = next((held[package["name"].lower(), n] for n in names if (package["name"].lower(), n) in held), None)
            fixed = ", ".join(weak.get("fix_versions", ())) or "no version"
            said = f"{package['name']} {package['version']}: {weak['id']}, fixed in {fixed}"
            if one is None:
                found.weak.append(said)
            elif one.until < today:
                found.run_out.append(f"{said}; its exception ended on {one.until}")
            else:
                found.excepted.append(f"{said}; until {one.until}: {one.reason}")
    return found._replace(asked=asked, skipped=skipped)


def ask(source: str) -> dict[str, Any] | None:
    """Have pip-audit ask a source for the pinned packages; None when it says nothing that can be read."""
    command = [sys.executable, "-m", "pip_audit", "-s", source, "-r", str(PINS), "--no-deps", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        report: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None
    return report


def write_sbom(file: Path = SBOM) -> int:
    """List the pinned packages as CycloneDX; return how many."""
    file.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(PINS), "--pyproject", "pyproject.toml"]
    command += ["--output-format", "JSON", "--output-file", str(file)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=SECONDS, capture_output=True)
    return len(json.loads(file.read_text(encoding="utf-8"))["components"])


def main() -> None:
    """Write the list, ask, and say what was found."""
    print(f"{SBOM.relative_to(ROOT)}: {write_sbom()} packages")
    exempt = exceptions(EXCEPTIONS.read_text(encoding="utf-8"))
    for source in SOURCES:
        report = ask(source)
        if report is not None and (found := judge(report, exempt, datetime.date.today())).asked:
            break
    else:
        print("no source of advisories could be asked from here: nothing was audited", file=sys.stderr)
        raise typer.Exit(3)
    for heading, lines in (("excepted", found.excepted), ("run out", found.run_out), ("known", found.weak)):
        for line in lines:
            print(f"{heading}: {line}")
    print(f"{found.asked} packages asked for, {found.skipped} the source knows nothing of")
    if found.weak or found.run_out:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)

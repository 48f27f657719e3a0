"""What is known of installed packages is told; an exception has a reason and an end."""

from __future__ import annotations

import datetime

import msgspec
import pytest
import typer

from scripts import audit
from scripts.audit import EXCEPTIONS, PINS, exceptions, judge

TODAY = datetime.date(2026, 12, 1)
REPORT = {
    "dependencies": [
        {"name": "sound", "version": "1.0", "vulns": []},
        {"name": "Weak", "version": "1.0", "vulns": [{"id": "GHSA-1", "aliases": ["CVE-1"], "fix_versions": ["1.1"]}]},
        {"name": "ours", "skip_reason": "not found"},
    ]
}


def listed(until: str, id: str = "CVE-1") -> str:
    return f"- {{id: {id}, package: weak, reason: not called, until: {until}}}\n"


def test_a_weakness_is_told_with_what_mends_it() -> None:
    found = judge(REPORT, [], TODAY)
    assert found.weak == ["Weak 1.0: GHSA-1, fixed in 1.1"]
    assert (found.asked, found.skipped) == (2, 1)


def test_one_that_is_lived_with_is_told_until_its_day() -> None:
    found = judge(REPORT, exceptions(listed("2026-12-01")), TODAY)
    assert not found.weak and not found.run_out and "not called" in found.excepted[0]
    late = judge(REPORT, exceptions(listed("2026-11-30")), TODAY)
    assert late.run_out and not late.excepted
    assert judge(REPORT, exceptions(listed("2027-01-01", "CVE-2")), TODAY).weak, "another is not excepted"


@pytest.mark.parametrize(("known", "code"), [("pypi", 1), ("osv", 1), ("", 3)])
def test_another_source_is_asked_where_the_first_knows_of_no_package(
    known: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = {"dependencies": [{"name": "sound", "skip_reason": "not found"}]}
    monkeypatch.setattr(audit, "write_sbom", lambda: 3)
    monkeypatch.setattr(audit, "ask", lambda source: REPORT if source == known else nothing)
    with pytest.raises(typer.Exit) as ended:
        audit.main()
    assert ended.value.exit_code == code
    told = capsys.readouterr()
    assert "nothing was audited" in told.err if code == 3 else "GHSA-1" in told.out


def test_an_exception_without_an_end_is_none() -> None:
    with pytest.raises(msgspec.ValidationError, match="until"):
        exceptions("- {id: CVE-1, package: weak, reason: not called}\n")


def test_the_lists_of_ours_can_be_read() -> None:
    assert isinstance(exceptions(EXCEPTIONS.read_text()), list)
    pins = [line for line in PINS.read_text().splitlines() if line and not line.startswith("#")]
    assert all(line.count("==") == 1 for line in pins) and len({line.lower() for line in pins}) == len(pins)

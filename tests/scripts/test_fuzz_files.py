"""A short form of what `python -m scripts.fuzz_files` tries."""

from __future__ import annotations

from pathlib import Path

from scripts.fuzz_files import Parser, fuzz, parsers


def test_nothing_that_reads_files_codes_or_records_yields_to_hostile_content(tmp_path: Path) -> None:
    listed = parsers(tmp_path)
    assert len({parser.name for parser in listed}) == len(listed) >= 13
    for parser in listed:
        report = fuzz(parser, 8 if parser.name == "rules" else 60, seed=3)
        faults = [one for one in report.failures if not one.startswith("took")]  # time is not ours alone here
        assert not faults, parser.name
        assert report.taken + report.refused == report.contents


def test_a_parser_that_breaks_is_found() -> None:
    def breaking(content: bytes) -> int:
        if content != b"[1]":
            raise KeyError("broken")
        return 1

    report = fuzz(Parser("broken", breaking, (ValueError,), [b"[1]"]), 20)
    assert report.failures and report.failures[0].startswith("KeyError")

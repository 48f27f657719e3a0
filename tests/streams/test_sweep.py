"""What other thresholds and delays would have done on what was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from alerts.precision import Case
from rules.evaluation import Evaluator
from rules.rule import Rule
from rules.variants import variants
from streams.bundle import Bundle
from streams.embedded.store import Log
from streams.replay import ReplayError
from streams.sweep import Tried, raised, suggested, tried
from streams.sweep_plot import html, svg
from streams.topics import OBSERVATIONS
from tests.streams.small_site import START, debris, frame_of, published, site, tick
from tests.streams.test_renames import renamed
from tests.streams.test_shadow import made, over, rise, shadow
from tests.streams.test_station import TOPICS

REAL, NOISE = START + 8_000.0, START + 20_000.0


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """Record a slope that goes to 40, and later a spike to 12."""
    values = [published(Bundle(site=site(), rules=over(10.0))), tick(START), shadow(over(3.0), START)]
    values += rise([1.0, 11.0, 20.0, 40.0, 1.0, 1.0], REAL, step=5.0)
    values += [debris(REAL + 40.0), published(Bundle(site=site(), rules=over(10.0)), "v2", REAL + 50.0)]
    values += rise([1.0, 12.0, 1.0, 1.0], NOISE, step=5.0)
    with Log(tmp_path / "log.sqlite", TOPICS) as opened:
        opened.write([(OBSERVATIONS, 0, None, value) for value in values])
        yield opened


def case(name: str, opened: float, disposition: str) -> Case:
    return Case(
        alarm=f"a-{name}",
        incident=f"i-{name}",
        rule="over",
        scope="p0",
        area="a0",
        level="orange",
        onset=opened,
        opened=opened,
        disposition=disposition,
    )


def swept(log: Log, *cases: Case) -> list[Tried]:
    tries = variants(over(10.0)[0], delays=[0.0, 30.0])
    alarms = raised(log, 0, log.end(OBSERVATIONS, 0), START - 10.0, [one.rule for one in tries])
    return tried(tries, alarms, cases, {"a0"})


def test_each_variant_is_held_against_the_cases(log: Log) -> None:
    found = swept(log, case("real", REAL + 5.0, "real"), case("noise", NOISE + 5.0, "nuisance"))
    own = next(one for one in found if one.as_it_is)
    assert (own.alarms, own.false, own.nuisance, own.missed, own.lead) == (2, 1, 1, 0, 0.0)
    wide = next(one for one in found if one.factor == 1.25 and one.delay == 0.0)
    assert (wide.alarms, wide.false, wide.missed, wide.lead) == (1, 0, 0, -5.0)
    assert (wide.silenced, wide.gained) == (("a-noise",), ())
    slow = next(one for one in found if one.factor == 1.0 and one.delay == 30.0)
    assert (slow.alarms, slow.missed, slow.lead) == (0, 1, None)
    assert slow.silenced == ("a-noise", "a-real")
    pick = suggested(found)
    assert pick is not None and pick == wide


def test_an_alarm_begins_with_the_reading_that_raises_it_however_long_there_was_no_tick(tmp_path: Path) -> None:
    late = START + 7200.0
    values = [published(Bundle(site=site(), rules=over(10.0))), tick(START), frame_of([(0, START + 5, 1.0)], START + 5)]
    values += [frame_of([(0, late, 12.0)], late), tick(late)]
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        log.write([(OBSERVATIONS, 0, None, value) for value in values])
        (one,) = raised(log, 0, log.end(OBSERVATIONS, 0), START - 10.0, over(10.0))
    assert (one.begun, one.ended) == (late, None)


def test_without_a_real_case_nothing_is_suggested(log: Log) -> None:
    assert suggested(swept(log, case("noise", NOISE + 5.0, "nuisance"))) is None


def test_variants_that_cannot_be_worked_out_are_an_error_and_no_silence(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("hostile")

    monkeypatch.setattr(Evaluator, "readings", broken)  # what decides stands beside it, and keeps its own
    with pytest.raises(ReplayError, match="hostile"):
        swept(log)


def test_windows_that_what_decides_lets_go_of_go_on_for_the_variants(tmp_path: Path) -> None:
    def quick(limit: float) -> tuple[Rule, ...]:
        when = f"mean('10 min') > {limit}"
        return made({"id": "over", "where": {"quantity": "displacement"}, "levels": {"orange": {"when": when}}})

    values = [published(Bundle(site=site(), rules=quick(500.0))), tick(START), *rise([1.0, 401.0, 1.0])]
    values += [published(Bundle(site=site(), rules=over(500.0)), "v2", START + 35.0), *rise([1.0] * 9, START + 40.0)]
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        log.write([(OBSERVATIONS, 0, None, value) for value in values])
        (one,) = raised(log, 0, log.end(OBSERVATIONS, 0), START - 10.0, quick(10.0))
    assert (one.begun, one.ended) == (START + 20.0, None)


def test_what_is_renamed_under_way_goes_on_for_the_variants(tmp_path: Path) -> None:
    limit = over(10.0, clear="mean('10 min') < 1")
    values = [published(Bundle(site=site(), rules=limit)), tick(START), *rise([1.0, 401.0, 2.0])]
    values += [
        published(Bundle(site=renamed(site()), rules=limit), "v2", START + 35.0),
        *rise([2.0, 2.0], START + 40.0),
    ]
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        log.write([(OBSERVATIONS, 0, None, value) for value in values])
        found = raised(log, 0, log.end(OBSERVATIONS, 0), START - 10.0, limit)
    assert [(one.scope, one.area, one.begun, one.ended) for one in found] == [("q0", "b0", START + 20.0, None)]


def test_the_drawing_is_well_formed_and_has_a_cell_a_variant(log: Log) -> None:
    found = swept(log, case("real", REAL + 5.0, "real"))
    drawn = ElementTree.fromstring(svg("a<b>&", found))
    assert len(drawn.findall("{http://www.w3.org/2000/svg}rect")) == len(found)
    assert "a&lt;b&gt;&amp;" in html("a<b>&", found)
    chinese, english = html("r", found, "zh-CN"), html("r", found, "en")
    assert 'lang="zh-CN"' in chinese and "误报" in chinese and "missed" not in chinese
    assert 'lang="en"' in english and "误报" not in english

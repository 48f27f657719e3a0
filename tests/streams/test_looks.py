"""What the doctor sees of a run: a process that says nothing, a clock that was set back, a certificate that ends."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from streams import doctor, settings, supervisor
from streams.embedded.store import Log
from streams.figures import STALE, write_figures
from streams.looks import DAYS, MOST_APART, Unwell, clocks
from streams.topics import OBSERVATIONS
from tests.streams.test_station import TOPICS


def found(folder: Path, **more: str) -> settings.Settings:
    return settings.load({}, data=str(folder), **more)


def look(what: str, given: settings.Settings) -> tuple[bool, str]:
    [one] = doctor.examine(given, what)
    return one.well, one.said


def test_a_process_that_has_gone_quiet_or_is_behind_is_named(tmp_path: Path) -> None:
    given = found(tmp_path)
    assert look("processes", given) == (True, "not running")
    with supervisor.take_lock(tmp_path):
        write_figures(tmp_path, "worker", {"engine_lag": 3})
        assert look("processes", given) == (
            True,
            "1 processes give signs of life, the engine is 3 records behind the log",
        )
        write_figures(tmp_path, "worker", {"engine_lag": 10**9})
        well, said = look("processes", given)
        assert not well and "records behind the log" in said and "run/" in said
        write_figures(tmp_path, "worker", {"engine_lag": 0})
        write_figures(tmp_path, "bridge", {"time": time.time() - STALE - 60.0})
        well, said = look("processes", given)
        assert not well and said.startswith("bridge has said nothing for 70 s; read run/bridge.log")


def test_a_clock_that_was_set_back_behind_the_log_is_told(tmp_path: Path) -> None:
    given = found(tmp_path)
    assert look("clocks", given) == (True, "nothing to hold it against yet")
    with Log(given.log_file, TOPICS, clock=lambda: 5000.0) as log:
        log.write([(OBSERVATIONS, 0, None, b"x")])
    assert clocks(given, lambda: 5000.0 - MOST_APART) == "none before the log's"
    with pytest.raises(Unwell, match=r"3600 s after this machine's time: its clock was set back.*time server"):
        clocks(given, lambda: 5000.0 - 3600.0)


@pytest.mark.parametrize(
    ("left", "well", "said"),
    [(DAYS + 1, True, "the first ends"), (DAYS - 1, False, "ends in 13 days"), (-1.0, False, "has ended")],
)
def test_a_certificate_that_ends_soon_is_told_before_it_does(
    tmp_path: Path, left: float, well: bool, said: str
) -> None:
    file = tmp_path / "client.pem"
    end = datetime.now(UTC) + timedelta(days=left, minutes=1)
    one = trustme.CA().issue_cert("client", not_after=end)
    one.cert_chain_pems[0].write_to_path(file)
    one.private_key_pem.write_to_path(tmp_path / "key.pem")
    given = found(tmp_path, mqtt_cert_file=str(file), mqtt_key_file=str(tmp_path / "key.pem"), mqtt_host="h")
    told = look("certificates", given)
    assert told[0] == well and said in told[1]
    file.write_bytes(os.urandom(20))
    assert look("certificates", given)[0] is False
    assert look("certificates", found(tmp_path)) == (True, "the settings name none")

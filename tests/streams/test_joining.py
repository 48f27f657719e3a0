"""A run that joins a cluster goes by what is in force there, and gives out no index twice."""

from __future__ import annotations

from pathlib import Path

from streams import bundle, joining, publication
from streams.bundle import Bundle
from streams.embedded.schema import TopicSpec
from streams.embedded.store import Log
from streams.publication import Proposal
from streams.topics import SITE
from tests.streams.small_site import rules, site


def test_who_joins_has_the_site_and_every_index_of_who_was_there(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    proposal = Proposal(bundle.pack(Bundle(site=site(), rules=rules())), "", "ann", "first", 100.0)
    publication.write(first, proposal.packed)
    publication.write_indices(first, {"p0": 0, "gone": 7})
    with Log(tmp_path / "log.sqlite") as log:
        log.create_topic(SITE, TopicSpec(compact=True))
        assert joining.newest(log) is None
        for reason in ("first", "again"):
            record = joining.record(first, Proposal(proposal.packed, "", "ann", reason, 100.0))
            log.write([record])
        found = joining.newest(log)
    assert found is not None and (found.author, found.reason) == ("ann", "again")
    joining.join(second, found)
    assert publication.version(second) == bundle.version_of(proposal.packed)
    assert publication.known(second) == {"p0": 0, "gone": 7}, "also of points that are no more"
    publication.write_indices(second, {**publication.known(second), "p9": 9})
    joining.join(second, found)
    assert publication.known(second)["p9"] == 9

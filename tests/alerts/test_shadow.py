"""Shadow rules and waiting publications as the journal has them."""

from __future__ import annotations

from pathlib import Path

from alerts.journal import Journal
from alerts.outcome import ProposalChange, Record, ShadowChange, ShadowVerdict
from alerts.shadow import status


def change(edge: str, time: float, partition: int = 0, **fields: object) -> ShadowChange:
    return ShadowChange(
        id=f"s-1-{partition}-{edge}",
        shadow="s-1",
        partition=partition,
        edge=edge,  # type: ignore[arg-type]
        time=time,
        author="user:li",
        **fields,  # type: ignore[arg-type]
    )


def verdict(pair: str, how: str, time: float, area: str = "a0", seconds: float | None = None) -> ShadowVerdict:
    return ShadowVerdict(
        id=f"{pair}.{time:g}",
        pair=pair,
        shadow="s-1",
        rule="over",
        scope="p0",
        area=area,
        how=how,  # type: ignore[arg-type]
        open=False,
        begun=time,
        time=time,
        seconds=seconds,
    )


def test_the_journal_counts_each_pair_once_by_its_latest_verdict(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    assert status(journal.engine) is None
    records = [
        Record(0, 1, (change("began", 10.0, reason="calmer", rules=3),)),
        Record(1, 1, (change("began", 11.0, 1, reason="calmer", rules=3),)),
        Record(0, 2, (verdict("s-1-0-1", "gained", 20.0), verdict("s-1-0-2", "lost", 20.0, "a1"))),
        Record(0, 3, (verdict("s-1-0-1", "earlier", 30.0, seconds=-10.0), verdict("s-1-0-3", "same", 30.0))),
    ]
    for _ in range(2):  # a repeat changes nothing
        journal.record(records)
    told = status(journal.engine)
    assert told is not None
    assert (told["state"], told["began"], told["reason"], told["rules"]) == ("running", 10.0, "calmer", 3)
    assert told["counts"] == {"gained": 0, "lost": 1, "earlier": 1, "later": 0, "level": 0, "same": 1}
    assert told["by_area"]["a1"]["lost"] == 1 and told["seconds"] == -10.0
    assert {one["how"] for one in told["verdicts"]} == {"earlier", "lost"}
    assert journal.alarms("all").items == [] and journal.outbox(0) == []  # nobody is told


def test_one_partition_that_broke_is_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.record([Record(0, 1, (change("began", 10.0),)), Record(1, 1, (change("began", 10.0, 1),))])
    journal.record([Record(1, 2, (change("broken", 20.0, 1, reason="division by zero"),))])
    told = status(journal.engine)
    assert told is not None and (told["state"], told["fault"]) == ("broken", "division by zero")
    journal.record([Record(0, 2, (change("ended", 30.0, reason="enough"),))])


def test_a_proposal_stands_where_its_last_change_says(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    for offset, state in enumerate(("waiting", "approved"), 1):
        one = ProposalChange(
            id=f"proposal-1-{state}",
            number=1,
            version="v2",
            state=state,  # type: ignore[arg-type]
            author="user:li",
            proposed=10.0,
            time=10.0 * offset,
            by="user:wang",
            why="calmer",
            difference=("rules changed: 1",),
        )
        journal.record([Record(0, offset, (one,))])
    (row,) = journal.proposals()
    assert (row["state"], row["by"], row["author"], row["difference"]) == (
        "approved",
        "user:wang",
        "user:li",
        ["rules changed: 1"],
    )

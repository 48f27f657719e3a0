"""A changed folder is checked, proposed and followed; what cannot take force is refused whole."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from rules.rule import Rule
from sensors.document import DocumentError
from streams import brokers, bundle, publication, reload, running, shelf
from streams.bundle import Bundle
from streams.difference import Difference, difference, lines, unraised_in
from streams.following import Following
from streams.settings import Settings
from tests.few_rules import with_rules
from tests.streams.small_site import rules, site
from tests.streams.test_renames import renamed

Edit = Callable[[str, str, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return with_rules(tmp_path / "site", "slopes.yaml")


@pytest.fixture
def data(tmp_path: Path, folder: Path) -> Path:
    made = tmp_path / "data"
    (made / "run").mkdir(parents=True)
    publication.resolve(folder, made, "http://here")
    return made


@pytest.fixture
def edit(folder: Path) -> Edit:
    def change(file: str, old: str, new: str) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def take_up(data: Path) -> None:
    """Do what the worker does with a proposal, without its log."""
    found = publication.proposed(data)
    assert found is not None
    publication.adopt(data, found)


def test_a_changed_folder_is_proposed_with_what_differs_and_can_be_taken_back(
    folder: Path, data: Path, edit: Edit
) -> None:
    first = publication.version(data)
    assert reload.prepare(folder, data).version == first  # the console's address, too, is what it was
    edit("areas/slopes.yaml", "soil: 2", "soil: 3")
    prepared = reload.prepare(folder, data)
    assert lines(prepared.difference) == ["points added: 1 (slope-01-soil-3)"]
    assert publication.version(data) == first  # to look changes nothing
    reload.propose(data, prepared, "test", "why")
    assert publication.version(data) == first  # nor to propose
    take_up(data)
    assert publication.version(data) == prepared.version
    assert not (data / publication.PROPOSED).exists()
    kept = shelf.listed(data)
    assert [(one.version, one.author) for one in kept] == [(prepared.version, "test"), (first, "foreshock run")]
    assert kept[0].difference == ("points added: 1 (slope-01-soil-3)",)

    back = reload.earlier(first[:8], data)
    assert lines(back.difference) == ["points removed: 1 (slope-01-soil-3)"]
    reload.propose(data, back, "another", "too many alarms")
    take_up(data)
    assert publication.version(data) == first
    told = [(one.version, one.author, one.reason) for one in shelf.listed(data)]
    assert told == [
        (first, "another", "too many alarms"), (prepared.version, "test", "why"),
        (first, "foreshock run", "site at start"),
    ]  # fmt: skip
    assert shelf.latest(shelf.listed(data), first) == shelf.listed(data)[0]
    assert shelf.take(data, first[:8]) is not None, "named once, though it was in force twice"
    with pytest.raises(reload.ReloadError, match="no publication xyz"):
        reload.earlier("xyz", data)  # no hash begins so


def test_what_is_taken_back_leaves_the_console_where_this_machine_serves_it(data: Path, folder: Path) -> None:
    served = bundle.unpack(publication.read(data))
    elsewhere = bundle.pack(
        msgspec.structs.replace(served, site=msgspec.structs.replace(served.site, console=""), rules=())
    )  # as a past that was simulated, while nothing was served
    shelf.keep(data, shelf.Kept(version=bundle.version_of(elsewhere), time=1.0, author="test"), elsewhere)
    back = reload.earlier(bundle.version_of(elsewhere), data)
    reload.propose(data, back, "test")
    take_up(data)
    now = bundle.unpack(publication.read(data))
    assert (now.site.console, now.rules) == ("http://here", ())
    assert shelf.has(data, publication.version(data)), "and can be taken back in its turn"
    again = reload.earlier(bundle.version_of(bundle.pack(served)), data)
    assert again.packed == bundle.pack(served), "what was served here is put in force as it was"


def test_a_rename_and_its_undoing_keep_the_index(folder: Path, data: Path, edit: Edit) -> None:
    before = publication.known(data)
    first = publication.version(data)
    edit("areas/slopes.yaml", "- id: slope-03\n", "- id: slope-x\n    renamed_from: slope-03\n")
    edit("areas/slopes.yaml", "slope-02, slope-03,", "slope-02, slope-x,")
    edit("areas/slopes.yaml", "area: slope-03,", "area: slope-x,")
    reload.propose(data, reload.prepare(folder, data), "test")
    take_up(data)
    assert publication.known(data)["slope-x-soil-1"] == before["slope-03-soil-1"]
    reload.propose(data, reload.earlier(first, data), "test")
    take_up(data)
    assert publication.known(data) == before


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("site.yaml", "partitions: ", "partitions: 1", "`partitions`"),
        ("site.yaml", "id: ", "id: x", "`id`"),
        ("site.yaml", "native: foreshock", "native: other", "takes a restart"),
    ],
)
def test_what_takes_a_restart_is_refused(
    folder: Path, data: Path, edit: Edit, file: str, old: str, new: str, words: str
) -> None:
    if old not in (folder / file).read_text(encoding="utf-8"):
        with (folder / file).open("a", encoding="utf-8") as out:
            out.write(f"\nsignals: {{{new}}}\n" if "native" in new else f"\n{new}\n")
    else:
        edit(file, old, new)
    with pytest.raises(reload.ReloadError, match=words):
        reload.prepare(folder, data)


def test_a_dialect_that_the_run_shares_but_must_not_is_refused(folder: Path, data: Path, edit: Edit) -> None:
    first = publication.version(data)
    edit("site.yaml", "signals:\n", "signals:\n  homeassistant: [{}]\n")
    [shared] = brokers.brokers(Settings(mqtt_host="somewhere", mqtt_share="team"))
    shared = msgspec.structs.replace(shared, dialects=("native", "homeassistant"))
    running.note_brokers(data, [shared])
    with pytest.raises(reload.ReloadError, match=r"MQTT_SHARE \(main\): homeassistant cannot be shared"):
        reload.reload(folder, data, "test")
    assert publication.version(data) == first and publication.proposed(data) is None
    for listed in ([msgspec.structs.replace(shared, dialects=("native",))], brokers.brokers(Settings())):
        running.note_brokers(data, listed)
        assert reload.prepare(folder, data).version != first
    (data / "run" / "brokers.json").write_bytes(b"damaged")
    assert running.brokers_of(data) == []


def test_an_area_stays_in_its_partition() -> None:
    before = site(partitions=8)
    moved = msgspec.structs.replace(before.areas[0], group="elsewhere")
    after = msgspec.structs.replace(before, areas=(moved, *before.areas[1:]))
    with pytest.raises(reload.ReloadError, match="group: s0"):
        reload._require_no_restart(Bundle(site=before), Bundle(site=after))


def test_a_broken_folder_is_refused_with_every_mistake(folder: Path, data: Path, edit: Edit) -> None:
    edit("areas/slopes.yaml", "type: slope", "type: slop")
    edit("units.yaml", "kind: ", "kind: x")
    first = publication.version(data)
    with pytest.raises(DocumentError) as raised:
        reload.reload(folder, data, "test")
    assert {problem.file for problem in raised.value.problems} == {"areas/slopes.yaml", "units.yaml"}
    assert publication.version(data) == first and not (data / publication.PROPOSED).exists()


@pytest.fixture
def proposal(tmp_path: Path) -> publication.Proposal:
    """Propose something, in a data folder in which something else is in force; what they are does not matter."""
    publication.write(tmp_path, b"before")
    return publication.propose(tmp_path, b"mine", "s", "li", "", 1.0)


def test_a_proposal_that_nobody_takes_up_is_withdrawn(tmp_path: Path, proposal: publication.Proposal) -> None:
    with pytest.raises(reload.ReloadError, match="stays"):
        reload.await_in_force(tmp_path, proposal, time.monotonic(), seconds=0.05)
    assert publication.proposed(tmp_path) is None


def test_a_proposal_that_the_worker_has_in_hand_is_not_said_to_be_withdrawn(
    folder: Path, data: Path, edit: Edit
) -> None:
    edit("areas/slopes.yaml", "soil: 2", "soil: 3")
    prepared = reload.prepare(folder, data)
    proposal = reload.propose(data, prepared, "test")
    with publication.held(data) as file:
        assert file is not None
        with pytest.raises(reload.PendingError, match="takes force once it is"):
            reload.await_in_force(data, proposal, time.monotonic(), seconds=0.05)
        take_up(data)
    assert publication.version(data) == prepared.version


def test_a_proposal_that_is_adopted_at_the_last_moment_is_in_force(
    folder: Path, data: Path, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit("areas/slopes.yaml", "soil: 2", "soil: 3")
    proposal = reload.propose(data, reload.prepare(folder, data), "test")
    real = publication.withdraw

    def late(data: Path, proposal: publication.Proposal) -> bool | None:
        take_up(data)
        return real(data, proposal)

    monkeypatch.setattr(publication, "withdraw", late)
    assert reload.await_in_force(data, proposal, time.monotonic(), seconds=0.05) >= 0.05


def test_a_proposal_that_is_put_to_a_second_person_at_the_last_moment_waits(
    tmp_path: Path, proposal: publication.Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = publication.withdraw

    def late(data: Path, proposal: publication.Proposal) -> bool | None:
        publication.drop(data, proposal)  # as the worker does once the log has it
        return real(data, proposal)

    with monkeypatch.context() as patch:
        patch.setattr(publication, "withdraw", late)
        assert reload.await_waiting(tmp_path, proposal, time.monotonic(), seconds=0.05) >= 0.05
    again = publication.propose(tmp_path, b"mine", "s", "li", "", 2.0)
    with pytest.raises(reload.ReloadError, match="did not take it up"):
        reload.await_waiting(tmp_path, again, time.monotonic(), seconds=0.05)
    assert publication.proposed(tmp_path) is None


@pytest.mark.parametrize("wait", [reload.await_in_force, reload.await_waiting])
def test_who_waits_too_long_does_not_take_back_what_another_person_proposed_since(
    tmp_path: Path,
    proposal: publication.Proposal,
    wait: Callable[[Path, publication.Proposal, float, float], float],
) -> None:
    newer = publication.propose(tmp_path, b"newer", "s", "wang", "", 2.0)
    with pytest.raises(reload.ReloadError, match="wang has laid out another publication meanwhile"):
        wait(tmp_path, proposal, time.monotonic(), 0.02)
    assert publication.proposed(tmp_path) == newer
    with publication.held(tmp_path), pytest.raises(reload.ReloadError, match="wang"):  # the worker has the newer
        wait(tmp_path, proposal, time.monotonic(), 0.02)
    publication.drop(tmp_path, proposal)  # the log has it, late
    assert publication.proposed(tmp_path) == newer


def test_rules_that_decide_otherwise_under_the_same_version_are_named() -> None:
    change = msgspec.structs.replace
    before, (creep, *others) = rules(), rules(15.0)
    said = change(creep.title, en="another")

    def found(after: Rule) -> Difference:
        return difference(Bundle(site=site(), rules=before), Bundle(site=site(), rules=(after, *others)))

    assert unraised_in(found(creep)) == ("creep",)
    assert lines(found(creep))[1:] == ["rules that decide otherwise under the same version: 1 (creep)"]
    assert unraised_in(found(change(creep, version=2))) == (), "raised"
    assert unraised_in(found(change(before[0], title=said))) == (), "it decides as before"
    assert unraised_in(difference(Bundle(site=site(), rules=before), Bundle(site=site(), rules=before))) == ()


def test_what_is_withdrawn_or_replaced_since_it_was_opened_is_not_held(tmp_path: Path) -> None:
    one = publication.propose(tmp_path, b"one", "s", "a", "", 1.0)
    with publication.held(tmp_path) as file, publication.held(tmp_path) as other:
        assert file is not None and other is None
        assert publication.withdraw(tmp_path, one) is False
    assert publication.withdraw(tmp_path, one) and not (tmp_path / publication.PROPOSED).exists()
    with publication.held(tmp_path) as file:
        assert file is None


def test_a_newer_proposal_outlasts_the_adoption_of_the_one_before(folder: Path, data: Path, edit: Edit) -> None:
    edit("areas/slopes.yaml", "soil: 2", "soil: 3")
    first = reload.prepare(folder, data)
    reload.propose(data, first, "test")
    taken = publication.proposed(data)
    assert taken is not None
    edit("areas/slopes.yaml", "soil: 3", "soil: 4")
    second = reload.prepare(folder, data)
    reload.propose(data, second, "test")
    publication.adopt(data, taken)
    assert publication.version(data) == first.version
    left = publication.proposed(data)
    assert left is not None and left.packed == second.packed
    publication.adopt(data, taken)  # tried once more: what differs is what differed
    assert shelf.listed(data)[0].difference == ("points added: 1 (slope-01-soil-3)",)
    take_up(data)
    assert publication.version(data) == second.version and not (data / publication.PROPOSED).exists()


def test_two_reloads_at_once_are_one_too_many(folder: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "TURN", 0.02)
    with reload.alone(data), pytest.raises(reload.ReloadError, match="another reload"):
        reload.reload(folder, data, "test")


def test_the_difference_names_what_was_added_removed_changed_and_renamed() -> None:
    before = Bundle(site=site(), rules=rules())
    after = Bundle(site=renamed(site()), rules=rules(threshold=30.0)[:2])
    found = difference(before, after)
    assert found["points"].renamed == {"p0": "q0"} and found["points"].changed == ("p3",)
    assert found["areas"].renamed == {"a0": "b0"} and not found["areas"].added
    assert (found["rules"].changed, found["rules"].removed) == (("creep",), ("silent",))
    assert difference(before, before) == {}


def test_a_process_is_told_of_each_version_once_and_survives_what_breaks(data: Path, folder: Path, edit: Edit) -> None:
    told: list[Bundle] = []
    following = Following(data, publication.version(data), told.append)
    following.look()
    assert told == []
    edit("areas/slopes.yaml", "soil: 2", "soil: 3")
    prepared = reload.prepare(folder, data)
    reload.propose(data, prepared, "test")
    take_up(data)
    following.look()
    following.look()
    assert [one.site.version for one in told] == [prepared.content.site.version]
    assert following.version == prepared.version == bundle.version_of(publication.read(data))
    (data / publication.FILE).unlink()
    following.look()

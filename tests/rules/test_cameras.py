"""Rules on cameras: what their health does to conditions, by news and by the clock."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from rules.cameras import MAX_SOURCES
from rules.compiler import CompileError, compile_rules
from rules.evaluation import Change, Evaluator
from rules.rule import RuleTest, Where, encode_decision
from rules.vectors import VectorError, run
from sensors.observation import BAD, HISTORICAL, SIMULATED, CameraEvent, CameraHealth, SourceState
from sensors.site import Camera, Site
from tests.rules.stage import NO_TEXT, Bank, a_point, a_rule, a_site

T = 1_000_000.0


def site_of(*cameras: Camera) -> Site:
    made = cameras or (
        Camera(id="cam", name=NO_TEXT, areas=("a",), stream="rtsp://cam"),
        Camera(id="quiet", name=NO_TEXT, areas=("b", "a"), tags=("old",)),
    )
    return msgspec.structs.replace(a_site(a_point("p")), cameras=made)


class Scene:
    """An evaluator with one rule on cameras, and a clock."""

    def __init__(self, when: str = "fault('any')", site: Site | None = None, **fields: Any) -> None:
        self.site = site or site_of()
        self.rule = a_rule(when=when, scope="camera", **fields)
        self.evaluator = self.make()

    def make(self) -> Evaluator:
        return Evaluator(compile_rules((self.rule,), self.site, self.site.points), Bank(1))

    def health(self, at: float, *faults: str, camera: str = "cam", **more: Any) -> list[tuple[str, int]]:
        told = CameraHealth(
            area="a", camera=camera, time=T + at, received=T + at, faults=dict.fromkeys(faults, 0.8), **more
        )
        return levels(self.evaluator.health(told, T + at))

    def gone(self, at: float, state: str = "offline", camera: str = "cam", **more: Any) -> list[tuple[str, int]]:
        told = SourceState(
            area="a", source="frigate:x", state=state, time=T + at, received=T + at, cameras=(camera,), **more
        )
        return levels(self.evaluator.cameras_of_source(told, T + at))

    def tick(self, at: float) -> list[tuple[str, int]]:
        return levels(self.evaluator.tick(T + at))


def levels(changes: list[Change]) -> list[tuple[str, int]]:
    return [(change.scope, change.after) for change in changes]


def test_a_fault_raises_its_camera_and_its_end_clears_it() -> None:
    scene = Scene()
    assert scene.health(0) == []
    assert scene.health(1, "black") == [("cam", 2)]
    assert scene.health(2, "black", "blur") == []
    assert scene.health(3) == [("cam", 0)]


def test_only_the_named_fault_counts() -> None:
    scene = Scene("fault('black')")
    assert scene.health(1, "blur", "cover") == []
    assert scene.health(2, "black") == [("cam", 2)]


@pytest.mark.parametrize(
    ("fault", "still"),
    [("blur", True), ("cover", True), ("shift", True), ("black", False), ("freeze", False), ("overexposed", False)],
)
def test_a_view_that_cannot_be_judged_clears_only_what_can_be_told_of_it(fault: str, still: bool) -> None:
    scene = Scene(f"fault('{fault}')")
    scene.health(1, fault)
    assert scene.health(2, judged=False) == ([] if still else [("cam", 0)])
    assert scene.health(3) == ([("cam", 0)] if still else [])


def test_what_was_wrong_before_the_signal_was_lost_stays_until_the_picture_is_back() -> None:
    scene = Scene("fault('black')")
    scene.health(1, "black")
    assert scene.health(2, "loss", judged=False) == []
    assert scene.health(3) == [("cam", 0)]


def test_not_a_fault_needs_to_be_known() -> None:
    scene = Scene("not fault('black') and judged")
    assert scene.tick(1) == []
    assert scene.health(2, judged=False) == []
    assert scene.health(3) == [("cam", 2)]


def test_delays_run_by_the_clock_without_further_news() -> None:
    scene = Scene("fault('black')", **{"for": 30, "clear_after": 20})
    scene.health(0, "black")
    assert [scene.tick(at) for at in (10, 29)] == [[], []]
    assert scene.tick(30) == [("cam", 2)]
    scene.health(40)
    assert scene.tick(59) == []
    assert scene.tick(60) == [("cam", 0)]


def test_silence_alarms_by_the_clock_only_where_something_is_expected() -> None:
    scene = Scene("age > 60 s")
    assert scene.tick(0) == []
    assert scene.tick(61) == [("cam", 2)], "it has a stream and was never heard of"
    assert scene.health(62) == [("cam", 0)]
    assert scene.health(64, camera="quiet") == []
    assert scene.tick(110) == []
    assert scene.tick(130) == [("cam", 2), ("quiet", 2)], "heard once by our own process"
    assert scene.health(131) == [], "nothing new but that it was heard, which the clock looks at"
    assert scene.tick(132) == [("cam", 0)]


def test_a_dialect_that_tells_changes_only_is_not_silent() -> None:
    scene = Scene("age > 60 s")
    scene.health(0, camera="quiet", source="onvif")
    scene.health(0)
    assert scene.tick(59) == []
    assert scene.tick(600) == [("cam", 2)]


def test_another_source_does_not_hide_that_our_own_process_is_silent() -> None:
    scene = Scene("age > 60 s")
    scene.health(0)
    assert scene.health(50, source="frigate:detect") == []
    assert scene.tick(61) == [("cam", 2)]


def test_of_too_many_sources_one_without_faults_is_forgotten_and_never_our_own() -> None:
    scene = Scene()
    scene.health(0, "black")
    scene.health(1, "loss", source="onvif:SignalLoss")
    for number in range(2 * MAX_SOURCES):
        scene.health(2 + number, source=f"onvif:{number}")
    assert scene.evaluator.cameras.faults(0) == ["loss", "black"]
    for number in range(2 * MAX_SOURCES):
        scene.health(100 + number, "blur", source=f"other:{number}")
    assert scene.evaluator.cameras.faults(0) == ["black", "blur"], "of those that hold a fault the longest unheard"


def test_time_in_which_nobody_listened_is_no_silence() -> None:
    scene = Scene("age > 60 s")
    scene.health(0)
    scene.tick(1)
    scene.evaluator.pause(T + 1, T + 3600)
    assert scene.tick(3600) == []
    assert scene.tick(3630) == []
    assert scene.tick(3662) == [("cam", 2)]


def test_a_stamp_of_the_future_hides_no_silence() -> None:
    scene = Scene("age > 60 s")
    told = CameraHealth(area="a", camera="cam", time=T + 9e6, received=T + 9e6)
    scene.evaluator.health(told, T)
    assert scene.tick(0) == []
    assert scene.tick(61) == [("cam", 2)]


def test_a_clock_that_was_set_back_makes_nothing_old_or_unheard() -> None:
    scene = Scene("age > 60 s or fault('black')")
    scene.health(0)
    scene.tick(1)
    scene.evaluator.step(-600.0)
    assert scene.tick(-590) == []
    assert scene.health(-589, "black") == [("cam", 2)], "its time is not taken for an old one"


def test_old_news_of_one_source_does_not_undo_new_ones() -> None:
    scene = Scene()
    scene.health(10, "black")
    assert scene.health(5) == []
    assert scene.health(11) == [("cam", 0)]


def test_a_fault_is_there_while_any_source_says_so() -> None:
    scene = Scene("fault('cover')")
    assert scene.health(1, "cover", source="onvif") == [("cam", 2)]
    assert scene.health(2) == []
    assert scene.health(3, source="onvif") == [("cam", 0)]


def test_an_offline_source_is_loss_until_it_or_the_camera_is_back() -> None:
    scene = Scene("fault('loss')")
    assert scene.gone(1) == [("cam", 2)]
    assert scene.gone(2, "online") == [("cam", 0)]
    assert scene.gone(3) == [("cam", 2)]
    seen = CameraEvent(area="a", camera="cam", kind="person", event="e", time=T + 4, received=T + 4)
    assert levels(scene.evaluator.event(seen, T + 4)) == [("cam", 0)]
    assert scene.gone(5, camera="elsewhere") == []


def test_history_and_bad_news_are_left_out() -> None:
    scene = Scene()
    assert scene.health(1, "black", quality=HISTORICAL) == []
    assert scene.health(2, "black", quality=BAD) == []
    assert scene.gone(3, quality=HISTORICAL) == []


def test_a_simulated_fault_makes_a_simulated_change_and_ends_no_real_one() -> None:
    scene = Scene("fault('black')")
    told = CameraHealth(area="a", camera="cam", time=T, received=T, faults={"black": 1.0}, quality=SIMULATED)
    (change,) = scene.evaluator.health(told, T)
    assert (change.after, change.simulated) == (2, True)
    real = CameraHealth(area="a", camera="cam", time=T + 1, received=T + 1, faults={"black": 1.0})
    (change,) = scene.evaluator.health(real, T + 1)
    assert (change.before, change.after, change.simulated) == (2, 2, False)
    over = msgspec.structs.replace(told, time=T + 2, faults={})
    assert scene.evaluator.health(over, T + 2) == []
    assert scene.health(3) == [("cam", 0)]


def test_the_reasons_name_the_camera_and_what_is_wrong() -> None:
    scene = Scene()
    told = CameraHealth(area="a", camera="cam", time=T, received=T, faults={"black": 0.9, "cover": 0.4})
    (change,) = scene.evaluator.health(told, T)
    assert change.why is not None
    assert (change.scope, change.area, change.why.cameras, change.why.points) == ("cam", "a", ("cam",), ())
    assert [(term.name, term.value) for term in change.why.terms] == [
        ("fault('any')", 1.0),
        ("fault('black')", 1.0),
        ("fault('cover')", 1.0),
    ]
    assert [term.name for term in change.why.clear_terms] == ["not fault('any')"]


@pytest.mark.parametrize(
    ("where", "covered"),
    [
        ({}, {"cam", "quiet"}),
        ({"cameras": ["c*"]}, {"cam"}),
        ({"areas": ["a"]}, {"cam"}),  # the home area is what counts
        ({"tags": ["old"]}, {"quiet"}),
        ({"without_tags": ["old"]}, {"cam"}),
        ({"types": ["river"]}, set()),
    ],
)
def test_a_rule_covers_the_cameras_it_names(where: dict[str, Any], covered: set[str]) -> None:
    scene = Scene(where=where)
    book = scene.evaluator.book
    assert {book.scope(n) for n in range(book.instances)} == covered


def test_a_camera_lives_in_the_partition_of_its_home_area() -> None:
    site = site_of()
    book = compile_rules((a_rule(when="fault('any')", scope="camera"),), site, site.points, {"b"})
    assert [book.scope(n) for n in range(book.instances)] == ["quiet"]


def test_figures_of_the_area_stand_beside_a_cameras_own() -> None:
    scene = Scene("fault('any') and area.max(level.value) > 5")
    scene.health(0, "black")
    assert scene.tick(1) == []
    row, at = np.array([0]), np.array([T + 2])
    scored = type("Scored", (), {"score": np.zeros(1), "alarm": np.zeros(1, bool)})()
    scene.evaluator.readings(row, at, np.array([9.0]), np.zeros(1, np.uint8), at, scored, T + 2)
    assert scene.tick(3) == [("cam", 2)]


@pytest.mark.parametrize(
    ("scope", "when", "message"),
    [
        ("camera", "value > 5", "a rule on cameras has no 'value'"),
        ("camera", "rate('10m') > 1 1/h", "a rule on cameras has no 'rate'"),
        ("camera", "beyond('red')", "a rule on cameras has no 'beyond'"),
        ("point", "fault('black')", "'fault' is a camera's"),
        ("area", "judged", "'judged' is a camera's"),
        ("camera", "fault('fog')", "fault(…) takes loss, black"),
        ("camera", "fault", "write fault('black')"),
        ("camera", "area.any(fault('black'))", "speaks of one camera"),
    ],
)
def test_what_a_scope_does_not_have_is_refused(scope: str, when: str, message: str) -> None:
    site = site_of()
    with pytest.raises(CompileError) as caught:
        compile_rules((a_rule(when=when, scope=scope),), site, site.points)
    assert message in str(caught.value)


def test_state_is_restored_also_into_another_order_of_cameras() -> None:
    scene = Scene("fault('black') or age > 60 s", **{"for": 10})
    scene.health(0, "black", camera="quiet")
    scene.health(3)
    scene.tick(4)
    state = scene.evaluator.state()
    turned = Scene("fault('black') or age > 60 s", site_of(*reversed(scene.site.cameras)), **{"for": 10})
    assert turned.evaluator.restore(state) == []
    for one in (scene, turned):
        assert one.tick(9) == []
        assert one.tick(10) == [("quiet", 2)]
        assert one.health(11, "black", camera="quiet") == []
        assert one.tick(64) == []
        assert one.tick(74) == [("cam", 2)]


def test_a_raised_camera_that_is_gone_is_withdrawn() -> None:
    scene = Scene()
    scene.health(1, "black")
    other = Scene(site=site_of(scene.site.cameras[1]))
    (gone,) = other.evaluator.restore(scene.evaluator.state())
    assert (gone.rule, gone.scope, gone.area, gone.level) == ("r", "cam", "a", 2)


UNREAD = site_of(*(msgspec.structs.replace(one, stream=None) for one in site_of().cameras))


def after_reload(scene: Scene, site: Site) -> tuple[Scene, list[tuple[str, int]]]:
    """Put another version of the site in force; give what is withdrawn for it."""
    other = Scene("fault('any') or age > 60 s", site)
    gone = other.evaluator.restore(scene.evaluator.state())
    return other, [(one.scope, one.level) for one in gone]


def test_what_our_process_said_of_a_camera_that_it_reads_no_more_is_withdrawn() -> None:
    scene = Scene("fault('any') or age > 60 s")
    scene.tick(0)
    assert scene.health(1, "black") == [("cam", 2)]
    other, withdrawn = after_reload(scene, UNREAD)
    assert withdrawn == [("cam", 2)]
    assert other.evaluator.cameras.faults(0) == []
    assert [other.tick(at) for at in (100, 5000)] == [[], []], "nothing is expected of it, so it is not silent"
    assert other.health(5001, "black") == [("cam", 2)], "given to our process on its command line"
    assert other.health(5002) == [("cam", 0)]
    assert other.tick(5100) == [("cam", 2)], "from then on something is expected"


def test_the_silence_of_a_camera_that_is_read_no_more_is_withdrawn() -> None:
    scene = Scene("fault('any') or age > 60 s")
    assert [scene.tick(at) for at in (0, 61)] == [[], [("cam", 2)]]
    other, withdrawn = after_reload(scene, UNREAD)
    assert withdrawn == [("cam", 2)]
    assert other.tick(100) == []


def test_what_others_say_of_a_camera_that_is_read_no_more_stays() -> None:
    scene = Scene("fault('any') or age > 60 s")
    scene.health(1, "black")
    scene.health(2, "blur", source="onvif")
    other, withdrawn = after_reload(scene, UNREAD)
    assert withdrawn == [] and other.evaluator.cameras.faults(0) == ["blur"]


@pytest.mark.parametrize("changed", [site_of(), UNREAD])
def test_a_restart_forgets_nothing_of_cameras_whether_the_site_has_them_read_or_not(changed: Site) -> None:
    scene = Scene("fault('any') or age > 60 s", changed)
    scene.tick(0)
    assert scene.health(1, "black") == [("cam", 2)]
    other, withdrawn = after_reload(scene, changed)
    assert withdrawn == [] and other.evaluator.cameras.faults(0) == ["black"]
    assert other.tick(100) == []
    assert other.health(101) == [("cam", 0)]
    assert other.tick(170) == [("cam", 2)]


def test_what_was_let_go_is_not_taken_up_by_a_restart() -> None:
    scene = Scene("fault('any') or age > 60 s")
    scene.health(1, "black")
    once, _ = after_reload(scene, UNREAD)
    twice, withdrawn = after_reload(once, UNREAD)
    assert withdrawn == [] and twice.evaluator.cameras.faults(0) == []
    assert twice.tick(5000) == []


def test_rules_without_cameras_hash_as_they_did_before_there_were_any() -> None:
    plain = a_rule(when="value > 5", where={"quantity": "level", "tags": ["x"]})
    assert b"cameras" not in encode_decision(plain)
    assert encode_decision(plain).count(b"without_tags") == 1
    named = msgspec.structs.replace(plain, where=Where(cameras=("c*",)))
    assert b"cameras" in encode_decision(named)


def test_a_rules_own_test_says_what_the_camera_shows() -> None:
    rule = a_rule(when="fault('blur')", scope="camera", where={"cameras": ["gate-*"]}, **{"for": 60})
    test = RuleTest(name="t", camera="none*2 blur+cover*3 unjudged none", step=30, expect="none*4 yellow*2 none")
    assert run(rule, test, site_of()) == []
    assert run(rule, msgspec.structs.replace(test, expect="none*7"), site_of())


@pytest.mark.parametrize(
    ("camera", "scope", "message"),
    [
        ("none fog", "camera", "'fog' is nothing that a camera shows"),
        ("", "camera", "is tested by what a camera shows"),
        ("none*3", "point", "is tested by what a camera shows"),
        ("none*99999", "camera", "more than 10,000 steps"),
    ],
)
def test_a_test_that_cannot_run_says_why(camera: str, scope: str, message: str) -> None:
    rule = a_rule(when="fault('blur')" if scope == "camera" else "value > 1", scope=scope)
    with pytest.raises(VectorError, match=message):
        run(rule, RuleTest(name="t", camera=camera, expect="none"), site_of())


def test_a_rule_that_takes_force_under_a_standing_fault_is_raised_at_the_next_tick() -> None:
    scene = Scene("fault('black')")
    assert scene.tick(0) == []
    assert scene.health(1, "black") == [("cam", 2)]
    before, state = scene.evaluator.book, scene.evaluator.state()
    scene.rule = a_rule("new", when="fault('black') or fault('freeze')", scope="camera")
    scene.evaluator = scene.make()
    scene.evaluator.restore(state)
    scene.evaluator.look_anew(before)
    assert scene.health(2, "black") == []  # nothing that was not said before
    assert scene.tick(3) == [("cam", 2)]
    assert scene.tick(4) == []

"""Topics watched in little memory."""

from __future__ import annotations

import sys

from sensors.adoption.watch import LOOKED_AT, Watch

NOW = 1_763_900_000.0


def test_values_times_units_and_the_interval_are_kept() -> None:
    watch = Watch()
    for number in range(10):
        payload = b'{"v": %d, "ts": %d, "unit": "mm"}' % (number, (NOW + number) * 1000)
        watch.hear("a", payload, NOW + 9.8 * number)
    sketch = watch.sketches["a"]
    assert (sketch.count, sketch.kind, sketch.interval) == (10, "json", 10.0)
    assert (sketch.numbers["v"].low, sketch.numbers["v"].high) == (0.0, 9.0)
    assert (sketch.times, sketch.units) == ({"ts": "ms"}, {"": "mm"})


def test_stored_copies_say_nothing_of_how_often_it_comes() -> None:
    watch = Watch()
    watch.hear("a", b"1", NOW, retained=True)
    assert watch.sketches["a"].stored and watch.sketches["a"].interval is None
    for number in range(4):
        watch.hear("a", b"1", NOW + 50 + 60 * number)
    assert not watch.sketches["a"].stored and watch.sketches["a"].interval == 60.0


def test_a_flood_of_topics_is_counted_and_not_kept() -> None:
    watch = Watch(most=50)
    for number in range(1_000):
        watch.hear(f"flood/{number}", b"1", NOW)
    watch.hear("x" * 2_000, b"1", NOW)
    assert len(watch.sketches) == 50 and watch.unwatched == 951


def test_a_topic_is_looked_into_a_few_times_and_never_grows() -> None:
    watch = Watch()
    for number in range(500):
        fields = ",".join(f'"f{number}x{k}": {k}' for k in range(60))
        watch.hear("a", b"{%s}" % fields.encode(), NOW + number)
    sketch = watch.sketches["a"]
    assert (sketch.count, sketch.looked, len(sketch.numbers)) == (500, LOOKED_AT, 64)
    assert sys.getsizeof(sketch.numbers) < 20_000

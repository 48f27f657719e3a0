import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.observation import (
    CameraEvent,
    Command,
    Observation,
    Publication,
    Report,
    Tick,
    decode,
    encode,
    is_publication,
)


@pytest.mark.parametrize(
    "observation",
    [
        Tick(time=1.5),
        CameraEvent(area="a", camera="c", kind="debris", event="1", time=1.0, received=2.0, zones=("z",)),
        Command(id="1", kind="acknowledge", target="i", area="a", actor="user:li", time=3.0, args={"note": "好"}),
        Report(id="r", area="a", category="crack", time=1.0, received=1.0),
        Publication(version="v", bundle=b"\0", author="li", reason="first", time=0.0),
    ],
)
def test_an_observation_comes_back_as_it_went(observation: Observation) -> None:
    assert decode(encode(observation)) == observation
    assert is_publication(encode(observation)) is isinstance(observation, Publication)


@given(st.binary(max_size=100))
def test_other_bytes_are_refused(record: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(record)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.steps import finished
from streams import bundle
from streams.bundle import Bundle, BundleError
from tests.streams.small_site import rules, site


def test_a_bundle_comes_back_as_it_went_and_its_version_is_its_content() -> None:
    content = Bundle(site=site(), rules=rules())
    packed = bundle.pack(content)
    assert bundle.unpack(packed) == content
    assert bundle.version_of(packed) == bundle.version_of(bundle.pack(content))
    assert bundle.version_of(packed) != bundle.version_of(bundle.pack(Bundle(site=site(), rules=rules(1.0))))


@given(st.binary(max_size=100))
def test_other_bytes_are_refused(packed: bytes) -> None:
    with pytest.raises(BundleError):
        bundle.unpack(packed)


def test_a_cut_bundle_is_refused() -> None:
    packed = bundle.pack(Bundle(site=site(), rules=rules()))
    with pytest.raises(BundleError):
        bundle.unpack(packed[:-3])


def test_a_bundle_that_swells_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = bundle.pack(Bundle(site=site(points=100), rules=rules()))
    monkeypatch.setattr(bundle, "MAX_BYTES", 100)
    with pytest.raises(BundleError, match="too large"):
        bundle.unpack(packed)


def test_a_bundle_in_steps_is_the_same_and_what_is_known_of_it_is_not_decoded_again() -> None:
    content = Bundle(site=site(points=100), rules=rules(), models=(b"m",), triage=b"")
    found, known = finished(bundle.unpacking(bundle.pack(content), bundle.Known()))
    assert found == content
    again, _ = finished(bundle.unpacking(bundle.pack(Bundle(site=site(points=100), rules=rules()[1:])), known))
    assert again == Bundle(site=site(points=100), rules=rules()[1:])
    assert again.site is found.site
    assert all(one is other for one, other in zip(again.rules, found.rules[1:], strict=True))


def test_what_is_no_bundle_is_none_in_steps_either() -> None:
    packed = bundle.pack(Bundle(site=site(), rules=rules()))
    for wrong in (b"", b"x", packed[:-3], packed[:40]):
        with pytest.raises(BundleError):
            finished(bundle.unpacking(wrong, bundle.Known()))

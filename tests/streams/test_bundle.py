import pytest
from hypothesis import given
from hypothesis import strategies as st

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

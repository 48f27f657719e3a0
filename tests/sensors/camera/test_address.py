from __future__ import annotations

import pytest

from sensors.camera.address import AddressError, parsed


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("http://10.0.0.9/snap.jpg", "10.0.0.9", None),
        ("https://viewer:pa%2Fss@cam.example:8443/snap.jpg?channel=1", "cam.example", 8443),
        ("http://[fe80::1]:80/snap.jpg", "fe80::1", None),
    ],
)
def test_an_address_is_parsed(address: str, host: str, port: int | None) -> None:
    url = parsed(address)
    assert (url.host, url.port) == (host, port)


def test_signs_in_a_password_may_be_written_as_percent() -> None:
    assert parsed("http://viewer:pa%2Fs%40s@cam/").password == "pa/s@s"


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://viewer:hush/ss@10.0.0.9/snap.jpg", "as %2F"),
        ("http://cam:hush/x.jpg", "cannot be parsed"),
        ("http://hush.\u200bexa mple..com/x.jpg", "cannot be parsed"),
        ("http://cam/hush\x7f.jpg", "cannot be parsed"),
        ("http://cam/" + "hush" * 50_000, "cannot be parsed"),
        ("http://cam:99999/hush.jpg", "is 1 to 65535"),
        ("http://cam:0/hush.jpg", "is 1 to 65535"),
        ("http:///hush.jpg", "names no host"),
        ("https://", "names no host"),
        ("rtsp://hush/1", "begins with http"),
        ("hush", "begins with http"),
    ],
)
def test_an_address_at_which_nobody_can_ask_is_said_without_quoting_it(address: str, says: str) -> None:
    with pytest.raises(AddressError, match=says) as caught:
        parsed(address)
    assert "hush" not in str(caught.value)

from __future__ import annotations

import pytest

from sensors.camera.viewer import mistakes, viewer_of
from sensors.site import Camera, Text


@pytest.mark.parametrize(
    "template",
    [
        "",
        "https://video.example/{camera}",
        "http://10.0.0.9:8080/live?id={source}&area={area}",
        "rtsp://nvr.example/{camera}",
        "web+vms://platform/{camera}",
    ],
)
def test_an_address_with_its_place_holders_is_good(template: str) -> None:
    assert list(mistakes(template)) == []


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("javascript:alert(1)", "begins with"),
        ("data:text/html,{camera}", "begins with"),
        ("//video.example/{camera}", "begins with"),
        ("{camera}://video.example/", "begins with"),
        ("https:///{camera}", "names its host"),
        ("https://{camera}.example/", "names its host"),
        ("https://user:pass@video.example/", "no user and password"),
        ("https://video.example/{time}", "unknown place-holder '{time}'"),
        ("https://video.example/{camera", "stand around"),
        ("https://video.example/a b", "no blanks"),
        ('https://video.example/"onclick', "no blanks"),
        ("https://video.example:port/", "no address"),
        ("https://[video/", "no address"),
        ("https://video.example/" + "x" * 500, "500 characters"),
    ],
)
def test_an_address_that_is_none_or_does_harm_is_refused(template: str, said: str) -> None:
    assert any(said in message for message in mistakes(template))


def test_what_is_filled_in_is_quoted() -> None:
    camera = Camera(id="a&b/c", name=Text(zh="", en=""), areas=("x y",), viewer="https://v.example/{camera}?{area}")
    assert viewer_of(camera) == "https://v.example/a%26b%2Fc?x%20y"
    assert viewer_of(Camera(id="a", name=Text(zh="", en=""), areas=("x",))) is None

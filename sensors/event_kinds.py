"""The kinds of camera events that a site can be expected to hear of: its dialects' own, renamed ones, usual labels."""

from __future__ import annotations

from sensors.site import Site

FRIGATE = (
    "alert", "detection",  # its reviews
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "street sign", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "backpack", "umbrella", "handbag", "suitcase", "bottle", "knife", "chair", "cell phone", "face",
    "license_plate", "package", "bark", "fire_alarm", "scream", "speech", "yell",
)  # fmt: skip
"""Labels of Frigate's models as they are delivered, of sounds as well, as far as somebody would watch for them.

https://docs.frigate.video/configuration/objects, https://docs.frigate.video/configuration/audio_detectors
"""

WATCHED = ("debris", "fire", "smoke", "flood", "fall", "fight", "crowd", "helmet", "vest", "vehicle")
"""Labels that models trained for what Foreshock watches usually have."""


def known_kinds(site: Site) -> frozenset[str]:
    """Name the kinds of events that a site's dialects tell of, or may well: not those of its own analytics alone."""
    from sensors.dialects import dwell, gb28181, onvif  # here: who only reads rules hears no cameras

    maps = [one.kinds for one in site.signals.onvif] + [one.kinds for one in site.signals.gb28181]
    renamed = [kind for kinds in maps for kind in kinds.values() if kind]
    told = (*onvif.KINDS.values(), *gb28181.KINDS.values(), dwell.KIND)
    return frozenset((*told, *renamed, *FRIGATE, *WATCHED))

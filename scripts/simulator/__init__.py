"""A district that behaves believably, over real MQTT."""

FILMED = {"landslide": "slope-01-cam-1"}
"""Which camera of which scene there is a film for."""

"""A district that behaves believably, over real MQTT."""

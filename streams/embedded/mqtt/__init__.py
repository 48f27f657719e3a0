"""A small MQTT broker that takes packets in bulk and acknowledges a message once it is safe."""

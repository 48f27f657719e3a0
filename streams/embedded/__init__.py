"""One machine: the sqlite:// log for Faust and the MQTT broker child."""

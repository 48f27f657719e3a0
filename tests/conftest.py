"""Settings of all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# How long an example takes to be made says how busy the machine is, nothing of what is tested.
settings.register_profile("foreshock", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("foreshock")

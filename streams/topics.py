"""The topics of the log, named once."""

from __future__ import annotations

OBSERVATIONS = "observations"  # frames and records of sensors.observation; partition by group of areas
OUTCOMES = "outcomes"  # records of alerts.outcome, same partition as what they come from
SCORES = "scores"  # columns of streams.history.columns, same partition
QUARANTINE = "quarantine"  # what was refused, why, and the raw bytes; one partition
SITE = "site"  # of a cluster: what is in force, under one key; for runs that join, see streams.joining
SNAPSHOTS = "snapshots"  # engine state in chunks, compacted, same partition

# Pseudo-topics that only the hub carries, never the log.
JOURNAL = "journal"  # {"position": n}: the journal has moved on
PULSE = "pulse"  # the worker's figures, once a second

GROUP = "foreshock"  # the group of consumers whose commits say how far the engine is

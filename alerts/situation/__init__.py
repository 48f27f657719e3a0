"""Situation reports: what a day, a week or a month came to in a place, from the journal, as figures and on paper."""

from __future__ import annotations

from alerts.situation.facts import Facts, gather
from alerts.situation.period import PERIODS, Period, Span, latest, span_of
from alerts.situation.report import report, reported

__all__ = ["PERIODS", "Facts", "Period", "Span", "gather", "latest", "report", "reported", "span_of"]

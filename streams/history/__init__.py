"""Readings and scores kept for charts."""

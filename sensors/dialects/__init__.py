"""Payload dialects, one module each with the same three functions."""

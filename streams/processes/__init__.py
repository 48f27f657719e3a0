"""The processes of a run: each a small main that composes one part of the product."""

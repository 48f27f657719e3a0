"""The commands of `foreshock`, one module a subject."""

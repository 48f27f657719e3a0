"""The figures of processes, under the name that `streams.worker` imports them by."""

from streams.figures import read_figures, write_figures

__all__ = ["read_figures", "write_figures"]

"""A lock of a PostgreSQL database, that goes with the connection that holds it, and so with its process."""

from __future__ import annotations

import logging
from typing import Self

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from alerts.queries import open_engine

logger = logging.getLogger(__name__)

OURS = 5_277_835
"""What tells our locks from those of others who use the database."""


class Lock:
    """Take the lock of a number, if nobody has it. For one thread at a time; as a context it is let go at the end."""

    def __init__(self, url: str, number: int) -> None:
        self._engine = open_engine(url, readonly=False)
        self._number = number
        self._connection: sa.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take(self) -> bool:
        """Try once; False also when the database cannot be asked."""
        number = self._number - (1 << 32) if self._number >= 1 << 31 else self._number  # of 32 bits, signed
        try:
            if self._connection is None:
                self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            return bool(self._connection.scalar(sa.select(sa.func.pg_try_advisory_lock(OURS, number))))
        except SQLAlchemyError as error:
            logger.warning("a lock of the cluster cannot be asked for: %s", error)
            self._drop()
            return False

    def is_ours(self) -> bool:
        """Tell whether the connection that holds it still stands."""
        try:
            if self._connection is None:
                return False
            self._connection.scalar(sa.select(1))
        except SQLAlchemyError:
            self._drop()
            return False
        return True

    def close(self) -> None:
        """Let go of it: the session ends, and the lock with it."""
        self._drop()
        self._engine.dispose()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
        self._connection = None

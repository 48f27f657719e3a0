"""A producer's side of the ledger: what was sent and is not yet acknowledged."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Callable, Sequence

from streams.hub.errors import HubError, HubFullError, HubRefusedError
from streams.hub.protocol import Outgoing, Put, Refused, Written, encode

Done = Callable[[Exception | None, list[int]], None]


class Outbox:
    """Number batches and keep each until it is answered; `messages` gives all of them again, in order.

    Not thread-safe: the owner holds a lock or lives on one loop.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.producer = uuid.uuid4().hex
        self._limit = limit_bytes
        self._sequence = 0
        self._kept: OrderedDict[int, tuple[bytes, Done]] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, records: Sequence[Outgoing], done: Done) -> bytes:
        """Number a batch and return its message. Raise `HubFullError`, or `HubRefusedError` for one too large to send.

        The latter is for good: the same batch is as large when it is offered again, but its parts are not.
        """
        if self.bytes > self._limit:
            raise HubFullError(f"{len(self._kept)} batches wait for the log already")
        try:
            message = encode(Put(self._sequence, list(records)))
        except HubError as error:
            raise HubRefusedError(str(error)) from error
        self._kept[self._sequence] = (message, done)
        self._sequence += 1
        self.bytes += len(message)
        return message

    def messages(self) -> list[bytes]:
        """Return all that is not answered, oldest first."""
        return [message for message, _ in self._kept.values()]

    def written(self, reply: Written) -> tuple[Done, None, list[int]] | None:
        """Settle a batch; the caller calls the result (done, None, offsets)."""
        done = self._pop(reply.sequence)
        return None if done is None else (done, None, reply.offsets)

    def refused(self, reply: Refused) -> tuple[Done, Exception, list[int]] | None:
        """Settle a batch that was refused for good; None if it has to be sent again."""
        if reply.again:
            return None
        done = self._pop(reply.sequence)
        return None if done is None else (done, HubRefusedError(reply.message), [])

    def drain(self) -> list[Done]:
        """Forget everything and return what has to be told of it."""
        kept, self._kept, self.bytes = self._kept, OrderedDict(), 0
        return [done for _, done in kept.values()]

    def _pop(self, sequence: int) -> Done | None:
        found = self._kept.pop(sequence, None)
        if found is None:
            return None
        self.bytes -= len(found[0])
        return found[1]


__all__ = ["Done", "HubError", "Outbox"]

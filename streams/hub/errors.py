"""What can go wrong at the hub."""


class HubError(Exception):
    """Say that the hub could not do what was asked."""


class HubFullError(HubError):
    """Say that too much waits to be written; nothing of this batch was taken."""


class HubRefusedError(HubError):
    """Say that the log's owner refused the batch for good; nothing of it was written."""

    permanent = True


class HubClosedError(HubError):
    """Say that this end was closed before the batch was acknowledged; it may or may not have been written."""

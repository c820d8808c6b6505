"""What keeps an embedded store from running."""

from core.errors import QuiverError


class StoreFailed(QuiverError):
    """A store could not be started or stopped; the text says why and what to do."""

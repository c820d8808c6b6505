"""Ids that many rows name: a butt's, its archers' and its readers', each kept once.

Every row that is read brings its ids anew. A worker that remembers tens of thousands of events and
shots would keep each butt's hundreds of times.
"""

from functools import lru_cache
from uuid import UUID


@lru_cache(maxsize=16_384)
def shared(key: UUID) -> UUID:
    """The one of all equal ids that is kept."""
    return key


def shared_if_any(key: UUID | None) -> UUID | None:
    """As `shared`, of an id that may be missing."""
    return None if key is None else shared(key)

"""PostgreSQL and Valkey from their wheels: started, kept, recovered and stopped."""

from core.embedded.failure import StoreFailed
from core.embedded.stores import EmbeddedStores

__all__ = ["EmbeddedStores", "StoreFailed"]

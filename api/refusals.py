"""How the API's description tells of refusals that say when to come again."""

from typing import Any

from core.schema.envelope import Failure

RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds after which the same request is worth another try",
        "schema": {"type": "integer", "minimum": 1, "maximum": 60},
    }
}

UNAVAILABLE: dict[int | str, dict[str, Any]] = {
    503: {
        "model": Failure,
        "description": "The inbox is full or far behind, or a store does not answer",
        "headers": RETRY_AFTER,
    }
}
TOO_FAST: dict[int | str, dict[str, Any]] = {
    429: {
        "model": Failure,
        "description": "A reader with its own token sends faster than it may",
        "headers": RETRY_AFTER,
    }
}

"""What the WebSocket says that does not come from the feed."""

from collections.abc import Sequence
from datetime import datetime

import orjson
from pydantic import Field

from core.schema.leaderboard import LeaderboardRow
from core.schema.session import Session
from core.schema.shot import Shot
from core.schema.types import Boundary, rfc3339


class Snapshot(Boundary):
    """How things stand; what comes after the cursor changes it."""

    session: Session
    leaderboard: Sequence[LeaderboardRow]
    shots: Sequence[Shot] = Field(description="The arrows in the air")
    cursor: str = Field(description="The last message of the feed that it surely takes in")


def snapshot_text(snapshot: Snapshot, at: datetime) -> str:
    """The frame that a viewer begins with."""
    return _text("snapshot", at, snapshot.model_dump(mode="json"))


def heartbeat_text(at: datetime) -> str:
    """The frame that says the server is still there."""
    return _text("heartbeat", at, {})


def _text(kind: str, at: datetime, data: dict[str, object]) -> str:
    frame = {"type": kind, "ts": rfc3339(at), "request_id": None, "data": data}
    return orjson.dumps(frame).decode()

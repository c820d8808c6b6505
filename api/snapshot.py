"""How a session stands: what a viewer begins with."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from api.admission import Wish
from core.domain.ranking import criteria
from core.feed import Feed
from core.models.session import select_session
from core.models.shot import select_in_flight
from core.models.standing import select_leaderboard
from core.postgres import Connection, Pool
from core.schema.leaderboard import LeaderboardRow, leaderboard_of
from core.schema.live import Snapshot, snapshot_text
from core.schema.session import Session
from core.tasks import Shared


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a viewer's stream begins.

    Args:
        snapshot: The first frame's text; None: they know everything up to the cursor.
        cursor: After which the feed goes on.
    """

    snapshot: str | None
    cursor: str


async def read_leaderboard(conn: Connection, session: Session) -> list[LeaderboardRow]:
    """The session's slots as its round ranks them."""
    order = criteria(is_indoor=session.is_indoor, round_code=session.round_code)
    return leaderboard_of(await select_leaderboard(conn, session.id), order)


async def read_snapshot(
    conn: Connection, session: Session, target_id: UUID | None, cursor: str
) -> Snapshot:
    """The session as it stands.

    Args:
        conn: Where to ask.
        session: Which.
        target_id: Only arrows in the air at this target; the leaderboard is always the session's.
        cursor: The feed's, read before: so what is missed here comes after it.
    """
    return Snapshot(
        session=session,
        leaderboard=await read_leaderboard(conn, session),
        shots=await select_in_flight(conn, session.id, target_id),
        cursor=cursor,
    )


class Openings:
    """What viewers begin with, read once for all who come at the same time.

    Args:
        pool: Where to ask.
        feed: Where they go on.
    """

    def __init__(self, pool: Pool, feed: Feed) -> None:
        self._pool = pool
        self._feed = feed
        self._anew = Shared(self._read)

    async def get(self, wish: Wish) -> Opening:
        """Where they left off, while the buffer holds what follows; else the session as it stands.

        Raises:
            NotFoundError: The session is gone.
        """
        session_id = wish.session.id
        if wish.since is not None and await self._feed.holds(session_id, wish.since):
            return Opening(None, wish.since)
        return await self._anew.get((session_id, wish.target_id))

    async def _read(self, which: tuple[UUID, UUID | None]) -> Opening:
        session_id, target_id = which
        # Before the rows are read: a change between the two is sent once more rather than never.
        cursor = await self._feed.cursor(session_id)
        async with self._pool.acquire() as conn:
            session = await select_session(conn, session_id)
            snapshot = await read_snapshot(conn, session, target_id, cursor)
        return Opening(snapshot_text(snapshot, datetime.now(UTC)), cursor)

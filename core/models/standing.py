"""Standings: each slot's sums, beside its shots."""

from collections.abc import Mapping
from uuid import UUID

from asyncpg import Record

from core.domain.ranking import Tally
from core.postgres import Connection
from core.schema.leaderboard import Standing

STANDING_SELECT_LEADERBOARD = """
SELECT slot.id AS slot_id, target.lane, slot.letter, slot.archer_id,
    archer.given_name, archer.family_name, archer.club, archer.country, slot.bowstyle,
    coalesce(standing.total, 0) AS total,
    coalesce(standing.arrows, 0) AS arrows,
    coalesce(standing.xs, 0) AS xs,
    coalesce(standing.elevens, 0) AS elevens,
    coalesce(standing.tens, 0) AS tens,
    coalesce(standing.nines, 0) AS nines,
    coalesce(standing.sixes, 0) AS sixes,
    coalesce(standing.fives, 0) AS fives
FROM slot
JOIN target ON target.id = slot.target_id
JOIN archer ON archer.id = slot.archer_id
LEFT JOIN standing ON standing.slot_id = slot.id
WHERE slot.session_id = $1
ORDER BY target.lane, slot.letter
"""

STANDING_SELECT_NAMES = """
SELECT slot.id AS slot_id, target.lane, slot.letter, slot.archer_id,
    archer.given_name, archer.family_name, archer.club, archer.country, slot.bowstyle
FROM slot
JOIN target ON target.id = slot.target_id
JOIN archer ON archer.id = slot.archer_id
WHERE slot.id = ANY ($1)
"""


async def with_names(conn: Connection, tallies: Mapping[UUID, Tally]) -> list[Standing]:
    """Sums with whose they are; without those whose slot is gone.

    Args:
        conn: Where to read.
        tallies: By slot.
    """
    rows = await conn.fetch(STANDING_SELECT_NAMES, list(tallies))
    return [_named(row, tallies[row["slot_id"]]) for row in rows]


async def select_leaderboard(conn: Connection, session_id: UUID) -> list[Standing]:
    """All slots of a session with their sums; zeros for those that have not shot yet."""
    rows = await conn.fetch(STANDING_SELECT_LEADERBOARD, session_id)
    return [_standing(row) for row in rows]


def _standing(row: Record) -> Standing:
    tally = Tally(
        slot_id=row["slot_id"],
        total=row["total"],
        arrows=row["arrows"],
        xs=row["xs"],
        elevens=row["elevens"],
        tens=row["tens"],
        nines=row["nines"],
        sixes=row["sixes"],
        fives=row["fives"],
    )
    return _named(row, tally)


def _named(row: Record, tally: Tally) -> Standing:
    return Standing(
        tally=tally,
        lane=row["lane"],
        letter=row["letter"],
        archer_id=row["archer_id"],
        given_name=row["given_name"],
        family_name=row["family_name"],
        club=row["club"],
        country=row["country"],
        bowstyle=row["bowstyle"],
    )

"""Which rules about ends apply to a session, and the ends that a judge opened in it."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from core.domain.ends import End, EndControl, EndRules
from core.models.instants import microseconds, optional_microseconds
from core.postgres import Connection

type StoredRules = Mapping[str, int | str | None]

SHOOTING_END_SELECT_OPENED = """
SELECT session_id, number, opened_at, closed_at FROM shooting_end
WHERE session_id = ANY ($1) AND control = 'manual'
ORDER BY session_id, number
"""


def control_of(stored: StoredRules) -> EndControl:
    """Who begins and ends the ends of a session with these rules."""
    return EndControl(str(stored.get("end_control") or EndControl.AUTO))


def end_rules_of(stored: StoredRules, opened: Iterable[End]) -> EndRules | None:
    """A session's rules about ends; None: none applies.

    Args:
        stored: The session's rules.
        opened: The ends that a judge opened in it.
    """
    arrows_per_end, ends = stored.get("arrows_per_end"), stored.get("ends")
    if arrows_per_end is None:
        return None
    return EndRules(
        arrows_per_end=int(arrows_per_end),
        ends=None if ends is None else int(ends),
        control=control_of(stored),
        opened=tuple(opened),
    )


async def select_opened_ends(
    conn: Connection, sessions: Mapping[UUID, StoredRules]
) -> dict[UUID, list[End]]:
    """The ends that a judge opened, by session.

    Args:
        conn: Where to read.
        sessions: The rules of some sessions; where a judge opens no ends, none is looked for.
    """
    manual = [
        session
        for session, rules in sessions.items()
        if rules.get("arrows_per_end") is not None and control_of(rules) is EndControl.MANUAL
    ]
    opened: dict[UUID, list[End]] = {}
    for row in await conn.fetch(SHOOTING_END_SELECT_OPENED, manual) if manual else ():
        end = End(
            row["number"], microseconds(row["opened_at"]), optional_microseconds(row["closed_at"])
        )
        opened.setdefault(row["session_id"], []).append(end)
    return opened

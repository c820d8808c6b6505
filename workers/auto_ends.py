"""Ends that the arrows fill by their count: kept with the shots, and told to viewers once."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from core.domain.ends import EndControl, EndRules
from core.feed import Frame, written
from core.models.auto_end import (
    AutoEnd,
    mark_ends_told,
    refresh_auto_ends,
    select_untold_ends,
)
from core.models.correlated_shot import StoredShot
from core.postgres import Connection
from core.schema.end import End
from workers.deps import Deps
from workers.windows import Window


async def keep_auto_ends(
    conn: Connection, windows: Sequence[Window], changed: Iterable[StoredShot]
) -> list[AutoEnd]:
    """Write the ends of the butts that were derived, where they differ.

    Args:
        conn: In the transaction that wrote the shots.
        windows: What was derived.
        changed: Shots that viewers see change, as they were and as they are.

    Returns:
        What is new or other than before.
    """
    rules = {window.target_id: window.placed.end_rules for window in windows}
    touched = {known.target_id for known in changed}
    # Who changes the rules or the slots of a butt has all of it derived anew.
    touched |= {w.target_id for w in windows if w.span.begin <= w.butt.opens_at}
    wanted = {t for t in touched if t not in rules or _is_auto(rules[t])}
    return await refresh_auto_ends(conn, wanted) if wanted else []


def _is_auto(rules: EndRules | None) -> bool:
    return rules is not None and rules.control is EndControl.AUTO


def opening_frames(ends: Iterable[AutoEnd]) -> list[Frame]:
    """Frames for ends that opened; they come before the first shot."""
    untold = (each.end for each in ends if not each.is_opening_told)
    return [_frame("end.opened", end.model_copy(update={"closed_at": None})) for end in untold]


def closing_frames(ends: Iterable[AutoEnd]) -> list[Frame]:
    """Frames for ends that closed; they come after the last shot."""
    untold = (each.end for each in ends if not each.is_closing_told)
    return [_frame("end.closed", end) for end in untold if end.closed_at is not None]


def _frame(kind: str, end: End) -> Frame:
    return Frame(end.session_id, kind, {"end": written(end)}, end.target_id)


async def note_told(conn: Connection, ends: Sequence[AutoEnd]) -> None:
    """Viewers were told of these: not again."""
    told: dict[UUID, AutoEnd] = {each.end.id: each for each in ends}
    if told:
        await mark_ends_told(conn, list(told.values()))


async def tell_overlooked(conn: Connection, deps: Deps, before: int) -> None:
    """Tell of ends that a crash left untold.

    Args:
        conn: In a transaction.
        deps: The worker's clients.
        before: Only what changed before this time.
    """
    ends = await select_untold_ends(conn, before)
    await deps.feed.publish([*opening_frames(ends), *closing_frames(ends)])
    await note_told(conn, ends)

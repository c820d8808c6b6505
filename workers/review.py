"""Judges told of what they must look at: `review.created` for shots and for landings that are
nobody's."""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

import orjson

from core.domain.review import Reason, is_listed, reasons_of_shot
from core.domain.values import Shot, ShotFlag
from core.feed import Frame, written
from core.models.correlated_shot import StoredShot
from core.models.instants import instant
from core.models.ruling_in_force import select_fixed
from core.models.target import select_lanes
from core.models.unmatched_landing import DueLanding, mark_told, select_due
from core.postgres import Connection
from core.schema.review import ReviewRow, UnmatchedLanding, landing_row
from workers.deps import Deps
from workers.derivation import Change
from workers.shown import told_for_review


async def review_frames(conn: Connection, changes: Iterable[Change]) -> list[Frame]:
    """Frames for the shots that a judge must look at since these changes."""
    return await listed_frames(conn, (c.after for c in changes if c.is_visible and _is_new(c)))


def _is_new(change: Change) -> bool:
    """Whether a reason to look at it is its first, or the first since a ruling was taken back."""
    before, after = change.before, change.after.shot
    if before is None or not is_listed(before.shot.status, before.shot.flags):
        return True
    was_ruled = ShotFlag.RULED in before.shot.flags
    if was_ruled and ShotFlag.RULED not in after.flags:
        return True
    # What came up after a judge had looked.
    return was_ruled and bool(_reasons(after) - _reasons(before.shot))


def _reasons(shot: Shot) -> set[Reason]:
    return set(reasons_of_shot(shot.status, shot.flags))


async def listed_frames(conn: Connection, shots: Iterable[StoredShot]) -> list[Frame]:
    """Frames for those of the shots that a judge must look at."""
    flagged = [known for known in shots if is_listed(known.shot.status, known.shot.flags)]
    ruled = [known.shot.id for known in flagged if ShotFlag.RULED in known.shot.flags]
    answered = await select_fixed(conn, ruled) if ruled else set()
    listed = [known for known in flagged if known.shot.id not in answered]
    lanes = await _lanes(conn, {known.target_id for known in listed})
    return [
        _frame(
            known.session_id,
            known.target_id,
            told_for_review(known, lanes[known.target_id]),
            known.request_id,
        )
        for known in listed
    ]


async def tell_due(conn: Connection, deps: Deps, partitions: Collection[int], as_of: int) -> None:
    """Tell of the partitions' landings whose release did not come in time.

    Args:
        conn: With the partitions locked; what it tells of is committed.
        deps: The worker's clients.
        partitions: Which.
        as_of: Now, microseconds.

    What a crash keeps from being noted as told is told again.
    """
    due = [d for d in await select_due(conn, as_of) if _is_of(d, deps, partitions)]
    if due:
        await deps.feed.publish(await _landing_frames(conn, due))
        await mark_told(conn, [each.landing.landing_event_id for each in due])


def _is_of(due: DueLanding, deps: Deps, partitions: Collection[int]) -> bool:
    return deps.inbox.partition_of(due.landing.target_id) in partitions


async def _landing_frames(conn: Connection, due: Sequence[DueLanding]) -> list[Frame]:
    lanes = await _lanes(conn, {each.landing.target_id for each in due})
    return [
        _frame(
            each.landing.session_id,
            each.landing.target_id,
            written(_row(each, lanes[each.landing.target_id])),
            each.request_id,
        )
        for each in due
    ]


def _row(due: DueLanding, lane: int) -> ReviewRow:
    landing = due.landing
    shown_landing = UnmatchedLanding(
        landing_event_id=landing.landing_event_id,
        landing_time=instant(landing.landed_at),
        x=landing.x,
        y=landing.y,
        arrow_id=landing.arrow_id,
        sigma_mm=landing.sigma_mm,
        nearest_shot_id=landing.nearest_shot_id,
        duplicates=landing.duplicates,
    )
    return landing_row(shown_landing, landing.reason, landing.target_id, lane)


def _frame(
    session_id: UUID, target_id: UUID, row: orjson.Fragment, request_id: UUID | None
) -> Frame:
    return Frame(session_id, "review.created", {"review": row}, target_id, request_id)


async def _lanes(conn: Connection, targets: Collection[UUID]) -> dict[UUID, int]:
    return await select_lanes(conn, targets) if targets else {}

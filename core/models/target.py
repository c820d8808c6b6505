"""Targets with their faces."""

from collections.abc import Collection
from uuid import UUID

from core.errors import ConflictError
from core.models.conflict import reported
from core.models.face import FACE_DELETE_OF_TARGET, replace_faces, with_kept_ids
from core.models.table import Table
from core.postgres import Connection
from core.schema.target import Target, TargetUpdate

TARGET_INSERT = """
INSERT INTO target (id, session_id, lane, distance, width_mm, height_mm)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id, session_id, lane, distance, width_mm, height_mm, created_at, updated_at,
    '[]'::jsonb AS faces
"""

TARGET_SELECT = """
SELECT target.id, target.session_id, lane, distance, width_mm, height_mm, created_at, updated_at,
    coalesce((
        SELECT jsonb_agg(
            jsonb_build_object(
                'id', face.id, 'face_type', face.face_type, 'x', face.x, 'y', face.y,
                'letter', face.letter
            ) ORDER BY face.position
        )
        FROM face WHERE face.target_id = target.id
    ), '[]') AS faces
FROM target WHERE id = $1
"""

TARGET_LOCK = "SELECT id FROM target WHERE id = $1 FOR NO KEY UPDATE"

TARGET_SELECT_PAGE = """
SELECT target.id, target.session_id, lane, distance, width_mm, height_mm, created_at, updated_at,
    coalesce((
        SELECT jsonb_agg(
            jsonb_build_object(
                'id', face.id, 'face_type', face.face_type, 'x', face.x, 'y', face.y,
                'letter', face.letter
            ) ORDER BY face.position
        )
        FROM face WHERE face.target_id = target.id
    ), '[]') AS faces
FROM target
WHERE (created_at, id) > ($1, $2) AND ($4::uuid IS NULL OR session_id = $4)
ORDER BY created_at, id
LIMIT $3
"""

TARGET_UPDATE = """
UPDATE target SET session_id = $2, lane = $3, distance = $4, width_mm = $5, height_mm = $6,
    updated_at = now()
WHERE id = $1
RETURNING id, session_id, lane, distance, width_mm, height_mm, created_at, updated_at,
    '[]'::jsonb AS faces
"""

TARGET_DELETE = "DELETE FROM target WHERE id = $1"

TARGET_SELECT_LANES = "SELECT id, lane FROM target WHERE id = ANY ($1)"

TARGETS = Table(
    resource="target",
    shown=Target,
    fields=("session_id", "lane", "distance", "width_mm", "height_mm"),
    insert=TARGET_INSERT,
    select=TARGET_SELECT,
    lock=TARGET_LOCK,
    page=TARGET_SELECT_PAGE,
    update=TARGET_UPDATE,
    delete=TARGET_DELETE,
)

TARGET_TOUCH = "UPDATE target SET updated_at = now() WHERE id = $1"

TARGET_HAS_SHOTS = """
SELECT EXISTS (SELECT FROM shot WHERE target_id = $1)
"""

TARGET_HAS_EVENTS = """
SELECT EXISTS (
    SELECT FROM reader_binding AS binding
    JOIN event ON event.reader_id = binding.reader_id
        AND event.occurred_at >= binding.valid_from AND event.occurred_at < binding.valid_to
    WHERE binding.target_id = $1 AND binding.slot_id IS NULL
)
"""

TARGET_CLEAR = (
    FACE_DELETE_OF_TARGET,
    "DELETE FROM recompute WHERE target_id = $1",
    "DELETE FROM butt_turn WHERE target_id = $1",
    "DELETE FROM unmatched_landing WHERE target_id = $1",
    "DELETE FROM shooting_end WHERE target_id = $1",
    "DELETE FROM reader_binding WHERE target_id = $1 AND slot_id IS NULL",
)


async def change_target(conn: Connection, before: Target, wish: TargetUpdate) -> Target:
    """Change what is given of a target, in the transaction that locked it.

    Raises:
        ConflictError: The lane is taken, or a face's id.
    """
    await TARGETS.change(conn, before.id, before, wish.model_dump(exclude_unset=True))
    faces = with_kept_ids(wish.faces, before.faces)
    differ = [face.model_dump() for face in faces] != [face.model_dump() for face in before.faces]
    if "faces" in wish.model_fields_set and differ:
        await replace_faces(conn, before.id, faces)
        await conn.execute(TARGET_TOUCH, before.id)
    return await TARGETS.one(conn, before.id)


async def select_lanes(conn: Connection, target_ids: Collection[UUID]) -> dict[UUID, int]:
    """The lanes of some targets."""
    rows = await conn.fetch(TARGET_SELECT_LANES, list(target_ids))
    return {row["id"]: row["lane"] for row in rows}


async def clear_target(conn: Connection, target_id: UUID) -> None:
    """Take away what belongs to a target, in the transaction that deletes it.

    Raises:
        ConflictError: Something was shot there, or a reader said something there.
    """
    if await conn.fetchval(TARGET_HAS_SHOTS, target_id):
        raise ConflictError("target: cannot be deleted: it has shots")
    if await conn.fetchval(TARGET_HAS_EVENTS, target_id):
        raise ConflictError("target: cannot be deleted: it has events of its readers")
    with reported("target", is_deletion=True):
        for statement in TARGET_CLEAR:
            await conn.execute(statement, target_id)

"""Targets with their faces."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from core.errors import ConflictError
from core.models.conflict import reported
from core.models.table import Table
from core.postgres import Connection
from core.schema.target import FaceWish, Target

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

TARGETS = Table(
    resource="target",
    shown=Target,
    fields=("session_id", "lane", "distance", "width_mm", "height_mm"),
    insert=TARGET_INSERT,
    select=TARGET_SELECT,
    page=TARGET_SELECT_PAGE,
    update=TARGET_UPDATE,
    delete=TARGET_DELETE,
)

FACE_DELETE_OF_TARGET = "DELETE FROM face WHERE target_id = $1"

FACE_INSERT = """
INSERT INTO face (id, target_id, position, face_type, x, y, letter)
SELECT * FROM unnest(
    $1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::double precision[],
    $6::double precision[], $7::text[]
)
"""

TARGET_HAS_SHOTS = """
SELECT EXISTS (SELECT FROM shot WHERE target_id = $1)
"""

TARGET_CLEAR = (
    FACE_DELETE_OF_TARGET,
    "DELETE FROM recompute WHERE target_id = $1",
    "DELETE FROM reader_binding WHERE target_id = $1 AND slot_id IS NULL",
)


async def hang_faces(conn: Connection, faces: Sequence[tuple[UUID, FaceWish]]) -> None:
    """Hang faces on targets, each target's in the order given.

    Raises:
        ConflictError: A face has an id that is taken.
    """
    positions: dict[UUID, int] = {}
    rows = []
    for target_id, face in faces:
        positions[target_id] = positions.get(target_id, -1) + 1
        face_id = face.id or uuid4()
        position = positions[target_id]
        rows.append((face_id, target_id, position, face.face_type, face.x, face.y, face.letter))
    if rows:
        with reported("target"):
            await conn.execute(FACE_INSERT, *(list(column) for column in zip(*rows, strict=True)))


async def replace_faces(conn: Connection, target_id: UUID, faces: Sequence[FaceWish]) -> None:
    """Take a target's faces down and hang others."""
    await conn.execute(FACE_DELETE_OF_TARGET, target_id)
    await hang_faces(conn, [(target_id, face) for face in faces])


async def clear_target(conn: Connection, target_id: UUID) -> None:
    """Take away what belongs to a target, in the transaction that deletes it.

    Raises:
        ConflictError: Something was shot there.
    """
    if await conn.fetchval(TARGET_HAS_SHOTS, target_id):
        raise ConflictError("target: has shots, which are never deleted")
    for statement in TARGET_CLEAR:
        await conn.execute(statement, target_id)

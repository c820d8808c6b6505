"""Faces on targets."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from core.models.conflict import reported
from core.postgres import Connection
from core.schema.target import Face, FaceWish

FACE_DELETE_OF_TARGET = "DELETE FROM face WHERE target_id = $1"

FACE_INSERT = """
INSERT INTO face (id, target_id, position, face_type, x, y, letter)
SELECT * FROM unnest(
    $1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::double precision[],
    $6::double precision[], $7::text[]
)
"""


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


def with_kept_ids(faces: Sequence[FaceWish], hanging: Sequence[Face]) -> list[FaceWish]:
    """The faces, those without an id with that of a like one that hangs there already."""
    free = [face for face in hanging if face.id not in {wish.id for wish in faces}]
    kept: list[FaceWish] = []
    for wish in faces:
        like = [f for f in free if f.model_dump(exclude={"id"}) == wish.model_dump(exclude={"id"})]
        if wish.id is None and like:
            free.remove(like[0])
            wish = wish.model_copy(update={"id": like[0].id})
        kept.append(wish)
    return kept


async def replace_faces(conn: Connection, target_id: UUID, faces: Sequence[FaceWish]) -> None:
    """Take a target's faces down and hang others.

    Raises:
        ConflictError: A face has an id that is taken.
    """
    await conn.execute(FACE_DELETE_OF_TARGET, target_id)
    await hang_faces(conn, [(target_id, face) for face in faces])

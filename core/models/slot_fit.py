"""Whether what a slot refers to belongs together."""

from core.errors import InvalidInputError
from core.postgres import Connection
from core.schema.slot import SlotCreate

SLOT_SELECT_FITS = """
SELECT
    (SELECT id FROM session WHERE id = $1) AS session_id,
    (SELECT session_id FROM target WHERE id = $2) AS targets_session_id,
    (SELECT id FROM archer WHERE id = $3) AS archer_id,
    (SELECT archer_id FROM bow WHERE id = $4) AS bows_archer_id
"""


async def check_fits(conn: Connection, slot: SlotCreate) -> None:
    """Whether what a slot refers to belongs together.

    Raises:
        InvalidInputError: There is no such thing, its target is of another session, or its bow
            another archer's.
    """
    found = await conn.fetchrow(
        SLOT_SELECT_FITS, slot.session_id, slot.target_id, slot.archer_id, slot.bow_id
    )
    assert found is not None
    for field, there in (
        ("session_id", found["session_id"]),
        ("target_id", found["targets_session_id"]),
        ("archer_id", found["archer_id"]),
        ("bow_id", found["bows_archer_id"] or slot.bow_id is None),
    ):
        if not there:
            raise InvalidInputError(f"body.{field}", f"no such {field.removesuffix('_id')}")
    if found["targets_session_id"] != slot.session_id:
        raise InvalidInputError("body.target_id", "stands in another session than the slot")
    if slot.bow_id is not None and found["bows_archer_id"] != slot.archer_id:
        raise InvalidInputError("body.bow_id", "belongs to another archer than the slot")

"""The rows of a whole field, a statement a table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core.models.face import hang_faces
from core.postgres import Connection
from core.schema.start_list import Entry, StartList, TargetMade

START_TARGET_INSERT = """
INSERT INTO target (id, session_id, lane, distance, width_mm, height_mm)
SELECT id, $1, lane, distance, $2, $3
FROM unnest($4::uuid[], $5::integer[], $6::double precision[]) AS made (id, lane, distance)
"""

START_ARCHER_INSERT = """
INSERT INTO archer (id, given_name, family_name, club, country)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
"""

START_BOW_INSERT = """
INSERT INTO bow (id, archer_id, bowstyle)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[])
"""

START_ARROW_INSERT = """
INSERT INTO arrow (id, archer_id, identifier, shaft_diameter_mm)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::double precision[])
"""

START_SLOT_INSERT = """
INSERT INTO slot (
    id, session_id, target_id, letter, archer_id, bow_id, bowstyle, shaft_diameter_mm
)
SELECT id, $1, target_id, letter, archer_id, bow_id, bowstyle, shaft_diameter_mm
FROM unnest(
    $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::double precision[]
) AS made (id, target_id, letter, archer_id, bow_id, bowstyle, shaft_diameter_mm)
"""


@dataclass(frozen=True, slots=True)
class MadeEntry:
    """An entry and the ids that it gets."""

    entry: Entry
    target_id: UUID
    slot_id: UUID
    archer_id: UUID
    bow_id: UUID
    arrow_reader_id: UUID
    bow_reader_id: UUID
    arrow_ids: tuple[UUID, ...]


async def insert_targets(
    conn: Connection, session_id: UUID, wish: StartList, targets: Sequence[TargetMade]
) -> None:
    """A target for each lane, with its faces.

    Raises:
        ConflictError: A face has an id that is taken.
    """
    lanes = wish.by_lane()
    await conn.execute(
        START_TARGET_INSERT,
        session_id,
        wish.width_mm,
        wish.height_mm,
        [target.id for target in targets],
        [target.lane for target in targets],
        [lanes[target.lane].distance for target in targets],
    )
    hung = [(target.id, face) for target in targets for face in lanes[target.lane].faces or ()]
    # An id belongs to one face: of those that hang on several lanes each gets one of its own.
    times = Counter(face.id for _, face in hung)
    own = [f if times[f.id] == 1 else f.model_copy(update={"id": None}) for _, f in hung]
    await hang_faces(conn, [(t, face) for (t, _), face in zip(hung, own, strict=True)])


async def insert_archers(conn: Connection, made: Sequence[MadeEntry]) -> None:
    """An archer and a bow for each entry."""
    await conn.execute(
        START_ARCHER_INSERT,
        [each.archer_id for each in made],
        [each.entry.given_name for each in made],
        [each.entry.family_name for each in made],
        [each.entry.club for each in made],
        [each.entry.country for each in made],
    )
    await conn.execute(
        START_BOW_INSERT,
        [each.bow_id for each in made],
        [each.archer_id for each in made],
        [each.entry.bowstyle for each in made],
    )


async def insert_arrows(conn: Connection, made: Sequence[MadeEntry]) -> None:
    """All entries' arrows, as thick as their slots have it."""
    arrows = [
        (arrow_id, each.archer_id, arrow.identifier, each.entry.shaft_diameter_mm)
        for each in made
        for arrow_id, arrow in zip(each.arrow_ids, each.entry.arrows, strict=True)
    ]
    columns = [[arrow[column] for arrow in arrows] for column in range(4)]
    await conn.execute(START_ARROW_INSERT, *columns)


async def insert_slots(conn: Connection, session_id: UUID, made: Sequence[MadeEntry]) -> None:
    """A slot for each entry."""
    await conn.execute(
        START_SLOT_INSERT,
        session_id,
        [each.slot_id for each in made],
        [each.target_id for each in made],
        [each.entry.letter for each in made],
        [each.archer_id for each in made],
        [each.bow_id for each in made],
        [each.entry.bowstyle for each in made],
        [each.entry.shaft_diameter_mm for each in made],
    )

"""A whole field set up in one transaction, a statement a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from core.models.conflict import reported
from core.models.reader import insert_readers
from core.models.reader_binding import Place, insert_bindings
from core.models.target import hang_faces
from core.models.token import create_reader_tokens
from core.postgres import Connection
from core.schema.session import Session
from core.schema.start_list import Entry, SlotMade, StartList, StartListMade, TargetMade

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
class _Made:
    """The ids that an entry gets."""

    entry: Entry
    target_id: UUID
    slot_id: UUID
    archer_id: UUID
    bow_id: UUID
    arrow_reader_id: UUID
    bow_reader_id: UUID
    arrow_ids: tuple[UUID, ...]


async def set_up(conn: Connection, session: Session, wish: StartList) -> StartListMade:
    """Make everything that a start list names.

    Args:
        conn: In a transaction: all is made or nothing.
        session: Where.
        wish: The start list.

    Raises:
        ConflictError: A lane, a letter or an arrow's id is taken.
    """
    lanes = sorted({entry.lane for entry in wish.entries})
    targets = {lane: TargetMade(id=uuid4(), lane=lane, reader_id=uuid4()) for lane in lanes}
    made = [_ids(entry, targets[entry.lane].id) for entry in wish.entries]
    with reported("start list"):
        await _insert_targets(conn, session.id, wish, list(targets.values()))
        await _insert_archers(conn, made)
        await _insert_arrows(conn, made)
        await _insert_slots(conn, session.id, made)
    tokens = await _insert_readers(conn, session, list(targets.values()), made)
    slots = [_shown(each) for each in made]
    return StartListMade(targets=list(targets.values()), slots=slots, tokens=tokens)


def _ids(entry: Entry, target_id: UUID) -> _Made:
    arrow_ids = tuple(arrow.id or uuid4() for arrow in entry.arrows)
    return _Made(entry, target_id, uuid4(), uuid4(), uuid4(), uuid4(), uuid4(), arrow_ids)


def _shown(made: _Made) -> SlotMade:
    return SlotMade(
        id=made.slot_id,
        lane=made.entry.lane,
        letter=made.entry.letter,
        archer_id=made.archer_id,
        arrow_reader_id=made.arrow_reader_id,
        bow_reader_id=made.bow_reader_id,
        arrow_ids=made.arrow_ids,
    )


async def _insert_targets(
    conn: Connection, session_id: UUID, wish: StartList, targets: Sequence[TargetMade]
) -> None:
    await conn.execute(
        START_TARGET_INSERT,
        session_id,
        wish.width_mm,
        wish.height_mm,
        [target.id for target in targets],
        [target.lane for target in targets],
        [wish.lane(target.lane).distance for target in targets],
    )
    hung = [(target.id, face) for target in targets for face in wish.lane(target.lane).faces or ()]
    # A face's id belongs to one face: on several lanes each gets one of its own.
    several = len({target_id for target_id, _ in hung}) > 1
    await hang_faces(
        conn, [(t, face.model_copy(update={"id": None}) if several else face) for t, face in hung]
    )


async def _insert_archers(conn: Connection, made: Sequence[_Made]) -> None:
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


async def _insert_arrows(conn: Connection, made: Sequence[_Made]) -> None:
    arrows = [
        (arrow_id, each.archer_id, arrow.identifier, each.entry.shaft_diameter_mm)
        for each in made
        for arrow_id, arrow in zip(each.arrow_ids, each.entry.arrows, strict=True)
    ]
    columns = [[arrow[column] for arrow in arrows] for column in range(4)]
    await conn.execute(START_ARROW_INSERT, *columns)


async def _insert_slots(conn: Connection, session_id: UUID, made: Sequence[_Made]) -> None:
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


async def _insert_readers(
    conn: Connection, session: Session, targets: Sequence[TargetMade], made: Sequence[_Made]
) -> dict[UUID, str]:
    """Readers for all, bound since the session's start, each with its token."""
    readers = [(target.reader_id, "target", f"{target.lane} target") for target in targets]
    places = {t.reader_id: Place(None, t.id, session.start_time) for t in targets}
    for each in made:
        name = f"{each.entry.lane}{each.entry.letter}"
        readers += [
            (each.arrow_reader_id, "arrow", f"{name} arrow"),
            (each.bow_reader_id, "bow", f"{name} bow"),
        ]
        place = Place(each.slot_id, each.target_id, session.start_time)
        places[each.arrow_reader_id] = places[each.bow_reader_id] = place
    await insert_readers(conn, readers)
    await insert_bindings(conn, [(r, place, session.start_time) for r, place in places.items()])
    names = {reader_id: name for reader_id, _, name in readers}
    return await create_reader_tokens(conn, list(names), names)

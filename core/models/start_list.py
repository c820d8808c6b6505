"""A whole field set up in one transaction."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from core.errors import ConflictError
from core.inbox import partition_key
from core.models.conflict import reported
from core.models.place import Place
from core.models.reader import insert_readers
from core.models.reader_binding import insert_bindings
from core.models.reader_way import note_ways
from core.models.start_list_rows import (
    MadeEntry,
    insert_archers,
    insert_arrows,
    insert_slots,
    insert_targets,
)
from core.models.token import create_reader_tokens
from core.postgres import Connection
from core.schema.session import Session
from core.schema.start_list import Entry, SlotMade, StartList, StartListMade, TargetMade

START_TARGET_SELECT_LANES = """
SELECT lane FROM target WHERE session_id = $1 AND lane = ANY ($2) ORDER BY lane
"""

START_ARROW_SELECT_IDS = "SELECT id FROM arrow WHERE id = ANY ($1)"


async def set_up(conn: Connection, session: Session, wish: StartList) -> StartListMade:
    """Make everything that a start list names.

    Args:
        conn: In a transaction: all is made or nothing.
        session: Where.
        wish: The start list.

    Raises:
        ConflictError: A lane, an arrow's id or a face's id is taken.
    """
    await _check_free(conn, session.id, wish)
    targets = {n: TargetMade(id=uuid4(), lane=n, reader_id=uuid4()) for n in wish.by_lane()}
    made = [_ids(entry, targets[entry.lane].id) for entry in wish.entries]
    with reported("start list"):
        await insert_targets(conn, session.id, wish, list(targets.values()))
        await insert_archers(conn, made)
        await insert_arrows(conn, made)
        await insert_slots(conn, session.id, made)
    tokens = await _insert_readers(conn, session, list(targets.values()), made)
    slots = [_shown(each) for each in made]
    return StartListMade(targets=list(targets.values()), slots=slots, tokens=tokens)


async def _check_free(conn: Connection, session_id: UUID, wish: StartList) -> None:
    lanes = [entry.lane for entry in wish.entries]
    rows = await conn.fetch(START_TARGET_SELECT_LANES, session_id, lanes)
    if rows:
        named = ", ".join(str(row["lane"]) for row in rows)
        field = f"body.entries.{lanes.index(rows[0]['lane'])}.lane"
        raise ConflictError(f"{field}: the session has targets on these lanes already: {named}")
    places = {
        arrow.id: f"body.entries.{number}.arrows.{place}.id"
        for number, entry in enumerate(wish.entries)
        for place, arrow in enumerate(entry.arrows)
        if arrow.id is not None
    }
    taken = {row["id"] for row in await conn.fetch(START_ARROW_SELECT_IDS, list(places))}
    for arrow_id, field in places.items():
        if arrow_id in taken:
            raise ConflictError(f"{field}: an arrow {arrow_id} exists already")


def _ids(entry: Entry, target_id: UUID) -> MadeEntry:
    arrow_ids = tuple(arrow.id or uuid4() for arrow in entry.arrows)
    return MadeEntry(entry, target_id, uuid4(), uuid4(), uuid4(), uuid4(), uuid4(), arrow_ids)


def _shown(made: MadeEntry) -> SlotMade:
    return SlotMade(
        id=made.slot_id,
        lane=made.entry.lane,
        letter=made.entry.letter,
        archer_id=made.archer_id,
        arrow_reader_id=made.arrow_reader_id,
        bow_reader_id=made.bow_reader_id,
        arrow_ids=made.arrow_ids,
    )


async def _insert_readers(
    conn: Connection, session: Session, targets: Sequence[TargetMade], made: Sequence[MadeEntry]
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
    begin = session.start_time
    await insert_bindings(conn, [(reader, place, begin) for reader, place in places.items()])
    if begin > datetime.now(UTC):
        # What they say until then goes to partitions of their own.
        await note_ways(conn, [(reader, partition_key(reader), begin) for reader in places])
    names = {reader_id: name for reader_id, _, name in readers}
    return await create_reader_tokens(conn, list(names), names)

"""Readers: what is on bows, in arrows and behind targets."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Query

from api.dependencies import DEFAULT, AdminOnly, After, ConnectionOf, PageLimit, ViewerOnly
from api.recompute import RecomputationOf
from core.models.reader import (
    insert_readers,
    lock_reader,
    rename_reader,
    retire_reader,
    select_reader,
    select_readers,
    touch_reader,
)
from core.models.reader_move import move_reader
from core.models.token import create_reader_tokens, revoke_reader_tokens
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page, Position, page_of
from core.schema.reader import (
    Reader,
    ReaderCreate,
    ReaderCreated,
    ReaderKind,
    ReaderToken,
    ReaderUpdate,
    Whereabouts,
    changed_whereabouts,
)

router = APIRouter(prefix="/api/v0/reader", tags=["reader"])


@router.post("")
async def post_reader(
    wish: ReaderCreate, conn: ConnectionOf, _: AdminOnly
) -> Envelope[ReaderCreated]:
    """Make a reader. This answer is the only one that ever shows its token."""
    reader_id = uuid4()
    wanted = Whereabouts(wish.slot_id, wish.target_id)
    async with conn.transaction():
        await insert_readers(conn, [(reader_id, wish.kind, wish.name)])
        await move_reader(conn, reader_id, wanted, wish.bound_from, datetime.now(UTC))
        tokens = await create_reader_tokens(conn, [reader_id], {reader_id: wish.name})
        made = await select_reader(conn, reader_id)
    return wrap(ReaderCreated(**made.model_dump(), token=tokens[reader_id]))


@router.get("")
async def list_readers(
    conn: ConnectionOf,
    _: ViewerOnly,
    after: After,
    limit: PageLimit = DEFAULT,
    kind: Annotated[ReaderKind | None, Query()] = None,
    session_id: UUID | None = None,
) -> Envelope[Page[Reader]]:
    """Readers, of one kind or session if asked for, in the order of their creation and id."""
    rows = await select_readers(conn, after, limit, kind, session_id)
    return wrap(page_of(rows, limit, lambda row: Position(row.created_at, row.id)))


@router.get("/{reader_id}")
async def get_reader(reader_id: UUID, conn: ConnectionOf, _: ViewerOnly) -> Envelope[Reader]:
    """A reader, where it is, and how it fares."""
    return wrap(await select_reader(conn, reader_id))


@router.patch("/{reader_id}")
async def patch_reader(
    reader_id: UUID,
    wish: ReaderUpdate,
    conn: ConnectionOf,
    _: AdminOnly,
    recomputation: RecomputationOf,
) -> Envelope[Reader]:
    """Rename or move a reader.

    Its place is a history: what it said before `bound_from` stays at its old place. A `bound_from`
    in the past writes history anew from there on; events that it said while it was bound to nothing
    then count.
    """
    async with conn.transaction():
        await lock_reader(conn, reader_id)
        before = await select_reader(conn, reader_id)
        if "name" in wish.model_fields_set:
            await rename_reader(conn, reader_id, wish.name)
        wanted = changed_whereabouts(before, wish)
        if wanted is not None:
            now = datetime.now(UTC)
            moved = await move_reader(conn, reader_id, wanted, wish.bound_from, now)
            await recomputation.ask_moved(conn, moved)
            await touch_reader(conn, reader_id)
        after = await select_reader(conn, reader_id)
    await recomputation.wake()
    return wrap(after)


@router.post("/{reader_id}/rotate_token")
async def rotate_token(reader_id: UUID, conn: ConnectionOf, _: AdminOnly) -> Envelope[ReaderToken]:
    """Give a reader a new token; its old ones are refused from now on."""
    async with conn.transaction():
        await lock_reader(conn, reader_id)
        reader = await select_reader(conn, reader_id)
        await revoke_reader_tokens(conn, reader_id)
        tokens = await create_reader_tokens(conn, [reader_id], {reader_id: reader.name})
    return wrap(ReaderToken(reader_id=reader_id, token=tokens[reader_id]))


@router.delete("/{reader_id}")
async def delete_reader(
    reader_id: UUID, conn: ConnectionOf, _: AdminOnly, recomputation: RecomputationOf
) -> Envelope[None]:
    """Retire a reader: its tokens are refused and it is bound to nothing; what it said stays."""
    async with conn.transaction():
        await lock_reader(conn, reader_id)
        moved = await move_reader(conn, reader_id, Whereabouts(), None, datetime.now(UTC))
        await recomputation.ask_moved(conn, moved)
        await revoke_reader_tokens(conn, reader_id)
        await retire_reader(conn, reader_id)
    await recomputation.wake()
    return wrap(None)

"""Bows."""

from uuid import UUID, uuid4

from fastapi import APIRouter

from api.dependencies import DEFAULT, AdminOnly, After, ConnectionOf, PageLimit, ViewerOnly
from core.models.bow import BOWS, check_no_slot_has
from core.schema.bow import Bow, BowCreate, BowUpdate
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page, Position, page_of

router = APIRouter(prefix="/api/v0/bow", tags=["bow"])


@router.post("")
async def post_bow(wish: BowCreate, conn: ConnectionOf, _: AdminOnly) -> Envelope[Bow]:
    """Make a bow."""
    return wrap(await BOWS.create(conn, uuid4(), wish.model_dump()))


@router.get("")
async def list_bows(
    conn: ConnectionOf,
    _: ViewerOnly,
    after: After,
    limit: PageLimit = DEFAULT,
    archer_id: UUID | None = None,
) -> Envelope[Page[Bow]]:
    """Bows, of one archer if asked for, in the order of their creation and id."""
    rows = await BOWS.list(conn, after, limit, archer_id)
    return wrap(page_of(rows, limit, lambda row: Position(row.created_at, row.id)))


@router.get("/{bow_id}")
async def get_bow(bow_id: UUID, conn: ConnectionOf, _: ViewerOnly) -> Envelope[Bow]:
    """A bow."""
    return wrap(await BOWS.one(conn, bow_id))


@router.patch("/{bow_id}")
async def patch_bow(
    bow_id: UUID, wish: BowUpdate, conn: ConnectionOf, _: AdminOnly
) -> Envelope[Bow]:
    """Change what is given of a bow."""
    async with conn.transaction():
        before = await BOWS.locked(conn, bow_id)
        after = await BOWS.change(conn, bow_id, before, wish.model_dump(exclude_unset=True))
        if before.archer_id != after.archer_id:
            await check_no_slot_has(conn, bow_id)
    return wrap(after)


@router.delete("/{bow_id}")
async def delete_bow(bow_id: UUID, conn: ConnectionOf, _: AdminOnly) -> Envelope[None]:
    """Delete a bow that nothing refers to."""
    await BOWS.remove(conn, bow_id)
    return wrap(None)

"""Arrows, each with the id of the tag in it."""

from uuid import UUID, uuid4

from fastapi import APIRouter

from api.dependencies import DEFAULT, AdminOnly, After, ConnectionOf, PageLimit, ViewerOnly
from api.recompute import RecomputationOf
from core.models.arrow import ARROWS
from core.schema.arrow import Arrow, ArrowCreate, ArrowUpdate
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page, Position, page_of

router = APIRouter(prefix="/api/v0/arrow", tags=["arrow"])


@router.post("")
async def post_arrow(
    wish: ArrowCreate, conn: ConnectionOf, _: AdminOnly, recomputation: RecomputationOf
) -> Envelope[Arrow]:
    """Make an arrow; its id is the tag's, or made here.

    Where readers have named the tag already, shots are derived anew.
    """
    async with conn.transaction():
        made = await ARROWS.create(conn, wish.id or uuid4(), wish.model_dump())
        if wish.id is not None:
            await recomputation.ask_named(conn, [wish.id])
    await recomputation.wake()
    return wrap(made)


@router.get("")
async def list_arrows(
    conn: ConnectionOf,
    _: ViewerOnly,
    after: After,
    limit: PageLimit = DEFAULT,
    archer_id: UUID | None = None,
) -> Envelope[Page[Arrow]]:
    """Arrows, of one archer if asked for, in the order of their creation and id."""
    rows = await ARROWS.list(conn, after, limit, archer_id)
    return wrap(page_of(rows, limit, lambda row: Position(row.created_at, row.id)))


@router.get("/{arrow_id}")
async def get_arrow(arrow_id: UUID, conn: ConnectionOf, _: ViewerOnly) -> Envelope[Arrow]:
    """An arrow."""
    return wrap(await ARROWS.one(conn, arrow_id))


@router.patch("/{arrow_id}")
async def patch_arrow(
    arrow_id: UUID,
    wish: ArrowUpdate,
    conn: ConnectionOf,
    _: AdminOnly,
    recomputation: RecomputationOf,
) -> Envelope[Arrow]:
    """Change what is given of an arrow; as another archer's, it has shots derived anew."""
    async with conn.transaction():
        before = await ARROWS.locked(conn, arrow_id)
        after = await ARROWS.change(conn, arrow_id, before, wish.model_dump(exclude_unset=True))
        if before.archer_id != after.archer_id:
            await recomputation.ask_named(conn, [arrow_id])
    await recomputation.wake()
    return wrap(after)


@router.delete("/{arrow_id}")
async def delete_arrow(
    arrow_id: UUID, conn: ConnectionOf, _: AdminOnly, recomputation: RecomputationOf
) -> Envelope[None]:
    """Delete an arrow that no shot was made with."""
    async with conn.transaction():
        await ARROWS.remove(conn, arrow_id)
        await recomputation.ask_named(conn, [arrow_id])
    await recomputation.wake()
    return wrap(None)

"""Archers: who shoots."""

from uuid import UUID, uuid4

from fastapi import APIRouter

from api.dependencies import DEFAULT, AdminOnly, After, ConnectionOf, PageLimit, ViewerOnly
from core.models.archer import ARCHERS
from core.schema.archer import Archer, ArcherCreate, ArcherUpdate
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page, Position, page_of

router = APIRouter(prefix="/api/v0/archer", tags=["archer"])


@router.post("")
async def post_archer(wish: ArcherCreate, conn: ConnectionOf, _: AdminOnly) -> Envelope[Archer]:
    """Make an archer."""
    return wrap(await ARCHERS.create(conn, uuid4(), wish.model_dump()))


@router.get("")
async def list_archers(
    conn: ConnectionOf, _: ViewerOnly, after: After, limit: PageLimit = DEFAULT
) -> Envelope[Page[Archer]]:
    """Archers in the order of their creation and id."""
    rows = await ARCHERS.list(conn, after, limit)
    return wrap(page_of(rows, limit, lambda row: Position(row.created_at, row.id)))


@router.get("/{archer_id}")
async def get_archer(archer_id: UUID, conn: ConnectionOf, _: ViewerOnly) -> Envelope[Archer]:
    """An archer."""
    return wrap(await ARCHERS.one(conn, archer_id))


@router.patch("/{archer_id}")
async def patch_archer(
    archer_id: UUID, wish: ArcherUpdate, conn: ConnectionOf, _: AdminOnly
) -> Envelope[Archer]:
    """Change what is given of an archer."""
    async with conn.transaction():
        before = await ARCHERS.locked(conn, archer_id)
        values = wish.model_dump(exclude_unset=True)
        return wrap(await ARCHERS.change(conn, archer_id, before, values))


@router.delete("/{archer_id}")
async def delete_archer(archer_id: UUID, conn: ConnectionOf, _: AdminOnly) -> Envelope[None]:
    """Delete an archer that nothing refers to."""
    await ARCHERS.remove(conn, archer_id)
    return wrap(None)

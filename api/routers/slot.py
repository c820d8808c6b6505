"""Slots: archers' places at targets."""

from uuid import UUID, uuid4

from fastapi import APIRouter

from api.dependencies import DEFAULT, AdminOnly, After, ConnectionOf, PageLimit, ViewerOnly
from api.recompute import RecomputationOf
from core.models.slot import SLOTS, clear_slot, move_bindings
from core.models.slot_fit import check_fits
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page, Position, page_of
from core.schema.slot import Slot, SlotCreate, SlotUpdate

router = APIRouter(prefix="/api/v0/slot", tags=["slot"])

# What shots depend on.
RELEVANT = {"target_id", "letter", "archer_id", "bowstyle", "shaft_diameter_mm"}


@router.post("")
async def post_slot(
    wish: SlotCreate, conn: ConnectionOf, _: AdminOnly, recomputation: RecomputationOf
) -> Envelope[Slot]:
    """Give an archer a place at a target."""
    async with conn.transaction():
        await check_fits(conn, wish)
        made = await SLOTS.create(conn, uuid4(), wish.model_dump())
        # Whose arrow it is, and how thick the thickest are, concerns the others at the butt too.
        await recomputation.ask(conn, [made.target_id])
    await recomputation.wake()
    return wrap(made)


@router.get("")
async def list_slots(
    conn: ConnectionOf,
    _: ViewerOnly,
    after: After,
    limit: PageLimit = DEFAULT,
    session_id: UUID | None = None,
    target_id: UUID | None = None,
) -> Envelope[Page[Slot]]:
    """Slots, of one session or target if asked for, in the order of their creation and id."""
    rows = await SLOTS.list(conn, after, limit, session_id, target_id)
    return wrap(page_of(rows, limit, lambda row: Position(row.created_at, row.id)))


@router.get("/{slot_id}")
async def get_slot(slot_id: UUID, conn: ConnectionOf, _: ViewerOnly) -> Envelope[Slot]:
    """A slot."""
    return wrap(await SLOTS.one(conn, slot_id))


@router.patch("/{slot_id}")
async def patch_slot(
    slot_id: UUID,
    wish: SlotUpdate,
    conn: ConnectionOf,
    _: AdminOnly,
    recomputation: RecomputationOf,
) -> Envelope[Slot]:
    """Change what is given of a slot; shots of its target that depend on it are derived anew.

    Another `target_id` says that the slot was at that target all along: its readers, and all that
    was shot from it, go there with it.
    """
    async with conn.transaction():
        before = await SLOTS.locked(conn, slot_id)
        after = before.model_copy(update=wish.model_dump(exclude_unset=True))
        await check_fits(conn, after)
        after = await SLOTS.change(conn, slot_id, before, wish.model_dump(exclude_unset=True))
        moved: list[UUID] = []
        if before.target_id != after.target_id:
            moved = await move_bindings(conn, slot_id, after.target_id)
        if before.model_dump(include=RELEVANT) != after.model_dump(include=RELEVANT):
            await recomputation.ask(conn, {before.target_id, after.target_id}, moved=moved)
    await recomputation.wake()
    return wrap(after)


@router.delete("/{slot_id}")
async def delete_slot(
    slot_id: UUID, conn: ConnectionOf, _: AdminOnly, recomputation: RecomputationOf
) -> Envelope[None]:
    """Take an archer's place away when no reader said anything there.

    Its readers stay, bound to nothing.
    """
    async with conn.transaction():
        gone = await SLOTS.locked(conn, slot_id)
        await clear_slot(conn, slot_id)
        await SLOTS.remove(conn, slot_id)
        await recomputation.ask(conn, [gone.target_id])
    await recomputation.wake()
    return wrap(None)

"""Slots: archers' places at targets."""

from uuid import UUID, uuid4

from fastapi import APIRouter

from api.dependencies import DEFAULT, AdminOnly, After, ConnectionOf, PageLimit, ViewerOnly
from api.recompute import RecomputationOf
from core.models.slot import SLOTS, check_fits, clear_slot, move_bindings, select_readers_of_slot
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page, Position, page_of
from core.schema.slot import Slot, SlotCreate, SlotUpdate

router = APIRouter(prefix="/api/v0/slot", tags=["slot"])


@router.post("")
async def post_slot(wish: SlotCreate, conn: ConnectionOf, _: AdminOnly) -> Envelope[Slot]:
    """Give an archer a place at a target."""
    await check_fits(conn, wish)
    return wrap(await SLOTS.create(conn, uuid4(), wish.model_dump()))


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
    """Change what is given of a slot; the shots of its target are derived anew."""
    async with conn.transaction():
        before = await SLOTS.one(conn, slot_id)
        values = before.model_dump() | wish.model_dump(exclude_unset=True)
        fields = {name: values[name] for name in SlotCreate.model_fields}
        await check_fits(conn, SlotCreate.model_validate(fields))
        after = await SLOTS.change(conn, slot_id, values)
        touched = {before.target_id, after.target_id} if before != after else set()
        moved: list[UUID] = []
        if before.target_id != after.target_id:
            moved = await select_readers_of_slot(conn, slot_id)
            await move_bindings(conn, slot_id, after.target_id)
        await recomputation.ask(conn, touched, moved_readers=moved)
    await recomputation.wake(touched)
    return wrap(after)


@router.delete("/{slot_id}")
async def delete_slot(slot_id: UUID, conn: ConnectionOf, _: AdminOnly) -> Envelope[None]:
    """Take an archer's place away when nothing was shot from it; its readers stay, bound to nothing."""
    async with conn.transaction():
        await SLOTS.one(conn, slot_id)
        await clear_slot(conn, slot_id)
        await SLOTS.remove(conn, slot_id)
    return wrap(None)

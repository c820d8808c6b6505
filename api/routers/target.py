"""Targets: the butts of a session, and the faces on them."""

from uuid import UUID, uuid4

from fastapi import APIRouter

from api.dependencies import DEFAULT, AdminOnly, After, ConnectionOf, PageLimit, ViewerOnly
from api.recompute import RecomputationOf
from core.models.face import hang_faces
from core.models.target import TARGETS, change_target, clear_target
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page, Position, page_of
from core.schema.target import Target, TargetCreate, TargetUpdate

router = APIRouter(prefix="/api/v0/target", tags=["target"])

# What shots depend on.
RELEVANT = {"distance", "faces", "width_mm", "height_mm"}


@router.post("")
async def post_target(wish: TargetCreate, conn: ConnectionOf, _: AdminOnly) -> Envelope[Target]:
    """Put a butt up; its faces may follow."""
    async with conn.transaction():
        made = await TARGETS.create(conn, uuid4(), wish.model_dump())
        await hang_faces(conn, [(made.id, face) for face in wish.faces])
        return wrap(await TARGETS.one(conn, made.id))


@router.get("")
async def list_targets(
    conn: ConnectionOf,
    _: ViewerOnly,
    after: After,
    limit: PageLimit = DEFAULT,
    session_id: UUID | None = None,
) -> Envelope[Page[Target]]:
    """Targets, of one session if asked for, in the order of their creation and id."""
    rows = await TARGETS.list(conn, after, limit, session_id)
    return wrap(page_of(rows, limit, lambda row: Position(row.created_at, row.id)))


@router.get("/{target_id}")
async def get_target(target_id: UUID, conn: ConnectionOf, _: ViewerOnly) -> Envelope[Target]:
    """A target with its faces."""
    return wrap(await TARGETS.one(conn, target_id))


@router.patch("/{target_id}")
async def patch_target(
    target_id: UUID,
    wish: TargetUpdate,
    conn: ConnectionOf,
    _: AdminOnly,
    recomputation: RecomputationOf,
) -> Envelope[Target]:
    """Change what is given of a target; its shots are derived anew when they depend on it.

    `faces` are all that shall hang there. A face keeps its id when it is given, or when one just
    like it hangs there already.
    """
    async with conn.transaction():
        before = await TARGETS.locked(conn, target_id)
        after = await change_target(conn, before, wish)
        if before.model_dump(include=RELEVANT) != after.model_dump(include=RELEVANT):
            await recomputation.ask(conn, [target_id])
    await recomputation.wake()
    return wrap(after)


@router.delete("/{target_id}")
async def delete_target(target_id: UUID, conn: ConnectionOf, _: AdminOnly) -> Envelope[None]:
    """Take down a butt that nobody has a slot at and no reader said anything at.

    Its reader stays, bound to nothing.
    """
    async with conn.transaction():
        await TARGETS.locked(conn, target_id)
        await clear_target(conn, target_id)
        await TARGETS.remove(conn, target_id)
    return wrap(None)

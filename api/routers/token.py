"""Tokens: who may do what."""

from uuid import UUID

from fastapi import APIRouter

from api.dependencies import DEFAULT, AdminOnly, After, ConnectionOf, PageLimit
from core.models.token import create_token, revoke_token, select_tokens
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page, Position, page_of
from core.schema.token import Role, Token, TokenCreate, TokenCreated

router = APIRouter(prefix="/api/v0/token", tags=["token"])


@router.post("")
async def post_token(wish: TokenCreate, conn: ConnectionOf, _: AdminOnly) -> Envelope[TokenCreated]:
    """Make a token. This answer is the only one that ever shows it."""
    return wrap(await create_token(conn, Role(wish.role), wish.name))


@router.get("")
async def list_tokens(
    conn: ConnectionOf, _: AdminOnly, after: After, limit: PageLimit = DEFAULT
) -> Envelope[Page[Token]]:
    """All tokens, revoked ones too, in the order of their creation."""
    rows = await select_tokens(conn, after, limit)
    return wrap(page_of(rows, limit, lambda token: Position(token.created_at, token.id)))


@router.delete("/{token_id}")
async def delete_token(token_id: UUID, conn: ConnectionOf, _: AdminOnly) -> Envelope[None]:
    """Revoke a token: from now on it is refused."""
    await revoke_token(conn, token_id)
    return wrap(None)

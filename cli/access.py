"""Admin tokens that `quiver up` makes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from core.models.token import create_token, ensure_first_admin, revoke_token
from core.postgres import open_pool
from core.schema.token import Role, TokenCreated
from core.settings import Settings


def first_token(settings: Settings) -> str | None:
    """An admin token on the first start, when the environment does not bring one; else None."""
    return asyncio.run(_first(settings)) if settings.quiver_admin_token is None else None


@contextmanager
def passing_token(settings: Settings, name: str) -> Iterator[str]:
    """An admin token for as long as this lasts."""
    made = asyncio.run(_make(settings, name))
    try:
        yield made.token
    finally:
        asyncio.run(_revoke(settings, made))


async def _first(settings: Settings) -> str | None:
    async with await open_pool(settings, minimum=0, maximum=1) as pool, pool.acquire() as conn:
        return await ensure_first_admin(conn)


async def _make(settings: Settings, name: str) -> TokenCreated:
    async with await open_pool(settings, minimum=0, maximum=1) as pool, pool.acquire() as conn:
        return await create_token(conn, Role.ADMIN, name)


async def _revoke(settings: Settings, token: TokenCreated) -> None:
    async with await open_pool(settings, minimum=0, maximum=1) as pool, pool.acquire() as conn:
        await revoke_token(conn, token.id)

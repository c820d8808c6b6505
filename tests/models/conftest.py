"""A connection whose work is taken back after each test."""

from collections.abc import AsyncIterator

import pytest

from core.postgres import Connection, Pool


@pytest.fixture
async def conn(pool: Pool) -> AsyncIterator[Connection]:
    """A connection in a transaction that is never committed."""
    async with pool.acquire() as made:
        transaction = made.transaction()
        await transaction.start()
        yield made
        await transaction.rollback()

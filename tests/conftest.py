"""Real stores for every test that needs them: from the wheels, or those of the environment.

A test that asks for `settings` has an empty database that is migrated, and an empty Valkey. With
DATABASE_URL or REDIS_URL set, that server is used: by a role that may create databases, and in the
Valkey database that the URL names, which is emptied.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
from redis.asyncio import Redis

from core import migrate
from core.embedded import EmbeddedStores
from core.postgres import Pool, open_pool
from core.settings import Settings
from core.valkey import open_valkey

ADMIN_TOKEN = "the-tests-own-admin-token"

# A database is ten megabytes in many files: in memory it takes a fifth of the time.
MEMORY = Path("/dev/shm")
ROOM_BYTES = 3 * 1024**3

# A database's name cannot be a parameter, so PostgreSQL itself quotes it into the statement.
DATABASE_CREATE_EMPTY = "SELECT format('CREATE DATABASE %I', $1::text)"
# By copying its files, which takes half the time of writing all of it into the log.
DATABASE_CLONE = """
SELECT format('CREATE DATABASE %I TEMPLATE %I STRATEGY file_copy', $1::text, $2::text)
"""
DATABASE_DROP = "SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', $1::text)"

# Whatever a test changed besides rows is seen in one of these: it is another transaction's.
SCHEMA_STATE = """
SELECT ARRAY[
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_attribute),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_type),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_constraint),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_trigger),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_proc),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_index)
]
"""
OTHERS_END = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# All in one statement, whose end is when it is asked whether anything refers to what is gone.
ROWS_DELETE = """
SELECT 'WITH ' || string_agg(
    format('%1$I AS (DELETE FROM %1$I RETURNING 1)', tablename), ', '
) || ' SELECT 1'
FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migrations'
"""
# What is deleted stays in its files until they are cleaned.
USED_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the stores of this run are.

    Args:
        database_url: A database from which others may be created.
        redis_url: A Valkey or Redis.
        template: The name of the migrated database that is cloned.
    """

    database_url: str
    redis_url: str
    template: str

    def database(self, name: str) -> str:
        """The URL of another database of the same server."""
        return urlunsplit(urlsplit(self.database_url)._replace(path=f"/{name}"))


@dataclass(slots=True)
class Spare:
    """A database that a test left empty.

    Args:
        name: Its name.
        schema: As it was when it was cloned.
        used: By how many tests.
    """

    name: str
    schema: list[str]
    used: int = 0


async def execute(url: str, statement: str, *names: str) -> None:
    """Run a statement about databases on a connection of its own."""
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(await conn.fetchval(statement, *names))
    finally:
        await conn.close()


def in_memory() -> Path | None:
    """A folder of the memory with room for a run; None: there is none, the disk has to do."""
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    return MEMORY if has_room else None


@pytest.fixture(name="stores", scope="session")
def _stores() -> Iterator[Stores]:
    """PostgreSQL and Valkey for the whole run."""
    outside = Settings()
    with tempfile.TemporaryDirectory(prefix="quiver-tests-", dir=in_memory()) as folder:
        # PostgreSQL is another user when we are root.
        Path(folder).chmod(0o755)
        embedded = EmbeddedStores(
            Path(folder),
            postgres_wanted=outside.database_url is None,
            valkey_wanted=outside.redis_url is None,
        )
        with embedded:
            postgres, valkey = embedded.postgres, embedded.valkey
            found = Stores(
                (postgres.url if postgres else outside.database_url) or "",
                (valkey.url if valkey else outside.redis_url) or "",
                f"quiver_template_{uuid4().hex}",
            )
            migrate.up(Settings(database_url=found.database(found.template)))
            yield found
            asyncio.run(execute(found.database_url, DATABASE_DROP, found.template))


@pytest.fixture(name="empty_database_url")
async def _empty_database_url(stores: Stores) -> AsyncIterator[str]:
    """A database with nothing in it."""
    name = f"quiver_{uuid4().hex}"
    await execute(stores.database_url, DATABASE_CREATE_EMPTY, name)
    try:
        yield stores.database(name)
    finally:
        await execute(stores.database_url, DATABASE_DROP, name)


@pytest.fixture(name="spares", scope="session")
def _spares(stores: Stores) -> Iterator[list[Spare]]:
    """Databases that tests left empty: to empty one takes a tenth of the time of another one."""
    spares: list[Spare] = []
    yield spares
    for spare in spares:
        asyncio.run(execute(stores.database_url, DATABASE_DROP, spare.name))


@pytest.fixture(name="database_url")
async def _database_url(stores: Stores, spares: list[Spare]) -> AsyncIterator[str]:
    """A migrated database with no rows for one test."""
    spare = spares.pop() if spares else await clone(stores)
    spare.used += 1
    try:
        yield stores.database(spare.name)
    finally:
        if spare.used < USED_AT_MOST and await is_emptied(stores, spare):
            spares.append(spare)
        else:
            await execute(stores.database_url, DATABASE_DROP, spare.name)


async def clone(stores: Stores) -> Spare:
    """A database like the one that is migrated."""
    name = f"quiver_{uuid4().hex}"
    await execute(stores.database_url, DATABASE_CLONE, name, stores.template)
    conn = await asyncpg.connect(stores.database(name))
    try:
        return Spare(name, await conn.fetchval(SCHEMA_STATE))
    finally:
        await conn.close()


async def is_emptied(stores: Stores, spare: Spare) -> bool:
    """Leave nothing of what a test did in a database; whether that is so, and not when it changed
    more than rows."""
    conn = await asyncpg.connect(stores.database(spare.name))
    try:
        await conn.execute(OTHERS_END)
        if await conn.fetchval(SCHEMA_STATE) != spare.schema:
            return False
        await conn.execute(await conn.fetchval(ROWS_DELETE))
        return True
    finally:
        await conn.close()


@pytest.fixture(name="redis_url")
async def _redis_url(stores: Stores) -> str:
    """A Valkey with nothing in it."""
    client = open_valkey(Settings(redis_url=stores.redis_url))
    await client.flushdb()
    await client.aclose()
    return stores.redis_url


@pytest.fixture(name="settings")
async def _settings(database_url: str, redis_url: str) -> Settings:
    """Settings that lead to a database and a Valkey for one test."""
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        quiver_admin_token=ADMIN_TOKEN,
        pg_pool_max=5,
    )


@pytest.fixture(name="pool")
async def _pool(settings: Settings) -> AsyncIterator[Pool]:
    """Connections to the test's database."""
    made = await open_pool(settings)
    yield made
    await made.close()


@pytest.fixture(name="valkey")
async def _valkey(settings: Settings) -> AsyncIterator[Redis]:
    """A client of the test's Valkey."""
    client = open_valkey(settings)
    yield client
    await client.aclose()


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `.env` or a variable of whoever runs the tests changes nothing but where the stores are."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.delenv("QUIVER_DATA_DIR", raising=False)
    for name in Settings.model_fields.keys() - {"database_url", "redis_url"}:
        monkeypatch.delenv(name.upper(), raising=False)

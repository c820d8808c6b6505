"""Real stores for every test that needs them: PostgreSQL and Valkey from the wheels, or those of the environment.

A test that asks for `settings` has a database of its own, cloned from one that is migrated once, and an
empty Valkey.
"""

import asyncio
import os
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
TEMPLATE = "quiver_template"


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the stores of this run are."""

    database_url: str
    redis_url: str


def database(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def run(url: str, statement: str) -> None:
    """Run a statement on a connection of its own."""
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(statement)
    finally:
        await conn.close()


@pytest.fixture(scope="session")
def stores() -> Iterator[Stores]:
    """PostgreSQL and Valkey for the whole run."""
    outside = Settings()
    with tempfile.TemporaryDirectory(prefix="quiver-tests-") as folder:
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
            )
            template = database(found.database_url, TEMPLATE)
            migrate.up(Settings(database_url=template))
            yield found
            asyncio.run(run(found.database_url, f"DROP DATABASE IF EXISTS {TEMPLATE}"))


@pytest.fixture
async def empty_database_url(stores: Stores) -> AsyncIterator[str]:
    """A database with nothing in it."""
    name = f"quiver_{uuid4().hex}"
    await run(stores.database_url, f"CREATE DATABASE {name}")
    yield database(stores.database_url, name)
    await run(stores.database_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database_url(stores: Stores) -> AsyncIterator[str]:
    """A migrated database for one test."""
    name = f"quiver_{uuid4().hex}"
    await run(stores.database_url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield database(stores.database_url, name)
    await run(stores.database_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def settings(stores: Stores, database_url: str) -> Settings:
    """Settings that lead to a database and a Valkey for one test."""
    made = Settings(
        database_url=database_url,
        redis_url=stores.redis_url,
        quiver_admin_token=ADMIN_TOKEN,
        pg_pool_max=5,
    )
    client = open_valkey(made)
    await client.flushdb()
    await client.aclose()
    return made


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[Pool]:
    """Connections to the test's database."""
    made = await open_pool(settings)
    yield made
    await made.close()


@pytest.fixture
async def valkey(settings: Settings) -> AsyncIterator[Redis]:
    """A client of the test's Valkey."""
    client = open_valkey(settings)
    yield client
    await client.aclose()


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `.env` or a variable of whoever runs the tests changes nothing but where the stores are."""
    for name in list(os.environ):
        if name.startswith("QUIVER_"):
            monkeypatch.delenv(name)

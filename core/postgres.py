"""The connection pool, and how PostgreSQL's types become ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import orjson
from msgspec import to_builtins

from core.errors import UnavailableError
from core.settings import Settings

type Row = asyncpg.Record
# As text: the library's classes are generic for the type checker only.
type Connection = "asyncpg.Connection[Row] | asyncpg.pool.PoolConnectionProxy[Row]"
type Pool = "asyncpg.Pool[Row]"

# What a statement or an acquire raises while PostgreSQL is away or coming back.
LOST = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)

# What a statement raises while a migration that it needs is not applied.
UNKNOWN = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedObjectError,
)
# And what may mean that a connection remembers what was dropped; the second only with these words.
STALE = (asyncpg.OutdatedSchemaCacheError, asyncpg.InternalServerError)
DROPPED = "cache lookup failed for type"

# A connection whose last statement was given up has so long to come to its end.
GIVE_BACK_WITHIN_S = 2.0

BY_KEYS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


def is_lost(error: BaseException) -> bool:
    """Whether the connection, not the statement, is what failed."""
    unusable = isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError)
    return unusable or isinstance(error, LOST)


def is_migrating(error: BaseException) -> bool:
    """Whether the database has other tables or types than this process knows: it is just being
    migrated, or was while the connection was open."""
    return isinstance(error, UNKNOWN) or has_stale_types(error)


def has_stale_types(error: BaseException) -> bool:
    """Whether a connection remembers a type that was dropped since, and perhaps made again."""
    is_stale = isinstance(error, STALE)
    return is_stale and (DROPPED in str(error) or not isinstance(error, asyncpg.PostgresError))


def _encode_json(value: object) -> str:
    return orjson.dumps(value, default=to_builtins).decode()


async def _prepare(conn: Connection) -> None:
    await conn.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_encode_json, decoder=orjson.loads
    )


async def _leave_as_it_is(_: Connection) -> None:
    """What asyncpg would undo here costs a round trip each time; whoever takes a lock lets it go
    himself."""


@asynccontextmanager
async def lent(pool: Pool) -> AsyncIterator[Connection]:
    """A connection of the pool, which a database that is silent cannot keep from being given back:
    asyncpg would wait until it answers."""
    conn = await pool.acquire()
    try:
        yield conn
    finally:
        await pool.release(conn, timeout=GIVE_BACK_WITHIN_S)


async def open_pool(
    settings: Settings,
    *,
    minimum: int | None = None,
    maximum: int | None = None,
    plans_once: bool = False,
    statement_s: float = 10,
    name: str = "quiver",
) -> Pool:
    """A pool of connections to `settings.database_url`.

    Args:
        settings: Where the database is, and the pool's default size.
        minimum: Connections kept open, instead of the settings'.
        maximum: Connections opened at most, instead of the settings'.
        plans_once: Whether a statement is planned once for all parameters, and goes by indexes.
            Right for a worker, whose few statements take keys, mostly of one event, while the
            planner expects ten and reads a whole table for them; wrong where a filter may be left
            out.
        statement_s: Seconds after which a statement is given up.
        name: What the database calls its connections.

    Raises:
        UnavailableError: No database is configured.
    """
    if settings.database_url is None:
        raise UnavailableError("DATABASE_URL is not set: there is no database to use", 30)
    largest = maximum or settings.pg_pool_max
    smallest = settings.pg_pool_min if minimum is None else minimum
    return await asyncpg.create_pool(
        settings.database_url,
        min_size=min(smallest, largest),
        max_size=largest,
        init=_prepare,
        reset=_leave_as_it_is,
        timeout=5,
        command_timeout=statement_s,
        server_settings={
            "application_name": name,
            # The other end of a line that is dead without a word is given up within half a minute,
            # and with it what it has locked.
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_interval": "5",
            "tcp_keepalives_count": "4",
            "jit": "off",
            **(BY_KEYS if plans_once else {}),
        },
    )

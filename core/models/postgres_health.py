"""How PostgreSQL fares, as operators need to know it."""

from core.postgres import Connection
from core.schema.admin import PostgresHealth

# Connections from which on new ones may soon be refused.
FULL_AT = 0.85
LONG_S = 60.0
MANY_WAITING = 5

DATABASE_SELECT_HEALTH = """
SELECT current_setting('server_version') AS version,
    current_setting('max_connections')::integer AS connection_limit,
    current_setting('fsync')::boolean AS is_synced,
    current_setting('synchronous_commit') AS commits,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
    (SELECT count(*) FROM pg_stat_activity
     WHERE wait_event_type = 'Lock' AND wait_event <> 'advisory') AS waiting_for_locks,
    (SELECT extract(epoch FROM max(now() - xact_start))::double precision FROM pg_stat_activity
     WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS oldest_transaction_s
"""

# It looks at every file of the database, so not every time.
DATABASE_SELECT_SIZE = "SELECT pg_database_size(current_database())"


async def select_health(conn: Connection, size_bytes: int | None) -> PostgresHealth:
    """How the database fares now.

    Args:
        conn: Where to ask.
        size_bytes: As `select_size` told lately.
    """
    row = await conn.fetchrow(DATABASE_SELECT_HEALTH)
    assert row is not None
    warnings: list[str] = []
    if row["connections"] >= FULL_AT * row["connection_limit"]:
        warnings.append(
            f"{row['connections']} of {row['connection_limit']} connections are taken:"
            " raise max_connections or lower PG_POOL_MAX"
        )
    if row["waiting_for_locks"] >= MANY_WAITING:
        warnings.append(f"{row['waiting_for_locks']} connections wait for locks")
    if (row["oldest_transaction_s"] or 0) > LONG_S:
        warnings.append(
            f"a transaction has been open for {row['oldest_transaction_s']:.0f} s:"
            " it keeps tables from being cleaned up"
        )
    if not row["is_synced"] or row["commits"] == "off":
        warnings.append("fsync or synchronous_commit is off: a power cut loses what was accepted")
    return PostgresHealth(
        is_up=True,
        version=row["version"].partition(" ")[0],
        connections=row["connections"],
        connection_limit=row["connection_limit"],
        waiting_for_locks=row["waiting_for_locks"],
        oldest_transaction_s=row["oldest_transaction_s"],
        size_bytes=size_bytes,
        warnings=warnings,
    )


async def select_size(conn: Connection) -> int:
    """Bytes that the database takes on disk."""
    size: int = await conn.fetchval(DATABASE_SELECT_SIZE)
    return size


AWAY = PostgresHealth(
    is_up=False,
    version=None,
    connections=None,
    connection_limit=None,
    waiting_for_locks=None,
    oldest_transaction_s=None,
    size_bytes=None,
    warnings=["PostgreSQL does not answer: events are still taken, and none becomes a shot"],
)

"""The key that the operators' cookies are signed with, the same for every API process."""

import secrets

from core.postgres import Connection

KEY_BYTES = 32
COOKIE = "cookie"

SIGNING_KEY_SELECT = "SELECT secret FROM signing_key WHERE purpose = $1"

SIGNING_KEY_INSERT = """
INSERT INTO signing_key (purpose, secret) VALUES ($1, $2) ON CONFLICT (purpose) DO NOTHING
"""


async def select_signing_key(conn: Connection) -> bytes | None:
    """The key; None: nobody has logged in yet."""
    key: bytes | None = await conn.fetchval(SIGNING_KEY_SELECT, COOKIE)
    return key


async def ensure_signing_key(conn: Connection) -> bytes:
    """The key, made when there is none: of two who make it at once, both get the first's."""
    await conn.execute(SIGNING_KEY_INSERT, COOKIE, secrets.token_bytes(KEY_BYTES))
    key: bytes = await conn.fetchval(SIGNING_KEY_SELECT, COOKIE)
    return key

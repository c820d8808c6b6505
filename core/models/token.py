"""Tokens: random, shown once, kept as a hash."""

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from core.errors import NotFoundError
from core.postgres import Connection
from core.schema.page import Position
from core.schema.token import Role, Token, TokenCreated

TOKEN_BYTES = 32

AUTH_TOKEN_SELECT = """
SELECT id, role, reader_id FROM token WHERE hash = $1 AND revoked_at IS NULL
"""

AUTH_TOKEN_SELECT_BY_ID = """
SELECT id, role, name, reader_id FROM token WHERE id = $1 AND revoked_at IS NULL
"""

TOKEN_INSERT = """
INSERT INTO token (id, role, name, hash, reader_id)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::uuid[])
"""

TOKEN_SELECT_NAME = "SELECT coalesce((SELECT name FROM token WHERE id = $1), 'the environment')"

TOKEN_SELECT_PAGE = """
SELECT id, role, name, reader_id, created_at, revoked_at
FROM token
WHERE (created_at, id) > ($1, $2)
ORDER BY created_at, id
LIMIT $3
"""

TOKEN_REVOKE = """
UPDATE token SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1
RETURNING id, role, name, reader_id, created_at, revoked_at
"""

TOKEN_REVOKE_OF_READER = """
UPDATE token SET revoked_at = now() WHERE reader_id = $1 AND revoked_at IS NULL
"""

TOKEN_LOCK_ADMINS = "LOCK TABLE token IN SHARE ROW EXCLUSIVE MODE"

TOKEN_EXISTS_ADMIN = """
SELECT EXISTS (SELECT FROM token WHERE role = 'admin' AND revoked_at IS NULL)
"""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking.

    Args:
        role: What they may do.
        token_id: The token they showed; None for the one of the environment.
        reader_id: The reader that the token belongs to, when its role is reader.
    """

    role: Role
    token_id: UUID | None
    reader_id: UUID | None


def hash_token(token: str) -> bytes:
    """What is kept of a token. It has 256 random bits, so a plain digest cannot be guessed back."""
    return hashlib.sha256(token.encode()).digest()


async def select_principal(conn: Connection, token: str) -> Principal | None:
    """Whose token this is; None when it is unknown or revoked."""
    row = await conn.fetchrow(AUTH_TOKEN_SELECT, hash_token(token))
    return None if row is None else Principal(Role(row["role"]), row["id"], row["reader_id"])


async def select_named_principal(conn: Connection, token_id: UUID) -> tuple[Principal, str] | None:
    """Whose token has this id, and its name; None when it is unknown or revoked."""
    row = await conn.fetchrow(AUTH_TOKEN_SELECT_BY_ID, token_id)
    if row is None:
        return None
    return Principal(Role(row["role"]), row["id"], row["reader_id"]), row["name"]


async def select_token_name(conn: Connection, token_id: UUID | None) -> str:
    """What people call a token; None stands for the one of the environment."""
    name: str = await conn.fetchval(TOKEN_SELECT_NAME, token_id)
    return name


async def create_token(conn: Connection, role: Role, name: str) -> TokenCreated:
    """A new token of any role but reader."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    token_id = uuid4()
    await conn.execute(TOKEN_INSERT, [token_id], [role], [name], [hash_token(token)], [None])
    return TokenCreated(id=token_id, role=role, name=name, token=token)


async def create_reader_tokens(
    conn: Connection, readers: Collection[UUID], names: Mapping[UUID, str]
) -> dict[UUID, str]:
    """A new token for each reader, by the reader's id."""
    tokens = {reader: secrets.token_urlsafe(TOKEN_BYTES) for reader in readers}
    await conn.execute(
        TOKEN_INSERT,
        [uuid4() for _ in tokens],
        [Role.READER] * len(tokens),
        [names[reader] for reader in tokens],
        [hash_token(token) for token in tokens.values()],
        list(tokens),
    )
    return tokens


async def ensure_first_admin(conn: Connection) -> str | None:
    """An admin token when there is none yet, else None: it is shown once and not kept."""
    async with conn.transaction():
        await conn.execute(TOKEN_LOCK_ADMINS)
        if await conn.fetchval(TOKEN_EXISTS_ADMIN):
            return None
        return (await create_token(conn, Role.ADMIN, "first start")).token


async def select_tokens(conn: Connection, after: Position, limit: int) -> list[Token]:
    """Tokens in the order of their creation, one more than `limit` where there are more."""
    rows = await conn.fetch(TOKEN_SELECT_PAGE, after.at, after.id, limit + 1)
    return [Token.model_validate(dict(row)) for row in rows]


async def revoke_token(conn: Connection, token_id: UUID) -> Token:
    """Take a token back; once more changes nothing.

    Raises:
        NotFoundError: No token has this id.
    """
    row = await conn.fetchrow(TOKEN_REVOKE, token_id)
    if row is None:
        raise NotFoundError("token", token_id)
    return Token.model_validate(dict(row))


async def revoke_reader_tokens(conn: Connection, reader_id: UUID) -> None:
    """Take back every token of a reader."""
    await conn.execute(TOKEN_REVOKE_OF_READER, reader_id)

"""Tokens: who may do what."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field

from core.schema.types import Boundary, Instant, Name


class Role(StrEnum):
    """What a token's owner may do; `admin` may do everything."""

    READER = "reader"
    GATEWAY = "gateway"
    VIEWER = "viewer"
    JUDGE = "judge"
    ADMIN = "admin"


class TokenCreate(Boundary):
    """A wish for a token; a reader's token comes with the reader."""

    role: Literal["gateway", "viewer", "judge", "admin"]
    name: Name = Field(description="Whose it is, for the list of tokens")


class Token(Boundary):
    """A token as it is listed: its secret is not kept."""

    id: UUID
    role: Role
    name: str
    reader_id: UUID | None
    created_at: Instant
    revoked_at: Instant | None


class TokenCreated(Boundary):
    """A new token: the only answer that ever shows it."""

    id: UUID
    role: Role
    name: str
    token: str

"""Schedules, partitions and readers, for operators."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from api.dependencies import (
    DEFAULT,
    ConnectionOf,
    InboxOf,
    PageLimit,
    ValkeyOf,
    ViewerOnly,
    Watcher,
)
from api.operations import partitions, readers, schedules
from core.schema.admin import PartitionState, ReaderState, Schedule
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page

router = APIRouter(prefix="/api/v0/admin", tags=["admin"])


@router.get("/schedule")
async def get_schedules(_: Watcher, valkey: ValkeyOf) -> Envelope[Sequence[Schedule]]:
    """What is done regularly, when it was done last and is next."""
    return wrap(await schedules(valkey))


@router.get("/partition")
async def get_partitions(
    conn: ConnectionOf, _: ViewerOnly, inbox: InboxOf
) -> Envelope[Sequence[PartitionState]]:
    """The streams of the inbox: how full each is, and how far behind."""
    return wrap(await partitions(conn, inbox, datetime.now(UTC)))


@router.get("/reader")
async def get_readers(
    conn: ConnectionOf,
    _: ViewerOnly,
    valkey: ValkeyOf,
    *,
    limit: PageLimit = DEFAULT,
    trouble: Annotated[bool, Query(description="Only those with trouble")] = False,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Envelope[Page[ReaderState]]:
    """Readers that are bound to an open session, silent and stuttering ones first."""
    now = datetime.now(UTC)
    return wrap(await readers(conn, valkey, cursor, limit, now, only_trouble=trouble))

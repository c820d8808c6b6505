"""Entries of the inbox that no event can be made of: written down as they are."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from core.entries import DEATHS_OVER_ONE, Entry
from core.log import get_logger
from core.models.binding_at import select_bindings
from core.models.failed_job import Attempt, Failure, attempt, insert_failed_job
from core.models.lossless import kept_bytes
from core.postgres import Connection
from core.schema.inbox import Accepted, AcceptedEvent, decode, readable
from workers.attempts import DIED
from workers.batch import owner
from workers.deps import Deps

log = get_logger(__name__)


def decoded(
    entries: Sequence[Entry],
) -> tuple[list[Accepted], list[tuple[Entry, ValueError]]]:
    """What the API accepted, and the entries that cannot be read."""
    accepted: list[Accepted] = []
    unreadable: list[tuple[Entry, ValueError]] = []
    for entry in entries:
        try:
            accepted.append(decode(entry.payload))
        except ValueError as error:
            unreadable.append((entry, error))
    return accepted, unreadable


def unheard(entries: Sequence[Entry], late_since: int | None, partition: int) -> dict[UUID, int]:
    """The events among these, by id, that did not come before what came late and is not done; with
    each their partition, where they are heard later.

    Only the inbox's own time tells what came first: one request may bring both.

    Args:
        entries: What is read.
        late_since: When the oldest of what came late came, microseconds; None: there is none.
        partition: Whose.
    """
    if late_since is None:
        return {}
    later = [readable(entry.payload) for entry in entries if entry.came_at >= late_since]
    return {each.event_id: partition for each in later if isinstance(each, AcceptedEvent)}


async def keep_unreadable(conn: Connection, unreadable: Sequence[tuple[Entry, ValueError]]) -> None:
    """Write down entries that nothing can be made of."""
    for entry, error in unreadable:
        log.error("an entry of the inbox is unreadable", entry=entry.id.decode())
        now = datetime.now(UTC)
        await _keep(conn, entry, attempt(error, now, now))


async def put_aside(conn: Connection, deps: Deps, partition: int, entry: Entry) -> None:
    """Write down an entry that workers die over, and take it out of the inbox: the others go on."""
    log.error("workers die over an entry of the inbox", entry=entry.id.decode())
    said = f"{DIED}, {DEATHS_OVER_ONE} times over this entry alone"
    await _keep(conn, entry, Attempt(datetime.now(UTC), 0.0, said, ""))
    await deps.inbox.acknowledge({partition: [entry]})


async def _keep(conn: Connection, entry: Entry, last: Attempt) -> None:
    name = entry.id.decode()
    target_id, request_id = await _about(conn, entry)
    failure = Failure(
        job_id=f"inbox:{name}",
        function="read_entry",
        arguments={"entry": name, **kept_bytes(entry.payload)},
        attempts=[last],
        request_id=request_id,
        target_id=target_id,
    )
    await insert_failed_job(conn, failure)


async def _about(conn: Connection, entry: Entry) -> tuple[UUID | None, UUID | None]:
    """The target that an entry is about, and the request that brought it, where it can be read."""
    accepted = readable(entry.payload)
    if accepted is None:
        return None, None
    bindings = await select_bindings(conn, {accepted.reader_id})
    targets = bindings.targets(accepted.reader_id)
    owner_id = owner(accepted, bindings)
    return owner_id if owner_id in targets else None, accepted.request_id

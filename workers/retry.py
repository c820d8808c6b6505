"""A failed job tried again because an operator wants it: mended then, or failed once more."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from core.log import bound_request, get_logger
from core.models.binding_at import select_bindings
from core.models.failed_job import attempt
from core.models.failed_job_retry import (
    Restarted,
    is_target,
    keep_unstored,
    mark_failed_again,
    mark_mended,
    select_restarted,
)
from core.models.lossless import original_arguments, original_bytes
from core.postgres import Connection
from core.queue import deserialize
from core.schema.inbox import Accepted, decode
from workers.batch import owner
from workers.containment import limited, outcome_of
from workers.deps import Deps
from workers.drain import do_aside
from workers.errors import UnknownTaskError, is_passing
from workers.job import as_id
from workers.runtime import Task

log = get_logger(__name__)


def retrying(known: Mapping[str, Task]) -> Task:
    """The task that tries a failed job again.

    Args:
        known: Every other task, by its name.
    """

    async def retry(deps: Deps, failed_job_id: str) -> None:
        """Do what failed again; nothing, when somebody did or no operator wants it."""
        async with deps.pool.acquire() as conn:
            row = await select_restarted(conn, UUID(failed_job_id))
        if row is not None:
            await _retry(deps, row, known)

    return retry


async def _retry(deps: Deps, row: Restarted, known: Mapping[str, Task]) -> None:
    started_at = datetime.now(UTC)
    again: Mapping[str, Callable[[], Awaitable[None]]] = {
        "correlate_target": lambda: _target_again(deps, row),
        "read_entry": lambda: _entry_again(deps, row),
        "read_job": lambda: _job_again(deps, row, known),
    }

    async def do() -> None:
        if row.function in again:
            await again[row.function]()
        else:
            arguments = original_arguments(row.arguments).get("arguments")
            await _task_again(deps, known, row.function, arguments)

    error = await outcome_of(limited(do(), deps.settings.quiver_job_timeout_s))
    if error is not None and is_passing(error):
        # A store is away: it is put off as any job is.
        raise error
    async with deps.pool.acquire() as conn:
        if error is None:
            await mark_mended(conn, row.id)
        else:
            log.warning("a failed job failed again", failed_job=str(row.id), error=repr(error))
            this = attempt(error, started_at, datetime.now(UTC))
            await mark_failed_again(conn, row.id, row.function, [this])


async def _target_again(deps: Deps, row: Restarted) -> None:
    """Derive a target's shots anew, with those of its events that could not be stored.

    When that fails, it is written down where every such failure is: in this very row.
    """
    owner_id = UUID(str(row.arguments["target_id"]))
    unstored = row.arguments.get("unstored")
    accepted, unreadable = _read(unstored if isinstance(unstored, list) else [])
    async with deps.pool.acquire() as conn:
        target_id = owner_id if await is_target(conn, owner_id) else None
        home = await _home(conn, accepted) if target_id is None else None
    partition, request_id = deps.inbox.partition_of(home or owner_id), as_id(bound_request())
    await do_aside(deps, partition, accepted, target_id, request_id)
    async with deps.pool.acquire() as conn:
        await keep_unstored(conn, row.id, unreadable)
    if unreadable:
        raise ValueError(f"{len(unreadable)} of its events cannot be read")


def _read(unstored: list[object]) -> tuple[list[Accepted], list[str]]:
    """Events as they were kept, and those that cannot be read."""
    accepted: list[Accepted] = []
    unreadable: list[str] = []
    for kept in unstored:
        try:
            accepted.append(decode(str(kept).encode()))
        except ValueError:
            unreadable.append(str(kept))
    return accepted, unreadable


async def _entry_again(deps: Deps, row: Restarted) -> None:
    """Read an entry of the inbox again, and do what it says."""
    accepted = decode(original_bytes(row.arguments))
    async with deps.pool.acquire() as conn:
        home = await _home(conn, [accepted]) or accepted.reader_id
    await do_aside(deps, deps.inbox.partition_of(home), [accepted])


async def _home(conn: Connection, accepted: Sequence[Accepted]) -> UUID | None:
    """Whose partition the first of these belongs to; None: there are none."""
    if not accepted:
        return None
    return owner(accepted[0], await select_bindings(conn, {accepted[0].reader_id}))


async def _job_again(deps: Deps, row: Restarted, known: Mapping[str, Task]) -> None:
    """Read a job again, and do it."""
    job = deserialize(original_bytes(row.arguments))
    await _task_again(deps, known, job["f"], job["a"])


async def _task_again(
    deps: Deps, known: Mapping[str, Task], function: str, arguments: object
) -> None:
    if function not in known:
        raise UnknownTaskError(function)
    if not isinstance(arguments, list):
        raise ValueError("nothing is kept of the arguments")
    await known[function](deps, *arguments)

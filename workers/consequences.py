"""What a batch brings about once it is committed: viewers are told, other partitions get what is
theirs, jobs are asked for."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct, field

from core.domain.values import MILLISECOND, Status
from core.entries import Entry
from core.models.instants import now
from core.postgres import Connection
from core.schema.inbox import Accepted, AcceptedEvent, encode
from core.valkey import send
from workers.auto_ends import closing_frames, note_told, opening_frames
from workers.batch import Outcome
from workers.clocks import warn
from workers.deps import Deps
from workers.following import ranking, scoring, timers
from workers.frames import reader_frames, shot_frames
from workers.review import review_frames


class Done(Struct, frozen=True):
    """What a batch took from the inbox.

    Args:
        entries: By lane; a lane without any ends a batch of nothing else.
        accepted: What could be read of them.
    """

    entries: Mapping[int, Sequence[Entry]] = field(default_factory=dict)
    accepted: Sequence[Accepted] = ()

    @property
    def all_entries(self) -> list[Entry]:
        """Of all lanes."""
        return [entry for entries in self.entries.values() for entry in entries]


async def bring_about(
    conn: Connection,
    deps: Deps,
    outcomes: Sequence[Outcome],
    as_of: int,
    done: Done = Done(),
) -> None:
    """All that follows a batch.

    Args:
        conn: With the partitions locked, the batch committed.
        deps: The worker's clients.
        outcomes: What became of it.
        as_of: Its now, microseconds.
        done: What it took from the inbox, which leaves it.
    """
    for outcome in outcomes:
        deps.memory.keep(outcome.learned)
    # What is to be heard later must lie there before it leaves; viewers do not wait for that.
    echoes = [each for outcome in outcomes for each in outcome.echoes]
    await _tell(conn, deps, outcomes, {} if echoes else done.entries)
    deps.statistics.told(done.all_entries, now() / MILLISECOND)
    deps.statistics.heard(
        [each for each in done.accepted if not _is_echo(each)],
        [each for outcome in outcomes for each in outcome.repeated],
    )
    if echoes:
        said = [(where, encode(each)) for where, each in echoes]
        await deps.inbox.put_behind(said, is_echo=True)
        await deps.inbox.acknowledge(done.entries)
    await _follow_up(deps, outcomes, as_of)


def deadlines_of_unmatched(outcomes: Sequence[Outcome]) -> list[int]:
    """Until when a release may come for each impact that is nobody's, microseconds."""
    return [landing.deadline for outcome in outcomes for landing in outcome.unmatched]


async def _tell(
    conn: Connection,
    deps: Deps,
    outcomes: Sequence[Outcome],
    entries: Mapping[int, Sequence[Entry]],
) -> None:
    """Tell viewers of what changed, and let entries leave the inbox, in one call.

    What a crash keeps from being told is found by the relay; what it keeps from leaving is read
    again and changes nothing.
    """
    changes = [change for outcome in outcomes for change in outcome.changes if change.is_visible]
    online = [place for outcome in outcomes for place in outcome.online]
    reviews = await review_frames(conn, changes)
    ends = [end for outcome in outcomes for end in outcome.ends]
    frames = [*opening_frames(ends), *shot_frames(changes), *closing_frames(ends), *reviews]
    async with deps.valkey.pipeline(transaction=False) as pipe:
        deps.feed.publish_with(pipe, [*frames, *reader_frames("reader.online", online)])
        deps.inbox.acknowledge_with(pipe, entries)
        await send(pipe)
    deps.told.add(outcome.untold for outcome in outcomes)
    await note_told(conn, ends)


def _is_echo(accepted: Accepted) -> bool:
    return isinstance(accepted, AcceptedEvent) and accepted.is_echo


async def _follow_up(deps: Deps, outcomes: Sequence[Outcome], as_of: int) -> None:
    """Set the timers, and ask for what must follow."""
    after = [change.after for outcome in outcomes for change in outcome.changes]
    deadlines = {s.shot.deadline for s in after if s.shot.status is Status.IN_FLIGHT}
    deadlines.update(d for d in deadlines_of_unmatched(outcomes) if d > as_of)
    unscored = sorted((s for s in after if s.shot.is_unscored), key=lambda s: s.target_id)
    at = datetime.now(UTC)
    dated = [*timers(deadlines, now()), *ranking({s.session_id for s in after}, at)]
    requests = {s.target_id: s.request_id for s in unscored}
    await deps.queue.enqueue_all(
        [*deps.appointments.new(dated, at), *(scoring(*each) for each in requests.items())]
    )
    warn(suspect for outcome in outcomes for suspect in outcome.suspects)
    await deps.queue.wake({p for outcome in outcomes for p in outcome.partitions})

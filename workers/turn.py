"""A worker's turn at a partition: which locks it holds, and what waits besides the inbox."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct, field

from core.domain.window import Span, joined
from core.entries import Entry
from core.models.correlated_shot import select_overdue
from core.models.work import Asked, take_asked
from core.postgres import Connection
from workers.deps import Deps


class Turn(Struct, frozen=True):
    """What a worker does at a partition.

    Args:
        partition: Which.
        held: The partitions whose locks are held, this one among them.
        is_asked: Whether the API asked something of it.
        with_overdue: Whether shots are looked at whose time is up.
        is_late: Whether that is since long, so that a sweep found it.
        wanted: Targets to derive besides, and when their releases lie.
        requests: The requests behind those, by target.
        lane: Of the inbox, where what is done is from: what happens now, or what came late; None:
            the first.
        unheard: Events that tell nothing of their readers yet, by id, and in which partition's late
            lane they are heard: something that came before them is not done.
        read: What is done of the inbox, by lane.
        is_part: Whether that is a part, and the others may tell of whatever is not in it.
    """

    partition: int
    held: frozenset[int]
    is_asked: bool
    with_overdue: bool
    is_late: bool = False
    wanted: Mapping[UUID, Span] = field(default_factory=dict)
    requests: Mapping[UUID, UUID] = field(default_factory=dict)
    lane: int | None = None
    unheard: Mapping[UUID, int] = field(default_factory=dict)
    read: Mapping[int, Sequence[Entry]] = field(default_factory=dict)
    is_part: bool = False

    @property
    def from_lane(self) -> int:
        """The lane's number."""
        return self.partition if self.lane is None else self.lane

    @property
    def is_counted(self) -> bool:
        """Whether there is more than the inbox that workers might die over again and again."""
        return self.is_asked or self.is_late


async def waiting(
    conn: Connection, deps: Deps, turn: Turn, as_of: int
) -> tuple[dict[UUID, Span], Mapping[UUID, UUID]]:
    """Targets to derive though nothing came for them, and the requests behind that, by target.

    Args:
        conn: In the transaction that does it.
        deps: The worker's clients.
        turn: Whose.
        as_of: Now, microseconds.
    """
    nothing = Asked({}, {})
    asked = nothing
    if turn.is_asked:
        asked = await take_asked(conn, deps.inbox.partitions, turn.held)
    overdue = await select_overdue(conn, as_of) if turn.with_overdue else {}
    mine = [(t, s) for t, s in overdue.items() if deps.inbox.partition_of(t) == turn.partition]
    spans = joined([*asked.spans.items(), *turn.wanted.items(), *mine])
    return spans, {**asked.requests, **turn.requests}

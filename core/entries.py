"""What lies in the inbox, and what is to be done of it."""

from collections.abc import Sequence

from msgspec import Struct

# So many workers may die in a row over a partition before its entries are taken one by one, and
# over one of them before that is put aside. All of them together are less than what a supervisor
# takes for a worker that cannot live.
DEATHS_OVER_MANY = 3
DEATHS_OVER_ONE = 2


# An entry's id, its fields and their values by turns.
type Found = tuple[bytes, Sequence[bytes]]


# The names of an entry's only field: what the API took, and what a worker put behind what came
# late.
EVENT, ECHO = b"e", b"s"


class Entry(Struct, frozen=True, gc=False):
    """One event in the inbox.

    Args:
        id: Its id in the partition's stream.
        payload: The event as the API accepted it.
    """

    id: bytes
    payload: bytes

    @property
    def order(self) -> tuple[int, int]:
        """What entries are sorted by: when it came, milliseconds since the epoch, and a number."""
        return order_of(self.id)

    @property
    def came_at(self) -> int:
        """When it came, microseconds."""
        return self.order[0] * 1_000


class Reading(Struct, frozen=True):
    """What is to be done of a partition now.

    Args:
        entries: The oldest ones.
        has_more: Whether there were more than these.
        is_alone: Whether this is one that may be deadly: nothing else is to be done with it.
        deadly: Instead of entries to be done, the one that workers died over.
        others_are_deadly: Whether workers died over what else was to be done.
        is_first_try: Whether nobody began it before and did not end.
        late_since: When the oldest of what came late and is not done came, microseconds; None:
            there is none, or these came late.
        now_since: Of what came late: when the oldest of what happens now and is not done came,
            which was after these, microseconds; None: there is none.
    """

    entries: Sequence[Entry]
    has_more: bool
    is_alone: bool = False
    deadly: Entry | None = None
    others_are_deadly: bool = False
    is_first_try: bool = True
    late_since: int | None = None
    now_since: int | None = None

    @property
    def is_plain(self) -> bool:
        """Whether nothing is known against doing it together with others."""
        return not (self.is_alone or self.deadly is not None or self.others_are_deadly)


def entry_of(entry_id: bytes, fields: Sequence[bytes]) -> Entry:
    """An entry; of one that the API did not make, all that stands in it."""
    is_ours = len(fields) == 2 and fields[0] in (EVENT, ECHO)
    return Entry(entry_id, fields[1] if is_ours else b" ".join(fields))


def order_of(entry_id: bytes) -> tuple[int, int]:
    """What entries are sorted by: milliseconds since the epoch, and a number; no id is before
    all."""
    milliseconds, _, number = entry_id.partition(b"-")
    return int(milliseconds or 0), int(number or 0)

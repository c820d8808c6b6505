"""One batch in one transaction: what came, what was asked, what is overdue."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import replace
from itertools import chain
from uuid import UUID

from msgspec import Struct, field

from core.domain.values import MILLISECOND, SECOND, Event, EventType, Rules
from core.domain.window import Span, joined, touched
from core.entries import Entry
from core.inbox import Inbox
from core.models.auto_end import AutoEnd
from core.models.binding_at import Bindings, Bound, select_bindings, select_watching
from core.models.butt import PlacedButt, take_butts, take_turns
from core.models.correlated_shot import select_unsettled
from core.models.instants import FOREVER, instant, now
from core.models.known_reader import KnownReaders, lock_readers
from core.models.presence import ReaderPlace, select_reader_places
from core.models.reader_boot import Doubt
from core.models.reader_way import note_ways
from core.models.recompute import request_recompute
from core.models.said import News, Said, first_copies, keep_doubts, keep_said
from core.models.shared import shared
from core.models.unmatched_landing import UnmatchedLanding
from core.postgres import Connection
from core.schema.inbox import Accepted, AcceptedBeat, AcceptedEvent, Start, encode
from core.schema.rules import (
    LONGEST_DEBOUNCE_MS,
    LONGEST_LANDING_WINDOW_MS,
    LONGEST_WINDOW_MS,
)
from workers.clocks import Suspect, correct
from workers.deps import Deps
from workers.derivation import Causes, Change, Derivation, Look, derive
from workers.errors import MovedMeanwhileError
from workers.memory import Remembered
from workers.recall import Recall
from workers.ways import held_up, is_news, telling_most, waited_for, way_now

DAY = 86_400 * SECOND
# No session may have an arrow land later than this after its release.
LONGEST_WINDOW = LONGEST_LANDING_WINDOW_MS * MILLISECOND
# The rules of a session in which an event reaches farthest.
WIDEST = Rules(
    association_window=LONGEST_WINDOW_MS * MILLISECOND,
    hold_max=LONGEST_WINDOW_MS * MILLISECOND,
    landing_window=LONGEST_WINDOW,
    debounce=LONGEST_DEBOUNCE_MS * MILLISECOND,
)


class Batch(Struct, frozen=True):
    """What is to be done at once.

    Args:
        accepted: Events and heartbeats from the inbox.
        spans: Targets to derive besides, and when their releases lie.
        requests: The requests behind those, by target.
        unheard: Events that tell nothing of their readers yet, by id, and in which partition's late
            lane they are heard: something that came before them is not done, and may be the
            landing of what would be called a miss.
        is_apart: Whether what came with this for other butts is not stored yet, so that they are
            derived later.
        witnessed: Targets of whose misses the readers' word may tell.
        read: What this is of the inbox, by lane.
        homes: Readers of whom landings go to other partitions' inboxes, each with one of these:
            until they are done there they may be the hits of what would be called misses.
        behind: Heartbeats that do not count yet, since something of their readers waits that came
            before them, each with the partition in whose late lane they are heard.
        doubts: Readers whose word counts less than it did, by what is known of them already.
        late_since: When what waits in partitions' late lanes came, microseconds, at the earliest:
            nobody's time is up there before that is looked at.
    """

    accepted: Sequence[Accepted]
    spans: Mapping[UUID, Span] = field(default_factory=dict)
    requests: Mapping[UUID, UUID] = field(default_factory=dict)
    unheard: Mapping[UUID, int] = field(default_factory=dict)
    is_apart: bool = False
    witnessed: Collection[UUID] = ()
    read: Mapping[int, Sequence[Entry]] = field(default_factory=dict)
    homes: Collection[tuple[UUID, int]] = ()
    behind: Sequence[tuple[int, AcceptedBeat]] = ()
    doubts: Sequence[Doubt] = ()
    late_since: Mapping[int, int] = field(default_factory=dict)

    @property
    def events(self) -> list[AcceptedEvent]:
        """What came, without the heartbeats."""
        return events_of(self.accepted)

    def tells(self, accepted: Accepted) -> bool:
        """Whether it says by now that its reader lives.

        A heartbeat is not among what happens now unless it came before all that is late.
        """
        if not isinstance(accepted, AcceptedEvent):
            return True
        return not accepted.is_mute and accepted.event_id not in self.unheard

    def held_back(self, ways: Mapping[UUID, int]) -> "Batch":
        """The same, when something of some readers waits that came before what they say; with each
        the partition in whose late lane that is heard."""
        theirs = [(ways[e.reader_id], e) for e in self.accepted if e.reader_id in ways]
        events = {e.event_id: way for way, e in theirs if isinstance(e, AcceptedEvent)}
        return replace(
            self,
            accepted=[e for e in self.accepted if not (e.reader_id in ways and is_beat(e))],
            unheard={**events, **self.unheard},
            behind=telling_most([(way, e) for way, e in theirs if isinstance(e, AcceptedBeat)]),
        )


class Outcome(Struct, frozen=True):
    """What became of a batch.

    Args:
        changes: Shots that were written.
        online: Readers that were silent before, and where they are bound.
        partitions: Partitions that were asked to derive something besides, or get events.
        elsewhere: Events of other partitions' targets, each with its partition: they must lie in
            its inbox before this is committed, since what tells of readers counts for all butts.
        unmatched: Impacts that were written: they are nobody's, as far as is known.
        suspects: Readers whose clocks an operator should look at from now on.
        ends: Ends by the count of the arrows that were written.
        repeated: For each event that was known before, its reader.
        echoes: What says later that its readers live, each with the partition where.
        behind: Heartbeats that do not count yet, each with the partition in whose late lane they
            are heard.
        learned: What is to be remembered of the butts once this is committed.
        untold: The row of `untold` that names the shots that viewers see change; None: there are
            none.
    """

    changes: Sequence[Change]
    online: Sequence[ReaderPlace]
    partitions: Collection[int]
    elsewhere: Sequence[tuple[int, AcceptedEvent]] = ()
    unmatched: Sequence[UnmatchedLanding] = ()
    suspects: Sequence[Suspect] = ()
    ends: Sequence[AutoEnd] = ()
    repeated: Sequence[UUID] = ()
    echoes: Sequence[tuple[int, AcceptedEvent]] = ()
    behind: Sequence[tuple[int, AcceptedBeat]] = ()
    learned: Sequence[Remembered] = ()
    untold: int | None = None


def events_of(accepted: Iterable[Accepted]) -> list[AcceptedEvent]:
    """Without the heartbeats."""
    return [each for each in accepted if isinstance(each, AcceptedEvent)]


def is_beat(accepted: Accepted) -> bool:
    """Whether it is a heartbeat."""
    return isinstance(accepted, AcceptedBeat)


def owner(accepted: Accepted, bindings: Bindings) -> UUID:
    """Whose partition an event (on the server's clock) or heartbeat belongs to: its target's, or
    its reader's when it has none."""
    if not isinstance(accepted, AcceptedEvent):
        return accepted.reader_id
    bound = bindings.place(accepted.reader_id, accepted.at)
    return accepted.reader_id if bound is None else bound.target_id


# An event of a butt, and its reader's place there.
type _Told = tuple[AcceptedEvent, Bound]


async def do_batch(
    conn: Connection, deps: Deps, partitions: Collection[int], batch: Batch, as_of: int
) -> Outcome:
    """Keep what came, derive what it touches, and write what differs.

    Args:
        conn: In a transaction, with the partitions locked.
        deps: The worker's settings.
        partitions: Which.
        batch: What is to be done.
        as_of: Now, microseconds.
    """
    known = await _known(conn, batch, as_of)
    came = correct(deps.clock_bounds, batch.accepted, known.clocks)
    known = await _reaching(conn, known, events_of(came.accepted))
    mine, elsewhere = sorted_out(came.accepted, known.bindings, deps.inbox, partitions)
    batch = replace(batch, accepted=came.accepted, homes=homes_of(elsewhere))
    batch = await in_order(conn, deps, batch, known, as_of)
    came = replace(came, accepted=batch.accepted)
    telling = list(filter(batch.tells, came.accepted))
    news = await keep_said(
        conn,
        Said(telling, known.last_heard, came.clocks, mine),
        instant(as_of - deps.offline_after),
    )
    if is_news(news.ways, known):
        raise MovedMeanwhileError()
    batch = replace(batch, accepted=news.new, witnessed=_witnessed(telling, known.watched))
    told = _told(news.new, known.bindings)
    # Only now: who decides a shot meanwhile looks for the word that was noted just before.
    doubtful = all_of(
        await doubtful_butts(
            conn,
            deps,
            set(batch.witnessed) - _targets(batch, told),
            known.bindings,
            [*batch.doubts, *news.doubts],
            as_of,
        ),
        await left_behind(conn, news, known.bindings),
    )
    batch, others = await _ask_others(conn, deps, partitions, batch, doubtful)
    found = await _derive(conn, deps, batch, told, as_of)
    return Outcome(
        found.changes,
        await places(conn, news.online, as_of),
        {*others, *(home for home, _ in elsewhere), *await ask_for(conn, deps, found.elsewhere)},
        elsewhere,
        found.unmatched,
        came.suspects,
        found.ends,
        _repeated(mine, [event for event in news.new if event.event_id not in news.earlier]),
        _echoes(batch, came.accepted, mine),
        batch.behind,
        found.learned,
        found.untold,
    )


async def _known(conn: Connection, batch: Batch, as_of: int) -> KnownReaders:
    """The readers whose word has come, locked, and those that watch what workers ask for: somebody
    may have heard of them meanwhile who is not done yet, and is waited for."""
    asked = {t: span for t, span in batch.spans.items() if t not in batch.requests}
    watching = await select_watching(conn, asked) if asked else {}
    readers = {each.reader_id for each in batch.accepted} | watching.keys()
    return await lock_readers(conn, readers, min([as_of, *map(_seems_to_be, batch.accepted)]) - DAY)


def _seems_to_be(accepted: Accepted) -> int:
    """When it happened by what it says itself, before its reader's clock is known."""
    if not isinstance(accepted, AcceptedEvent):
        return accepted.received_at
    sent_at = accepted.received_at if accepted.sent_at is None else accepted.sent_at
    return min(accepted.received_at, accepted.ts + accepted.received_at - sent_at)


async def _reaching(
    conn: Connection, known: KnownReaders, events: Sequence[AcceptedEvent]
) -> KnownReaders:
    """The same, with the places of all these events: by its reader's clock one may have happened
    long before it seems to."""
    if min((event.at for event in events), default=FOREVER) >= known.bindings.since:
        return known
    return replace(known, bindings=await select_bindings(conn, known.bindings.of_reader))


async def in_order(
    conn: Connection,
    deps: Deps,
    batch: Batch,
    known: KnownReaders,
    as_of: int,
) -> Batch:
    """A batch in which nothing tells of a reader before what came before it, but for what speaks
    against its word, which is kept: arguments as of `do_batch`, the batch with the offsets of its
    readers' clocks, and what is known of these."""
    inbox = deps.inbox
    telling = {each.reader_id for each in batch.accepted if batch.tells(each)}
    held = await held_up(conn, deps, batch.read, telling, known, as_of)
    if batch.homes:
        # Until that is done there it is among what came before whatever they say.
        at = instant(as_of)
        await note_ways(conn, [(reader, home, at) for reader, home in sorted(batch.homes)])
        held |= telling & {reader for reader, _ in batch.homes}
    if not held:
        return batch
    beats = [e for e in batch.accepted if isinstance(e, AcceptedBeat) and e.reader_id in held]
    later = batch.held_back({reader: way_now(inbox, known.bindings, reader) for reader in held})
    return replace(later, doubts=await keep_doubts(conn, beats))


async def carry(deps: Deps, outcomes: Sequence[Outcome]) -> None:
    """Put what is done in other partitions into their inboxes; the last thing before a commit, so
    that what fails leaves no copies there."""
    await deps.inbox.carry(
        [(home, encode(event)) for outcome in outcomes for home, event in outcome.elsewhere]
    )
    # What they say against their readers' words is kept already: they hold up nobody else.
    await deps.inbox.put_behind(
        [(where, encode(beat)) for outcome in outcomes for where, beat in outcome.behind],
        is_echo=True,
    )


def _echoes(
    batch: Batch, came: Sequence[Accepted], mine: Sequence[AcceptedEvent]
) -> list[tuple[int, AcceptedEvent]]:
    """What tells nothing yet of its readers, to be heard once more: of each reader the last event,
    the last landing, and what tells of a start say all that the others do. What is sent again says
    nothing.

    Args:
        batch: Of which only what was not known is left.
        came: All that came for it.
        mine: What of that was to be kept.
    """
    untold = [event for event in events_of(came) if not (event.is_mute or batch.tells(event))]
    if not untold:
        return []
    known = {event.event_id for event in mine if not event.is_echo}
    known -= {event.event_id for event in batch.events}
    new = first_copies(event for event in untold if event.event_id not in known)
    # Who is known may tell of a start all the same: it is the first of its request.
    new += [each for each in untold if each.start is not None and each not in new]
    last: dict[tuple[int, UUID, bool, Start | None], AcceptedEvent] = {}
    for each in sorted(new, key=lambda event: event.received_at):
        is_landing = each.type is EventType.LANDED
        last[batch.unheard[each.event_id], each.reader_id, is_landing, each.start] = each
    return [(where, replace(each, is_echo=True)) for (where, *_), each in last.items()]


def _repeated(came: Sequence[AcceptedEvent], new: Sequence[AcceptedEvent]) -> list[UUID]:
    readers = Counter(event.reader_id for event in came if not event.is_echo)
    readers.subtract(event.reader_id for event in new)
    return list(readers.elements())


async def places(conn: Connection, readers: Sequence[UUID], as_of: int) -> list[ReaderPlace]:
    """Where these readers are bound now."""
    return await select_reader_places(conn, readers, instant(as_of)) if readers else []


async def _ask_others(
    conn: Connection,
    deps: Deps,
    partitions: Collection[int],
    batch: Batch,
    doubtful: Mapping[UUID, Span],
) -> tuple[Batch, set[int]]:
    """Have doubtful targets of other partitions derived there, and those of these with the batch,
    unless that is apart; that, and those partitions."""
    far = {
        target: span
        for target, span in doubtful.items()
        if batch.is_apart or deps.inbox.partition_of(target) not in partitions
    }
    near = {target: span for target, span in doubtful.items() if target not in far}
    return replace(batch, spans=all_of(batch.spans, near)), await ask_for(conn, deps, far)


async def ask_for(conn: Connection, deps: Deps, elsewhere: Mapping[UUID, Span]) -> set[int]:
    """Have butts derived later, each for a time; their partitions."""
    for target, span in elsewhere.items():
        since, until = instant(span.begin), instant(span.end)
        await request_recompute(conn, [target], since=since, until=until)
    return {deps.inbox.partition_of(target) for target in elsewhere}


async def _derive(
    conn: Connection, deps: Deps, batch: Batch, told: Sequence[_Told], as_of: int
) -> Derivation:
    """Derive what new events touch, and what else is to be derived."""
    targets = _targets(batch, told)
    butts = await take_butts(conn, targets, deps.offline_after, as_of) if targets else {}
    unsettled = {target: butt.unsettled for target, butt in butts.items()}
    doubtful = {t: span for t, span in unsettled.items() if span and t in batch.witnessed}
    spans = all_of(batch.spans, doubtful, _touched(told, butts))
    recall = Recall(conn, butts, deps.memory, _placed(told))

    async def waiting(in_the_air: Mapping[UUID, Span]) -> Collection[UUID]:
        return await waited_for(conn, deps, batch.read, in_the_air)

    # What workers ask of each other follows from what was said, and names no request.
    look = Look(waiting, batch.requests.keys())

    def as_of_at(target_id: UUID) -> int:
        return min(as_of, batch.late_since.get(deps.inbox.partition_of(target_id), as_of))

    return await derive(recall, spans, as_of_at, _causes(batch, told), look)


def _told(events: Sequence[AcceptedEvent], bindings: Bindings) -> list[_Told]:
    """Those events that are of a butt, with the place of each."""
    told = ((event, bindings.place(event.reader_id, event.at)) for event in events)
    return [(event, bound) for event, bound in told if bound is not None]


def _placed(told: Sequence[_Told]) -> dict[UUID, list[Event]]:
    """Events as the rules take them, by target."""
    placed: dict[UUID, list[Event]] = {}
    for event, bound in told:
        placed.setdefault(bound.target_id, []).append(
            Event(
                id=event.event_id,
                type=event.type,
                at=event.at,
                received_at=event.received_at,
                slot_id=bound.slot_id,
                arrow_id=event.arrow_id,
                x=event.x or 0.0,
                y=event.y or 0.0,
                sigma_mm=event.sigma_mm,
                reader_id=shared(event.reader_id),
            )
        )
    return placed


def _witnessed(signs: Sequence[Accepted], watched: Mapping[UUID, Collection[UUID]]) -> set[UUID]:
    """The targets of whose misses these signs of life may tell."""
    readers = {
        each.reader_id
        for each in signs
        if not isinstance(each, AcceptedEvent) or each.type is EventType.LANDED
    }
    return {target for reader in readers for target in watched[reader]}


def homes_of(elsewhere: Iterable[tuple[int, AcceptedEvent]]) -> set[tuple[UUID, int]]:
    """The readers of landings at other partitions' targets, each with one of those partitions."""
    return {(event.reader_id, home) for home, event in elsewhere if event.type is EventType.LANDED}


def sorted_out(
    accepted: Sequence[Accepted],
    bindings: Bindings,
    inbox: Inbox,
    partitions: Collection[int],
) -> tuple[list[AcceptedEvent], list[tuple[int, AcceptedEvent]]]:
    """These partitions' events, and those of other partitions' targets, with the partition."""
    mine: list[AcceptedEvent] = []
    elsewhere: list[tuple[int, AcceptedEvent]] = []
    for event in accepted:
        if isinstance(event, AcceptedEvent):
            bound = bindings.place(event.reader_id, event.at)
            home = None if bound is None else inbox.partition_of(bound.target_id)
            if home is None or home in partitions:
                mine.append(event)
            elif not event.is_echo:
                # An echo is kept there already, or lies in that inbox.
                elsewhere.append((home, replace(event, is_mute=True)))
    return mine, elsewhere


async def doubtful_butts(
    conn: Connection,
    deps: Deps,
    others: Collection[UUID],
    bindings: Bindings,
    doubts: Sequence[Doubt],
    as_of: int,
) -> dict[UUID, Span]:
    """The targets whose misses the readers' word may decide otherwise, and when those were
    released.

    Args:
        conn: In the transaction that noted the word.
        deps: The worker's settings.
        others: Targets of those readers, but for those that are derived anyhow: of these it is read
            with them.
        bindings: Where the readers were.
        doubts: Readers whose word counts less than it did.
        as_of: Now, microseconds.
    """
    # Their time is up by their own now, which may be later: what waits here need not wait there.
    time_is_up = max(as_of, now())
    doubtful = await select_unsettled(conn, others, time_is_up) if others else {}
    # It was taken for online, or for heard of since.
    spans = [
        Span(max(-FOREVER, min(d.since, d.until - deps.offline_after) - LONGEST_WINDOW), d.until)
        for d in doubts
    ]
    earliest = min((span.begin for span in spans), default=FOREVER)
    if earliest < bindings.since:
        bindings = await select_bindings(conn, {doubt.reader_id for doubt in doubts}, earliest)
    for doubt, span in zip(doubts, spans, strict=True):
        targets = bindings.targets_between(doubt.reader_id, span.begin, span.end)
        doubtful = all_of(doubtful, dict.fromkeys(targets, span))
    return doubtful


async def left_behind(conn: Connection, news: News, bindings: Bindings) -> dict[UUID, Span]:
    """The targets where events were, as far as was known before earlier copies of them came that
    other clocks may place otherwise, and where they are, and when the releases lie whose shots have
    them. Whoever derives them does not go by what it remembers of them."""
    again = [event for event in news.new if event.event_id in news.earlier]
    moments = [(e, at) for e in again for at in (e.at, news.earlier[e.event_id].at)]
    if min((at for _, at in moments), default=FOREVER) < bindings.since:
        bindings = await select_bindings(conn, {event.reader_id for event in again})
    left = joined(
        (bound.target_id, touched(event.type, at, WIDEST))
        for event, at in moments
        if (bound := bindings.place(event.reader_id, at)) is not None
    )
    if left:
        # All in one order: two workers whose readers changed places would wait for each other.
        await take_turns(conn, left.keys())
    return left


def _targets(batch: Batch, told: Sequence[_Told]) -> set[UUID]:
    """The targets that are derived."""
    return {bound.target_id for _, bound in told} | set(batch.spans)


def _touched(told: Sequence[_Told], butts: Mapping[UUID, PlacedButt]) -> dict[UUID, Span]:
    """When the releases lie whose shots events can change, by target."""
    return joined(
        (bound.target_id, touched(event.type, event.at, butts[bound.target_id].butt.rules))
        for event, bound in told
        if bound.target_id in butts
    )


def all_of(*spans: Mapping[UUID, Span]) -> dict[UUID, Span]:
    """What any of these is to be derived of each target."""
    return joined(chain.from_iterable(each.items() for each in spans))


def _causes(batch: Batch, told: Sequence[_Told]) -> Causes:
    events = batch.events
    of_event = {e.event_id: e.request_id for e in events if e.request_id is not None}
    of_target = {b.target_id: e.request_id for e, b in told if e.request_id is not None}
    return Causes(of_event, {**batch.requests, **of_target})

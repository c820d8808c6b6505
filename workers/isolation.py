"""A target whose data makes the code fail does not hold up the others.

Its events are kept, its failure is written down for the operators with all that a retry needs, and
the rest of the batch goes on.
"""

from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from core.domain.window import Span
from core.log import get_logger
from core.models.binding_at import select_bindings
from core.models.butt import take_turns
from core.models.correlated_shot import is_landing_held, select_holders
from core.models.failed_job import Failure, attempt, insert_failed_job
from core.models.instants import instant
from core.models.known_reader import KnownReaders, lock_readers
from core.models.presence import ReaderPlace
from core.models.reader_boot import Doubt, keep_boots
from core.models.recompute import request_recompute
from core.models.said import News, Said, keep_doubts, keep_said, keep_unheard
from core.postgres import Connection
from core.schema.inbox import Accepted, AcceptedBeat, AcceptedEvent, encode
from workers.batch import (
    Batch,
    Outcome,
    all_of,
    ask_for,
    carry,
    do_batch,
    doubtful_butts,
    homes_of,
    in_order,
    is_beat,
    left_behind,
    owner,
    places,
    sorted_out,
)
from workers.clocks import correct
from workers.containment import tried
from workers.deps import Deps
from workers.turn import Turn, waiting

log = get_logger(__name__)


@dataclass(slots=True)
class _Share:
    """What concerns one target, or one reader: its heartbeats, and what it says while it is bound
    to none.

    Args:
        as_of: Now, microseconds.
        accepted: What came.
        span: When the releases lie that are derived besides.
        request_id: The request behind that.
        asked: Partitions that were asked to derive something, instead of this.
        online: Readers that were silent before this was kept, and where they are bound.
        began_at: When it was tried.
        is_kept: Whether what came is kept, without its shots, since it failed.
    """

    as_of: int
    accepted: list[Accepted] = field(default_factory=list)
    span: Span | None = None
    request_id: UUID | None = None
    asked: set[int] = field(default_factory=set)
    online: list[ReaderPlace] = field(default_factory=list)
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    is_kept: bool = False


async def do_isolated(
    conn: Connection,
    deps: Deps,
    turn: Turn,
    accepted: Sequence[Accepted],
    as_of: int,
) -> list[Outcome]:
    """Do a batch that failed as a whole, each target in a transaction of its own."""
    outcomes: list[Outcome] = []
    async with conn.transaction():
        # Once for all of them: a clock's message is not taken twice.
        known = await lock_readers(conn, {each.reader_id for each in accepted})
        came = correct(deps.clock_bounds, accepted, known.clocks)
        await keep_unheard(conn, clocks=came.clocks)
        held = await _in_order(conn, deps, turn, came.accepted, known, as_of)
        turn = replace(turn, unheard=held.unheard)
        outcomes.append(Outcome([], [], (), suspects=came.suspects, behind=held.behind))
        doubts = [*held.doubts, *await _doubted(conn, held.accepted)]
        # What was asked is taken only with the shares' own work: a crash here must not lose it.
        shares = await _shares(conn, deps, turn, held.accepted, as_of)
        held_up: dict[UUID, Exception] = {}
        for owner_id, share in shares.items():
            result = await _one_share(conn, deps, turn, owner_id, share)
            if isinstance(result, Outcome):
                outcomes.append(result)
                continue
            share.is_kept = await _keep(conn, deps, owner_id, share)
            if is_landing_held(result):
                held_up[owner_id] = result
            else:
                await _write_down(conn, owner_id, share, result)
        outcomes += await _put_off(conn, deps, shares, held_up) if held_up else []
        outcomes.append(await _besides(conn, deps, shares, doubts, as_of))
        await carry(deps, outcomes)
    return outcomes


async def _in_order(
    conn: Connection,
    deps: Deps,
    turn: Turn,
    accepted: Sequence[Accepted],
    known: KnownReaders,
    as_of: int,
) -> Batch:
    """As `in_order`, of what came for a partition."""
    _, elsewhere = sorted_out(accepted, known.bindings, deps.inbox, {turn.partition})
    batch = Batch(accepted, unheard=turn.unheard, read=turn.read, homes=homes_of(elsewhere))
    return await in_order(conn, deps, batch, known, as_of)


async def _besides(
    conn: Connection,
    deps: Deps,
    shares: Mapping[UUID, _Share],
    doubts: Sequence[Doubt],
    as_of: int,
) -> Outcome:
    """What keeping heartbeats brings about, and what they put in doubt: that is not new any more to
    the shares of the heartbeats that said it."""
    asked = {partition for share in shares.values() for partition in share.asked}
    online = [place for share in shares.values() for place in share.online]
    return Outcome([], online, asked | await _ask_for_doubtful(conn, deps, doubts, as_of))


async def _ask_for_doubtful(
    conn: Connection, deps: Deps, doubts: Sequence[Doubt], as_of: int
) -> set[int]:
    """Have the butts derived whose misses are in doubt; their partitions."""
    bindings = await select_bindings(conn, {doubt.reader_id for doubt in doubts})
    return await ask_for(conn, deps, await doubtful_butts(conn, deps, (), bindings, doubts, as_of))


async def _put_off(
    conn: Connection, deps: Deps, shares: Mapping[UUID, _Share], held_up: Mapping[UUID, Exception]
) -> list[Outcome]:
    """Have targets, of which what came is kept, derived together with those whose shots still have
    their landings; when they were just now, in vain, they are written down."""
    # A heartbeat is its reader's, and is held up by the butt that it tells of.
    bindings = await select_bindings(conn, held_up)
    butts = {target for owner in held_up for target in bindings.targets(owner) or [owner]}
    targets = butts | await select_holders(conn, butts)
    is_in_vain = targets == set(shares)
    for owner_id, error in held_up.items():
        if is_in_vain or not shares[owner_id].is_kept:
            await _write_down(conn, owner_id, shares[owner_id], error)
    if is_in_vain:
        return []
    # Who derives them is not to go by what it remembers of them.
    await take_turns(conn, targets)
    await request_recompute(conn, targets, together=True)
    return [Outcome([], [], {deps.inbox.partition_of(target) for target in targets})]


async def _shares(
    conn: Connection, deps: Deps, turn: Turn, accepted: Sequence[Accepted], as_of: int
) -> Mapping[UUID, _Share]:
    shares: dict[UUID, _Share] = {}
    bindings = await select_bindings(conn, {each.reader_id for each in accepted})
    for each in accepted:
        shares.setdefault(owner(each, bindings), _Share(as_of)).accepted.append(each)
    spans, requests = await waiting(conn, deps, turn, as_of)
    for target, span in spans.items():
        share = shares.setdefault(target, _Share(as_of))
        share.span, share.request_id = span, requests.get(target)
    # What came before a heartbeat must be stored when that tells of its reader's presence.
    return dict(sorted(shares.items(), key=lambda each: any(map(is_beat, each[1].accepted))))


async def _doubted(conn: Connection, accepted: Sequence[Accepted]) -> list[Doubt]:
    """Keep what heartbeats say against their readers' words before any share is done; what is in
    doubt by it.

    What the same reader says besides is in other shares, which are done before its heartbeats.
    """
    beats: dict[UUID, list[AcceptedBeat]] = {}
    for each in accepted:
        if isinstance(each, AcceptedBeat):
            beats.setdefault(each.reader_id, []).append(each)
    doubts: list[Doubt] = []

    async def keep(said: Sequence[AcceptedBeat]) -> None:
        async with conn.transaction():
            doubts.extend(await keep_doubts(conn, said))

    for reader_id in sorted(beats):
        # What cannot be kept is written down with the heartbeat's own share.
        await tried(keep(beats[reader_id]))
    return doubts


async def _one_share(
    conn: Connection, deps: Deps, turn: Turn, owner_id: UUID, share: _Share
) -> Outcome | Exception:
    """Do one target's share in a savepoint; what it failed with."""

    async def alone() -> Outcome:
        async with conn.transaction():
            spans = {} if share.span is None else {owner_id: share.span}
            requests = {} if share.request_id is None else {owner_id: share.request_id}
            # Heartbeats come last, when all is stored.
            is_apart = turn.is_part or any(isinstance(e, AcceptedEvent) for e in share.accepted)
            batch = Batch(share.accepted, spans, requests, turn.unheard, is_apart, read=turn.read)
            return await do_batch(conn, deps, {turn.partition}, batch, share.as_of)

    share.began_at = datetime.now(UTC)
    return await tried(alone())


async def _keep(conn: Connection, deps: Deps, owner_id: UUID, share: _Share) -> bool:
    """Keep a share's events without their shots, and what its heartbeats say; whether that went
    well."""
    events = [each for each in share.accepted if isinstance(each, AcceptedEvent)]
    beats = [each for each in share.accepted if isinstance(each, AcceptedBeat)]

    async def keep() -> None:
        async with conn.transaction():
            await take_turns(conn, [owner_id])
            news = await keep_unheard(conn, events)
            if news.earlier:
                await _ask_anew(conn, deps, share, news)
            await _keep_starts(conn, deps, share, events)
            if beats:
                await _keep_beats(conn, deps, share, beats)

    return not isinstance(await tried(keep()), Exception)


async def _keep_starts(
    conn: Connection, deps: Deps, share: _Share, events: Sequence[AcceptedEvent]
) -> None:
    """Keep the starts that a share's landings make known, and ask for what is in doubt by them:
    nobody says them again."""
    doubts: list[Doubt] = []
    for each in events:
        if each.start is not None:
            starts = [(each.reader_id, each.start)]
            doubts += await keep_boots(conn, (), starts, is_clear=False)
    if doubts:
        share.asked |= await _ask_for_doubtful(conn, deps, doubts, share.as_of)


async def _ask_anew(conn: Connection, deps: Deps, share: _Share, news: News) -> None:
    """Ask for what was decided by copies of events of which an earlier one is kept now."""
    bindings = await select_bindings(conn, {was.reader_id for was in news.earlier.values()})
    doubtful = await doubtful_butts(conn, deps, (), bindings, news.doubts, share.as_of)
    left = await left_behind(conn, news, bindings)
    share.asked |= await ask_for(conn, deps, all_of(doubtful, left))


async def _keep_beats(
    conn: Connection, deps: Deps, share: _Share, beats: Sequence[AcceptedBeat]
) -> None:
    """Keep what a share's heartbeats say, and ask for what they may decide.

    Nobody says again that a reader was switched on in the middle of a flight, or has more to send:
    who does not know it calls a miss.
    """
    known = await lock_readers(conn, {beat.reader_id for beat in beats})
    as_of = share.as_of
    since = instant(as_of - deps.offline_after)
    news = await keep_said(conn, Said(beats, known.last_heard, {}), since)
    butts = {target for beat in beats for target in known.watched[beat.reader_id]}
    doubtful = await doubtful_butts(conn, deps, butts, known.bindings, news.doubts, as_of)
    share.asked |= await ask_for(conn, deps, doubtful)
    share.online += await places(conn, news.online, as_of)


async def _write_down(conn: Connection, owner_id: UUID, share: _Share, error: Exception) -> None:
    """Keep the failure, with all that doing it again takes and is not kept yet."""
    log.error("a target's events cannot be correlated", target=str(owner_id), error=str(error))
    lost = [] if share.is_kept else [encode(each).decode() for each in share.accepted]
    requests = [each.request_id for each in share.accepted if each.request_id is not None]
    failure = Failure(
        job_id=f"correlate:{owner_id}",
        function="correlate_target",
        arguments={"target_id": str(owner_id), "unstored": lost},
        attempts=[attempt(error, share.began_at, datetime.now(UTC))],
        target_id=owner_id,
        request_id=requests[-1] if requests else None,
    )
    await insert_failed_job(conn, failure)

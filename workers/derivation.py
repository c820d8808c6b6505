"""Shots derived anew from the rows: load the window, call the rules, write what differs."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from copy import replace
from uuid import UUID

from msgspec import Struct, field

from core.domain.ends import Placed
from core.domain.values import Shot, Status, Watch
from core.domain.window import Span, joined
from core.models.auto_end import AutoEnd
from core.models.butt import PlacedButt, select_butts
from core.models.correlated_shot import Fate, StoredShot, select_fates, voided
from core.models.shot_write import write_shots
from core.models.unmatched_landing import UnmatchedLanding
from core.postgres import Connection
from workers.auto_ends import keep_auto_ends
from workers.ends import Settled, settled
from workers.hindsight import Hindsight
from workers.memory import Remembered
from workers.recall import Recall
from workers.rulings import judged_butts
from workers.unmatched import keep_unmatched
from workers.windows import AsOf, Window, derived_windows, new_lessons


class Change(Struct, frozen=True):
    """A shot before and after; before is None for a new one."""

    before: StoredShot | None
    after: StoredShot

    @property
    def is_visible(self) -> bool:
        """Whether viewers see a difference."""
        return self.before is None or self.before.version != self.after.version


class Causes(Struct, frozen=True):
    """The requests that brought what is being derived.

    Args:
        of_event: By event id.
        of_target: By target, for changes that no single event explains.
        of_shot: By shot, for rulings.
    """

    of_event: Mapping[UUID, UUID] = field(default_factory=dict)
    of_target: Mapping[UUID, UUID] = field(default_factory=dict)
    of_shot: Mapping[UUID, UUID] = field(default_factory=dict)

    def of(self, shot: Shot, target_id: UUID) -> UUID | None:
        """The request that most likely caused a shot's change."""
        by_landing = (
            None if shot.landing_event_id is None else self.of_event.get(shot.landing_event_id)
        )
        by_release = (
            None if shot.release_event_id is None else self.of_event.get(shot.release_event_id)
        )
        by_ruling = self.of_shot.get(shot.id)
        return by_ruling or by_landing or by_release or self.of_target.get(target_id)


class Derivation(Struct, frozen=True):
    """What was written.

    Args:
        changes: Shots, in the order of their releases.
        unmatched: Impacts that are nobody's, new ones or others than before.
        ends: Ends by the count of the arrows, new ones or others than before.
        elsewhere: Butts to be derived after this, and when what may differ then was released: they
            were not derived and have shots that now count otherwise, or somebody may have been
            heard meanwhile who did not know of these.
        learned: What is to be remembered of the butts once this is committed.
        untold: The row of `untold` that names the shots that viewers see change; None: there are
            none.
    """

    changes: Sequence[Change]
    unmatched: Sequence[UnmatchedLanding]
    ends: Sequence[AutoEnd] = ()
    elsewhere: Mapping[UUID, Span] = field(default_factory=dict)
    learned: Sequence[Remembered] = ()
    untold: int | None = None


class Look(Struct, frozen=True):
    """What misses hang on that are presumed.

    Args:
        waiting: Of some targets, and when arrows were in the air there, those of whose readers
            something is not done.
        changed: Targets of which a request changed other things than what was said: a miss that was
            called there may have been called by something else.
    """

    waiting: Callable[[Mapping[UUID, Span]], Awaitable[Collection[UUID]]]
    changed: Collection[UUID] = ()


class _Presumed(Struct, frozen=True):
    """Arrows of a butt that have missed only as far as is known.

    Args:
        span: When they were in the air.
        releases: Their events' ids.
    """

    span: Span
    releases: frozenset[UUID]


async def derive(
    recall: Recall, spans: Mapping[UUID, Span], as_of: AsOf, causes: Causes, look: Look
) -> Derivation:
    """Derive the shots of some targets and write those that differ, in the caller's transaction;
    and so the landings that are nobody's.

    Args:
        recall: What is stored of the targets.
        spans: When the releases lie whose shots may differ, by target.
        as_of: Now.
        causes: The requests behind it.
        look: What misses hang on.
    """
    court = await judged_butts(recall.conn, recall.butts)
    causes = replace(causes, of_shot=court.requests)
    windows = await _certain(recall, court.butts, court.widened(spans), as_of, look)
    derived = {s.id: (window.target_id, s) for window in windows for s in window.found.shots}
    cuts = {window.target_id: window.span for window in windows}
    known = await recall.shots(cuts, _by_target(derived))
    counted = await settled(recall.conn, windows, derived, known)
    changes = _differences(counted, recall.butts, causes, set(cuts))
    untold = await _write(recall, windows, changes)
    ends = await keep_auto_ends(recall.conn, windows, _seen(changes))
    if court.pending:
        await Hindsight(recall.conn, windows, known, counted, _versions(changes), as_of).note(court)
    return Derivation(
        changes,
        await keep_unmatched(recall, windows),
        ends,
        joined([*counted.elsewhere.items(), *_unfound(changes).items()]),
        recall.learned(),
        untold,
    )


async def _certain(
    recall: Recall,
    butts: Mapping[UUID, PlacedButt],
    spans: Mapping[UUID, Span],
    as_of: AsOf,
    look: Look,
) -> list[Window]:
    """As `derived_windows`; where something of a butt's readers waits, that they are online lets
    nobody have missed: it may be the landing."""
    windows = new = await derived_windows(recall, butts, spans, as_of)
    while presumed := await _presumed(recall.conn, new, look.changed):
        waited_for = await look.waiting({target: each.span for target, each in presumed.items()})
        unheard = {target: presumed[target] for target in presumed if target in waited_for}
        doubted = {target: _unsure(butts[target], each) for target, each in unheard.items()}
        # What was done meanwhile was not waited for any more.
        for target, watches in (await _anew(recall, presumed.keys() - unheard.keys())).items():
            if watches != butts[target].butt.watches:
                doubted[target] = _watched(butts[target], watches)
        butts = {**butts, **doubted}
        again = {window.target_id: window.span for window in new if window.target_id in doubted}
        # Of what came since the look other readers may be presumed to have been there.
        new = await derived_windows(recall, butts, again, as_of)
        windows = [*(window for window in windows if window.target_id not in again), *new]
    return windows


async def _anew(recall: Recall, targets: Collection[UUID]) -> dict[UUID, tuple[Watch, ...]]:
    """The readers of some butts as they are just now."""
    if not targets:
        return {}
    offline_after = next(iter(recall.butts.values())).butt.offline_after
    butts = await select_butts(recall.conn, targets, offline_after)
    return {target: placed.butt.watches for target, placed in butts.items()}


async def _presumed(
    conn: Connection, windows: Sequence[Window], changed: Collection[UUID]
) -> dict[UUID, _Presumed]:
    """Arrows that have missed only as far as is known, by target. What was called such a miss there
    before stays one until somebody says otherwise: judges are not called for what passes."""
    missed = {
        window.target_id: [
            shot
            for shot in window.found.shots
            if shot.status is Status.MISSED and not shot.is_settled
        ]
        for window in windows
    }
    ids = [shot.id for shots in missed.values() for shot in shots]
    fates = await select_fates(conn, ids) if ids else {}
    found: dict[UUID, _Presumed] = {}
    for window in windows:
        target = window.target_id
        told = Fate(target, Status.MISSED, is_settled=False)
        new = [s for s in missed[target] if target in changed or fates.get(s.id) != told]
        if new:
            at = [shot.released_at for shot in new]
            found[target] = _Presumed(
                Span(min(at), max(at) + window.butt.rules.landing_window),
                frozenset(s.release_event_id for s in new if s.release_event_id is not None),
            )
    return found


def _unfound(changes: Iterable[Change]) -> dict[UUID, Span]:
    """The targets of shots that nobody was there to see, and when those were released, as far as
    whoever was heard meanwhile did not find them: they are derived once more after this."""
    unfound = [
        change.after
        for change in changes
        if change.after.shot.status is Status.UNRESOLVED
        and not _is_open(change.before, change.after.target_id)
    ]
    return joined(
        (each.target_id, Span(each.shot.released_at, each.shot.released_at)) for each in unfound
    )


def _is_open(before: StoredShot | None, target_id: UUID) -> bool:
    """Whether a shot is stored so that whoever is heard finds it at its butt: time may not be up
    yet for them where it is for us."""
    return (
        before is not None
        and before.target_id == target_id
        and not before.shot.is_settled
        and before.shot.status not in (Status.VOIDED, Status.IN_FLIGHT)
    )


def _unsure(placed: PlacedButt, presumed: _Presumed) -> PlacedButt:
    """A butt of whose readers nobody knows whether they saw what came of some releases."""
    unsure = placed.butt.unsure | presumed.releases
    return replace(placed, butt=replace(placed.butt, unsure=unsure))


def _watched(placed: PlacedButt, watches: tuple[Watch, ...]) -> PlacedButt:
    return replace(placed, butt=replace(placed.butt, watches=watches))


async def _write(
    recall: Recall, windows: Sequence[Window], changes: Sequence[Change]
) -> int | None:
    """Write the shots, what they teach, and their slots' sums; as `write_shots`."""
    untold = await write_shots(
        recall.conn,
        [change.after for change in changes if change.before is not None],
        [change.after for change in changes if change.before is None],
        # An arrow in the air counts nothing yet.
        slots={each.shot.slot_id for each in _seen(changes) if each.shot.score is not None},
        lessons=await new_lessons(recall, windows),
        seen=[change.after.shot.id for change in changes if change.is_visible],
    )
    recall.note_shots(change.after for change in changes)
    return untold


def _by_target(derived: Mapping[UUID, tuple[UUID, Shot]]) -> dict[UUID, set[UUID]]:
    """The ids of what was derived."""
    ids: dict[UUID, set[UUID]] = {}
    for shot_id, (target_id, _) in derived.items():
        ids.setdefault(target_id, set()).add(shot_id)
    return ids


def _seen(changes: Iterable[Change]) -> list[StoredShot]:
    """Shots that viewers see change, as they were and as they are."""
    return [s for c in changes if c.is_visible for s in (c.before, c.after) if s is not None]


def _versions(changes: Iterable[Change]) -> dict[UUID, int]:
    return {change.after.shot.id: change.after.version for change in changes}


def _differences(
    counted: Settled,
    butts: Mapping[UUID, PlacedButt],
    causes: Causes,
    targets: Collection[UUID],
) -> list[Change]:
    found = [
        _change(
            counted.known.get(shot_id), placed, butts[target_id], causes.of(placed.shot, target_id)
        )
        for shot_id, (target_id, placed) in counted.shots.items()
    ]
    changes = [change for change in found if change is not None]
    gone = [
        before
        for shot_id, before in counted.known.items()
        if shot_id not in counted.shots and before.target_id in targets
    ]
    for before in gone:
        emptied = voided(before)
        # Also when a judge had voided it before its release was gone.
        if before.shot != emptied.shot:
            request_id = causes.of(before.shot, before.target_id)
            after = replace(emptied, version=before.version + 1, request_id=request_id)
            changes.append(Change(before, after))
    return sorted(changes, key=lambda change: (change.after.shot.released_at, change.after.shot.id))


def _change(
    before: StoredShot | None, placed: Placed, butt: PlacedButt, request_id: UUID | None
) -> Change | None:
    """The difference between what is stored and what was derived; None: there is none."""
    shot, number = placed.shot, placed.end_number
    if before is None:
        # A shot that is new and decided was in flight first: viewers are told of both.
        version = 1 if shot.status is Status.IN_FLIGHT else 2
        after = StoredShot(shot, butt.session_id, butt.target_id, number, version, request_id)
        return Change(None, after)
    place = (butt.session_id, butt.target_id, number)
    stays = place == (before.session_id, before.target_id, before.end_number)
    if stays and shot == before.shot:
        return None
    moved = StoredShot(shot, *place, before.version, before.request_id)
    as_seen = replace(before.shot, is_settled=shot.is_settled, deadline=shot.deadline)
    if stays and as_seen == shot:
        return Change(before, moved)
    return Change(before, replace(moved, version=before.version + 1, request_id=request_id))

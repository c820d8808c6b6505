"""What each ruling did: the shots that it touches without it and with it.

Rulings come faster than shots are derived, and are taken back before. What one of them did is
what follows from those that stood when it was made, so it is derived from just these: the same
rules, the same events, other verdicts. Only shots with new rulings on them are looked at so.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import replace
from uuid import UUID

from msgspec import Struct

from core.domain.correlation import correlate
from core.domain.ends import Placed
from core.domain.rulings import Action, Ruling, verdicts
from core.domain.values import Status
from core.models.correlated_shot import StoredShot
from core.models.ruling_in_force import RulingInForce, Shown, note_applied
from core.postgres import Connection
from workers.ends import Settled, settled
from workers.rulings import Judged
from workers.shown import shown
from workers.windows import AsOf, Window

type _State = Mapping[UUID, StoredShot]


class Hindsight(Struct, frozen=True):
    """What was derived, to be derived with other rulings.

    Args:
        conn: In the transaction that writes the shots.
        windows: What was derived, with the rulings that stand.
        known: The shots that are stored of that.
        counted: What it came to.
        versions: Those of the shots that are written.
        as_of: Its now.
    """

    conn: Connection
    windows: Sequence[Window]
    known: Mapping[UUID, StoredShot]
    counted: Settled
    versions: Mapping[UUID, int]
    as_of: AsOf

    async def note(self, court: Judged) -> None:
        """Keep what each ruling did that was not applied before."""
        derived = {window.target_id for window in self.windows}
        applied = [each for each in court.pending if each.target_id in derived]
        if applied:
            await note_applied(self.conn, applied, await self._did(court, applied))

    async def _did(
        self, court: Judged, applied: Iterable[RulingInForce]
    ) -> dict[UUID, tuple[Shown, Shown]]:
        states: dict[tuple[UUID, frozenset[UUID]], _State] = {}
        did: dict[UUID, tuple[Shown, Shown]] = {}
        for each in applied:
            if each.was_applied:
                continue
            target = each.target_id
            rulings = [other.ruling for other in court.in_force if other.target_id == target]
            standing = _ids(ruling for ruling in rulings if ruling.undone_at is None)
            states.setdefault((target, standing), self._state(target, self.counted))
            for said in (found := each.ruling.found(rulings), left := each.ruling.left(rulings)):
                if (target, _ids(said)) not in states:
                    state = self._state(target, await self._with(target, said))
                    states[target, _ids(said)] = state
            before, after = states[target, _ids(found)], states[target, _ids(left)]
            did[each.ruling.id] = _told(each.ruling, before, after)
        return did

    async def _with(self, target_id: UUID, rulings: Collection[Ruling]) -> Settled:
        """What everything comes to with other rulings on one butt."""
        windows = [
            self._ruled(window, rulings) if window.target_id == target_id else window
            for window in self.windows
        ]
        derived = {s.id: (window.target_id, s) for window in windows for s in window.found.shots}
        return await settled(self.conn, windows, derived, self.known)

    def _ruled(self, window: Window, rulings: Collection[Ruling]) -> Window:
        ruled = verdicts(rulings)
        found = correlate(
            window.events,
            window.butt,
            self.as_of(window.target_id),
            span=window.span,
            lessons=window.taught,
            ruled=ruled,
        )
        return replace(window, placed=replace(window.placed, verdicts=ruled), found=found)

    def _state(self, target_id: UUID, counted: Settled) -> _State:
        (session_id,) = {w.placed.session_id for w in self.windows if w.target_id == target_id}
        gone = {i: k for i, k in self.known.items() if k.shot.status is Status.VOIDED}
        return gone | {
            shot_id: self._stored(session_id, target_id, placed)
            for shot_id, (target, placed) in counted.shots.items()
            if target == target_id
        }

    def _stored(self, session_id: UUID, target_id: UUID, placed: Placed) -> StoredShot:
        """A shot as it would be stored. One that differs from what was is of the version that tells
        of the rulings."""
        shot, number = placed.shot, placed.end_number
        before = self.known.get(shot.id)
        if before is not None and (before.shot, before.end_number) == (shot, number):
            return before
        version = self.versions.get(shot.id, 1 if before is None else before.version)
        return StoredShot(shot, session_id, target_id, number, version, None)


def _ids(rulings: Iterable[Ruling]) -> frozenset[UUID]:
    """Which rulings there are; a restore itself says nothing of a shot."""
    return frozenset(ruling.id for ruling in rulings if ruling.action is not Action.RESTORE)


def _told(ruling: Ruling, before: _State, after: _State) -> tuple[Shown, Shown]:
    touched = [known for known in before.values() if _touches(ruling, known)]
    ids = {known.shot.id for known in touched}
    if ruling.shot_id is not None:
        ids.add(ruling.shot_id)
    return _shown(touched), _shown(after[shot_id] for shot_id in ids if shot_id in after)


def _touches(ruling: Ruling, known: StoredShot) -> bool:
    """Whether a ruling is about a shot, or about its landing."""
    shot = known.shot
    if ruling.action is Action.SWAP:
        places = {slot.id for slot in (ruling.slot, ruling.other_slot) if slot is not None}
        return shot.slot_id in places and ruling.since <= shot.released_at < ruling.until
    landing = None if ruling.landing is None else ruling.landing.id
    return shot.id == ruling.shot_id or (landing is not None and shot.landing_event_id == landing)


def _shown(shots: Iterable[StoredShot]) -> Shown:
    ordered = sorted(shots, key=lambda known: (known.shot.released_at, known.shot.id))
    return [shown(known).model_dump(mode="json") for known in ordered]

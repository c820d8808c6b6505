"""A butt before a judge: what stands there, and how far what is said of it reaches."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.domain.rulings import Action, Verdicts, Worth, verdicts
from core.domain.values import Event
from core.domain.window import Span
from core.models.instants import microseconds
from core.models.ruling import NewRuling
from core.models.ruling_in_force import RulingInForce, select_in_force
from core.models.shot import select_touched_shots
from core.models.slot import select_homes
from core.models.target import TARGETS
from core.postgres import Connection
from core.schema.shot import Shot
from core.schema.target import Target


@dataclass(frozen=True, slots=True)
class Finding:
    """What a judge says, found to be possible; which of it is there depends on the action.

    Args:
        action: What.
        reason: Why.
        shot_id: The shot.
        landing: The landing.
        slot_id: Whose a shot is.
        worth: What a shot counts.
    """

    action: Action
    reason: str
    shot_id: UUID | None = None
    landing: Event | None = None
    slot_id: UUID | None = None
    worth: Worth | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """All that a ruling can change.

    Args:
        span: When it happened.
        before: The shots that the ruling itself touches.
        slot_ids: The places of all shots that may change.
    """

    span: Span
    before: Sequence[Shot]
    slot_ids: Collection[UUID]


@dataclass(slots=True)
class _Circle:
    """Shots and landings that rulings tie to each other."""

    shots: set[UUID]
    landings: dict[UUID, Event]

    def takes_in(self, each: RulingInForce) -> bool:
        """Whether a ruling ties more to it."""
        shot_id, landing = each.ruling.shot_id, each.ruling.landing
        if shot_id is None or landing is None:
            return False
        if (shot_id in self.shots) is (landing.id in self.landings):
            return False
        self.shots.add(shot_id)
        self.landings[landing.id] = landing
        return True


@dataclass(frozen=True, slots=True)
class Case:
    """A target that nobody else rules on until the transaction ends.

    Args:
        conn: In that transaction.
        target: The target.
        in_force: What was ruled on it.
    """

    conn: Connection
    target: Target
    in_force: Sequence[RulingInForce]

    @property
    def verdicts(self) -> Verdicts:
        """What stands of that."""
        return verdicts(each.ruling for each in self.in_force if each.stands)

    def is_ruled(self, shot_id: UUID) -> bool:
        """Whether any ruling on this shot stands."""
        return any(
            each.stands
            and each.ruling.shot_id == shot_id
            and each.ruling.action is not Action.RESTORE
            for each in self.in_force
        )

    async def homes(self, slot_ids: Collection[UUID]) -> set[UUID]:
        """The other targets that some places are at: what is being derived there is waited for."""
        return await select_homes(self.conn, slot_ids) - {self.target.id}

    async def reach(self, shot_id: UUID | None, landing: Event | None) -> Reach:
        """What a ruling on a shot and a landing can change: also the shots that have or had that
        landing, and the landings that were ruled to be that shot's, and so on.

        Args:
            shot_id: The shot.
            landing: The landing.
        """
        shots = set() if shot_id is None else {shot_id}
        landings = {} if landing is None else {landing.id: landing}
        circle = _Circle(set(shots), dict(landings))
        growing = True
        while growing:
            growing = any(circle.takes_in(each) for each in self.in_force)
        touched = await select_touched_shots(self.conn, circle.shots, circle.landings)
        times = [event.at for event in circle.landings.values()]
        times += [microseconds(shot.release_time) for shot in touched]
        times += [microseconds(s.landing_time) for s in touched if s.landing_time is not None]
        named = [e.ruling.slot for e in self.in_force if e.ruling.shot_id in circle.shots]
        return Reach(
            span=Span(min(times), max(times)),
            before=[s for s in touched if s.id in shots or s.landing_event_id in landings],
            slot_ids={s.slot_id for s in touched} | {slot.id for slot in named if slot is not None},
        )

    def ruling(self, finding: Finding, reach: Reach) -> NewRuling:
        """What is to be kept of a finding."""
        return NewRuling(
            session_id=self.target.session_id,
            target_id=self.target.id,
            action=finding.action,
            reason=finding.reason,
            span=reach.span,
            before=reach.before,
            shot_id=finding.shot_id,
            landing_event_id=None if finding.landing is None else finding.landing.id,
            slot_id=finding.slot_id,
            worth=finding.worth,
        )


async def open_case(conn: Connection, target_id: UUID) -> Case:
    """Keep others from ruling on this target, and see what stands.

    Args:
        conn: In the transaction of the ruling.
        target_id: The target.
    """
    target = await TARGETS.locked(conn, target_id)
    in_force = await select_in_force(conn, [target_id])
    return Case(conn, target, [each for each in in_force if each.target_id == target_id])

"""Butts with what judges ruled on them, and how shots are once that is applied."""

from collections.abc import Collection, Mapping, Sequence
from copy import replace
from uuid import UUID

from msgspec import Struct

from core.domain.rulings import verdicts
from core.domain.window import Span
from core.models.butt import PlacedButt
from core.models.ruling_in_force import RulingInForce, lock_shared_slots, select_in_force
from core.postgres import Connection


class Judged(Struct, frozen=True):
    """Butts, and what was ruled on them or taken back since their shots were derived.

    Args:
        butts: By target, each with its verdicts.
        pending: Those rulings, in the order in which they were made.
        in_force: Them, and all that stand.
    """

    butts: Mapping[UUID, PlacedButt]
    pending: Sequence[RulingInForce]
    in_force: Sequence[RulingInForce] = ()

    @property
    def requests(self) -> dict[UUID, UUID]:
        """The request that changes a shot by a ruling, by shot."""
        return {
            shot_id: each.request_id
            for each in self.pending
            for shot_id in each.shot_ids
            if each.request_id is not None
        }

    def widened(self, spans: Mapping[UUID, Span]) -> dict[UUID, Span]:
        """What is to be derived, with all that pending rulings touch: a landing that goes from one
        shot to another, however far apart these are, must not be both's in between.

        Args:
            spans: When the releases lie whose shots are derived, by target.
        """
        widened = dict(spans)
        for each in self.pending:
            if each.target_id in widened:
                widened[each.target_id] = each.span.joined(widened[each.target_id])
        return widened


async def judged_butts(conn: Connection, butts: Mapping[UUID, PlacedButt]) -> Judged:
    """The butts with what stands of the rulings on them.

    Args:
        conn: In a transaction, with the butts' partition locked. Places that have shots of several
            butts are locked until it ends.
        butts: By target.
    """
    ruled_on = [target for target, placed in butts.items() if placed.has_rulings]
    in_force = await select_in_force(conn, ruled_on) if ruled_on else []
    if not in_force:
        return Judged(butts, ())
    await _lock_shared(conn, in_force)
    found = dict(butts)
    for target in {each.target_id for each in in_force} & set(butts):
        ruled = verdicts(e.ruling for e in in_force if e.stands and e.target_id == target)
        found[target] = replace(butts[target], verdicts=ruled)
    pending = [each for each in in_force if each.is_pending and each.target_id in butts]
    return Judged(found, sorted(pending, key=lambda each: each.ruling.order), in_force)


async def _lock_shared(conn: Connection, in_force: Collection[RulingInForce]) -> None:
    shared = {
        each.ruling.slot.id
        for each in in_force
        if each.ruling.slot is not None and each.home_id != each.target_id
    }
    if shared:
        await lock_shared_slots(conn, shared)

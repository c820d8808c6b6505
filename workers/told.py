"""What viewers were told of shots, noted in the database a little later and for many at once.

Nobody waits for it. What a crash keeps from being noted is told once more, which changes nothing
for a viewer.
"""

from collections.abc import Iterable
from uuid import UUID

from core.models.correlated_shot import StoredShot, mark_published
from core.postgres import Pool


class Told:
    """Shots that viewers were told of and that are not noted yet."""

    def __init__(self) -> None:
        self._shots: dict[UUID, StoredShot] = {}

    def add(self, shots: Iterable[StoredShot]) -> None:
        """Viewers were told of these as they are here."""
        self._shots |= {known.shot.id: known for known in shots}

    async def note(self, pool: Pool) -> None:
        """Note them all."""
        shots, self._shots = self._shots, {}
        if shots:
            async with pool.acquire() as conn:
                # In one order for all, so that two workers do not lock each other out.
                await mark_published(conn, [shots[shot_id] for shot_id in sorted(shots)])

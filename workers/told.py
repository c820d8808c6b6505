"""That viewers were told of shots, noted in the database a little later, for many writes at once.

Nobody waits for it. What a crash keeps from being noted is told once more, which changes nothing
for a viewer.
"""

from collections.abc import Iterable

from core.models.untold import delete_untold
from core.postgres import Pool


class Told:
    """Writes whose shots viewers were told of, while that is not noted yet."""

    def __init__(self) -> None:
        self._writes: set[int] = set()

    def add(self, untold: Iterable[int | None]) -> None:
        """Viewers were told of all that these rows of `untold` name."""
        self._writes.update(each for each in untold if each is not None)

    async def note(self, pool: Pool) -> None:
        """Note them all."""
        writes, self._writes = self._writes, set()
        if writes:
            async with pool.acquire() as conn:
                # In one order for all, so that two workers do not lock each other out.
                await delete_untold(conn, sorted(writes))

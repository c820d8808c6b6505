"""A worker whose event loop stands still, because a task never lets go of it, is worth nothing and
does not know: no timeout comes, no claim is renewed. A thread beside the loop ends it then."""

import asyncio
import faulthandler
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from core.log import get_logger

LOOK_EVERY_S = 0.5
# What `sysexits.h` calls an internal software error: a supervisor starts it again.
STATUS = 70

log = get_logger(__name__)


class _Pulse:
    """Goes on as long as the event loop does."""

    def __init__(self) -> None:
        self.beats = 0

    async def beat(self) -> None:
        """Beat until cancelled."""
        while True:
            self.beats += 1
            await asyncio.sleep(LOOK_EVERY_S / 2)


def end_process() -> None:
    """End this process, and say where it stood still."""
    log.critical("the event loop stands still, this worker ends")
    faulthandler.dump_traceback()
    os._exit(STATUS)


@asynccontextmanager
async def watched(still_for_s: float, end: Callable[[], None] = end_process) -> AsyncIterator[None]:
    """Watch the event loop meanwhile.

    Args:
        still_for_s: Seconds that it may stand still.
        end: Called in another thread when it does for longer.
    """
    pulse, over = _Pulse(), threading.Event()

    def watch() -> None:
        seen, still_s = 0, 0.0
        # Its own looks are counted: those of a process that is stopped as a whole do not happen.
        while not over.wait(LOOK_EVERY_S):
            still_s = still_s + LOOK_EVERY_S if pulse.beats == seen else 0.0
            seen = pulse.beats
            if still_s >= still_for_s:
                end()
                return

    beating = asyncio.create_task(pulse.beat())
    threading.Thread(target=watch, name="watchdog", daemon=True).start()
    try:
        yield
    finally:
        over.set()
        beating.cancel()

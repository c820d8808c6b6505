"""Ctrl-C, SIGTERM and a closed terminal: told once, and once more does no harm."""

import os
import signal
import threading
from pathlib import Path
from types import FrameType

from core.embedded.tether import tie

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopping:
    """Hears that it is time to end, from when it is made, in the main thread.

    While things are being started, the first signal breaks off whatever is under way
    (KeyboardInterrupt). After `from_here_on_only_noted` it sets `event`; so does every later one,
    since by then the end has begun.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self._breaks_off = True
        for signum in ENDING:
            # Who starts us with nohup wants us to outlive the terminal.
            if signum is not signal.SIGHUP or signal.getsignal(signum) is not signal.SIG_IGN:
                signal.signal(signum, self._hear)

    def _hear(self, _: int, __: FrameType | None) -> None:
        is_first = not self.event.is_set()
        self.event.set()
        if is_first and self._breaks_off:
            raise KeyboardInterrupt

    def from_here_on_only_noted(self) -> None:
        """Break nothing off any more."""
        self._breaks_off = False


def end_with_uv() -> None:
    """Be told to end when the `uv run` that started us is killed: it can pass nothing on then."""
    parent = os.getppid()
    try:
        name = Path(f"/proc/{parent}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return
    if name == "uv":
        tie(signal.SIGTERM, parent)

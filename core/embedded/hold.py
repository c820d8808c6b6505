"""A data directory to ourselves."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from core.embedded.failure import StoreFailed


@dataclass(frozen=True, slots=True)
class Hold:
    """That no other process uses a directory; the system ends it with us, however we end."""

    file: IO[str]

    @classmethod
    def take(cls, directory: Path) -> Self:
        """Have a directory to ourselves.

        Raises:
            StoreFailed: Another process has it.
        """
        try:
            file = (directory / "lock").open("a+")
        except OSError as error:
            raise StoreFailed(f"{directory} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise StoreFailed(
                f"{directory} is in use by process {holder}: "
                "stop that one, or give another --data-dir"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return cls(file)

    def release(self) -> None:
        """Let others have it."""
        self.file.close()

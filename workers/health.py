"""`python -m workers.health`: exit status 0 when a worker of this host is alive; for a container's
health check."""

import asyncio
import socket
import sys

from core.errors import QuiverError
from core.roster import workers
from core.settings import Settings
from core.valkey import LOST, open_valkey


async def is_alive(settings: Settings, host: str) -> bool:
    """Whether a worker has said within the last seconds that it is there.

    Args:
        settings: Where Valkey is.
        host: The name of the host that it runs on.
    """
    client = open_valkey(settings, size=1)
    try:
        return any(report["host"] == host for report in await workers(client))
    finally:
        await client.aclose()


def main() -> int:
    """The exit status; a sentence goes to standard error when it is not 0."""
    host = socket.gethostname()
    try:
        if asyncio.run(is_alive(Settings(), host)):
            return 0
        reason = f"no worker of {host} has been heard from"
    except (QuiverError, *LOST) as error:
        reason = f"Valkey cannot be asked: {error}"
    print(reason, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

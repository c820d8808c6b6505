"""Whether the API can come up, and whether it has."""

import socket
from urllib.error import URLError
from urllib.request import urlopen

from core.errors import QuiverError


class PortTaken(QuiverError):
    """The API cannot listen where it should."""


def check_port(host: str, port: int) -> None:
    """See that the API can listen there, before anything else is started.

    Raises:
        PortTaken: It cannot.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the API's own socket: an earlier one's closed connections are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            raise PortTaken(
                f"port {port} of {host} cannot be used ({error.strerror}): "
                "stop what listens there, or give another --port"
            ) from error


def is_ready(url: str) -> bool:
    """Whether the stores are reachable, the migrations current and a worker alive."""
    try:
        with urlopen(f"{url}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False

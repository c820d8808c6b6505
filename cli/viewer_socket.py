"""A viewer's connection to the API: kept up, and taken up again where it was cut."""

import asyncio
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlencode, urlsplit

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI, WebSocketException

from cli.frames import SeenShot
from cli.scoreboard import Scoreboard
from core.errors import QuiverError

FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 5.0
# A snapshot of a large tournament holds thousands of rows.
LARGEST_FRAME = 64 * 1024 * 1024
# Refusals that another try would not change.
FINAL = (400, 401, 403, 404, 405, 422)

type OnNews = Callable[[Sequence[SeenShot]], None]


class WatchRefusedError(QuiverError):
    """The server will not let this viewer watch; the text says why."""


class ViewerSocket:
    """Feeds a scoreboard from a session's WebSocket.

    Args:
        url: The API's, such as ``http://127.0.0.1:8000``.
        token: Sent along; None: the session's results are public.
        session: The session's id.
        target: The only target to hear of; None: all.
    """

    def __init__(self, url: str, token: str | None, session: str, target: str | None) -> None:
        self.board = Scoreboard()
        self.is_connected = False
        self._url = url
        self._token = token
        self._session = session
        self._target = target

    async def follow(self, on_news: OnNews) -> None:
        """Take every frame, connecting again for as long as it takes; ends only by cancellation.

        Args:
            on_news: Called after each frame with the shots that it says something new of.

        Raises:
            WatchRefusedError: The server refuses, and would refuse again.
        """
        delay = FIRST_DELAY_S
        while True:
            try:
                if await self._follow_once(on_news):
                    delay = FIRST_DELAY_S
            except InvalidURI as error:
                raise WatchRefusedError(f"{self._url} is not the address of an API") from error
            except InvalidStatus as error:
                if error.response.status_code in FINAL:
                    raise WatchRefusedError(_reason(error)) from error
            except (OSError, InvalidHandshake):
                pass
            self.is_connected = False
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY_S)

    async def _follow_once(self, on_news: OnNews) -> bool:
        """Until the connection ends; whether anything came over it."""
        headers = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        # A proxy is for the world outside, not for an API on this machine.
        proxy: Literal[True] | None = None if _is_local(self._url) else True
        async with connect(
            self.address(), additional_headers=headers, max_size=LARGEST_FRAME, proxy=proxy
        ) as socket:
            self.is_connected = True
            heard = False
            try:
                while True:
                    on_news(self._read(await socket.recv(decode=True)))
                    heard = True
            except WebSocketException:
                # However it ended, the cursor says where to go on.
                return heard

    def _read(self, text: str) -> list[SeenShot]:
        try:
            return self.board.take(text)
        except ValueError:
            # A newer server may send what this viewer does not know.
            return []

    def address(self) -> str:
        """Where to connect next, with the cursor that was reached."""
        split = urlsplit(self._url)
        said = {"target_id": self._target, "since": self.board.cursor}
        query = urlencode({name: value for name, value in said.items() if value is not None})
        path = f"{split.path.rstrip('/')}/api/v0/ws/session/{self._session}"
        scheme = "wss" if split.scheme == "https" else "ws"
        return split._replace(scheme=scheme, path=path, query=query, fragment="").geturl()


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reason(error: InvalidStatus) -> str:
    try:
        body = orjson.loads(error.response.body or b"")
        return "; ".join(map(str, body["errors"]))
    except (ValueError, TypeError, KeyError):
        return f"the server answered {error.response.status_code}"

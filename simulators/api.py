"""The API as an organiser uses it: to set a tournament up, and to read what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

TIMEOUT_S = 30.0


class ApiRefused(Exception):
    """The API said no, or is not there; the text is a sentence."""


class ApiBusy(ApiRefused):
    """The API is there and cannot do it just now: another try may do."""


@dataclass(frozen=True, slots=True)
class Api:
    """Calls with a token.

    Args:
        client: Made by `open_api`.
    """

    client: httpx.AsyncClient

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> Any:
        """Send one request and answer the wrapper's data.

        Raises:
            ApiRefused: The answer is an error or no wrapper, or there is none.
        """
        try:
            answer = await self.client.request(method, f"/api/v0{path}", json=body, params=query)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise ApiRefused(f"{self.client.base_url} does not answer: {reason}") from error
        if answer.is_error:
            kind = ApiBusy if answer.status_code in (429, 503) else ApiRefused
            raise kind(f"{method} {path}: {said(answer)}")
        try:
            return answer.json()["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise ApiRefused(f"{self.client.base_url} answers, but is no Quiver API") from error

    async def every(self, path: str) -> list[Any]:
        """All items of a list that comes in pages.

        Raises:
            ApiRefused: The answer is an error, or there is none.
        """
        items: list[Any] = []
        query: dict[str, str | int] = {"limit": 1000}
        while True:
            page = await self.call("GET", path, query=query)
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            query["cursor"] = page["next_cursor"]


def said(answer: httpx.Response) -> str:
    """What an error answer says."""
    try:
        errors = answer.json()["errors"]
        return f"{answer.status_code}, {'; '.join(errors[:3])}"
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code}"


def open_api(url: str, token: str | None) -> httpx.AsyncClient:
    """A client for one API; to be closed by whoever opens it.

    Raises:
        ApiRefused: The address is none.
    """
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        return httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S)
    except httpx.InvalidURL as error:
        raise ApiRefused(f"{url} is no address of an API: {error}") from error

"""The API as an organiser uses it: to set a tournament up, and to read what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx


class ApiRefused(Exception):
    """The API said no, or is not there; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Api:
    """Calls with a token.

    Args:
        client: Made by `open_api`.
    """

    client: httpx.AsyncClient

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send one request and answer the wrapper's data.

        Raises:
            ApiRefused: The answer is an error, or there is none.
        """
        try:
            answer = await self.client.request(method, f"/api/v0{path}", json=body)
        except httpx.HTTPError as error:
            raise ApiRefused(f"{self.client.base_url} does not answer: {error}") from error
        if answer.is_error:
            raise ApiRefused(f"{method} {path}: {said(answer)}")
        return answer.json()["data"]

    async def every(self, path: str) -> list[Any]:
        """All items of a list that comes in pages.

        Raises:
            ApiRefused: The answer is an error, or there is none.
        """
        items: list[Any] = []
        cursor: str | None = None
        while True:
            more = "" if cursor is None else f"&cursor={cursor}"
            page = await self.call("GET", f"{path}?limit=1000{more}")
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items


def said(answer: httpx.Response) -> str:
    """What an error answer says."""
    try:
        errors = answer.json()["errors"]
        return f"{answer.status_code}, {'; '.join(errors[:3])}"
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code}"


def open_api(url: str, token: str | None) -> httpx.AsyncClient:
    """A client for one API; to be closed by whoever opens it."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=30)

"""Somebody who is not logged in is sent to where they can."""

from urllib.parse import urlencode

HOME = "/admin"
LOGIN = "/admin/login"


class LoginNeeded(Exception):
    """Nobody is logged in; they are sent to where they can.

    Args:
        back: Where they wanted to go.
    """

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.location = f"{LOGIN}?{urlencode({'next': back})}" if back != HOME else LOGIN

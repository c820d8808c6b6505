"""Who looks at how the work stands: looked up with every request, and remembered for when the
database is silent, which is when operators want to look the most.
"""

from hashlib import sha256
from time import monotonic

import asyncpg

from api.cookie import LOGIN_ENDED, Operator, find_operator, opened
from core.errors import UnauthenticatedError
from core.models.signing_key import select_signing_key
from core.models.token import Principal, select_principal
from core.patience import Patience
from core.postgres import LOST, Pool, lent
from core.settings import Settings

PATIENCE_S = 1.0
# Where the database cannot be asked, nobody can be told that a token was revoked.
REMEMBERED_FOR_S = 3600.0
MOST_REMEMBERED = 1_000
SILENT = (*LOST, asyncpg.InterfaceError)


class Logins:
    """Knows cookies and tokens of those who only look.

    Args:
        pool: Where they are looked up.
        settings: The process's settings.
    """

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool, self._settings = pool, settings
        self._patience = Patience(PATIENCE_S)
        self._key: bytes | None = None
        self._operators: dict[str, tuple[Operator, float]] = {}
        self._holders: dict[str, tuple[Principal, float]] = {}

    async def operator(self, cookie: str) -> Operator:
        """Whose cookie this is.

        Raises:
            UnauthenticatedError: It is not ours, too old, or its token was revoked.
            TimeoutError: The database is silent, and was never asked for it.
        """
        try:
            return await self._patience.ask(self._look_up_operator(cookie))
        except SILENT:
            token, _ = opened(self._key, self._settings, cookie) if self._key else ("", "")
            known = _remembered(self._operators, token)
            if known is None:
                raise
            return known

    async def holder(self, token: str) -> Principal | None:
        """Whose token this is; None when it is unknown or revoked.

        Raises:
            TimeoutError: The database is silent, and was never asked for it.
        """
        mark = sha256(token.encode()).hexdigest()
        try:
            found = await self._patience.ask(self._look_up_holder(token))
        except SILENT:
            known = _remembered(self._holders, mark)
            if known is None:
                raise
            return known
        _remember(self._holders, mark, found)
        return found

    async def _look_up_operator(self, cookie: str) -> Operator:
        async with lent(self._pool) as conn:
            self._key = await select_signing_key(conn)
            token, mark = opened(self._key, self._settings, cookie)
            found = await find_operator(conn, self._settings, token, mark)
        _remember(self._operators, token, found)
        if found is None:
            raise UnauthenticatedError(LOGIN_ENDED)
        return found

    async def _look_up_holder(self, token: str) -> Principal | None:
        async with lent(self._pool) as conn:
            return await select_principal(conn, token)


def _remember[T](known: dict[str, tuple[T, float]], mark: str, found: T | None) -> None:
    known.pop(mark, None)
    if found is None:
        return
    if len(known) >= MOST_REMEMBERED:
        del known[next(iter(known))]
    known[mark] = (found, monotonic())


def _remembered[T](known: dict[str, tuple[T, float]], mark: str) -> T | None:
    found, since = known.get(mark, (None, 0.0))
    return found if monotonic() - since < REMEMBERED_FOR_S else None

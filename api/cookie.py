"""The operators' cookie: which token somebody logged in with, signed and for a while.

The token itself is not in it, and what it may do is looked up with every request: a token that was
revoked ends its cookies at once.
"""

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from itsdangerous import BadSignature, URLSafeTimedSerializer

from core.errors import ForbiddenError, UnauthenticatedError
from core.models.signing_key import ensure_signing_key, select_signing_key
from core.models.token import Principal, select_named_principal
from core.postgres import Connection
from core.schema.token import Role
from core.settings import Settings

COOKIE_NAME = "quiver_operator"
SALT = "quiver operator"
OPERATORS = (Role.VIEWER, Role.JUDGE, Role.ADMIN)
ENVIRONMENT = "environment"
LOGIN_ENDED = "Cookie: the login has ended: log in again at /admin/login"


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who logged in.

    Args:
        principal: Their token.
        name: Its name.
    """

    principal: Principal
    name: str

    @property
    def may_act(self) -> bool:
        """Whether they may change anything."""
        return self.principal.role is Role.ADMIN


def _serializer(key: bytes) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        key, salt=SALT, signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
    )


def _mark(token: str) -> str:
    """Stands for the environment's token: another one is another mark."""
    return hashlib.sha256(f"{SALT}:{token}".encode()).hexdigest()


async def seal(conn: Connection, settings: Settings, principal: Principal) -> str:
    """The cookie of somebody who showed their token.

    Raises:
        ForbiddenError: Their role has nothing to see on the operators' page.
    """
    if principal.role not in OPERATORS:
        raise ForbiddenError(f"token: the role {principal.role} has no access to this page")
    if principal.token_id is not None:
        said = [str(principal.token_id), ""]
    else:
        said = [ENVIRONMENT, _mark(settings.quiver_admin_token or "")]
    return str(_serializer(await ensure_signing_key(conn)).dumps(said))


async def unseal(conn: Connection, settings: Settings, cookie: str) -> Operator:
    """Whose cookie this is.

    Raises:
        UnauthenticatedError: It is not ours, too old, or its token was revoked.
    """
    token, mark = opened(await select_signing_key(conn), settings, cookie)
    found = await find_operator(conn, settings, token, mark)
    if found is None:
        raise UnauthenticatedError(LOGIN_ENDED)
    return found


def opened(key: bytes | None, settings: Settings, cookie: str) -> tuple[str, str]:
    """What a cookie says: the id of a token, or that it is the environment's and which.

    Raises:
        UnauthenticatedError: It is not ours, or too old.
    """
    if key is None:
        raise UnauthenticatedError(LOGIN_ENDED)
    try:
        token, mark = _serializer(key).loads(cookie, max_age=round(settings.quiver_login_s))
    except (BadSignature, ValueError) as error:
        raise UnauthenticatedError(LOGIN_ENDED) from error
    return str(token), str(mark)


async def find_operator(
    conn: Connection, settings: Settings, token: str, mark: str
) -> Operator | None:
    """Who has the token that a cookie speaks of; None: it counts no more, or not for operators."""
    if token != ENVIRONMENT:
        named = await select_named_principal(conn, UUID(token))
        is_operators = named is not None and named[0].role in OPERATORS
        return Operator(*named) if named is not None and is_operators else None
    ours = settings.quiver_admin_token
    if ours is None or not hmac.compare_digest(mark, _mark(ours)):
        return None
    return Operator(Principal(Role.ADMIN, None, None), "the environment")

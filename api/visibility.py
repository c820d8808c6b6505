"""Who may see a session's results: everybody when they are public, else whoever has the role."""

from uuid import UUID

from api.dependencies import allow
from core.models.session import select_session
from core.models.token import Principal
from core.postgres import Connection
from core.schema.session import Session
from core.schema.token import Role


async def visible_session(conn: Connection, session_id: UUID, caller: Principal | None) -> Session:
    """The session, when this caller may see its results.

    Raises:
        NotFoundError: No session has this id.
        UnauthenticatedError: Its results are not public and there is no caller.
        ForbiddenError: Nor may their role see them.
    """
    session = await select_session(conn, session_id)
    if not session.results_public:
        allow(caller, Role.VIEWER, Role.JUDGE)
    return session

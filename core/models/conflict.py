"""The database's refusals as sentences that name the field."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from asyncpg import ExclusionViolationError, ForeignKeyViolationError, UniqueViolationError

from core.errors import ConflictError, InvalidInputError, QuiverError

TAKEN: Mapping[str, str] = {
    "target_session_id_lane_key": "body.lane: the session has a target on this lane already",
    "slot_target_id_letter_key": "body.letter: the target has a slot with this letter already",
    "arrow_pkey": "body.id: an arrow with this id exists already",
    "arrow_archer_id_identifier_key": "body.identifier: the archer has an arrow named so already",
    "face_pkey": "body.faces: a face with this id exists already",
}
USERS: Mapping[str, str] = {
    "arrow": "an arrow belongs to it",
    "bow": "a bow belongs to it",
    "event": "an event comes from it",
    "reader_binding": "a reader is bound to it",
    "recompute": "its shots are being derived; try again",
    "ruling": "a judge's ruling refers to it",
    "shot": "a shot refers to it",
    "slot": "a slot refers to it",
    "target": "a target stands in it",
}


@contextmanager
def reported(resource: str, *, is_deletion: bool = False) -> Iterator[None]:
    """Turn what the database refuses within into an error that a caller can act on.

    Args:
        resource: What is written.
        is_deletion: Whether a reference that stands in the way is to the row, and not from it.

    Raises:
        ConflictError: Something unique exists already, or something refers to what is deleted.
        InvalidInputError: What is written refers to something that does not exist.
    """
    try:
        yield
    except (UniqueViolationError, ExclusionViolationError) as error:
        name = error.as_dict().get("constraint_name", "")
        raise ConflictError(
            TAKEN.get(name, f"{resource}: conflicts with another ({name})")
        ) from error
    except ForeignKeyViolationError as error:
        raise _broken(resource, error, is_deletion) from error


def _broken(resource: str, error: ForeignKeyViolationError, is_deletion: bool) -> QuiverError:
    said = error.as_dict()
    table = said.get("table_name", "")
    if is_deletion:
        user = USERS.get(table, f"a {table} refers to it")
        return ConflictError(f"{resource}: cannot be deleted: {user}")
    column = said.get("constraint_name", "").removeprefix(f"{table}_").removesuffix("_fkey")
    return InvalidInputError(f"body.{column}", f"no such {column.removesuffix('_id')}")

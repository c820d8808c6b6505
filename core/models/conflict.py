"""The database's refusals as sentences that name the field."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from asyncpg import ExclusionViolationError, ForeignKeyViolationError, UniqueViolationError

from core.errors import ConflictError, InvalidInputError, QuiverError

TAKEN: Mapping[str, str] = {
    "target_session_id_lane_key": "body.lane: the session has a target on this lane already",
    "slot_target_id_letter_key": "body.letter: the target has a slot with this letter already",
    "arrow_pkey": "body.id: an arrow with this id exists already",
    "arrow_archer_id_identifier_key": "body.identifier: the archer has an arrow of this name already",
    "face_pkey": "body.faces: a face with this id exists already",
    "session_pkey": "body.id: a session with this id exists already",
}


@contextmanager
def reported(resource: str, *, is_deletion: bool = False) -> Iterator[None]:
    """Turn what the database refuses within into an error that a caller can act on.

    Args:
        resource: What is written.
        is_deletion: Whether a reference that stands in the way is to the row, and not from it.

    Raises:
        ConflictError: Something unique exists already, or something still refers to what is deleted.
        InvalidInputError: What is written refers to something that does not exist.
    """
    try:
        yield
    except (UniqueViolationError, ExclusionViolationError) as error:
        name = error.constraint_name or ""
        raise ConflictError(
            TAKEN.get(name, f"{resource}: conflicts with another ({name})")
        ) from error
    except ForeignKeyViolationError as error:
        raise _broken(resource, error, is_deletion) from error


def _broken(resource: str, error: ForeignKeyViolationError, is_deletion: bool) -> QuiverError:
    if is_deletion:
        return ConflictError(f"{resource}: is still used by a {error.table_name}")
    table = error.table_name or ""
    column = (error.constraint_name or "").removeprefix(f"{table}_").removesuffix("_fkey")
    return InvalidInputError(f"body.{column}", f"no such {column.removesuffix('_id')}")

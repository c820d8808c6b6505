"""Whether what a judge says is possible, with a sentence for each reason why it is not."""

from collections.abc import Sequence
from uuid import UUID

from api.case import Case, Finding
from core.domain.outcome import shot_id as shot_id_of
from core.domain.rulings import Action, Worth, worth_of, worths
from core.domain.scoring import Face
from core.domain.values import Event, ShotFlag, Status
from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.models.landing import Landing, select_landing
from core.models.shot import select_shot, select_touched_shots
from core.models.slot import SLOTS
from core.postgres import Connection
from core.schema.ruling import LandingRulingWish, ShotRulingWish
from core.schema.shot import Shot
from core.schema.slot import Slot


async def find_on_shot(case: Case, shot: Shot, wish: ShotRulingWish) -> Finding:
    """What a judge says of a shot.

    Args:
        case: The butt that it was shot at.
        shot: The shot.
        wish: What the judge says.

    Raises:
        ConflictError: It is voided, has nothing to be taken back, or its landing is another's.
        InvalidInputError: There is no such score, landing or slot.
    """
    if wish.action == "restore":
        return _restored(case, shot, wish.reason)
    check_counts(case, shot)
    if wish.action == "score":
        worth = _worth(case, wish)
        return Finding(Action.SCORE, wish.reason, shot.id, worth=worth)
    if wish.action == "assign_landing":
        landing = await _named_landing(case, wish.landing_event_id)
        return given(case, shot, landing, wish.reason)
    if wish.action == "move":
        slot = await slot_of_session(case.conn, wish.slot_id, case.target.session_id)
        return Finding(Action.MOVE, wish.reason, shot.id, slot_id=slot.id)
    return Finding(Action.VOID, wish.reason, shot.id)


async def find_on_landing(case: Case, landing: Event, wish: LandingRulingWish) -> Finding:
    """What a judge says of something that hit a butt.

    Args:
        case: The butt.
        landing: What hit it.
        wish: What the judge says.

    Raises:
        ConflictError: The landing is somebody's already, or its new shot is voided.
        InvalidInputError: There is no such shot or slot.
    """
    if wish.action == "give":
        shot = await _named_shot(case, wish.shot_id)
        check_counts(case, shot)
        return given(case, shot, landing, wish.reason)
    _check_free(case, landing, None)
    if wish.action == "dismiss":
        await _check_nobodys(case, landing)
        return Finding(Action.DISMISS, wish.reason, landing=landing)
    slot = await slot_of_session(case.conn, wish.slot_id, case.target.session_id)
    return Finding(Action.SHOT, wish.reason, shot_id_of(landing.id), landing, slot.id)


def _restored(case: Case, shot: Shot, reason: str) -> Finding:
    if not case.is_ruled(shot.id):
        raise ConflictError(
            f"shot {shot.id}: no ruling on it stands, so there is none to take back"
        )
    return Finding(Action.RESTORE, reason, shot.id)


def check_counts(case: Case, shot: Shot) -> None:
    """Whether a shot can be ruled on.

    Raises:
        ConflictError: It is voided, by a judge or because its release is none.
    """
    if shot.id in case.verdicts.voided:
        raise ConflictError(f"shot {shot.id}: a judge voided it; restore it first")
    if shot.status is Status.VOIDED and ShotFlag.RULED not in shot.flags:
        raise ConflictError(f"shot {shot.id}: what began it makes no shot any more")


def _worth(case: Case, wish: ShotRulingWish) -> Worth:
    faces = [Face(f.id, f.face_type, f.x, f.y, f.letter) for f in case.target.faces]
    worth = worth_of(faces, wish.score, wish.label, wish.is_x)
    if worth is not None:
        return worth
    possible = ", ".join(dict.fromkeys(_written(each) for each in worths(faces)))
    if worth_of(faces, wish.score) is None:
        raise InvalidInputError("body.score", f"the butt's faces have only {possible}")
    field = "label" if worth_of(faces, wish.score, wish.label) is None else "is_x"
    raise InvalidInputError(
        f"body.{field}", f"does not go with this score; the butt's faces have {possible}"
    )


def _written(worth: Worth) -> str:
    return worth.label if worth.label == str(worth.score) else f"{worth.label} ({worth.score})"


async def _named_landing(case: Case, event_id: UUID | None) -> Event | None:
    if event_id is None:
        return None
    try:
        landing: Landing = await select_landing(case.conn, event_id)
    except NotFoundError as error:
        raise InvalidInputError("body.landing_event_id", "no such landing") from error
    if landing.target_id != case.target.id:
        raise InvalidInputError("body.landing_event_id", "landed at another target than the shot's")
    return landing.event


async def _named_shot(case: Case, shot_id: UUID | None) -> Shot:
    assert shot_id is not None
    try:
        shot = await select_shot(case.conn, shot_id)
    except NotFoundError as error:
        raise InvalidInputError("body.shot_id", "no such shot") from error
    if shot.target_id != case.target.id:
        raise InvalidInputError("body.shot_id", "was shot at another target than it landed at")
    return shot


def given(case: Case, shot: Shot, landing: Event | None, reason: str) -> Finding:
    """A landing is a shot's, or the shot has none.

    Raises:
        ConflictError: The shot was made of a landing, or the landing was ruled to be another's.
    """
    if shot.release_event_id is None:
        raise ConflictError(f"shot {shot.id}: was made of a landing, and has that and no other")
    if landing is not None:
        _check_free(case, landing, shot.id)
    return Finding(Action.ASSIGN_LANDING, reason, shot.id, landing)


def _check_free(case: Case, landing: Event, shot_id: UUID | None) -> None:
    holder = case.verdicts.holder(landing.id)
    if holder not in (None, shot_id):
        raise ConflictError(
            f"landing {landing.id}: was ruled to be that of shot {holder}; take that back first"
        )


async def _check_nobodys(case: Case, landing: Event) -> None:
    if landing.id in case.verdicts.dismissed:
        raise ConflictError(f"landing {landing.id}: was dismissed already")
    for shot in await select_touched_shots(case.conn, [], [landing.id]):
        raise ConflictError(f"landing {landing.id}: is that of shot {shot.id}")


async def slot_of_session(conn: Connection, slot_id: UUID | None, session_id: UUID) -> Slot:
    """The slot that a request names.

    Raises:
        InvalidInputError: There is none in the session.
    """
    assert slot_id is not None
    return await _slot_in(conn, slot_id, session_id, "body.slot_id")


async def _slot_in(conn: Connection, slot_id: UUID, session_id: UUID, field: str) -> Slot:
    try:
        slot = await SLOTS.one(conn, slot_id)
    except NotFoundError as error:
        raise InvalidInputError(field, "no such slot") from error
    if slot.session_id != session_id:
        raise InvalidInputError(field, "stands in another session")
    return slot


async def slots_to_swap(
    conn: Connection, slot_ids: Sequence[UUID], session_id: UUID
) -> tuple[Slot, Slot]:
    """The two slots that a request names.

    Raises:
        InvalidInputError: They are not two of one target of the session.
    """
    one = await _slot_in(conn, slot_ids[0], session_id, "body.slot_ids.0")
    other = await _slot_in(conn, slot_ids[1], session_id, "body.slot_ids.1")
    if one.target_id != other.target_id:
        raise InvalidInputError(
            "body.slot_ids", "stand at different targets; bind their readers to the right places"
        )
    return one, other

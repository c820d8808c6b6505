"""Faces on targets."""

from uuid import UUID, uuid4

import pytest

from core.errors import ConflictError
from core.models.face import hang_faces, replace_faces, with_kept_ids
from core.models.target import TARGETS
from core.postgres import Connection
from core.schema.target import Face, FaceWish
from tests.butts import set_up

ONE, TWO, THREE = UUID(int=1), UUID(int=2), UUID(int=3)


def wish(x: float, face_id: UUID | None = None) -> FaceWish:
    """A face to be hung."""
    return FaceWish(id=face_id, face_type="wa_40_full", x=x, y=0.0, letter=None)


def face(x: float, face_id: UUID) -> Face:
    """A face that hangs."""
    return Face(id=face_id, face_type="wa_40_full", x=x, y=0.0, letter=None)


def kept(wishes: list[FaceWish], *hanging: Face) -> list[UUID | None]:
    """The ids that the faces would have."""
    return [each.id for each in with_kept_ids(wishes, hanging)]


def test_a_face_just_like_one_that_hangs_has_its_id() -> None:
    assert kept([wish(2.0), wish(1.0)], face(1.0, ONE), face(2.0, TWO)) == [TWO, ONE]


def test_another_face_has_an_id_of_its_own() -> None:
    assert kept([wish(3.0)], face(1.0, ONE)) == [None]


def test_an_id_that_is_given_is_kept() -> None:
    assert kept([wish(1.0, THREE)], face(1.0, ONE)) == [THREE]


def test_an_id_that_is_given_to_one_face_is_not_kept_for_another() -> None:
    assert kept([wish(1.0), wish(5.0, ONE)], face(1.0, ONE)) == [None, ONE]


def test_faces_that_are_all_alike_have_an_id_each() -> None:
    wishes = [wish(1.0), wish(1.0), wish(1.0)]
    assert kept(wishes, face(1.0, ONE), face(1.0, TWO)) == [ONE, TWO, None]


async def test_each_targets_faces_hang_in_the_order_given(conn: Connection) -> None:
    first, second = (await set_up(conn)).target_ids
    await hang_faces(conn, [(first, wish(3)), (second, wish(9)), (first, wish(1))])
    hung = [(await TARGETS.one(conn, target)).faces for target in (first, second)]
    assert [[each.x for each in faces] for faces in hung] == [[3.0, 1.0], [9.0]]


async def test_faces_are_replaced_all_together(conn: Connection) -> None:
    target, _ = (await set_up(conn)).target_ids
    await hang_faces(conn, [(target, wish(1, ONE)), (target, wish(2, TWO))])
    await replace_faces(conn, target, [wish(7, TWO)])
    hung = (await TARGETS.one(conn, target)).faces
    assert [(each.id, each.x) for each in hung] == [(TWO, 7.0)]


async def test_an_id_hangs_once(conn: Connection) -> None:
    first, second = (await set_up(conn)).target_ids
    face_id = uuid4()
    await hang_faces(conn, [(first, wish(1, face_id))])
    with pytest.raises(ConflictError, match="a face with this id exists already"):
        await hang_faces(conn, [(second, wish(1, face_id))])

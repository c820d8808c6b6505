"""The catalogue of faces."""

from collections.abc import Sequence

from fastapi import APIRouter

from api.dependencies import AnyRole
from core.schema.envelope import Envelope, wrap
from core.schema.face_type import FaceTypeShown, catalogue

router = APIRouter(prefix="/api/v0/face_type", tags=["face_type"])


@router.get("")
async def list_face_types(_: AnyRole) -> Envelope[Sequence[FaceTypeShown]]:
    """All kinds of face that can be hung, in the order of their codes."""
    return wrap(catalogue())

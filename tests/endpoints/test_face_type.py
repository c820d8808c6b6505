"""The catalogue of faces over HTTP."""

import pytest
from httpx import AsyncClient

from core.schema.token import Role
from tests.endpoints.conftest import AsRole
from tests.resources import data, failure

URL = "/api/v0/face_type"
CODES = {
    *("wa_122_full", "wa_80_full", "wa_60_full", "wa_40_full"),
    *("wa_122_6ring", "wa_80_6ring", "wa_80_5ring"),
    *("wa_40_triple_vertical", "wa_40_triple_vegas"),
    *("wa_60_triple_vertical", "wa_60_triple_vegas"),
    *("wa_40_full_compound", "wa_60_full_compound"),
    *("wa_40_triple_vertical_compound", "wa_40_triple_vegas_compound"),
    *("wa_60_triple_vertical_compound", "wa_60_triple_vegas_compound"),
    *("wa_field_20", "wa_field_40", "wa_field_60", "wa_field_80"),
    *("imperial_122", "worcester_16in", "nfaa_40", "nfaa_40_5spot", "lancaster_40"),
    *("ifaa_field_20", "ifaa_field_35", "ifaa_field_50", "ifaa_field_65"),
}


async def test_every_face_is_in_the_catalogue(client: AsyncClient) -> None:
    codes = [face["code"] for face in data(await client.get(URL))]
    assert CODES <= set(codes)
    assert codes == sorted(codes)


async def test_a_face_tells_its_spots_and_its_rings(client: AsyncClient) -> None:
    faces = {face["code"]: face for face in data(await client.get(URL))}
    assert faces["wa_40_triple_vegas"] == {
        "code": "wa_40_triple_vegas",
        "name": "WA 40 cm triple, Vegas",
        "spots": [{"x": 0.0, "y": 127.0}, {"x": -110.0, "y": -63.5}, {"x": 110.0, "y": -63.5}],
        "rings": [
            {"diameter_mm": 20.0, "score": 10, "label": "X"},
            {"diameter_mm": 40.0, "score": 10, "label": "10"},
            {"diameter_mm": 80.0, "score": 9, "label": "9"},
            {"diameter_mm": 120.0, "score": 8, "label": "8"},
            {"diameter_mm": 160.0, "score": 7, "label": "7"},
            {"diameter_mm": 200.0, "score": 6, "label": "6"},
        ],
    }


@pytest.mark.parametrize("role", list(Role))
async def test_any_valid_token_shows_the_catalogue(as_role: AsRole, role: Role) -> None:
    assert (await (await as_role(role)).get(URL)).status_code == 200


async def test_nobody_sees_the_catalogue_without_a_token(anonymous: AsyncClient) -> None:
    assert failure(await anonymous.get(URL)) == (401, ["Authorization: a bearer token is needed"])

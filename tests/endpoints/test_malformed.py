"""Requests that nothing can be made of: each gets its clear answer, and never a 500."""

from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient

from tests.resources import UNKNOWN, data, failure, make, session_fields

ARCHERS = "/api/v0/archer"
SESSIONS = "/api/v0/session"
JSON = {"Content-Type": "application/json"}
SESSION = (
    b'{"is_opened":true,"start_time":"2026-05-01T10:00:00Z","location":"x","is_indoor":false,'
    b'"distance":%b}'
)
NOT_TEXT = "must not hold a NUL or half of a surrogate pair"
HALF_A_PAIR = "must be text without half of a surrogate pair"

BODIES: dict[str, tuple[str, bytes, str]] = {
    "cut off": (ARCHERS, b'{"given_name":', "body: is not valid JSON"),
    "not JSON": (ARCHERS, b"<archer/>", "body: is not valid JSON"),
    "a list": (ARCHERS, b"[]", "body: must be a JSON object, sent as application/json"),
    "null": (ARCHERS, b"null", "body: must be a JSON object, sent as application/json"),
    "nothing": (ARCHERS, b"", "body: is missing"),
    "lists without end": (ARCHERS, b"[" * 100_000, "body: cannot be read"),
    "objects without end": (ARCHERS, b'{"club":' * 100_000, "body: cannot be read"),
    "a whole nest": (ARCHERS, b"[" * 100_000 + b"]" * 100_000, "body: cannot be read"),
    "not UTF-8": (ARCHERS, b'{"given_name":"\xff"}', "body: cannot be read"),
    "NUL in a text": (
        ARCHERS,
        rb'{"given_name":"A\u0000","family_name":"R"}',
        f"body.given_name: {NOT_TEXT}",
    ),
    "half a pair in a text": (
        ARCHERS,
        rb'{"given_name":"\ud800","family_name":"R"}',
        f"body.given_name: {HALF_A_PAIR}",
    ),
    "half a pair in a key": (
        ARCHERS,
        rb'{"\udfff":1,"given_name":"A","family_name":"R"}',
        f"body: {HALF_A_PAIR}",
    ),
    "NaN": (SESSIONS, SESSION % b"NaN", "body.distance: must be a finite number"),
    "Infinity": (SESSIONS, SESSION % b"-Infinity", "body.distance: must be a finite number"),
    "a number that is infinite": (
        SESSIONS,
        SESSION % b"1e999",
        "body.distance: must be a finite number",
    ),
    "a huge whole number": (SESSIONS, SESSION % (b"9" * 400), "body.distance: must be a number"),
    "digits without end": (SESSIONS, SESSION % (b"9" * 5_000), "body: cannot be read"),
    "a number too large": (
        SESSIONS,
        SESSION % b"1e300",
        "body.distance: must be less than or equal to 1000",
    ),
}


async def test_a_body_that_means_nothing_is_refused_in_a_sentence(client: AsyncClient) -> None:
    said = {
        name: failure(await client.post(path, content=body, headers=JSON))
        for name, (path, body, _) in BODIES.items()
    }
    assert said == {name: (422, [sentence]) for name, (_, _, sentence) in BODIES.items()}


async def test_a_body_that_is_not_called_json_is_refused(client: AsyncClient) -> None:
    body = b'{"given_name":"Ana","family_name":"Ruiz"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "?"):
        answer = await client.post(ARCHERS, content=body, headers={"Content-Type": kind})
        sentence = "body: must be a JSON object, sent as application/json"
        assert failure(answer) == (422, [sentence]), kind


async def test_a_body_that_is_too_large_is_refused(client: AsyncClient) -> None:
    answer = await client.post(ARCHERS, content=b" " * 16_777_217, headers=JSON)
    assert failure(answer) == (413, ["body: must have at most 16777216 bytes"])


async def test_a_length_that_is_no_number_is_not_believed(client: AsyncClient) -> None:
    for length in ("abc", "-1", "9" * 5_000):
        answer = await client.post(
            ARCHERS, content=b"{}", headers=JSON | {"Content-Length": length}
        )
        assert failure(answer)[0] in (413, 422), length


QUERIES: dict[str, tuple[dict[str, str], str]] = {
    "limit nought": ({"limit": "0"}, "query.limit: must be greater than or equal to 1"),
    "limit too large": ({"limit": "1001"}, "query.limit: must be less than or equal to 1000"),
    "limit huge": ({"limit": "9" * 30}, "query.limit: must be less than or equal to 1000"),
    "another's cursor": ({"cursor": "abc"}, "query.cursor: is not a cursor that this list gave"),
    "NUL as cursor": ({"cursor": "\x00é"}, "query.cursor: is not a cursor that this list gave"),
    "late cursor": ({"cursor": "_" * 32}, "query.cursor: is not a cursor that this list gave"),
    "long cursor": ({"cursor": "A" * 201}, "query.cursor: must have at most 200 characters"),
}


async def test_a_page_that_means_nothing_is_refused(client: AsyncClient) -> None:
    said = {
        name: failure(await client.get(ARCHERS, params=query))
        for name, (query, _) in QUERIES.items()
    }
    assert said == {name: (422, [sentence]) for name, (_, sentence) in QUERIES.items()}


@pytest.mark.parametrize("resource", ["session", "archer", "bow", "arrow", "target", "slot"])
async def test_what_is_no_id_is_refused(client: AsyncClient, resource: str) -> None:
    for wrong in ("1", "%00", "%ff%fe", "'--", UNKNOWN + "0"):
        answer = await client.get(f"/api/v0/{resource}/{wrong}")
        assert failure(answer) == (422, [f"path.{resource}_id: must be a UUID"]), wrong


async def test_a_path_without_anything_is_not_found(client: AsyncClient) -> None:
    sentence = "path: nothing is here; /api/docs shows what there is"
    for path in ("/", "/api", "/api/v0", "/api/v0/quiver", "/api/v1/session", f"{ARCHERS}/1/2"):
        assert failure(await client.get(path)) == (404, [sentence]), path


async def test_a_method_that_is_not_possible_says_which_are(client: AsyncClient) -> None:
    sentence = "method: not possible here; the header Allow says which are"
    for method in ("PUT", "OPTIONS", "TRACE", "BREW"):
        answer = await client.request(method, f"{ARCHERS}/{UNKNOWN}")
        assert failure(answer) == (405, [sentence]), method
        assert answer.headers["Allow"]


async def test_a_header_that_is_no_text_is_no_token(client: AsyncClient) -> None:
    for header in (b"Bearer \xff\xfe", b"Bearer", b"Basic QTpC", b"\xff", b"bearer  "):
        answer = await client.get(ARCHERS, headers={b"Authorization": header})
        assert failure(answer)[0] == 401, header


async def test_a_request_keeps_its_id_when_it_is_one(client: AsyncClient) -> None:
    request_id = str(uuid4())
    answer = await client.get(ARCHERS, headers={"X-Request-ID": request_id})
    assert answer.headers["X-Request-ID"] == request_id
    answer = await client.get(ARCHERS, headers={b"X-Request-ID": b"\xff"})
    assert UUID(answer.headers["X-Request-ID"])


async def test_text_of_any_script_is_kept(client: AsyncClient) -> None:
    name = "Łucja 李 🎯 ' \" \\ \u202e"
    made = await make(client, "archer", {"given_name": name, "family_name": "%s $1 {}"})
    assert data(await client.get(f"{ARCHERS}/{made['id']}"))["given_name"] == name


async def test_times_of_any_zone_are_shown_in_utc(client: AsyncClient) -> None:
    wish = session_fields(start_time="2026-05-01T12:30:00.5+02:30")
    assert (await make(client, "session", wish))["start_time"] == "2026-05-01T10:00:00.500Z"


async def test_times_beyond_the_calendar_are_refused(client: AsyncClient) -> None:
    for time in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2201-01-01T00:00:00Z"):
        said = failure(await client.post(SESSIONS, json=session_fields(start_time=time)))
        assert said == (422, ["body.start_time: must lie between the years 1970 and 2200"]), time

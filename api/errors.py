"""Every failure as the wrapper: the only place that knows which error is which HTTP status."""

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import asyncpg
import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from api.web.headers import is_page
from api.web.login import LoginNeeded
from api.web.rendering import error_page
from core import postgres, valkey
from core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    QuiverError,
    TooLargeError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
)
from core.log import get_logger

type Handler = Callable[[Request, Exception], Coroutine[Any, Any, JSONResponse]]

STATUS: Mapping[type[QuiverError], int] = {
    InvalidInputError: 422,
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    TooLargeError: 413,
    TooManyRequestsError: 429,
    UnavailableError: 503,
}

# Pydantic's words, where ours are plainer.
SENTENCES: Mapping[str, str] = {
    "finite_number": "must be a finite number",
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "json_invalid": "is not valid JSON",
    "timezone_aware": "must have a time zone, such as Z",
    "uuid_parsing": "must be a UUID",
    "uuid_type": "must be a UUID",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "string_unicode": "must be text without half of a surrogate pair",
    "model_attributes_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "is_instance_of": "must be a list",
    "sequence_str": "must be a list",
    "no_object": "must be a JSON object, sent as application/json",
}

HTTP_SENTENCES: Mapping[int, str] = {
    400: "body: cannot be read",
    404: "path: nothing is here; /api/docs shows what there is",
    405: "method: not possible here; the header Allow says which are",
}

# As in "Input should be", "String should have".
WHAT_SHOULD = re.compile(r"^\w+ should ")
# A rule that concerns several fields says itself which of them is wrong.
NAMES_ITS_FIELD = re.compile(r"\w+(\.\w+)*: ")

log = get_logger(__name__)


def failure(
    status: int, errors: Sequence[str], headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The wrapper of a failure."""
    body = {"code": status, "data": None, "errors": list(errors)}
    return JSONResponse(body, status, headers)


def sentence(error: Mapping[str, object]) -> str:
    """A validation error as `field: what is wrong`."""
    location = error["loc"] if isinstance(error["loc"], tuple) else ()
    kind = str(error["type"])
    if kind == "json_invalid":
        location = ("body",)
    if kind == "model_attributes_type" and location == ("body",):
        kind = "no_object"
    message = str(error["msg"]).removeprefix("Value error, ").replace(" after validation", "")
    said = SENTENCES.get(kind, WHAT_SHOULD.sub("must ", message))
    return within(".".join(map(str, location)), said)


def within(where: str, said: str) -> str:
    """What is said of the value that stands there, or of a field of it that is named first."""
    if not where:
        return said
    return f"{where}.{said}" if NAMES_ITS_FIELD.match(said) else f"{where}: {said}"


async def _on_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return failure(422, [sentence(each) for each in error.errors()])


async def _on_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    # FastAPI answers 400 to a body that it cannot even read; ours is 422 for anything malformed.
    status = 422 if error.status_code == 400 else error.status_code
    return failure(
        status, [HTTP_SENTENCES.get(error.status_code, str(error.detail))], error.headers
    )


async def _on_quiver(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, QuiverError)
    headers: dict[str, str] = {}
    if isinstance(error, UnavailableError | TooManyRequestsError):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = "Bearer"
    return failure(STATUS[type(error)], [str(error)], headers)


async def _on_store_lost(_: Request, error: Exception) -> JSONResponse:
    if not (postgres.is_lost(error) or isinstance(error, valkey.LOST)):
        raise error
    log.warning("a store did not answer", error=type(error).__name__)
    reason = "a store is not reachable just now: nothing was kept, try again"
    return failure(503, [reason], {"Retry-After": "2"})


async def _on_stale_types(request: Request, error: Exception) -> JSONResponse:
    if not postgres.has_stale_types(error):
        raise error
    # What the other connections remember is as old.
    await request.state.pool.expire_connections()
    return await _on_migrating(request, error)


async def _on_migrating(_: Request, error: Exception) -> JSONResponse:
    # Or a name in our own statements is wrong, and stays so: hence no warning, but an error.
    log.error("the database has not what a statement needs", error=str(error))
    reason = "the database is being migrated just now: nothing was kept, try again"
    return failure(503, [reason], {"Retry-After": "5"})


async def _on_collision(_: Request, error: Exception) -> JSONResponse:
    log.warning("two requests were in each other's way", error=type(error).__name__)
    reason = "another request changes the same just now: nothing was kept, try again"
    return failure(503, [reason], {"Retry-After": "1"})


def server_failure(request_id: str) -> JSONResponse:
    """What a caller learns of a bug: how to find it in the log, no more."""
    return failure(500, [f"the server failed; give this request id to its operator: {request_id}"])


async def _on_login_needed(_: Request, error: Exception) -> Response:
    assert isinstance(error, LoginNeeded)
    return RedirectResponse(error.location, 303)


def _as_looked_at(
    handler: Handler,
) -> Callable[[Request, Exception], Coroutine[Any, Any, Response]]:
    """The wrapper for programs; on the operators' pages the same as a page."""

    async def handle(request: Request, error: Exception) -> Response:
        answer = await handler(request, error)
        if not is_page(request.url.path):
            return answer
        return error_page(request, answer.status_code, orjson.loads(answer.body)["errors"])

    return handle


def install(app: FastAPI) -> None:
    """Make every error of the app a wrapper."""
    handlers: dict[type[Exception], Handler] = {
        RequestValidationError: _on_invalid,
        HTTPException: _on_http,
        QuiverError: _on_quiver,
        asyncpg.DeadlockDetectedError: _on_collision,
    }
    for lost in (*postgres.LOST, *valkey.LOST, asyncpg.InterfaceError):
        handlers[lost] = _on_store_lost
    for unknown in postgres.UNKNOWN:
        handlers[unknown] = _on_migrating
    for stale in postgres.STALE:
        handlers[stale] = _on_stale_types
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, _as_looked_at(handler))
    app.add_exception_handler(LoginNeeded, _on_login_needed)

"""Every failure as the wrapper: the only place that knows which error is which HTTP status."""

from collections.abc import Mapping, Sequence

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from core import postgres, valkey
from core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    QuiverError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
)
from core.log import get_logger

STATUS: Mapping[type[QuiverError], int] = {
    InvalidInputError: 422,
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    TooLargeError: 413,
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
}

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
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    if kind not in SENTENCES and str(error["msg"]).startswith("Input should be "):
        message = f"must be {message}"
    return f"{'.'.join(map(str, location))}: {SENTENCES.get(kind, message)}"


async def _on_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return failure(422, [sentence(each) for each in error.errors()])


async def _on_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    # FastAPI answers 400 to a body that it cannot even read; ours is 422 for anything malformed.
    status = 422 if error.status_code == 400 else error.status_code
    detail = "body: cannot be read" if error.status_code == 400 else str(error.detail)
    return failure(status, [detail], error.headers)


async def _on_quiver(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, QuiverError)
    headers: dict[str, str] = {}
    if isinstance(error, UnavailableError):
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


def server_failure(request_id: str) -> JSONResponse:
    """What a caller learns of a bug: how to find it in the log, no more."""
    return failure(500, [f"the server failed; give this request id to its operator: {request_id}"])


def install(app: FastAPI) -> None:
    """Make every error of the app a wrapper."""
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(QuiverError, _on_quiver)
    for lost in (*postgres.LOST, *valkey.LOST, asyncpg.InterfaceError):
        app.add_exception_handler(lost, _on_store_lost)

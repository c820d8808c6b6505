"""Where operators log in and out."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from api.cookie import COOKIE_NAME, seal
from api.dependencies import ConnectionOf, SettingsOf, ValkeyOf, authenticate
from api.own_page import is_same_origin
from api.web.login import HOME, LOGIN
from api.web.rendering import render
from api.web.throttle import forgive, note_wrong, wait_s
from core.errors import ForbiddenError, QuiverError, UnauthenticatedError
from core.schema.admin import LoginWish

router = APIRouter(include_in_schema=False)


def _own(back: str | None) -> str:
    """Where to go after the login: one of our own pages, whatever the address says."""
    is_ours = back is not None and (back == HOME or back.startswith((f"{HOME}/", f"{HOME}?")))
    return back if back is not None and is_ours and "\\" not in back else HOME


def _form(request: Request, back: str, wrong: str | None, status: int = 200) -> HTMLResponse:
    context = {"back": back, "wrong": wrong, "page": None}
    return render(request, "login.html", context, status)


@router.get(LOGIN)
async def get_login(request: Request) -> HTMLResponse:
    """The form."""
    return _form(request, _own(request.query_params.get("next")), None)


@router.post(LOGIN)
async def post_login(
    request: Request, conn: ConnectionOf, settings: SettingsOf, valkey: ValkeyOf
) -> Response:
    """A cookie for a token."""
    fields = parse_qs((await request.body()).decode("latin-1"), keep_blank_values=True)
    said = {name: texts[0] for name, texts in fields.items()}
    back = _own(said.get("next"))
    address = "nowhere" if request.client is None else request.client.host
    if not is_same_origin(request.headers):
        raise ForbiddenError("Origin: log in on our own page")
    seconds = await wait_s(valkey, address)
    if seconds:
        answer = _form(request, back, f"Too many wrong tokens: wait {seconds} s.", 429)
        answer.headers["Retry-After"] = str(seconds)
        return answer
    try:
        wish = LoginWish(token=said.get("token", "").strip())
        principal = await authenticate(conn, settings, wish.token)
        cookie = "" if principal is None else await seal(conn, settings, principal)
    except ValidationError:
        return _form(request, back, "A token is needed.", 422)
    except UnauthenticatedError:
        await note_wrong(valkey, address)
        return _form(request, back, "This token is unknown or was revoked.", 401)
    except QuiverError as error:
        return _form(request, back, f"{error}.", 403)
    await forgive(valkey, address)
    return _let_in(request, back, cookie, round(settings.quiver_login_s))


def _let_in(request: Request, back: str, cookie: str, seconds: int) -> Response:
    answer = RedirectResponse(back, 303)
    answer.set_cookie(
        COOKIE_NAME,
        cookie,
        max_age=seconds,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/admin/logout")
async def post_logout(request: Request) -> Response:
    """Forget the cookie."""
    if not is_same_origin(request.headers):
        raise ForbiddenError("Origin: log out on our own page")
    answer = RedirectResponse(LOGIN, 303)
    answer.delete_cookie(COOKIE_NAME, httponly=True, samesite="strict")
    return answer

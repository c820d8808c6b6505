"""One router a resource; each validates, calls, wraps."""

from api.routers import token

ROUTERS = [token.router]

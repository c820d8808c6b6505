"""The short way of the request that comes most often by far.

A framework looks at what each endpoint asks for anew with every request; that costs as much as all
the rest does. What is plainly right takes the short way, everything else the framework's, which
finds the same fault and says it as it does everywhere. The endpoint's signature describes both.
What is right as nearly all is may be taken by a way that is shorter still.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from api.door import Door, get_door

JSON = "application/json"


def short_way[Body: BaseModel](
    body: type[Body],
    take: Callable[[Body, Door], Awaitable[Response]],
    take_plain: Callable[[bytes, Request], Awaitable[Response | None]] | None = None,
) -> type[APIRoute]:
    """A kind of route for an endpoint that takes a body and the door.

    Args:
        body: What is sent.
        take: The endpoint.
        take_plain: The endpoint for a body that is as nearly all are; None: it is not.
    """

    class ShortWay(APIRoute):
        """Of that endpoint."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """What answers a request."""
            long_way = super().get_route_handler()

            async def answer(request: Request) -> Response:
                if request.headers.get("content-type") != JSON:
                    return await long_way(request)
                sent = await request.body()
                if take_plain is not None and (done := await take_plain(sent, request)) is not None:
                    return done
                try:
                    said = body.model_validate_json(sent)
                except ValidationError:
                    return await long_way(request)
                return await take(said, await get_door(request))

            return answer

    return ShortWay

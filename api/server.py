"""The server that API processes run in."""

import socket

import uvicorn


class Server(uvicorn.Server):
    """Ends the operators' streams before it waits for all answers to end: they would not."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was asked, then end."""
        await self.lifespan.state["broadcast"].end()
        await super().shutdown(sockets)

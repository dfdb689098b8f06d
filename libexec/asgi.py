"""Serves an ASGI application with uvicorn on descriptor 0. Usage: asgi.py ENTRY"""

import os
import socket
import sys

sys.path[0] = os.path.dirname(os.path.abspath(__file__))
from usherd_entry import load  # noqa: E402

sys.path.pop(0)
import uvicorn  # noqa: E402


def header(scope, name):
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return ""


class Mounted:
    """Tells the application where it is mounted and who asked. Only usherd reaches this socket, so what it says is true."""

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            scope["root_path"] = header(scope, b"x-forwarded-prefix")
            scope["scheme"] = header(scope, b"x-forwarded-proto") or "http"
            scope["client"] = (header(scope, b"x-forwarded-for"), 0)
        await self.application(scope, receive, send)


application = Mounted(load(sys.argv[1], "asgi"))
config = uvicorn.Config(application, proxy_headers=False, access_log=False, log_level="warning")
uvicorn.Server(config).run(sockets=[socket.socket(fileno=0)])

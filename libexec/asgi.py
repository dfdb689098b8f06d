"""Serves an ASGI application with uvicorn on descriptor 0. Usage: asgi.py ENTRY"""

import os
import site
import socket
import sys

sys.path[0] = os.path.dirname(os.path.abspath(__file__))
from usherd_entry import load, virtualenv_packages  # noqa: E402

sys.path.pop(0)
try:
    import uvicorn
except ImportError:
    sys.exit("usherd: there is no uvicorn (Debian package uvicorn, or pip install uvicorn in the venv)")


def add_virtualenv():
    """Where the server is Debian's and not the virtualenv's: its other packages come before Debian's, as with uWSGI."""
    packages = virtualenv_packages("{}/bin/pip install uvicorn")
    if packages is None:
        return
    before = len(sys.path)
    site.addsitedir(packages)
    added = sys.path[before:]
    del sys.path[before:]
    at = next((at for at, path in enumerate(sys.path) if path.endswith("-packages")), before)
    sys.path[at:at] = added


if sys.prefix == sys.base_prefix:
    add_virtualenv()


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

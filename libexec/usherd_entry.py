"""Finds the application in an entry file, whatever it is called there. Runs as the application's owner, in its directory."""

import importlib
import os
import re
import sys

NAMES = ("application", "app")
FACTORIES = ("create_app", "make_app")


def django_project():
    """The package that manage.py names: `mysite` of `mysite.settings`."""
    with open("manage.py", encoding="utf-8") as file:
        text = file.read()
    found = re.search(r"""DJANGO_SETTINGS_MODULE['"]\s*,\s*['"]([\w.]+)['"]""", text)
    if found is None:
        raise SystemExit("usherd: manage.py names no DJANGO_SETTINGS_MODULE")
    return found.group(1).rpartition(".")[0] or found.group(1)


def load(entry, interface):
    """interface: "wsgi" or "asgi", for a Django project, which has both."""
    sys.path.insert(0, os.getcwd())
    module_name = entry[: -len(".py")]
    if entry == "manage.py":
        module_name = f"{django_project()}.{interface}"
    module = importlib.import_module(module_name)
    for name in NAMES:
        if callable(getattr(module, name, None)):
            return getattr(module, name)
    for name in FACTORIES:
        if callable(getattr(module, name, None)):
            return getattr(module, name)()
    raise SystemExit(f"usherd: {entry} has no {', '.join(NAMES + FACTORIES)}")

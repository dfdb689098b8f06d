"""Finds the application in an entry file, whatever it is called there. Runs as the application's owner, in its directory."""

import glob
import importlib
import os
import re
import sys

NAMES = ("application", "app")
FACTORIES = ("create_app", "make_app")


def virtualenv_packages(remedy):
    """Of the application's own virtual environment, None without one. One that was made with another Python has nothing for us."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for name in ("venv", ".venv"):
        if not os.path.lexists(f"{name}/bin/python"):
            continue
        packages = os.path.abspath(f"{name}/lib/{version}/site-packages")
        if not os.path.isdir(packages):
            found = ", ".join(map(os.path.basename, glob.glob(f"{name}/lib/python*"))) or "no Python"
            sys.exit(f"usherd: {name}/ is of {found}, and the server is of {version}: {remedy.format(name)}")
        return packages
    return None


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

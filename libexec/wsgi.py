"""What uWSGI is given as its WSGI file: the application of the entry file that stands in --pyargv."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from usherd_entry import load, virtualenv_packages  # noqa: E402

sys.path.pop(0)
virtualenv_packages("make it anew (python3 -m venv --clear {0}; {0}/bin/pip install -r requirements.txt)")
application = load(sys.argv[1], "wsgi")

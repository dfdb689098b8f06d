"""What uWSGI is given as its WSGI file: the application of the entry file that stands in --pyargv."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from usherd_entry import load  # noqa: E402

sys.path.pop(0)
application = load(sys.argv[1], "wsgi")

#!/usr/bin/env python
"""The usual door for commands: `python manage.py help` lists them."""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError

from jitapp.symbology import lines

if __name__ == "__main__":
    if sys.argv[1:2] == ["decode"]:
        # Codes mean the same everywhere: no settings are read, so that none can be wrong.
        lines.run(sys.argv[2:], sys.stdin.buffer, sys.stdout)
        sys.exit()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jitapp.settings")
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        # With another code the server has answered: a lock that was not given, a full disk. 57P: it is stopping.
        code = getattr(error.__cause__, "pgcode", None)
        if code is not None and not code.startswith(("08", "57P")):
            raise
        reason = " ".join(str(error).split())
        sys.exit(
            f"The database does not answer: {reason}\nStart it (`make run` does), or set DATABASE_URL to where it is."
        )

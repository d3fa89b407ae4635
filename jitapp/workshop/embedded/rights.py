"""Whose rights PostgreSQL runs with: it refuses to run as root."""

from __future__ import annotations

import contextlib
import enum
import os
import pwd
import subprocess
from pathlib import Path

from jitapp.workshop.embedded.servers import CannotStart

SYSTEM_USER = "jitapp-postgres"
SYSTEM_HOME = Path("/var/lib/jitapp")


class Way(enum.Enum):
    """How PostgreSQL comes to run without root's rights."""

    OURSELVES = "we are not root"
    NAMESPACE = "nobody in a user namespace"
    SYSTEM_USER = "a system user"


def way_for_postgres() -> Way:
    """The way that works here: root needs one of the two detours."""
    if os.geteuid() != 0:
        return Way.OURSELVES
    try:
        trial = subprocess.run([*in_namespace(), "true"], capture_output=True, timeout=10, check=False)
    except OSError:
        return Way.SYSTEM_USER
    return Way.NAMESPACE if trial.returncode == 0 else Way.SYSTEM_USER


def in_namespace() -> list[str]:
    """PostgreSQL looks its own user up, so root is mapped to one that exists: nobody."""
    nobody = pwd.getpwnam("nobody")
    return ["unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}", "--"]


def system_account() -> pwd.struct_passwd:
    """The system user that runs PostgreSQL where root may not; made at the first need."""
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    try:
        subprocess.run(
            [
                *("useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"),
                *("--home-dir", str(SYSTEM_HOME), SYSTEM_USER),
            ],
            check=True,
            capture_output=True,
        )
        return pwd.getpwnam(SYSTEM_USER)
    except (OSError, subprocess.CalledProcessError, KeyError):
        raise CannotStart(
            "PostgreSQL does not run as root, and here neither user namespaces nor new system users are allowed:"
            " start as an ordinary user, or set DATABASE_URL to a server of your own."
        ) from None

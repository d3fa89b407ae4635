"""The real PostgreSQL and Valkey, from wheels, for a machine where neither is installed.

The wheels' server programs are started directly, in the foreground, as our own children. Their Python interfaces
are not used: they daemonise, widen folder rights when run by root and choose settings of their own.

Both servers listen on 127.0.0.1 only and ask for a password that is made at the first start and kept in a file only
its owner may read.

PostgreSQL refuses to run as root. For root it is therefore started inside a user namespace in which it is nobody
(`Way.NAMESPACE`): the files stay root's and no folder's rights change. Where namespaces are forbidden, as in many
containers, a system user runs it (`Way.SYSTEM_USER`). What the server cannot reach that way, because it lies in
another user's closed folder, it gets elsewhere: its data under /var/lib/jitapp, a copy of its programs beside the data.
"""

from jitapp.workshop.embedded.both import Running, start_both
from jitapp.workshop.embedded.postgres import OWNER, Postgres, postgres_programs
from jitapp.workshop.embedded.rights import SYSTEM_USER, Way, way_for_postgres
from jitapp.workshop.embedded.servers import CannotStart, Server, free_port, kept_secret, write_secret
from jitapp.workshop.embedded.valkey import Valkey

__all__ = [
    "OWNER",
    "SYSTEM_USER",
    "CannotStart",
    "Postgres",
    "Running",
    "Server",
    "Valkey",
    "Way",
    "free_port",
    "kept_secret",
    "postgres_programs",
    "start_both",
    "way_for_postgres",
    "write_secret",
]

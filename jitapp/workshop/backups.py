"""The whole installation in one file, and back: PostgreSQL's own archive, made and read by its own programs.

A backup is one snapshot, taken while everything goes on. A restore is one transaction: all of it or nothing. What
follows is this version's: migrations, a new era of the history (pull/history.py), and the proof of every rule.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from jitapp.pull.history import Era, present
from jitapp.pull.proof.verify import Report, verify
from jitapp.workshop.embedded import CannotStart, postgres_programs
from jitapp.workshop.grants import for_now
from jitapp.workshop.ownership import NotTheOwner, application, as_owner, insist_on_ownership

OURS_ALONE = 0o600  # a backup holds names, and hashes of tokens and passwords
COMPRESSION = "gzip:3"  # a third of the time of the usual 6, a tenth larger
TRIES = 3  # scans that run meanwhile may hold what the restore must lock
_CONTENT = ("plant_plant", "pull_event", "pull_receipt")  # whatever holds rows here is somebody's shop

_BEGIN = """
BEGIN;
SET lock_timeout = '60s';
SET statement_timeout = 0;
SET client_min_messages = warning;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pg_has_role(usesysid, 'USAGE') AND pid <> pg_backend_pid();
DROP SCHEMA public CASCADE;
"""
_SCHEMA = "CREATE SCHEMA public;\n"  # an archive that was made by hand may not bring it

# The next connection begins a new era (pull/history.py). A backup from before there were eras gets its first one.
_END = """
DO $$ BEGIN
    IF to_regclass('public.pull_history') IS NOT NULL THEN
        UPDATE public.pull_history SET identity = '';
    END IF;
END $$;
"""
# Processes of a running installation have read tables that are gone. The owner's role may end those of
# the application as well.
_LET_GO = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pg_has_role(usesysid, 'USAGE') AND pid <> pg_backend_pid()"""


class CannotBackUp(Exception):
    """One sentence for the person at the command."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What was backed up: events in the snapshot, bytes of the file, seconds it took, and the era's name."""

    events: int
    size: int
    seconds: float
    epoch: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: the proof, the new era, and the seconds until the data was back."""

    report: Report
    era: Era
    seconds: float


def back_up(target: Path) -> Backup:
    """Writes one file, which is complete or not there. Raises CannotBackUp."""
    if target.exists():
        raise CannotBackUp(f"{target} is there already. Give another name, or move it away.")
    if not target.parent.is_dir():
        raise CannotBackUp(f"There is no folder {target.parent}. Make it first.")
    dump = _program("pg_dump")
    begun = time.monotonic()
    draft = target.with_name(f".{target.name}.draft")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, OURS_ALONE))
        with _snapshot() as (snapshot, events, epoch):
            _run(
                [
                    *(dump, "--format=custom", f"--compress={COMPRESSION}", "--no-owner", "--no-privileges"),
                    *("--schema=public", f"--snapshot={snapshot}", f"--file={draft}"),
                ]
            )
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.rename(target)
    except OSError as error:
        raise CannotBackUp(f"{target} cannot be written: {error.strerror}.") from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
    return Backup(events, target.stat().st_size, time.monotonic() - begun, epoch)


@contextlib.contextmanager
def _snapshot() -> Iterator[tuple[str, int, str]]:
    """(name of a snapshot, events in it, name of the era), open as long as this is."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(
            "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0;"
            " SELECT pg_export_snapshot(), count(*) FROM pull_event"
        )
        name, events = cursor.fetchone()
        yield name, events, present().epoch


def restore(source: Path, *, force: bool, say: Callable[[str], object]) -> Restored:
    """Replaces everything in the database by the backup, brings it to this version and proves it, as the owner where
    there are two roles. Raises CannotBackUp, and then nothing is changed, unless the sentence says otherwise."""
    begin = _BEGIN if _check(source) else _BEGIN + _SCHEMA
    try:
        with as_owner() as two_roles:
            insist_on_ownership()
            end = _END + (for_now(application()) if two_roles else "") + "COMMIT;\n"
            return _restore(source, begin, end, force=force, say=say)
    except NotTheOwner as error:
        raise CannotBackUp(f"{error} Nothing was changed.") from None


def _restore(source: Path, begin: str, end: str, *, force: bool, say: Callable[[str], object]) -> Restored:
    if not force and (found := _content()):
        raise CannotBackUp(
            f"This database is not empty ({found}). Restore into an empty one, or say --force: then everything in it"
            " is replaced by the backup."
        )
    begun = time.monotonic()
    for left in reversed(range(TRIES)):
        try:
            _replace(source, begin, end)
            break
        except _Locked:
            if not left:
                raise CannotBackUp(
                    "The database is too busy to be replaced. Nothing was changed. Stop the web, worker and relay"
                    " processes and try again."
                ) from None
    seconds = time.monotonic() - begun
    say("The data is back. Bringing it to this version.")
    connection.close()
    call_command("migrate", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(_LET_GO)
    era = present()
    say(f"A new history began: {era.epoch}. Proving every rule.")
    return Restored(verify(), era, seconds)


class _Locked(Exception):
    """Somebody else holds what the restore must lock."""


def _check(source: Path) -> bool:
    """Whether the archive makes the schema itself. Raises CannotBackUp unless it is one of this program that this
    version can read."""
    if not source.is_file():
        raise CannotBackUp(f"There is no file {source}.")
    reader = _program("pg_restore")
    listed = subprocess.run([reader, "--list", str(source)], capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        raise CannotBackUp(
            f"{source} is no backup, or it is damaged: {_last_line(listed.stderr)} Nothing was changed."
        )
    if "TABLE public pull_event " not in listed.stdout:
        raise CannotBackUp(f"{source} is an archive of PostgreSQL, but not of this program.")
    rows = subprocess.run(
        [reader, "--data-only", "--table=django_migrations", "--file=-", str(source)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    known = {(app, name) for app, name in MigrationLoader(None).disk_migrations}
    ours = {app for app, _ in known}
    for app, name in re.findall(r"^\d+\t(\w+)\t(\w+)\t", rows, re.MULTILINE):
        if app in ours and (app, name) not in known:
            raise CannotBackUp(
                f"{source} was made by a newer version ({app} {name} is not known here). Update this one first."
            )
    return " SCHEMA - public " in listed.stdout


def _content() -> str:
    """What the database holds, in words; empty if it holds nobody's shop."""
    found: list[str] = []
    with connection.cursor() as cursor:
        for table in _CONTENT:
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (table,))
            if cursor.fetchone()[0]:
                cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
                if count := cursor.fetchone()[0]:
                    found.append(f"{count} {table.partition('_')[2]}s")
    return ", ".join(found)


def _replace(source: Path, begin: str, end: str) -> None:
    """One transaction through psql, committed only after the whole archive has been read."""
    connection.close()
    with tempfile.TemporaryFile() as said:
        writer = subprocess.Popen(
            [_program("psql"), "--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=_environment(),
        )
        assert writer.stdin is not None
        try:
            unread = _feed(source, begin, end, writer.stdin)
        finally:
            with contextlib.suppress(BrokenPipeError):
                writer.stdin.close()
            code = writer.wait()
        said.seek(0)
        trouble = said.read().decode("utf-8", "replace")
    if unread:
        raise CannotBackUp(f"{source} is damaged: {unread} Nothing was changed.")
    if code != 0:
        if "deadlock detected" in trouble or "lock timeout" in trouble:
            raise _Locked
        raise CannotBackUp(f"The backup cannot be restored: {_last_line(trouble)} Nothing was changed.")


def _feed(source: Path, begin: str, end: str, writer: IO[bytes]) -> str:
    """The archive as SQL between `begin` and `end`; what is wrong with it, and then there is no `end`."""
    with tempfile.TemporaryFile() as said:
        reader = subprocess.Popen(
            [_program("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(source)],
            stdout=subprocess.PIPE,
            stderr=said,
        )
        assert reader.stdout is not None
        try:
            writer.write(begin.encode())
            shutil.copyfileobj(reader.stdout, writer, 1 << 20)
            reader.stdout.close()
            if reader.wait() == 0:
                writer.write(end.encode())
                writer.flush()
                return ""
        except BrokenPipeError:
            return ""  # psql has ended, and says why
        finally:
            reader.stdout.close()
            reader.wait()
        said.seek(0)
        return _last_line(said.read().decode("utf-8", "replace"))


def _run(command: list[str]) -> None:
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotBackUp(f"PostgreSQL could not write the backup: {_last_line(done.stderr)}")


def _environment() -> Mapping[str, str]:
    """Where the database is, for PostgreSQL's own programs; the password is not on their command line."""
    wanted: dict[str, Any] = connection.settings_dict
    places = {
        "PGHOST": wanted["HOST"] or "127.0.0.1",
        "PGPORT": str(wanted["PORT"] or 5432),
        "PGUSER": wanted["USER"],
        "PGPASSWORD": wanted["PASSWORD"],
        "PGDATABASE": wanted["NAME"],
        "PGSSLMODE": wanted["OPTIONS"].get("sslmode", "prefer"),
    }
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | places


def _program(name: str) -> str:
    """A program of PostgreSQL that is no older than the server: of the machine, else of the wheel."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        server = int(cursor.fetchone()[0]) // 10_000
    candidates = [shutil.which(name)]
    with contextlib.suppress(CannotStart):
        candidates.append(str(postgres_programs() / "bin" / name))
    for candidate in candidates:
        if candidate is not None and _major(candidate) >= server:
            return candidate
    raise CannotBackUp(
        f"PostgreSQL {server} needs its {name}, and this machine has none as new. Install postgresql-client-{server}."
    )


def _major(program: str) -> int:
    """0 if it does not run here."""
    try:
        shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.search(r" (\d+)", shown)
    return int(found[1]) if found else 0


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = lines[-1] if lines else "it does not say why"
    return said if said.endswith(".") else f"{said}."

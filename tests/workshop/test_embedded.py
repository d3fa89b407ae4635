"""The embedded servers: whose rights they have, what they keep, and what they say when they cannot start."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis

from jitapp.workshop import processes
from jitapp.workshop.embedded import (
    SYSTEM_USER,
    CannotStart,
    Running,
    Way,
    postgres,
    start_both,
    way_for_postgres,
)

AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="Only root needs this way.")


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder that only its owner may enter, below another one; the rights of both must stay."""
    with tempfile.TemporaryDirectory(prefix="jitapp-embedded-") as name:
        inner = Path(name) / "a folder with blanks"
        inner.mkdir(mode=0o700)
        before = [stat.S_IMODE(path.stat().st_mode) for path in (inner, inner.parent)]
        yield inner
        assert [stat.S_IMODE(path.stat().st_mode) for path in (inner, inner.parent)] == before


@pytest.fixture
def running(closed_folder: Path) -> Iterator[Running]:
    """Both servers, in the folder; ended and deleted."""
    servers = start_both(closed_folder, durable=False)
    yield servers
    servers.stop(remove=True)


def ask(url: str, question: str) -> object:
    """The first column of the first row."""
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(question)
            row = cursor.fetchone()
            return row[0] if row else None
    finally:
        connection.close()


def test_the_database_has_two_ordinary_roles_its_owner_and_the_application(running: Running) -> None:
    for url in (running.postgres.url, running.postgres.owner_url):
        assert ask(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    owner = "SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()"
    assert ask(running.postgres.url, owner) == "jitapp_owner"
    assert ask(running.postgres.url, "SELECT current_user::text") == "jitapp"
    assert ask(running.postgres.url, "SELECT current_database()::text") == "jitapp"
    assert ask(running.postgres.url, "SELECT lower('ÄÖÜ')") == "äöü"
    assert ask(running.postgres.url, "SHOW data_checksums") == "on"
    assert int(str(ask(running.postgres.url, "SHOW server_version_num"))) >= 150_000


def test_a_refused_statement_is_logged_without_what_it_carried(running: Running, closed_folder: Path) -> None:
    with pytest.raises(psycopg2.errors.UniqueViolation):
        ask(
            running.postgres.url,
            "CREATE TEMP TABLE seen (id int UNIQUE); INSERT INTO seen VALUES (1);"
            " INSERT INTO seen SELECT 1 /* the whole document */",
        )
    (log,) = closed_folder.rglob("postgres.log")
    text = log.read_text()
    assert "duplicate key value" in text
    assert "the whole document" not in text


def test_nobody_comes_in_without_the_password(running: Running) -> None:
    port = running.postgres.port
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(f"postgres://postgres:guess@127.0.0.1:{port}/postgres")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=running.valkey.port).ping()


def test_passwords_stand_in_files_for_their_owner_only_and_in_no_process_list(running: Running) -> None:
    secret_files = [
        *running.postgres.folder.glob("*.password"),
        *running.valkey.folder.glob("*.password"),
        *running.valkey.folder.glob("*.conf"),
    ]
    assert len(secret_files) == 5
    assert {stat.S_IMODE(file.stat().st_mode) for file in secret_files} == {0o600}
    shown = " ".join(" ".join(psutil.Process(child.pid).cmdline()) for child, _ in running.children)
    for file in secret_files:
        if file.suffix == ".password":
            assert file.read_text() not in shown


@needs_root
def test_postgres_does_not_have_roots_rights(running: Running) -> None:
    server, _ = running.children[0]
    effective = [
        line for line in Path(f"/proc/{server.pid}/status").read_text().splitlines() if "CapEff" in line
    ]
    owner = psutil.Process(server.pid).uids().effective
    # In a user namespace the outer id stays root's, but no capability reaches outside.
    assert (
        owner != 0 or Path(f"/proc/{server.pid}/ns/user").readlink() != Path("/proc/self/ns/user").readlink()
    )
    assert effective == ["CapEff:\t0000000000000000"]


@needs_root
def test_root_may_start_it_in_another_users_closed_folder(closed_folder: Path) -> None:
    os.chown(closed_folder.parent, 65_000, 65_000)
    first = start_both(closed_folder)
    try:
        home = first.postgres.home
        assert closed_folder not in home.parents
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        with psycopg2.connect(first.postgres.owner_url) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        connection.close()
    finally:
        first.stop(remove=False)
    again = start_both(closed_folder)
    try:
        assert ask(again.postgres.owner_url, "SELECT answer FROM kept") == 42
    finally:
        again.stop(remove=True)
    assert not home.exists()


@needs_root
def test_programs_in_another_users_closed_folder_are_copied_beside_the_data(
    closed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = postgres.postgres_programs()
    theirs = closed_folder / "theirs"
    shutil.copytree(wheel, theirs / wheel.parent.name / wheel.name, symlinks=True)
    shutil.copytree(f"{wheel.parent}.libs", theirs / f"{wheel.parent.name}.libs")
    theirs.chmod(0o700)
    os.chown(theirs, 65_000, 65_000)
    monkeypatch.setattr(postgres, "postgres_programs", lambda: theirs / wheel.parent.name / wheel.name)
    servers = start_both(closed_folder / "ours", durable=False)
    try:
        assert closed_folder / "ours" in servers.postgres.programs.parents
        assert ask(servers.postgres.url, "SELECT 1") == 1
    finally:
        servers.stop(remove=True)


@needs_root
def test_where_namespaces_are_forbidden_a_system_user_runs_postgres(closed_folder: Path) -> None:
    known_before = any(entry.pw_name == SYSTEM_USER for entry in pwd.getpwall())
    servers = start_both(closed_folder, durable=False, way=Way.SYSTEM_USER)
    try:
        server, _ = servers.children[0]
        assert psutil.Process(server.pid).username() == SYSTEM_USER
        assert ask(servers.postgres.url, "SELECT 1") == 1
    finally:
        servers.stop(remove=True)
        if not known_before:
            subprocess.run(["userdel", SYSTEM_USER], check=True, capture_output=True)
    assert not servers.postgres.home.exists()


def test_root_is_never_asked_to_run_postgres() -> None:
    assert (way_for_postgres() is Way.OURSELVES) is not AS_ROOT


def test_a_second_start_goes_on_with_the_same_data(closed_folder: Path) -> None:
    first = start_both(closed_folder)
    with psycopg2.connect(first.postgres.owner_url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    connection.close()
    redis.Redis.from_url(first.valkey.url).set("kept", "too")
    first.stop(remove=False)

    again = start_both(closed_folder)
    try:
        assert ask(again.postgres.owner_url, "SELECT answer FROM kept") == 42
        assert redis.Redis.from_url(again.valkey.url).get("kept") == b"too"
    finally:
        again.stop(remove=True)


def test_what_was_committed_survives_a_hard_kill_of_both(closed_folder: Path) -> None:
    first = start_both(closed_folder)
    with psycopg2.connect(first.postgres.owner_url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    connection.close()
    for child, _ in first.children:
        processes.stop(child, signal.SIGKILL, patience=5)

    again = start_both(closed_folder)
    try:
        assert ask(again.postgres.owner_url, "SELECT answer FROM kept") == 42
    finally:
        again.stop(remove=True)


def test_a_cluster_of_another_version_is_refused_with_a_sentence(running: Running) -> None:
    mark = running.postgres.data / "PG_VERSION"
    ours = mark.read_text()
    mark.write_text("12\n")
    with pytest.raises(CannotStart, match="was made by PostgreSQL 12, the installed one is"):
        running.postgres.prepare(lambda _: None)
    mark.write_text(ours)


def test_a_first_start_that_was_cut_off_leaves_nothing_half_done(closed_folder: Path) -> None:
    half = closed_folder / "postgres" / "data.draft"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    servers = start_both(closed_folder, durable=False)
    try:
        assert ask(servers.postgres.url, "SELECT 1") == 1
        assert not half.exists()
    finally:
        servers.stop(remove=True)

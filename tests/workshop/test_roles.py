"""The owner's database role and the application's: what the second may not do, and how an installation gets both."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import psycopg2
import pytest
from django.db import connection, transaction
from psycopg2 import errors, sql

from jitapp.env import BASE_DIR
from jitapp.workshop.embedded import Running, postgres_programs, start_both
from jitapp.workshop.embedded.postgres import ROLES
from jitapp.workshop.grants import differences, wanted
from tests.shop import Shop
from tests.superuser import ROLE

LEDGER = ("pull_event", "pull_receipt", "pull_settlement", "pull_history")
# Each as the application's role in a real installation; none of them may do anything.
FORBIDDEN = [
    *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in (*LEDGER, "pull_card")),
    *(f"TRUNCATE {table} CASCADE" for table in (*LEDGER, "pull_card", "pull_turn")),
    *(f"DELETE FROM {table}" for table in (*LEDGER, "pull_card", "pull_turn", "pull_draw")),  # noqa: S608
    *(f"DROP TABLE {table} CASCADE" for table in LEDGER),
    "UPDATE pull_event SET type = 'forged'",
    "UPDATE pull_settlement SET reason = 'forged'",
    "UPDATE pull_receipt SET answer = '{}'",
    "UPDATE pull_history SET identity = ''",
    "ALTER TABLE pull_event DROP COLUMN data",
    "ALTER TABLE pull_event RENAME TO pull_gone",
    "ALTER TABLE pull_event OWNER TO jitapp",
    "DROP TRIGGER event_grows_only ON pull_event",
    "DROP FUNCTION pull_grows_only() CASCADE",
    "CREATE OR REPLACE FUNCTION pull_grows_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE TRIGGER first BEFORE INSERT ON pull_event FOR EACH ROW EXECUTE FUNCTION pull_grows_only()",
    "CREATE RULE never AS ON INSERT TO pull_event DO INSTEAD NOTHING",
    "CREATE TABLE public.mine (id int)",
    "CREATE SCHEMA mine",
    "DROP SCHEMA public CASCADE",
    "CREATE INDEX mine ON pull_event (id)",
    "SET session_replication_role = replica",
    "SET ROLE jitapp_owner",
    "SET SESSION AUTHORIZATION jitapp_owner",
    "GRANT jitapp_owner TO jitapp",
    "ALTER ROLE jitapp SUPERUSER",
    "ALTER ROLE jitapp_owner PASSWORD 'mine'",
    "ALTER DATABASE jitapp OWNER TO jitapp",
    "ALTER SYSTEM SET fsync = off",
    "COPY pull_event TO PROGRAM 'true'",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('pull', 'forged', now())",
]


@contextlib.contextmanager
def connected(url: str) -> Iterator[psycopg2.extensions.cursor]:
    """A cursor of a connection without transactions."""
    with contextlib.closing(psycopg2.connect(url)) as plain:
        plain.autocommit = True
        with plain.cursor() as cursor:
            yield cursor


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py ARGUMENTS`, told nothing but this."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env={**kept, "SECRET_KEY": secrets.token_hex(40), "JITAPP_DATA": "/nowhere", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Embedded servers with both roles and migrated tables."""
    running = start_both(tmp_path_factory.mktemp("servers"), durable=False)
    try:
        done = manage("migrate", "--verbosity", "0", **both(running))
        assert (done.returncode, done.stderr) == (0, "")
        yield running
    finally:
        running.stop(remove=True)


def both(servers: Running) -> dict[str, str]:
    """The two addresses."""
    return {"DATABASE_URL": servers.postgres.url, "DATABASE_OWNER_URL": servers.postgres.owner_url}


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_s13_the_application_cannot(servers: Running, statement: str) -> None:
    with connected(servers.postgres.url) as cursor, pytest.raises(errors.InsufficientPrivilege):
        cursor.execute(statement)


def test_s13_all_tables_are_the_owners_and_grants_are_exact(servers: Running) -> None:
    with connected(servers.postgres.url) as cursor:
        cursor.execute(
            "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        )
        assert cursor.fetchall() == [("jitapp_owner",)]
        assert differences(cursor, "jitapp") == {}
        cursor.execute("UPDATE pull_receipt SET settled_at = now() WHERE false")  # what it may
        cursor.execute("GRANT UPDATE ON pull_event TO jitapp")  # a warning that nothing was granted
        assert differences(cursor, "jitapp") == {}
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        tables = {name for (name,) in cursor.fetchall()}
        cursor.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%_grows_only'"
            " OR tgname LIKE '%_not_deleted'"
        )
        grows = {name for (name,) in cursor.fetchall()}
    assert grows >= {"pull_event", "pull_receipt", "pull_settlement", "pull_card"}
    assert not {name for name in grows if {"DELETE", "TRUNCATE"} & wanted(name, "r")}
    assert {name for name in tables if "UPDATE" not in wanted(name, "r")} >= grows - {"pull_card"}


def test_s13_a_table_of_the_next_migration_is_granted(servers: Running) -> None:
    """Before the next `migrate`, as a migration leaves it."""
    with connected(servers.postgres.owner_url) as owner, connected(servers.postgres.url) as application:
        owner.execute("CREATE TABLE next_one (id int)")
        try:
            application.execute("INSERT INTO next_one VALUES (1)")
            with pytest.raises(errors.InsufficientPrivilege):
                application.execute("DROP TABLE next_one")
        finally:
            owner.execute("DROP TABLE next_one")


def test_s13_what_was_granted_by_hand_is_said_and_put_right(servers: Running) -> None:
    def said() -> str:
        return manage("check", "--database", "default", DATABASE_URL=servers.postgres.url).stderr

    assert "jitapp.W" not in said()
    with connected(servers.postgres.owner_url) as owner:
        owner.execute("GRANT UPDATE, DELETE ON pull_event TO jitapp; REVOKE SELECT ON pull_card FROM jitapp")
    assert "The database role jitapp has other rights than it needs to pull_card, pull_event." in said()
    assert manage("migrate", "--verbosity", "0", **both(servers)).returncode == 0
    assert "jitapp.W" not in said()
    with connected(servers.postgres.url) as cursor:
        assert differences(cursor, "jitapp") == {}


def test_s13_the_application_is_told_in_one_sentence_that_it_cannot_migrate(servers: Running) -> None:
    with connected(servers.postgres.owner_url) as owner:
        owner.execute(
            "DELETE FROM django_migrations WHERE app = 'pull' AND name ="
            " (SELECT max(name) FROM django_migrations WHERE app = 'pull') RETURNING app, name"
        )
        taken = owner.fetchall()
        try:
            done = manage("migrate", DATABASE_URL=servers.postgres.url)
        finally:
            for row in taken:
                owner.execute(
                    "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, now())", row
                )
    with connected(servers.postgres.admin_url) as admin:
        admin.execute("CREATE DATABASE empty OWNER jitapp_owner")
    empty = manage("migrate", DATABASE_URL=servers.postgres.url.rsplit("/", 1)[0] + "/empty")
    for told in (done, empty):
        assert told.returncode == 1
        assert "The database role jitapp does not own the tables. Name the owner's address" in told.stderr
        assert "Traceback" not in told.stderr


def test_s13_a_backup_needs_no_owner_and_a_restore_does(servers: Running, tmp_path: Path) -> None:
    """Afterwards the application has its rights again, to tables that were made anew."""
    file = tmp_path / "shop.backup"
    done = manage("backup", str(file), DATABASE_URL=servers.postgres.url)
    assert done.returncode == 0, done.stderr
    refused = manage("restore", str(file), "--force", DATABASE_URL=servers.postgres.url)
    assert refused.returncode == 1
    assert "The database role jitapp does not own the tables." in refused.stderr
    assert "Nothing was changed." in refused.stderr
    with connected(servers.postgres.url) as held:  # a process of the application, which has to let go
        restored = manage("restore", str(file), "--force", **both(servers))
        assert restored.returncode == 0, restored.stderr
        with pytest.raises(psycopg2.OperationalError):
            held.execute("SELECT 1")
    with connected(servers.postgres.url) as cursor:
        assert differences(cursor, "jitapp") == {}
        with pytest.raises(errors.InsufficientPrivilege):
            cursor.execute("ALTER TABLE pull_event DISABLE TRIGGER ALL")


def test_s13_two_addresses_of_different_databases_are_refused(servers: Running) -> None:
    elsewhere = servers.postgres.owner_url.rsplit("/", 1)[0] + "/postgres"
    done = manage("migrate", DATABASE_URL=servers.postgres.url, DATABASE_OWNER_URL=elsewhere)
    assert done.returncode == 1
    assert "name different databases" in done.stderr
    assert "Traceback" not in done.stderr


def as_before(servers: Running) -> None:
    """What the version before made: one role that owns everything."""
    with connected(servers.postgres.admin_url) as admin:
        admin.execute("REASSIGN OWNED BY jitapp_owner TO jitapp; DROP OWNED BY jitapp_owner")
        admin.execute("DROP ROLE jitapp_owner")
    (servers.postgres.folder / "jitapp_owner.password").unlink()


def test_s13_one_role_is_allowed_and_said(tmp_path: Path) -> None:
    servers = start_both(tmp_path, durable=False)
    try:
        as_before(servers)
        done = manage("migrate", DATABASE_URL=servers.postgres.url)
        assert done.returncode == 0
        said = manage("check", "--database", "default", DATABASE_URL=servers.postgres.url)
        assert said.returncode == 0
        assert "The database role jitapp owns the tables, so whoever speaks as the application" in said.stderr
        assert "DATABASE_OWNER_URL" in said.stderr
    finally:
        servers.stop(remove=True)


def test_s13_an_installation_of_one_role_is_divided_at_its_next_start(tmp_path: Path) -> None:
    """The shop of the version before: its data is there, and scans go on."""
    folder = tmp_path / "data"
    shop = Shop(tmp_path)
    try:
        shop.start()
        before = shop.manage("verify").stdout.splitlines()[-1]
        assert shop.stop() == 0
        servers = start_both(folder)
        as_before(servers)
        with connected(servers.postgres.url) as cursor:
            cursor.execute("ALTER TABLE pull_event DISABLE TRIGGER event_grows_only")  # it could
            cursor.execute("ALTER TABLE pull_event ENABLE TRIGGER event_grows_only")
        servers.stop(remove=False)
        shop.start()
        assert shop.manage("verify").stdout.splitlines()[-1] == before
        addresses = shop.servers
        assert "//jitapp:" in addresses["DATABASE_URL"]
        with connected(addresses["DATABASE_URL"]) as cursor:
            assert differences(cursor, "jitapp") == {}
            with pytest.raises(errors.InsufficientPrivilege):
                cursor.execute("ALTER TABLE pull_event DISABLE TRIGGER event_grows_only")
        assert "jitapp.W" not in shop.manage("check", "--database", "default").stderr
        shop.manage("migrate", "--verbosity", "0")  # a command beside it finds the owner
        assert shop.stop() == 0
    finally:
        shop.stop()


def test_s13_a_running_installations_processes_do_not_know_the_owner(running_shop: Shop) -> None:
    assert running_shop.process is not None
    children = psutil.Process(running_shop.process.pid).children(recursive=True)
    ours: list[Mapping[str, str]] = [child.environ() for child in children if "python" in child.name()]
    assert len(ours) >= 5  # web, live, worker, relay, scheduler
    assert not [environment for environment in ours if "DATABASE_OWNER_URL" in environment]
    assert "DATABASE_OWNER_URL" in running_shop.servers


def test_s13_the_containers_script_makes_the_same_roles_as_the_embedded_server(tmp_path: Path) -> None:
    """deploy/make-roles, twice, in a cluster that has neither role nor database; then what the version before left."""
    servers = start_both(tmp_path / "servers", durable=False)
    try:
        admin_url = servers.postgres.admin_url.rsplit("/", 1)[0] + "/postgres"
        with connected(admin_url) as admin:
            admin.execute("DROP DATABASE jitapp")
            admin.execute("DROP ROLE jitapp_owner")
            admin.execute("DROP ROLE jitapp")
        script = (BASE_DIR / "deploy" / "make-roles").read_text()
        secrets_folder = tmp_path / "secrets"
        secrets_folder.mkdir()
        for name, role in (
            ("postgres_password", "postgres"),
            ("jitapp_owner_password", "jitapp_owner"),
            ("jitapp_password", "jitapp"),
        ):
            text = (servers.postgres.folder / f"{role}.password").read_text()
            (secrets_folder / name).write_text(text)
        here = tmp_path / "make-roles"
        here.write_text(
            script.replace("/run/secrets/", f"{secrets_folder}/").replace("/roles.sql", str(ROLES))
        )
        environment = {
            "PATH": f"{postgres_programs() / 'bin'}:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(servers.postgres.port),
            "PGUSER": "postgres",
        }
        for _ in range(2):
            done = subprocess.run(
                ["sh", str(here)], env=environment, capture_output=True, text=True, check=False
            )
            assert (done.returncode, done.stderr) == (0, "")
        assert manage("migrate", "--verbosity", "0", **both(servers)).returncode == 0
        with connected(servers.postgres.url) as cursor:
            assert differences(cursor, "jitapp") == {}
    finally:
        servers.stop(remove=True)


@pytest.mark.django_db
def test_s13_the_suite_has_the_applications_rights() -> None:
    with connection.cursor() as cursor:
        assert differences(cursor, ROLE) == {}
        for statement in ("DELETE FROM pull_event", "SET session_replication_role = replica"):
            with pytest.raises(Exception, match="permission denied"), transaction.atomic():
                cursor.execute(sql.SQL(statement))

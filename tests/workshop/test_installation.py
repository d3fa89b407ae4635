"""`manage.py up` as a whole: to Ready, through deaths, to a clean end; and each way in which it cannot start."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import psycopg2
import pytest

from jitapp.env import BASE_DIR
from jitapp.workshop.embedded import free_port, start_both
from tests.live.served import wait_until
from tests.shop import Shop

PROCESSES = {"web": "granian", "live": "uvicorn", "worker": "worker", "relay": "relay", "scheduler": "beat"}


def descendants(shop: Shop) -> list[psutil.Process]:
    """Every process of the installation but the supervisor."""
    assert shop.process is not None
    return psutil.Process(shop.process.pid).children(recursive=True)


def the_one(shop: Shop, word: str) -> psutil.Process:
    """The supervisor's own child with this word, or this program, in its command line."""
    assert shop.process is not None
    found = [
        child
        for child in psutil.Process(shop.process.pid).children()
        if any(Path(part.split(" ")[0]).name == word for part in child.cmdline())
    ]
    assert len(found) == 1, (word, found)
    return found[0]


def _served_by(server: psutil.Process) -> psutil.Process:
    """One of the processes in which the web server's requests are answered."""
    return next(child for child in server.children() if "resource_tracker" not in " ".join(child.cmdline()))


def status(url: str) -> int:
    """HTTP status; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
            return int(answer.status)
    except OSError:
        return 0


def fails_to_start(tmp_path: Path, **wishes: str) -> str:
    """What `manage.py up` says when it cannot start: the last line, and never a traceback."""
    shop = Shop(tmp_path, wishes)
    done = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=BASE_DIR,
        env=shop.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode not in (0, None)
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_every_process_runs_and_the_pages_answer(running_shop: Shop) -> None:
    for word in (*PROCESSES.values(), "valkey-server", "postgres"):
        assert the_one(running_shop, word).is_running()
    assert status(running_shop.url + "/readyz") == 200
    assert status(running_shop.url + "/healthz") == 200
    assert re.search(rf"^Ready: {running_shop.url}/$", running_shop.log, re.MULTILINE)


def test_servers_listen_on_this_machine_only(running_shop: Shop) -> None:
    listening = {
        connection.laddr.ip
        for process in descendants(running_shop)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_commands_beside_it_find_its_database_by_themselves(running_shop: Shop) -> None:
    shown = running_shop.manage("showmigrations", "--plan").stdout
    assert "[X]" in shown
    assert "[ ]" not in shown


def test_a_second_start_on_the_same_folder_is_refused(running_shop: Shop) -> None:
    second = Shop(running_shop.folder / "second", {"JITAPP_DATA": str(running_shop.folder / "data")})
    done = second.manage("up", check=False)
    assert done.returncode == 1
    assert "Another start is running on the data folder" in done.stderr


def test_a_port_in_use_is_named_with_its_variable(tmp_path: Path) -> None:
    for variable in ("PORT", "JITAPP_LIVE_PORT"):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            said = fails_to_start(tmp_path, **{variable: str(port)})
        assert said == f"Port {port} is in use: stop what uses it, or set {variable} to another port."


@pytest.mark.parametrize(
    ("variable", "nonsense"),
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "70000"),
        ("JITAPP_LIVE_PORT", "-1"),
        ("JITAPP_DEMO", "perhaps"),
        ("DATABASE_URL", "mysql://somewhere/else"),
        ("DATABASE_OWNER_URL", "mysql://somewhere/else"),
        ("DATABASE_OWNER_URL", "postgres://owner@somewhere/else"),  # and no DATABASE_URL
        ("REDIS_URL", "http://somewhere"),
        ("SECRET_KEY", "x"),
        ("SECRET_KEY_FILE", "/does/not/exist"),
        ("JITAPP_DEBUG", "maybe"),
    ],
)
def test_nonsense_in_a_variable_stops_the_start_with_a_sentence_that_names_it(
    tmp_path: Path, variable: str, nonsense: str
) -> None:
    assert variable in fails_to_start(tmp_path, **{variable: nonsense})


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert f"The data folder {tmp_path}/file/data cannot be written" in fails_to_start(
        tmp_path, JITAPP_DATA=f"{tmp_path}/file/data"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="Root may write everywhere.")
def test_a_folder_without_write_permission_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert "cannot be written (Permission denied)" in fails_to_start(tmp_path, JITAPP_DATA=f"{closed}/data")


def test_a_named_database_that_does_not_answer_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = fails_to_start(tmp_path, DATABASE_URL=f"postgres://nobody@127.0.0.1:{free_port()}/none")
    assert said.startswith("DATABASE_URL names a PostgreSQL that does not answer")


def test_named_servers_are_used_instead_of_embedded_ones(tmp_path: Path) -> None:
    servers = start_both(tmp_path / "servers", durable=False)
    wishes = {
        "DATABASE_URL": servers.postgres.url,
        "DATABASE_OWNER_URL": servers.postgres.owner_url,
        "REDIS_URL": servers.valkey.url,
        "JITAPP_DEMO": "0",
    }
    shop = Shop(tmp_path / "shop", wishes)
    try:
        shop.start()
        names = {name for child in descendants(shop) for name in child.cmdline()[:1]}
        assert not any("postgres" in name or "valkey" in name for name in names)
        connection = psycopg2.connect(servers.postgres.url)
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM django_migrations")
            assert cursor.fetchone() != (0,)
        connection.close()
        assert shop.stop() == 0
    finally:
        shop.stop()
        servers.stop(remove=True)


def test_it_lives_through_the_death_of_each_process_and_goes_on_with_the_same_data(tmp_path: Path) -> None:
    shop = Shop(tmp_path, {"JITAPP_DEMO": "0"})
    try:
        shop.start()
        for name, word in (*PROCESSES.items(), ("valkey", "valkey-server"), ("postgres", "postgres")):
            before = the_one(shop, word)
            before.kill()
            shop.wait_for(rf"^up +\| {name} ended by itself \(signal KILL\)")
            deadline = time.monotonic() + 30
            while True:
                try:
                    if the_one(shop, word).pid != before.pid and status(shop.url + "/readyz") == 200:
                        break
                except (AssertionError, psutil.Error):
                    pass
                assert time.monotonic() < deadline, f"{name} did not come back:\n{shop.log[-3000:]}"
                time.sleep(0.1)
        # Stopped, each is as good as dead, and nobody would notice: so is one of the web server's own children.
        for name, hanging in (
            ("relay", the_one(shop, "relay")),
            ("web", _served_by(the_one(shop, "granian"))),
        ):
            hanging.suspend()
            shop.wait_for(rf"^up +\| {name} hangs: process {hanging.pid} has been stopped")
            wait_until(lambda: status(shop.url + "/readyz") == 200, 120)
            assert not hanging.is_running()
        everybody = descendants(shop)
        secret_key = shop.servers["SECRET_KEY"]
        assert shop.stop(signal.SIGINT) == 0
        _, alive = psutil.wait_procs(everybody, timeout=3)
        assert not alive
        assert not (shop.folder / "data" / "services.env").exists()

        shop.start()
        assert shop.servers["SECRET_KEY"] == secret_key
        assert shop.stop() == 0
    finally:
        shop.stop()


def test_nothing_is_left_when_the_supervisor_itself_is_killed(tmp_path: Path) -> None:
    shop = Shop(tmp_path, {"JITAPP_DEMO": "0"})
    try:
        shop.start()
        everybody = descendants(shop)
        assert shop.process is not None
        shop.process.kill()
        _, alive = psutil.wait_procs(everybody, timeout=40)
        assert not alive
        shop.process.wait()
        shop.start()  # at once, on the same folder and ports
        assert shop.stop() == 0
    finally:
        shop.stop()

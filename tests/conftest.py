"""The suite's own PostgreSQL and Valkey, a browser, and a whole running installation.

One pair of servers serves the whole run: it is started by the first process, before Django reads its settings, and
found by the workers of pytest-xdist in the environment. Each worker has a database and a Redis number of its own.
`TEST_DATABASE_URL` and `TEST_REDIS_URL` name other servers instead; the role must be a superuser, because emptying
the append-only tables between tests needs it. The tests themselves have the rights of the application, and no others
(tests/superuser.py).
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.conf import settings
from django.core.management.commands import flush
from django.db import connection, transaction
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django import DjangoDbBlocker
from whitenoise.middleware import WhiteNoiseMiddleware

from jitapp.workshop.embedded import Running, free_port, start_both
from jitapp.workshop.grants import grant
from tests.emptying import NO_TRIGGERS, Emptying
from tests.erp.stub import SECRET
from tests.shop import Shop
from tests.superuser import ROLE, superuser

if TYPE_CHECKING:
    from django.db.backends.base.operations import BaseDatabaseOperations

# How long an example takes depends on what else the machine does.
hypothesis_settings.register_profile(
    "suite", parent=hypothesis_settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("suite")

SETTINGS = "jitapp.settings"
_servers = pytest.StashKey[tuple[Running, Path]]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Runs before pytest-django's own, which loads the settings if they are named by then."""
    worker: str | None = getattr(config, "workerinput", {}).get("workerid")
    if worker is None:
        _start_servers(config)
        _make_role()
    number = 0 if worker is None else 1 + int(worker.removeprefix("gw"))
    os.environ["REDIS_URL"] = urlsplit(os.environ["TEST_REDIS_URL"])._replace(path=f"/{number}").geturl()
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    # What a developer's shell may hold must not change what the tests see.
    for name in (
        "PORT",
        "JITAPP_DEMO",
        "JITAPP_DEMO_DAYS",
        "JITAPP_LIVE_PORT",
        "JITAPP_LIVE_URL",
        "JITAPP_DEBUG",
        "JITAPP_HTTPS",
        "JITAPP_SITE_URL",
        "JITAPP_GS1_PREFIX",
        "JITAPP_ERP_URL",
        "JITAPP_ERP_SECRET",
        "JITAPP_ERP_HOSTS",
        "JITAPP_DATA_IDENTIFIERS",
        "JITAPP_MQTT_URL",
        "JITAPP_MQTT_CA",
        "JITAPP_MQTT_CLIENT",
        "JITAPP_LLRP",
    ):
        os.environ.pop(name, None)
    _ = settings.DATABASES  # reads the settings now, so that pytest-django sets Django up


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """In the first process, before pytest-xdist starts its workers.

    A worker that finds the name of the settings in its environment would read them before it has a Redis number of
    its own, and all workers would share one.
    """
    if session.config.getoption("dist", "no") != "no":
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def _start_servers(config: pytest.Config) -> None:
    """In the first process only; what TEST_..._URL name already is left alone."""
    signal.signal(signal.SIGTERM, _end_like_ctrl_c)
    folder = Path(tempfile.mkdtemp(prefix="jitapp-tests-"))
    os.environ["JITAPP_DATA"] = str(folder / "data")
    if {"TEST_DATABASE_URL", "TEST_REDIS_URL"} <= os.environ.keys():
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        return
    try:
        running = start_both(folder, durable=False)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    config.stash[_servers] = (running, folder)
    os.environ.setdefault("TEST_DATABASE_URL", running.postgres.admin_url)
    os.environ.setdefault("TEST_REDIS_URL", running.valkey.url)


def _make_role() -> None:
    """In the first process only: the others share the server, and no lock of theirs would hold between databases."""
    with (
        closing(psycopg2.connect(os.environ["TEST_DATABASE_URL"])) as server,
        server,
        server.cursor() as cursor,
    ):
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,))
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE ROLE {ROLE}")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Tables are made by the superuser, who owns them; from then on connections have the rights of the application."""
    options = connection.settings_dict["OPTIONS"]
    before = options["options"]
    with django_db_blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
        grant(cursor, ROLE)
    connection.close()
    options["options"] = f"{before} -c role={ROLE}"
    yield
    options["options"] = before


def pytest_unconfigure(config: pytest.Config) -> None:
    """At the end of the run, also after Ctrl-C: no process and no folder stays."""
    if _servers in config.stash:
        running, folder = config.stash[_servers]
        running.stop(remove=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of the running installation go to one worker (with --dist loadgroup), so that one is enough. Those that
    may take long come first among their kind: at the end of the run no worker is left alone with one of them."""
    for item in items:
        if "running_shop" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("running_shop"))
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)


def _end_like_ctrl_c(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


@pytest.fixture(autouse=True, scope="session")
def _tests_may_empty_the_ledger() -> Iterator[None]:
    """Transactional tests end with deleting, which the append-only tables refuse to everybody (rule C11), and with
    what follows a migration."""
    operations = type(connection.ops)
    honest, emptying = operations.execute_sql_flush, Emptying()

    def without_triggers(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
        honest(self, [NO_TRIGGERS, *sql_list] if sql_list else sql_list)

    def as_superuser(self: flush.Command, **options: Any) -> None:
        with superuser():
            emptying.flush(self, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "execute_sql_flush", without_triggers)
        patch.setattr(flush.Command, "handle", as_superuser)
        yield


@pytest.fixture(autouse=True, scope="session")
def _static_files_are_listed_once() -> Iterator[None]:
    """Each test client and each served site has middleware of its own, and WhiteNoise's looks at all static files when
    it is made: 60 ms, four times what the usual request takes. What it found holds for as long as the settings do; an
    installation has one such list for its whole life, too."""
    honest = WhiteNoiseMiddleware.add_files_from_finders
    lists: dict[str, dict[str, Any]] = {}

    def from_list(self: WhiteNoiseMiddleware) -> None:
        key = repr((self.static_prefix, self.max_age, settings.STATICFILES_DIRS, settings.STORAGES))
        if key not in lists:
            honest(self)
            lists[key] = dict(self.files)
        self.files.update(lists[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", from_list)
        yield


# How long a test waits for what a page is to show. The usual five seconds are not enough where the machine has other
# work: what comes at all has come, and a test never depends on how fast.
EXPECTED_WITHIN_MS = 60_000


def chromium_path() -> str | None:
    """The browser of this machine, or None."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless browser, for one module: while it lives, no other event loop can run in this thread."""
    program = chromium_path()
    if not program or not shutil.which(program):
        pytest.skip(
            "No Chromium here: install one (`make browser` as root on Debian) or name it in CHROMIUM."
        )
    # Playwright's loop lives in this thread, and Django takes any loop for an asynchronous caller.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            expect.set_options(timeout=EXPECTED_WITHIN_MS)
            browser = playwright.chromium.launch(executable_path=program)
            yield browser
            browser.close()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        else:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture(scope="session")
def running_shop() -> Iterator[Shop]:
    """The whole installation with the demonstration shop at rest, as `make run` starts it. Its tests share it, in
    any order: each uses things of its own making, or leaves the shop's as it found them."""
    with tempfile.TemporaryDirectory(prefix="jitapp-shop-") as name:
        # The ERP that it would ask for documents: nobody is there until a test opens that port (tests/erp).
        erp = {"JITAPP_ERP_URL": f"http://127.0.0.1:{free_port()}/documents", "JITAPP_ERP_SECRET": SECRET}
        shop = Shop(Path(name), wishes=erp)
        try:
            shop.start()
            yield shop
        finally:
            shop.stop()

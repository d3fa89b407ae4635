"""A database that is really away: the connection of this thread is cut, and its port refuses every new one."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.db import connection

Away = Callable[[], AbstractContextManager[None]]


@contextmanager
def _away() -> Iterator[None]:
    from jitapp.pull import sources  # when Django is set up

    connection.close()
    sources._sources.clear()
    with socket.socket() as nobody_listens, pytest.MonkeyPatch.context() as patch:
        nobody_listens.bind(("127.0.0.1", 0))
        patch.setitem(connection.settings_dict, "PORT", nobody_listens.getsockname()[1])
        yield
    connection.close()


@pytest.fixture
def away() -> Away:
    """A block in which the database is away."""
    return _away


@pytest.fixture(autouse=True)
def _no_outage_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process knows of outages is of this test alone."""
    from jitapp.outages import store

    fresh = {
        trouble: type(outage)(outage.what, outage.over, clock=lambda: _Clock.now)
        for trouble, outage in store._OUTAGES.items()
    }
    monkeypatch.setattr(store, "_OUTAGES", fresh)
    _Clock.now = 100.0


class _Clock:
    now = 100.0


@pytest.fixture
def clock() -> type[_Clock]:
    """The clock of the outages, in seconds; it stands still until a test moves it."""
    return _Clock

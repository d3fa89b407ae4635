"""What a process remembers of readers belongs to one test."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader of an earlier test that was ended would be said already: it is said once in a process."""
    monkeypatch.setattr("jitapp.workshop.tag_feed._strangers", {})

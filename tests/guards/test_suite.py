"""What the suite promises itself: processes that test side by side do not share a store, and no test waits in a way
that only works on a fast machine."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings


def test_each_process_of_the_suite_has_a_redis_number_of_its_own(worker_id: str) -> None:
    number = 0 if worker_id == "master" else 1 + int(worker_id.removeprefix("gw"))
    assert urlsplit(settings.REDIS_URL).path == f"/{number}"


def test_no_test_waits_for_a_page_by_a_text_that_the_page_would_have_to_evaluate() -> None:
    """The first look of the browser's own waiting is allowed everywhere, the second is refused by our content
    security policy: such a test passes on a machine that is fast enough. `until` of tests/journeys/pages.py waits."""
    own = Path(__file__)
    waiting = [
        str(path.relative_to(own.parents[1]))
        for path in own.parents[1].rglob("*.py")
        if path != own and ".wait_for_function(" in path.read_text(encoding="utf-8")
    ]
    assert waiting == []

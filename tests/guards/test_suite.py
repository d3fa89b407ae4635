"""What the suite promises itself: processes that test side by side do not share a store."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings


def test_each_process_of_the_suite_has_a_redis_number_of_its_own(worker_id: str) -> None:
    number = 0 if worker_id == "master" else 1 + int(worker_id.removeprefix("gw"))
    assert urlsplit(settings.REDIS_URL).path == f"/{number}"

"""What the suite promises itself: processes that test side by side do not share a store."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from django.conf import settings


def test_each_process_of_the_suite_has_a_redis_number_of_its_own() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    number = 1 + int(worker.removeprefix("gw")) if worker else 0
    assert urlsplit(settings.REDIS_URL).path == f"/{number}"

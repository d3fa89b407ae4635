"""An ERP that answers, named in the settings, and a shop whose orders need its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.erp.stub import KEY, StubErp
from tests.pull.conftest import true_ledger

__all__ = ["true_ledger"]


@pytest.fixture
def erp(settings: Any) -> Iterator[StubErp]:
    stub = StubErp()
    stub.start()
    settings.ERP_URL = stub.url
    settings.ERP_SECRETS = {"": (KEY,)}
    try:
        yield stub
    finally:
        stub.stop()

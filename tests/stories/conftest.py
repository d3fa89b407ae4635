"""Every story ends with the ledger held against the tables, and the table of runouts against the independent
calculation."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command


@pytest.fixture(autouse=True)
def _the_ledger_is_true(db: None) -> Iterator[None]:
    """After the story the ledger, folded again, gives the present state, and every rule holds."""
    yield
    # The settings that it needs are read after this module.
    from tests.independent.adapters import all_differences

    said = StringIO()
    try:
        call_command("verify", stdout=said, stderr=said)
    except SystemExit:
        pytest.fail(said.getvalue())
    runouts = all_differences()
    assert not runouts, runouts

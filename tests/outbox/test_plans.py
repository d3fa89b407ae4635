"""How a drain finds its messages: by the indexes, also when its statement was prepared while there was nothing."""

from __future__ import annotations

import pytest
from django.db import connection

from jitapp import switchboard
from jitapp.outbox.relay import BATCH

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_claim_prepared_over_an_empty_outbox_does_not_read_all_of_a_backlog() -> None:
    connection.close()  # a session that has prepared nothing yet
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE outbox_message")  # what the planner knows: no rows at all
    assert switchboard.drain() == 0
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN EXECUTE outbox_claim_{BATCH}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "outbox_next" in plan
    assert "Seq Scan" not in plan

"""`Idempotency-Key`: the same request sent again under its key gets the first answer and does nothing.

The row of the key is written in the transaction of what the request did, so that either both stand or neither. Two
requests under one key wait for each other at its unique index. What was refused has done nothing; it frees its key, so
that the request can be sent again once its cause is mended.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from jitapp.api.errors import Problem, problem_from
from jitapp.api.models import KeptAnswer
from jitapp.api.operations import LONGEST_KEY
from jitapp.outages import store
from jitapp.pull.retry import retried
from jitapp.pull.scan_request import Source

KEPT_DAYS = 30  # longer than any client that lost an answer goes on asking
_SWEEP_SECONDS = 3_600.0
_CLAIM = """INSERT INTO api_keptanswer (device_id, key, fingerprint, etag, created_at) VALUES (%s, %s, %s, '', now())
    ON CONFLICT (device_id, key) DO NOTHING RETURNING id"""


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it goes out: its status, its bytes, its ETag; `replayed` if it was given before."""

    status: int
    body: bytes
    etag: str = ""
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """What a device calls its request, and what the request says."""

    device_id: int
    text: str
    fingerprint: str


def key_text(header: str | None) -> str:
    """The key as it was sent, without blanks around it; empty for none. Raises Problem 400 for one that is too long."""
    key = (header or "").strip()
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Problem(
            400, "malformed", f"The Idempotency-Key is longer than {LONGEST_KEY} characters, or unprintable."
        )
    return key


def fingerprint(*parts: object) -> str:
    """SHA-256 (hex) of what a request says, whatever the order of its members."""
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def key_of_device(source: Source, text: str, *said: object) -> Key:
    """The key of a request of this device that says this."""
    assert source.device_id is not None  # every token of the API belongs to a device
    return Key(source.device_id, text, fingerprint(*said))


def once(key: Key, produce: Callable[[], Given]) -> Given:
    """What `produce` gives, or what it gave under this key before. Raises what it raises, and Problem 409 for a key
    that belongs to another request."""
    _sweep()

    def work() -> Given | Exception:
        with transaction.atomic():
            row = _claim(key)
            if row is None:
                kept = _kept(key)
                assert kept.status is not None
                return Given(kept.status, bytes(kept.body or b""), kept.etag, replayed=True)
            try:
                given = produce()
            except store.ERRORS:
                raise
            except Exception as refused:
                if problem_from(refused) is None:
                    raise
                # What was recorded of the refusal stays, as it does without a key.
                KeptAnswer.objects.filter(pk=row).delete()
                return refused
            KeptAnswer.objects.filter(pk=row).update(status=given.status, body=given.body, etag=given.etag)
            return given

    found = retried(work)
    if isinstance(found, Exception):
        raise found
    return found


@contextmanager
def claimed(key: Key) -> Iterator[None]:
    """For requests whose first answer is kept by a scan's receipt: the key belongs to this content and to no other.
    Raises Problem 409."""
    _sweep()
    row = _claim(key)
    if row is None:
        _kept(key)
    try:
        yield
    except Exception:
        if row is not None:
            KeptAnswer.objects.filter(pk=row).delete()
        raise


def _claim(key: Key) -> int | None:
    """The id of the new row of the key; None if it has one. Waits for a request under the same key to end."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, (key.device_id, key.text, key.fingerprint))
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def _kept(key: Key) -> KeptAnswer:
    """The row that the key has. Raises Problem 409 if it belongs to another request, 503 if it has just gone."""
    kept = KeptAnswer.objects.filter(device_id=key.device_id, key=key.text).first()
    if kept is None:
        raise Problem(503, "store_busy", "The first request under this key is just ending. Send it again.")
    if kept.fingerprint != key.fingerprint:
        raise Problem(
            409,
            "key_reused",
            "This Idempotency-Key was used before for another request. Nothing was changed; send it with a new key.",
        )
    return kept


_swept = time.monotonic()


def _sweep() -> None:
    """Deletes what is too old, once an hour and process."""
    global _swept  # noqa: PLW0603
    if time.monotonic() - _swept < _SWEEP_SECONDS:
        return
    _swept = time.monotonic()
    KeptAnswer.objects.filter(created_at__lt=timezone.now() - timedelta(days=KEPT_DAYS)).delete()

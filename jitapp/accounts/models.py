"""Who acts: people with badges, devices with tokens. What they may touch stands in plant (Membership, Placement)."""

from __future__ import annotations

import hashlib
import secrets
from uuid import UUID

import django_stubs_ext
import uuid_utils.compat
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin, UserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower

from jitapp.accounts.lessons import LessonDone as LessonDone
from jitapp.kanban.names import folded, tidy
from jitapp.kanban.vocabulary import DeviceKind

# Generic Django classes may carry their types from here up. This is the lowest room with tables; processes that need
# no tables (streams, scheduler) are 25 MB smaller without it.
django_stubs_ext.monkeypatch()


def new_uuid() -> UUID:
    """A UUID version 7: unique, and in the order of making, so that indexes stay narrow."""
    return uuid_utils.compat.uuid7()


def new_uuid_text() -> str:
    """The same as text: for what is only written."""
    return str(uuid_utils.uuid7())


def choices(words: type) -> list[tuple[str, str]]:
    """Django choices from a set of words."""
    return [(word.value, word.value) for word in words]  # type: ignore[attr-defined]


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody who scans, leads, plans or administers; the ledger names a person by id only."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    username = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    badge = models.CharField(max_length=64, unique=True, null=True, blank=True)
    pin_hash = models.CharField(max_length=200, blank=True)
    pin_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    language = models.CharField(max_length=10, default="en", choices=settings.LANGUAGES)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name_plural = "people"

    def clean(self) -> None:
        """Badge and user name are nobody else's, in any case. Raises ValidationError."""
        super().clean()
        self.username = tidy(self.username or "")
        self.badge = tidy(self.badge or "") or None
        for field, name in (("username", self.username), ("badge", self.badge)):
            for other in called(name) if name else ():
                if other.pk != self.pk:
                    raise ValidationError({field: f"{name} is a name of {other.username}. Choose another."})

    def __str__(self) -> str:
        return self.name or self.username


def called(name: str) -> list[Person]:
    """Everybody whose badge or user name differs from `name` in nothing but case and what nobody sees."""
    lowered = {folded(name), tidy(name).lower()}
    rows = Person.objects.alias(low_name=Lower("username"), low_badge=Lower("badge"))
    found = rows.filter(models.Q(low_name__in=lowered) | models.Q(low_badge__in=lowered))
    return [each for each in found if folded(name) in (folded(each.username), folded(each.badge or ""))]


def login_name(written: str) -> str:
    """The user name of whoever logs in as `written`: exactly so, else the only one that differs in case alone; what was
    written, tidied, if nobody or several can be meant."""
    if "\0" not in written and Person.objects.filter(username=written).exists():
        return written
    alike = [each for each in called(written) if folded(each.username) == folded(written)]
    return alike[0].username if len(alike) == 1 else tidy(written)


class Device(models.Model):
    """A tablet, scanner, reader or ERP client; its token is stored as a SHA-256 only.

    A token has 256 random bits, so a fast hash is enough: there is nothing to guess.
    """

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=10, choices=choices(DeviceKind))
    token_hash = models.CharField(max_length=64, unique=True)
    active = models.BooleanField(default=True)
    epoch = models.CharField(max_length=64, blank=True)
    max_seq = models.BigIntegerField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    enrolled_by = models.ForeignKey(
        Person,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="enrolled_devices",
        help_text="who made this device known; empty: a token of the command line",
    )
    # What a tablet says of itself with each sign of life.
    reported_at = models.DateTimeField(null=True, blank=True)
    waiting = models.PositiveIntegerField(default=0, db_default=0, help_text="scans kept there, not yet sent")
    oldest_waiting_at = models.DateTimeField(null=True, blank=True)
    app_version = models.CharField(max_length=40, blank=True, db_default="")
    clock_error_ms = models.BigIntegerField(null=True, blank=True, help_text="its clock minus ours")
    # What the scanner doctor found: the capture profile and its verdict.
    doctor = models.JSONField(null=True, blank=True)
    doctor_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in DeviceKind]), name="device_kind_known"
            )
        ]

    def __str__(self) -> str:
        return self.name


class WrongTries(models.Model):
    """Wrong guesses at one gate (tries.py), by the SHA-256 of what it guards; rows vanish some days after the last."""

    key = models.CharField(max_length=64, unique=True)
    wrong = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)
    shut_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "wrong tries"

    def __str__(self) -> str:
        return f"{self.wrong} until {self.shut_until}"


def new_token() -> str:
    """A fresh bearer token: `jit_` and 32 random bytes."""
    return "jit_" + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

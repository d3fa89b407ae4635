"""Which plant is the demonstration, and how it ends: the whole plant at once, and no other plant ever."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from jitapp.outbox.models import Message
from jitapp.plant.demonstrations import Demonstration
from jitapp.plant.models import Membership, Plant

# A demonstration of years has more rows than a page's statement may take time for; locks are waited for as long.
PATIENCE = "SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '20s'"
TOPIC = "demonstration.ended"
LOOK_AGAIN_AFTER = timedelta(minutes=1)  # longer than any request lasts that was let in before


def shown_plants() -> frozenset[int]:
    """The plant of the demonstration while there is one. A plant that somebody else makes under its code, after the
    demonstration was ended, is nobody's to look at."""
    rows = Demonstration.objects.filter(plant_number=OuterRef("pk"), ended_at__isnull=True)
    ended = Demonstration.objects.filter(code=OuterRef("code"), ended_at__isnull=False)
    found = Plant.objects.filter(Q(Exists(rows)) | ~Q(Exists(ended)), code=settings.DEMO_PLANT)
    return frozenset(found.values_list("pk", flat=True))


def is_shown() -> bool:
    """Whether this installation shows a demonstration: it was asked for, and it is there."""
    return settings.DEMO in ("live", "1") and bool(shown_plants())


def running() -> Demonstration | None:
    """The demonstration that can be ended."""
    return Demonstration.objects.filter(ended_at__isnull=True).order_by("pk").first()


def last_ended() -> Demonstration | None:
    """The one that was ended last."""
    return Demonstration.objects.filter(ended_at__isnull=False).order_by("-ended_at").first()


def people_of(plant_id: int) -> list[str]:
    """Names of the people who work in this plant and in no other: they go with it."""
    elsewhere = Membership.objects.exclude(plant_id=plant_id).values("person_id")
    here = Membership.objects.filter(plant_id=plant_id).exclude(person_id__in=elsewhere)
    return sorted(set(here.values_list("person__name", flat=True)))


def end(plant_number: int, *, by: str) -> None:
    """Removes the plant of a demonstration with all that belongs to it (jitapp/workshop/demo/end.sql). Once more is no
    harm: what came in for it meanwhile goes too. The caller opens the transaction. Raises DatabaseError, and removes
    nothing, for a plant that is no demonstration."""
    with connection.cursor() as database:
        database.execute(PATIENCE)
        database.execute("SELECT plant_end_demonstration(%s, %s)", (plant_number, by))


def look_again_later(plant_number: int, *, now: datetime) -> None:
    """In the transaction that ends it: a minute later the outbox has whatever still came in for it removed."""
    Message.objects.create(topic=TOPIC, key=0, payload={"plant": plant_number}, due_at=now + LOOK_AGAIN_AFTER)


def mark(plant: Plant, *, now: datetime) -> None:
    """Says that a plant is a demonstration; for the database's owner. Once for each plant."""
    with transaction.atomic():
        Demonstration.objects.get_or_create(
            plant_number=plant.pk, defaults={"code": plant.code, "made_at": now}
        )

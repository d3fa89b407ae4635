"""What material handlers record beside the scans: what kept them from carrying, the labels that came in, line walks.

Cards and turns are named by code and id, without foreign keys: they are never deleted, and belong to another room.
"""

from __future__ import annotations

from django.db import models

from jitapp.accounts.models import choices, new_uuid
from jitapp.plant.models import QuantityField, one_of
from jitapp.rounds.labels import LONGEST_VALUE
from jitapp.rounds.vocabulary import Difference, Hindrance, LabelOutcome, PieceEnd


class Obstacle(models.Model):
    """A container that could not be taken or left, with the reason, and the call that tells the leader."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    route = models.ForeignKey("plant.Route", on_delete=models.PROTECT, related_name="obstacles")
    station = models.ForeignKey("plant.Station", on_delete=models.PROTECT, related_name="+")
    card = models.CharField(max_length=11)
    turn = models.UUIDField(null=True, blank=True)
    reason = models.CharField(max_length=12, choices=choices(Hindrance))
    note = models.CharField(max_length=200, blank=True)
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    device = models.ForeignKey("accounts.Device", on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    call = models.UUIDField(help_text="the call for help that it made")

    class Meta:
        constraints = [one_of("reason", Hindrance, "obstacle_reason_known")]
        indexes = [models.Index(fields=["card", "-at"], name="obstacle_of_card")]

    def __str__(self) -> str:
        return f"{self.card}: {self.reason}"


class ReadLabel(models.Model):
    """A supplier's label that was scanned at goods-in, whatever became of it: no scan is dropped. Lot, licence plate
    and delivery note of a container are found again by its card, and the other way round."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    plant = models.ForeignKey("plant.Plant", on_delete=models.PROTECT, related_name="labels_read")
    raw = models.TextField(help_text="as it was read, control characters written out")
    outcome = models.CharField(max_length=12, choices=choices(LabelOutcome))
    code = models.CharField(max_length=40, blank=True, help_text="why, as the rules say it")
    card = models.CharField(max_length=11, blank=True)
    turn = models.UUIDField(null=True, blank=True)
    part = models.CharField(max_length=60, blank=True)
    quantity = QuantityField(null=True, blank=True)
    licence = models.CharField(max_length=80, blank=True, help_text="licence plate of the package")
    lot = models.CharField(max_length=80, blank=True)
    serial = models.CharField(max_length=80, blank=True)
    delivery_note = models.CharField(max_length=80, blank=True)
    supplier = models.CharField(max_length=80, blank=True)
    scan = models.UUIDField(null=True, blank=True, help_text="the scan that took it in")
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    device = models.ForeignKey("accounts.Device", on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True, help_text="nothing is left to do about it")
    settled_as = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            one_of("outcome", LabelOutcome, "label_outcome_known"),
            # A licence plate names one package of the world: it comes in once.
            models.UniqueConstraint(
                fields=["plant", "licence"],
                condition=models.Q(outcome__in=["taken", "part"]) & ~models.Q(licence=""),
                name="label_licence_once",
            ),
        ]
        indexes = [
            models.Index(fields=["card", "-at"], name="label_of_card"),
            models.Index(fields=["plant", "-at"], name="label_by_plant"),
            models.Index(fields=["lot"], name="label_by_lot", condition=~models.Q(lot="")),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.card or self.part}"


class LabelPiece(models.Model):
    """One barcode of a label that has a barcode for each data identifier, as it was scanned. Barcodes with the same
    `gathering` belong to one label; without an end they wait for the rest of it."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    plant = models.ForeignKey("plant.Plant", on_delete=models.PROTECT, related_name="+")
    gathering = models.UUIDField(db_index=True)
    identifier = models.CharField(max_length=4)
    value = models.CharField(max_length=LONGEST_VALUE)
    raw = models.CharField(
        max_length=2 * LONGEST_VALUE, help_text="as it was read, control characters written out"
    )
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    device = models.ForeignKey("accounts.Device", on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_as = models.CharField(max_length=8, blank=True, choices=choices(PieceEnd))

    class Meta:
        constraints = [one_of("ended_as", PieceEnd, "piece_end_known")]
        indexes = [
            models.Index(fields=["plant", "at"], name="piece_open", condition=models.Q(ended_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.identifier}{self.value}"


class Walk(models.Model):
    """Somebody walks along an area or a station and scans what stands there."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    plant = models.ForeignKey("plant.Plant", on_delete=models.PROTECT, related_name="walks")
    place = models.CharField(max_length=60, help_text="code of the area or the station")
    stations = models.JSONField(help_text="ids of the stations that belong to it")
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    began_at = models.DateTimeField()
    standing = models.CharField(
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text="code of the station where they are now",
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    # Written at the end, so that the history does not change with the floor.
    expected = models.PositiveIntegerField(null=True, blank=True)
    seen = models.PositiveIntegerField(null=True, blank=True)
    differing = models.PositiveIntegerField(null=True, blank=True)
    mended = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["plant", "place", "-began_at"], name="walk_by_place")]
        constraints = [
            # Whoever comes back to a walk finds it: one at a time per person and place.
            models.UniqueConstraint(
                fields=["person", "place"],
                condition=models.Q(finished_at__isnull=True),
                name="walk_one_open_per_person_and_place",
            )
        ]

    def __str__(self) -> str:
        return f"{self.place} {self.began_at:%Y-%m-%d %H:%M}"


class Sighting(models.Model):
    """A code that was scanned on a walk; the same again is the same."""

    walk = models.ForeignKey(Walk, on_delete=models.PROTECT, related_name="sightings")
    code = models.CharField(max_length=200, help_text="the card's code, else what was read")
    station = models.CharField(
        max_length=60, blank=True, default="", db_default="", help_text="code of the station; empty: not told"
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["walk", "code"], name="walk_sighting_once")]

    def __str__(self) -> str:
        return self.code


class Finding(models.Model):
    """A difference of a walk as it was when it was mended, or when the walk ended."""

    walk = models.ForeignKey(Walk, on_delete=models.PROTECT, related_name="findings")
    code = models.CharField(max_length=200)
    kind = models.CharField(max_length=12, choices=choices(Difference))
    system = models.CharField(max_length=20, blank=True, help_text="where the system had it")
    mended_by = models.CharField(max_length=12, blank=True, default="", help_text="how; empty: not yet")
    said = models.CharField(max_length=400, blank=True, help_text="the answer to the scan that mended it")
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["walk", "code"], name="finding_once"),
            one_of("kind", Difference, "finding_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.kind}"

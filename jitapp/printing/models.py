"""Who printed what when, what stands on each printed card, tests of printers, and pictures of parts."""

from __future__ import annotations

from django.db import models

from jitapp.accounts.models import new_uuid
from jitapp.plant.models import QuantityField


class PrintJob(models.Model):
    """A file that was handed out, for cards of one plant."""

    class What(models.TextChoices):
        CARDS = "cards"
        COMMANDS = "commands"
        BADGES = "badges"
        STATIONS = "stations"
        TEST = "test"

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    plant = models.ForeignKey("plant.Plant", on_delete=models.PROTECT, related_name="print_jobs")
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, blank=True)
    at = models.DateTimeField(db_index=True)
    what = models.CharField(max_length=10, choices=What.choices)
    paper = models.CharField(max_length=20)
    form = models.CharField(max_length=10, help_text="pdf, zpl203 or zpl300")
    carrier = models.CharField(max_length=10, blank=True, help_text="the codes on the cards")
    language = models.CharField(max_length=10)
    count = models.PositiveIntegerField(help_text="cards, badges or signs")
    notes = models.JSONField(default=dict, help_text="texts that did not fit, letters that no font has")

    def __str__(self) -> str:
        return f"{self.count} {self.what} at {self.at:%Y-%m-%d %H:%M}"


class PrintedCard(models.Model):
    """A card as it came out of a printer: `facts` stand on it in ink, `fingerprint` is theirs.

    `revision` counts from 1 and is another one whenever the facts are.
    """

    job = models.ForeignKey(PrintJob, on_delete=models.PROTECT, related_name="cards")
    card = models.ForeignKey("pull.Card", on_delete=models.PROTECT, related_name="prints")
    revision = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64)
    facts = models.JSONField()
    verified_at = models.DateTimeField(null=True, blank=True, help_text="when its code was scanned back")
    verified_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "card"], name="printed_card_once")]

    def __str__(self) -> str:
        return f"{self.card_id} revision {self.revision}"


class PrinterTest(models.Model):
    """A test page; the printer is verified when its code was scanned back from the paper."""

    plant = models.ForeignKey("plant.Plant", on_delete=models.PROTECT, related_name="printer_tests")
    code = models.CharField(max_length=11, unique=True)
    printer = models.CharField(max_length=60, blank=True, help_text="as people call it")
    paper = models.CharField(max_length=20)
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(db_index=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    measured = QuantityField(null=True, blank=True, help_text="mm that the ruler of 100 mm has on paper")

    def __str__(self) -> str:
        return self.code


class PartPicture(models.Model):
    """What a part looks like: a JPEG that we made ourselves of what was uploaded. In the database, so that a backup
    has it."""

    part = models.OneToOneField(
        "plant.Part", on_delete=models.CASCADE, primary_key=True, related_name="picture"
    )
    data = models.BinaryField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, blank=True)

    def __str__(self) -> str:
        return f"picture of {self.part_id}"

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
    device = models.ForeignKey(
        "accounts.Device",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text="where no person printed",
    )
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

    @property
    def by(self) -> str:
        """The person who printed, or the device for which nobody stands; empty if neither is known."""
        return str(self.person or self.device or "")


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


class StateSheet(models.Model):
    """How an area stood at an hour, as a PDF for the time when nothing can be scanned; one an hour and area.

    The row is written first, so that of several processes one makes the file: `claimed_at` says since when. What was to
    be handed out and could not be has its reason, and when it is tried again.
    """

    area = models.ForeignKey("plant.Area", on_delete=models.PROTECT, related_name="state_sheets")
    hour = models.DateTimeField(help_text="the beginning of the hour")
    number = models.PositiveIntegerField(help_text="counts the sheets of the area")
    claimed_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True, blank=True)
    language = models.CharField(max_length=10, blank=True)
    paper = models.CharField(max_length=10, blank=True)
    pages = models.PositiveIntegerField(default=0)
    loops = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=160, blank=True, help_text="of the file")
    pdf = models.BinaryField(null=True, blank=True)
    problem = models.TextField(blank=True, help_text="why it could not be made")
    filed_at = models.DateTimeField(null=True, blank=True, help_text="when it lay in the printer folder")
    folder_problem = models.TextField(blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    mail_problem = models.TextField(blank=True)
    tries = models.PositiveIntegerField(default=0)
    try_at = models.DateTimeField(
        null=True, blank=True, help_text="when handing it out is tried; empty: never again"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["area", "hour"], name="state_sheet_once")]

    def __str__(self) -> str:
        return f"{self.area_id} {self.hour:%Y-%m-%d %H:%M}"


class PaperMove(models.Model):
    """A line of a state sheet as somebody enters it after an outage: what was typed, word for word, and what became of
    it. It belongs to whoever enters it until it is booked."""

    uuid = models.UUIDField(default=new_uuid, unique=True, help_text="the line; made by the page")
    area = models.ForeignKey("plant.Area", on_delete=models.PROTECT, related_name="paper_moves")
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    day = models.CharField(max_length=20, blank=True)
    time = models.CharField(max_length=20, blank=True)
    code = models.CharField(max_length=200, blank=True)
    what = models.CharField(max_length=20, blank=True)
    quantity = models.CharField(max_length=40, blank=True)
    by = models.CharField(max_length=120, blank=True)
    note = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField()
    scan_id = models.UUIDField(null=True, blank=True, db_index=True)
    outcome = models.CharField(max_length=8, blank=True)
    message = models.TextField(blank=True, help_text="the answer of the rules")
    booked_at = models.DateTimeField(null=True, blank=True, help_text="empty: still to be booked, or refused")

    class Meta:
        indexes = [
            models.Index(
                fields=["area", "person", "position"],
                name="paper_move_open",
                condition=models.Q(booked_at__isnull=True),
            ),
            models.Index(fields=["area", "-booked_at"], name="paper_move_booked"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.time} {self.code} {self.what}"

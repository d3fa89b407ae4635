"""Readers with their zones, the tags they have seen, where each tag is, and what was made of it."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now

from jitapp.accounts.models import choices
from jitapp.plant.models import one_of
from jitapp.tags.adapters import DEFAULT
from jitapp.tags.adapters import choices as adapters
from jitapp.tags.reads import STRONGEST, WEAKEST
from jitapp.tags.words import AlarmKind, How, Moment, Purpose, Signal, Why

_DBM = (MinValueValidator(WEAKEST), MaxValueValidator(STRONGEST))
LONGEST_IDENTITY = 128


class Reader(models.Model):
    """A device that reads tags: how its bodies are read, when it was heard, how far its clock is off."""

    device = models.OneToOneField(
        "accounts.Device", on_delete=models.PROTECT, primary_key=True, related_name="tag_reader"
    )
    plant = models.ForeignKey("plant.Plant", on_delete=models.PROTECT, related_name="tag_readers")
    adapter = models.CharField(
        max_length=20, choices=adapters, default=DEFAULT, help_text="the form in which this reader sends"
    )
    mqtt_topic = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="where it publishes, such as rfid/dock-1/events or rfid/dock-1/#; empty: not over MQTT",
    )
    silent_minutes = models.PositiveIntegerField(
        default=60,
        validators=[MaxValueValidator(100_000)],
        help_text="silence that raises an alarm; 0: never",
    )
    language = models.CharField(
        max_length=10,
        blank=True,
        default="",
        help_text="of what stations' screens are told of its scans; empty: that of the station",
    )
    clock = models.JSONField(default=dict, editable=False)
    clock_error_ms = models.BigIntegerField(default=0, editable=False, help_text="its clock minus ours")
    heard_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="the last body")
    read_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="the last read of a tag")
    reads = models.BigIntegerField(default=0, editable=False)
    refused = models.BigIntegerField(default=0, editable=False, help_text="reads that could not be used")
    zoneless = models.JSONField(
        default=dict, editable=False, help_text="antenna -> reads, of antennas that belong to no zone"
    )
    trouble = models.CharField(max_length=300, blank=True, default="", editable=False)
    trouble_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mqtt_topic"], condition=~models.Q(mqtt_topic=""), name="reader_topic_once"
            )
        ]

    def __str__(self) -> str:
        return self.device.name


class ReadPoint(models.Model):
    """A read zone: some antennas of one reader, and what it means that a tag comes there or goes."""

    reader = models.ForeignKey(Reader, on_delete=models.PROTECT, related_name="points")
    name = models.CharField(max_length=60)
    antennas = models.JSONField(
        default=list, blank=True, help_text="[1, 2]; empty: all that no other zone names"
    )
    station = models.ForeignKey("plant.Station", on_delete=models.PROTECT, null=True, blank=True)
    intent = models.CharField(max_length=12, blank=True, default="", help_text="empty: the usual step there")
    purpose = models.CharField(max_length=6, choices=choices(Purpose), default=Purpose.SIGNAL)
    moment = models.CharField(max_length=6, choices=choices(Moment), default=Moment.ARRIVE)
    silence_ms = models.PositiveIntegerField(
        default=3000,
        validators=[MinValueValidator(500), MaxValueValidator(3_600_000)],
        help_text="silence that ends a presence",
    )
    enter_reads = models.PositiveIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)], help_text="reads of an arrival"
    )
    enter_rssi = models.FloatField(
        null=True, blank=True, validators=_DBM, help_text="dBm; one read as strong as that is an arrival too"
    )
    floor_rssi = models.FloatField(
        null=True, blank=True, validators=_DBM, help_text="dBm; weaker reads count for nothing"
    )
    margin_db = models.FloatField(
        default=4.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(60.0)],
        help_text="dB by which it must be the stronger one to take a tag from another zone of the reader",
    )
    refire_minutes = models.PositiveIntegerField(
        default=10,
        validators=[MaxValueValidator(100_000)],
        help_text="minutes in which a card gives no second signal here",
    )
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reader", "name"], name="read_point_name_once"),
            one_of("purpose", Purpose, "read_point_purpose_known"),
            one_of("moment", Moment, "read_point_event_known"),
        ]

    def __str__(self) -> str:
        return f"{self.reader_id} {self.name}"


class Tag(models.Model):
    """A tag that was seen or bound. `identity` is the pure identity of its EPC, else its memory in hex: the same tag
    with another filter value is the same tag. `hex` is its memory as it was read last."""

    identity = models.CharField(max_length=LONGEST_IDENTITY, unique=True)
    hex = models.CharField(max_length=LONGEST_IDENTITY)
    plant = models.ForeignKey("plant.Plant", on_delete=models.PROTECT, related_name="tags")
    card = models.ForeignKey(
        "pull.Card", on_delete=models.PROTECT, null=True, blank=True, related_name="tags"
    )
    first_seen_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    last_point = models.ForeignKey(ReadPoint, on_delete=models.SET_NULL, null=True, blank=True)
    visits = models.PositiveIntegerField(default=0, help_text="how often it came to a zone")
    ignored_at = models.DateTimeField(null=True, blank=True)
    ignored_by = models.ForeignKey("accounts.Person", on_delete=models.SET_NULL, null=True, blank=True)
    ignored_reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["plant", "-last_seen_at"],
                name="tag_unknown",
                condition=models.Q(card__isnull=True, ignored_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.identity


class Sighting(models.Model):
    """Where a tag is for one reader (presence.py), shared by all processes; times are seconds since 1970."""

    reader = models.ForeignKey(Reader, on_delete=models.PROTECT)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE)
    zone = models.BigIntegerField(default=0, help_text="the read point")
    visit = models.PositiveIntegerField(default=0)
    present = models.BooleanField(default=False)
    came_from = models.BigIntegerField(default=0, help_text="the zone before, left without a silence")
    first = models.FloatField(default=0.0)
    last = models.FloatField(default=0.0)
    reads = models.PositiveIntegerField(default=0)
    best = models.FloatField(default=0.0)
    heard = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reader", "tag"], name="sighting_once")]
        indexes = [models.Index(fields=["last"], name="sighting_present", condition=models.Q(present=True))]

    def __str__(self) -> str:
        return f"{self.tag_id} for {self.reader_id}"


class Visit(models.Model):
    """A tag in a zone, from its arrival to its departure; at most one scan comes of it, whose id is made of it."""

    point = models.ForeignKey(ReadPoint, on_delete=models.PROTECT, related_name="visits_here")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="visits_of")
    card = models.ForeignKey("pull.Card", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    number = models.PositiveIntegerField()
    arrived_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)
    reads = models.PositiveIntegerField(default=0)
    best_rssi = models.FloatField(null=True, blank=True)
    signal = models.CharField(max_length=4, choices=choices(Signal), default=Signal.NONE)
    why = models.CharField(max_length=8, choices=choices(Why), blank=True, default=Why.NOTHING)
    scan_id = models.UUIDField(null=True, blank=True, unique=True)
    scan_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=8, blank=True, default="")
    code = models.CharField(max_length=40, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["point", "tag", "number"], name="visit_once"),
            one_of("signal", Signal, "visit_signal_known"),
        ]
        indexes = [
            models.Index(fields=["point", "card", "-scan_at"], name="visit_of_card"),
            models.Index(fields=["tag", "-arrived_at"], name="visit_of_tag"),
            models.Index(fields=["created_at"], name="visit_due", condition=models.Q(signal="due")),
            models.Index(fields=["arrived_at"], name="visit_by_age"),
            models.Index(
                fields=["tag"],
                name="visit_held",
                condition=models.Q(why=Why.CROSSED, left_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tag_id} at {self.point_id}, visit {self.number}"


class Binding(models.Model):
    """A tag on a card, from when to when, by whom."""

    tag = models.ForeignKey(Tag, on_delete=models.PROTECT, related_name="bindings")
    card = models.ForeignKey("pull.Card", on_delete=models.PROTECT, related_name="+")
    how = models.CharField(max_length=5, choices=choices(How))
    bound_at = models.DateTimeField()
    bound_by = models.ForeignKey(
        "accounts.Person", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    device = models.ForeignKey(
        "accounts.Device", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    receipt = models.UUIDField(null=True, blank=True, help_text="the scan of the card at a binding place")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        "accounts.Person", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=200, blank=True, default="", help_text="why it ended")

    class Meta:
        constraints = [
            # A tag is on one card at a time.
            models.UniqueConstraint(
                fields=["tag"], condition=models.Q(ended_at__isnull=True), name="binding_open_once"
            ),
            one_of("how", How, "binding_how_known"),
        ]

    def __str__(self) -> str:
        return f"{self.tag_id} on {self.card_id}"


class Alarm(models.Model):
    """Something about readers that a person must see to; open until it passes or somebody closes it."""

    plant = models.ForeignKey("plant.Plant", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=choices(AlarmKind))
    reader = models.ForeignKey(Reader, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    point = models.ForeignKey(ReadPoint, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    other = models.ForeignKey(ReadPoint, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        "accounts.Person", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "reader", "point", "other", "tag"],
                condition=models.Q(closed_at__isnull=True),
                nulls_distinct=False,
                name="alarm_open_once",
            ),
            one_of("kind", AlarmKind, "alarm_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} since {self.first_at}"

"""What is open on the floor: runouts, waits, stations at work, calls for help, quality holds."""

from __future__ import annotations

from django.db import models

from jitapp.accounts.models import choices, new_uuid
from jitapp.kanban.vocabulary import Party
from jitapp.pull.models.cards import Card
from jitapp.pull.models.turns import Turn


class Runout(models.Model):
    """A loop without a usable container, from the event that caused it to the first FULL (rule C9)."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    loop = models.ForeignKey("plant.Loop", on_delete=models.PROTECT, related_name="runouts")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    opened_seq = models.BigIntegerField()
    closed_seq = models.BigIntegerField(null=True, blank=True)
    cause = models.CharField(max_length=20, blank=True, help_text="candidate while open, final at the close")
    cause_facts = models.JSONField(default=dict, blank=True)
    owner = models.CharField(max_length=10, choices=choices(Party), blank=True)
    upstream = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="downstream"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["loop"], condition=models.Q(closed_at__isnull=True), name="runout_one_open_per_loop"
            ),
            models.UniqueConstraint(fields=["loop", "opened_seq"], name="runout_opened_once"),
        ]
        indexes = [models.Index(fields=["loop", "-opened_at"], name="runout_by_loop")]

    def __str__(self) -> str:
        return f"{self.loop_id} since {self.opened_at:%Y-%m-%d %H:%M}"


class Wait(models.Model):
    """An interval in which an open turn does not move, with its reason, owner and clock: the fold of `wait.opened` and
    `wait.closed`. Why a station did not get to it in that time is computed when it is read
    (jitapp/pull/reading/waits.py)."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    turn = models.ForeignKey(Turn, on_delete=models.PROTECT, related_name="waits")
    loop = models.ForeignKey("plant.Loop", on_delete=models.PROTECT, related_name="waits", db_index=False)
    reason = models.CharField(max_length=20)
    owner = models.CharField(max_length=10, choices=choices(Party))
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    # Empty: from before waits were events.
    opened_seq = models.BigIntegerField(
        null=True, blank=True, help_text="loop_seq of the turn's event that began it"
    )
    closed_seq = models.BigIntegerField(
        null=True, blank=True, help_text="loop_seq of the turn's event that ended it"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["turn"], condition=models.Q(closed_at__isnull=True), name="wait_one_open_per_turn"
            ),
            models.UniqueConstraint(fields=["turn", "reason", "opened_at", "opened_seq"], name="wait_once"),
            models.CheckConstraint(
                condition=models.Q(closed_at__isnull=True) | models.Q(closed_at__gte=models.F("opened_at")),
                name="wait_ends_after_it_begins",
            ),
        ]
        indexes = [models.Index(fields=["loop", "closed_at"], name="wait_by_loop")]

    def __str__(self) -> str:
        return f"{self.turn_id} {self.reason}"


class StationState(models.Model):
    """A stretch of time in which a station could not work on what waits for it, as its own events told; without an end
    it goes on. News may come late: whatever is cut with these is computed again when it is read."""

    uuid = models.UUIDField(unique=True, editable=False, help_text="the event it began with")
    station = models.ForeignKey(
        "plant.Station", on_delete=models.PROTECT, related_name="states", db_index=False
    )
    kind = models.CharField(max_length=12)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["station", "kind"],
                condition=models.Q(ended_at__isnull=True),
                name="state_one_open_per_station_and_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=models.F("began_at")),
                name="state_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["down", "setup", "no_operator", "planned_stop"]),
                name="state_kind_known",
            ),
        ]
        indexes = [models.Index(fields=["station", "ended_at"], name="state_by_station")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.station_id}"


class AndonCall(models.Model):
    """Somebody calls for help at a station, or a runout does by itself: what it is about, who took it, how it was
    solved."""

    class Kind(models.TextChoices):
        MATERIAL = "material"
        QUALITY = "quality"
        MACHINE = "machine"
        HELP = "help"

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    station = models.ForeignKey("plant.Station", on_delete=models.PROTECT, related_name="calls")
    loop = models.ForeignKey(
        "plant.Loop", on_delete=models.PROTECT, null=True, blank=True, related_name="calls"
    )
    card = models.ForeignKey(Card, on_delete=models.PROTECT, null=True, blank=True, related_name="calls")
    runout = models.OneToOneField(
        Runout,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="call",
        help_text="the runout that made this call; it makes one",
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    stops_line = models.BooleanField(default=False)
    note = models.CharField(max_length=200, blank=True)
    called_by = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, related_name="calls_made"
    )
    device = models.ForeignKey("accounts.Device", on_delete=models.PROTECT, null=True, blank=True)
    called_at = models.DateTimeField()
    owner = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, related_name="calls_owned"
    )
    owned_at = models.DateTimeField(null=True, blank=True)
    level = models.PositiveSmallIntegerField(default=0, help_text="step of escalation reached")
    solved_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    countermeasure = models.CharField(max_length=400, blank=True)
    countermeasure_due = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["material", "quality", "machine", "help"]),
                name="call_kind_known",
            ),
            models.CheckConstraint(
                condition=models.Q(solved_at__isnull=True) | ~models.Q(reason=""), name="call_solved_says_why"
            ),
        ]
        indexes = [
            models.Index(fields=["called_at"], name="call_open", condition=models.Q(solved_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.station_id}"


class CallRepeat(models.Model):
    """A call for what an open call of the station was about already; its id is another name of that call."""

    uuid = models.UUIDField(unique=True, editable=False)
    call = models.ForeignKey(AndonCall, on_delete=models.PROTECT, related_name="repeats")
    called_by = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    device = models.ForeignKey("accounts.Device", on_delete=models.PROTECT, null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)
    called_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.call_id} again at {self.called_at:%H:%M}"


class QualityHold(models.Model):
    """A container or card that must not be used until quality says so."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="holds")
    reason = models.CharField(max_length=200)
    held_by = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, related_name="holds_made"
    )
    held_at = models.DateTimeField()
    released_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=40, blank=True, help_text="use, rework, scrap")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["card"], condition=models.Q(released_at__isnull=True), name="hold_one_open_per_card"
            )
        ]

    def __str__(self) -> str:
        return f"{self.card_id}: {self.reason}"

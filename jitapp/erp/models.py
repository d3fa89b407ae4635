"""Where each plant's ERP is, and a row for every document that it is asked for. The row is the job."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now

from jitapp.erp.adapters import DEFAULT, choices
from jitapp.erp.address import Reach, problem_of, reach
from jitapp.plant.models import one_of


def may_be_called(url: str) -> None:
    """Raises ValidationError for an address that this installation must not call."""
    if problem := problem_of(url):
        raise ValidationError(problem)


class ErpConnection(models.Model):
    """The ERP of a plant. Its secret is in the environment, never here.

    After `failures` in a row it is not called until `quiet_until`; then a single call tests whether it replies again.
    """

    plant = models.OneToOneField(
        "plant.Plant", on_delete=models.PROTECT, primary_key=True, related_name="erp_connection"
    )
    url = models.CharField(
        max_length=400,
        blank=True,
        default="",
        validators=[may_be_called],
        help_text="where documents are asked for; empty: the address in JITAPP_ERP_URL",
    )
    adapter = models.CharField(
        max_length=40,
        choices=choices,
        default=DEFAULT,
        db_default=DEFAULT,
        help_text="the protocol of this ERP; documents that are not finished go on with a newly chosen one",
    )
    enabled = models.BooleanField(
        default=True, help_text="off: documents wait until somebody gives their numbers"
    )
    failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    quiet_until = models.DateTimeField(null=True, blank=True, editable=False)
    took_ms = models.PositiveIntegerField(
        null=True, blank=True, editable=False, help_text="of the last answer"
    )

    class Meta:
        verbose_name = "ERP connection"

    def __str__(self) -> str:
        return f"ERP of {self.plant.code}"

    @property
    def reach(self) -> Reach:
        """Address and keys, or why it cannot be called."""
        return reach(self.url, self.plant.code, self.adapter)


class RequestState(models.TextChoices):
    """How far the document of a turn is."""

    WAITING = "WAITING"  # to be asked for, or asked for without a reply yet
    DONE = "DONE"  # the turn has the number
    FAILED = "FAILED"  # refused for good: a person must act
    WITHDRAWING = "WITHDRAWING"  # the turn was cancelled: the ERP must take the document back
    WITHDRAWN = "WITHDRAWN"  # nothing is left at the ERP


class DocumentRequest(models.Model):
    """The document of one turn; the turn's id is the idempotency key of every call.

    `calls` counts every call ever made: the result of a call counts only if none was made after it. `failures` are
    those since the last good reply. Until `lease_until` a call is under way.
    """

    turn = models.OneToOneField("pull.Turn", on_delete=models.PROTECT, related_name="document_request")
    key = models.UUIDField(unique=True, help_text="the turn's outside id")
    connection = models.ForeignKey(ErpConnection, on_delete=models.PROTECT, related_name="requests")
    body = models.JSONField(help_text="what the ERP is asked for, the same in every call")
    state = models.CharField(max_length=11, choices=RequestState.choices, default=RequestState.WAITING)
    number = models.CharField(max_length=60, blank=True, default="")
    problem = models.CharField(max_length=40, blank=True, default="", help_text="a code; empty: none")
    detail = models.CharField(max_length=300, blank=True, default="", help_text="what the other side said")
    calls = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(help_text="the next call")
    lease_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [one_of("state", RequestState, "document_state_known")]
        indexes = [
            models.Index(
                fields=["connection", "due_at"],
                name="document_due",
                condition=models.Q(state__in=["WAITING", "WITHDRAWING"]),
            ),
            models.Index(fields=["created_at"], name="document_failed", condition=models.Q(state="FAILED")),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.state}"

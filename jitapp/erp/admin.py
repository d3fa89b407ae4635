"""The ERP of each plant, and the documents that wait for it or were refused."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from jitapp.erp.address import keys_for
from jitapp.erp.documents import NothingToRetry, retry
from jitapp.erp.models import DocumentRequest, ErpConnection
from jitapp.plant.admin import Kept, Shown


@admin.register(ErpConnection)
class ErpConnectionAdmin(Kept[ErpConnection]):
    """The address of a plant's ERP and how it is spoken to; its secret is in the environment."""

    list_display = ("plant", "adapter", "url", "enabled", "secret", "stands", "failing_since", "quiet_until")
    fields = (
        "plant",
        "adapter",
        "url",
        "enabled",
        "secret",
        "stands",
        "failures",
        "failing_since",
        "quiet_until",
        "took_ms",
    )
    readonly_fields = ("secret", "stands", "failures", "failing_since", "quiet_until", "took_ms")

    def get_readonly_fields(
        self, request: HttpRequest, thing: ErpConnection | None = None
    ) -> tuple[str, ...]:
        """A connection stays with its plant: documents point to it."""
        return (*self.readonly_fields, "plant") if thing else self.readonly_fields

    @admin.display(boolean=True)
    def secret(self, connection: ErpConnection) -> bool:
        """Whether there is one; never which."""
        return bool(connection.plant_id and keys_for(connection.plant.code))

    @admin.display(description="can be called")
    def stands(self, connection: ErpConnection) -> str:
        """Why it cannot be called, if it cannot."""
        problem = connection.reach.problem if connection.plant_id else ""
        return problem.replace("_", " ") or "yes"


@admin.register(DocumentRequest)
class DocumentRequestAdmin(Shown[DocumentRequest]):
    """Documents and how far they are; a refused one can be asked for again."""

    list_display = (
        "key",
        "connection",
        "state",
        "number",
        "problem",
        "detail",
        "calls",
        "due_at",
        "created_at",
    )
    list_filter = ("state", "problem", "connection")
    search_fields = ("=key", "number", "detail")
    list_select_related: ClassVar[tuple[str, ...]] = ("connection__plant",)
    ordering = ("-pk",)
    actions = ("ask_again",)

    def has_ask_permission(self, request: HttpRequest) -> bool:
        """More people may see documents than may ask for them again."""
        return request.user.has_perm("erp.change_documentrequest")

    @admin.action(description="Ask the ERP again", permissions=["ask"])
    def ask_again(self, request: HttpRequest, chosen: QuerySet[DocumentRequest]) -> None:
        """For what was corrected in the ERP or here; documents that are done are left as they are."""
        asked = 0
        for key in chosen.values_list("key", flat=True):
            try:
                retry(key, now=timezone.now())
            except NothingToRetry:
                continue
            asked += 1
        self.message_user(
            request, f"{asked} of {len(chosen)} documents are asked for again.", messages.SUCCESS
        )

"""People and devices, by hand."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.http import HttpRequest

from jitapp.accounts.models import Device, Person


class NewPerson(AdminUserCreationForm[Person]):
    """A person with a name and, if wanted, a password."""

    class Meta:
        model = Person
        fields = ("username", "name")


@admin.register(Person)
class PersonAdmin(UserAdmin[Person]):
    """Who somebody is; what they may do in a plant stands in the memberships."""

    add_form = NewPerson
    list_display = ("username", "name", "badge", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff", "language")
    search_fields = ("username", "name", "badge")
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password", "name", "email", "badge", "language")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Since", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "name", "usable_password", "password1", "password2")}),)


@admin.register(Device)
class DeviceAdmin(admin.ModelAdmin[Device]):
    """A device is ended here (`active`); its token is made by `manage.py api_token` and shown nowhere."""

    list_display = ("name", "kind", "active", "last_seen_at", "created_at")
    list_filter = ("kind", "active")
    search_fields = ("name",)
    fields = ("name", "kind", "active", "last_seen_at", "created_at")
    readonly_fields: ClassVar[tuple[str, ...]] = ("name", "kind", "last_seen_at", "created_at")

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """A device without a token could do nothing."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _device: Device | None = None) -> bool:
        """The ledger names it."""
        return False

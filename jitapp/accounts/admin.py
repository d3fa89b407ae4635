"""People and devices, by hand."""

from __future__ import annotations

from typing import ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from jitapp.accounts.models import Device, Person
from jitapp.accounts.pins import BadPin, hashed_pin, set_pin


class NewPerson(AdminUserCreationForm[Person]):
    """A person with a name and, if wanted, a password."""

    class Meta:
        model = Person
        fields = ("username", "name")


class KnownPerson(UserChangeForm[Person]):
    """A person's fields, and a PIN that can be given or taken away but never read."""

    pin = forms.CharField(
        required=False,
        max_length=20,
        label="New PIN",
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
        help_text="4 to 8 digits, by which the person proves at a device who they are; empty: as it is",
    )
    without_pin = forms.BooleanField(required=False, label="Take the PIN away")

    def clean_pin(self) -> str:
        """Digits that are not the first ones tried."""
        pin: str = self.cleaned_data["pin"]
        try:
            if pin:
                hashed_pin(pin)
        except BadPin as error:
            raise ValidationError(str(error)) from None
        return pin


@admin.register(Person)
class PersonAdmin(UserAdmin[Person]):
    """Who somebody is; what they may do in a plant stands in the memberships."""

    form = KnownPerson
    add_form = NewPerson
    list_display = ("username", "name", "badge", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff", "language")
    search_fields = ("username", "name", "badge")
    readonly_fields = ("last_login", "date_joined", "has_pin")
    fieldsets = (
        (None, {"fields": ("username", "password", "name", "email", "badge", "language")}),
        ("PIN", {"fields": ("has_pin", "pin", "without_pin")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Since", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "name", "usable_password", "password1", "password2")}),)

    @admin.display(boolean=True, description="Has a PIN")
    def has_pin(self, person: Person) -> bool:
        """Whether one is set."""
        return bool(person.pin_hash)

    def save_model(
        self, request: HttpRequest, obj: Person, form: forms.ModelForm[Person], change: bool
    ) -> None:
        """The PIN is kept as a hash, beside what the form saves."""
        super().save_model(request, obj, form, change)
        if form.cleaned_data.get("pin") or form.cleaned_data.get("without_pin"):
            set_pin(obj, "" if form.cleaned_data["without_pin"] else form.cleaned_data["pin"])


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

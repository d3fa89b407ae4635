"""Who scans, the REST framework's way. Apart from the views, because the framework's settings name it."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from jitapp.accounts.models import Device, token_hash


class Scanner:
    """An authenticated device, as the permission class wants it."""

    is_authenticated = True

    def __init__(self, device: Device) -> None:
        self.device = device
        self.plant_id = device.placement.plant_id


class TokenOfDevice(BaseAuthentication):
    """`Authorization: Bearer`."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        """The device behind the token."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        device = (
            Device.objects.select_related("placement")
            .filter(token_hash=token_hash(token), active=True)
            .first()
        )
        if device is None:
            raise AuthenticationFailed
        return Scanner(device), None

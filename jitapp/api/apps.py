"""What Django must know of the room."""

from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The API: its only table remembers which requests were answered under which key."""

    name = "jitapp.api"
    label = "api"

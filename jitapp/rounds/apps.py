"""What Django asks of the room."""

from __future__ import annotations

from django.apps import AppConfig


class RoundsConfig(AppConfig):
    """The material handlers' own: rounds, receiving, line walks."""

    name = "jitapp.rounds"

"""What Django must know of the room."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register

from jitapp.workshop.ownership import check_roles


class WorkshopConfig(AppConfig):
    """The tools; no tables."""

    name = "jitapp.workshop"

    def ready(self) -> None:
        """`manage.py check --database default` says what is wrong with the database's roles."""
        register(check_roles, Tags.database)

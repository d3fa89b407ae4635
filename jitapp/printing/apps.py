"""The room of cards and labels on paper."""

from __future__ import annotations

from django.apps import AppConfig


class PrintingConfig(AppConfig):
    """Tables `printing_...`."""

    name = "jitapp.printing"

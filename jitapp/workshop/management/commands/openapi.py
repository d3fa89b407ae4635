"""Prints the OpenAPI document."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from jitapp.api.about import openapi_bytes


class Command(BaseCommand):
    """The same bytes as /api/v1/openapi.json."""

    help = "Prints the OpenAPI 3.1 document of the API."

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(openapi_bytes().decode())

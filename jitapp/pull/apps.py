"""What happens once when a process has loaded the tables."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig

from jitapp.plant import holdings


class PullConfig(AppConfig):
    """Cards, turns and the ledger."""

    name = "jitapp.pull"

    def ready(self) -> None:
        """Changes of master data are held against the cards and turns of this room."""
        floor = import_module("jitapp.pull.holdings").Floor()  # it needs the tables, which are there only now
        holdings.use(floor)

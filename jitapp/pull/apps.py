"""What happens once when a process has loaded the tables."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate

from jitapp.plant import holdings
from jitapp.pull import history


class PullConfig(AppConfig):
    """Cards, turns and the ledger."""

    name = "jitapp.pull"

    def ready(self) -> None:
        """Changes of master data are held against the cards and turns of this room; a database that was set back is
        noticed by the first connection to it."""
        floor = import_module("jitapp.pull.holdings").Floor()  # it needs the tables, which are there only now
        holdings.use(floor)
        connection_created.connect(history.on_connection)
        post_migrate.connect(history.after_migrations, sender=self)

"""What happens once when a process has loaded the tables."""

from __future__ import annotations

import sys
from importlib import import_module

from django.apps import AppConfig

# For its browsable pages and its test client the REST framework loads these where it finds them, which is wherever
# the development tools are installed: 8 MB in every process, for what is not used here.
NOT_FOR_US = ("requests", "pygments")


class WebConfig(AppConfig):
    """The pages."""

    name = "jitapp.web"

    def ready(self) -> None:
        """Loads the REST framework as if its optional parts were not installed; other code still finds them."""
        absent = {name: None for name in NOT_FOR_US if name not in sys.modules}
        sys.modules.update(absent)  # type: ignore[arg-type]
        try:
            import_module("rest_framework.compat")
        finally:
            for name in absent:
                del sys.modules[name]

"""What happens once when a process has loaded the tables."""

from __future__ import annotations

import sys
from importlib import import_module

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest

from jitapp.live.push import session_ended
from jitapp.live.ticket import mark_of

# For its browsable pages and its test client the REST framework loads these where it finds them, which is wherever
# the development tools are installed: 8 MB in every process, for what is not used here.
NOT_FOR_US = ("requests", "pygments")


def _streams_end(request: HttpRequest | None, **_more: object) -> None:
    session = getattr(request, "session", None)
    if session is not None:
        session_ended(mark_of(session.session_key))


class WebConfig(AppConfig):
    """The pages."""

    name = "jitapp.web"

    def ready(self) -> None:
        """Whoever logs out is told to the streams. Loads the REST framework as if its optional parts were not
        installed; other code still finds them."""
        user_logged_out.connect(_streams_end, dispatch_uid="jitapp.web.streams_end")
        absent = {name: None for name in NOT_FOR_US if name not in sys.modules}
        sys.modules.update(absent)  # type: ignore[arg-type]
        try:
            import_module("rest_framework.compat")
        finally:
            for name in absent:
                del sys.modules[name]

"""Pages, scans and the API as granian serves them: whole requests (jitapp/api/intake.py) for the WSGI application."""

from jitapp.wsgi import django_application  # sets Django up before the doors can be imported

# isort: split
import asyncio

from jitapp.api.intake import Intake
from jitapp.api.shortcut import DOORS
from jitapp.pull.reading.standstill import watch
from jitapp.pulse.beats import Pulse


class Web(Intake):
    """The intake of a web process, which gives signs of life and looks after those of the others."""

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called by the server in the process that is to serve."""
        super().__rsgi_init__(loop)
        self._pulse = Pulse("web", self.takes_requests, also=watch.tell_boards)
        self._pulse.start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called by the server at its end."""
        self._pulse.end()
        super().__rsgi_del__(loop)


application = Web(django_application, DOORS)

"""Pages, scans and the API as granian serves them: whole requests (jitapp/api/intake.py) for the WSGI application."""

from jitapp.wsgi import django_application  # sets Django up before the doors can be imported

# isort: split
from jitapp.api.intake import Intake
from jitapp.api.shortcut import DOORS

application = Intake(django_application, DOORS)

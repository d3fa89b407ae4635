"""Pages, scans and the API on WSGI."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jitapp.settings")
django_application = get_wsgi_application()  # Django must be set up before the doors can be imported

from jitapp.api.shortcut import shortcut  # noqa: E402

application = shortcut(django_application)

"""Pages, scans and the API on WSGI."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jitapp.settings")
application = get_wsgi_application()

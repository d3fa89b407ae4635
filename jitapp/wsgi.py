"""Pages, scans and the API on WSGI."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jitapp.settings")
django_application = get_wsgi_application()  # Django must be set up before the doors can be imported

from jitapp.api.shortcut import shortcut  # noqa: E402

application = shortcut(django_application)

# What is loaded by now stays for good: the collector need not walk through it again and again.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)

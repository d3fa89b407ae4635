"""The event streams, run by uvicorn as a process of its own; pages and scans are in wsgi.py.

Django is not set up here: settings and signatures are enough, and the process stays small.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jitapp.settings")

from django.conf import settings

from jitapp.live.stream import LiveApp

application = LiveApp(settings.REDIS_URL, tuple(settings.CSRF_TRUSTED_ORIGINS), alone=False)

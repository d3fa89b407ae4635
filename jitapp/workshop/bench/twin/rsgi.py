"""The twin, served as the product is."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "jitapp.workshop.bench.twin.settings"
django_application = get_wsgi_application()  # sets Django up before the doors can be imported

from jitapp.api.intake import Intake  # noqa: E402

application = Intake(django_application, {})

"""The product's settings with the twin's single URL."""

from jitapp.settings import *  # noqa: F403

ROOT_URLCONF = "jitapp.workshop.bench.twin.urls"
WSGI_APPLICATION = "jitapp.workshop.bench.twin.rsgi.django_application"
REST_FRAMEWORK = {  # as a tutorial would have it
    "DEFAULT_AUTHENTICATION_CLASSES": ["jitapp.workshop.bench.twin.token.TokenOfDevice"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}

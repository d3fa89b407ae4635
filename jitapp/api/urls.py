"""The room's site map."""

from django.urls import URLPattern, URLResolver, path

from jitapp.api.scans import scans, scans_batch

urlpatterns: list[URLPattern | URLResolver] = [
    path("scans", scans, name="scans"),
    path("scans/batch", scans_batch, name="scans-batch"),
]

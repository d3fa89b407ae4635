"""One URL."""

from django.urls import path

from jitapp.workshop.bench.twin.views import ScanView

urlpatterns = [path("twin/scans", ScanView.as_view())]

"""The site map: pages, the API, and what machines ask."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("jitapp.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("jitapp.web.urls")),
]

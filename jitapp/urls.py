"""The site map: pages, the API, and what machines ask."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("jitapp.api.urls")),
    path("", include("jitapp.web.urls")),  # its admin/login/ comes before the administration's own
    path("admin/", admin.site.urls),
]

# Under /api/ a fault answers JSON, elsewhere a page.
handler400 = "jitapp.api.errors.bad_request"
handler403 = "jitapp.api.errors.permission_denied"
handler404 = "jitapp.api.errors.page_not_found"
handler500 = "jitapp.doors.server_error"  # 503 while the database is away

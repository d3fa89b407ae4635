"""Logging in and out, and the language of the pages."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import views
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.views.i18n import set_language

from jitapp.accounts.models import Person
from jitapp.web.visit import guests_may_read


class Login(views.LoginView):
    """The login page; it sets the language of the person who logs in."""

    template_name = "login.html"
    redirect_authenticated_user = True
    extra_context = {"guests": guests_may_read}

    def form_valid(self, form: object) -> HttpResponseBase:  # type: ignore[override]
        response = super().form_valid(form)  # type: ignore[arg-type]
        person = self.request.user
        if isinstance(person, Person) and person.language in dict(settings.LANGUAGES):
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME, person.language, max_age=31_536_000, samesite="Lax"
            )
            translation.activate(person.language)
        return response


login = Login.as_view()
logout = views.LogoutView.as_view(next_page="/")


def language(request: HttpRequest) -> HttpResponseBase:
    """Keeps the chosen language in a cookie, and with the person."""
    response = set_language(request)
    chosen = request.POST.get("language", "")
    if request.method == "POST" and isinstance(request.user, Person) and chosen in dict(settings.LANGUAGES):
        Person.objects.filter(pk=request.user.pk).update(language=chosen)
    return response

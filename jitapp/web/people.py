"""Logging in and out, and the language of the pages."""

from __future__ import annotations

import math
from typing import Any

from django.conf import settings
from django.contrib.admin.sites import site
from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST
from django.views.i18n import set_language

from jitapp.accounts.backend import remember, waits_until
from jitapp.accounts.first import knows_nobody
from jitapp.accounts.models import Person
from jitapp.plant.spoken import speak
from jitapp.web.visit import ANYBODY, declared, guests_may_read


class Login(views.LoginView):
    """The login page; it sets the language of the person who logs in."""

    template_name = "login.html"
    redirect_authenticated_user = True
    extra_context = {"guests": guests_may_read}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """While nobody is known, the first administrator is asked for instead."""
        if knows_nobody():
            return redirect("first-start")
        return super().dispatch(request, *args, **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """429 with the time to wait for a try that was not looked at."""
        until = waits_until(self.request)
        if until is None:
            return super().form_invalid(form)
        seconds = max(1, math.ceil((until - timezone.now()).total_seconds()))
        context = self.get_context_data(form=form, waits=_said(seconds))
        response = self.render_to_response(context, status=429)
        response["Retry-After"] = str(seconds)
        return response

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        person = self.request.user
        if isinstance(person, Person):
            welcome(response, person)
        return response


def welcome(response: HttpResponse, person: Person) -> None:
    """Whoever has logged in is remembered in this browser and spoken to in their language."""
    remember(response, person.pk)
    if person.language in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, person.language, max_age=31_536_000, samesite="Lax"
        )
        speak(person.language)


def _said(seconds: int) -> str:
    if seconds <= 2:
        return gettext("Many people are logging in at this moment. Press again.")
    minutes = math.ceil(seconds / 60)
    return gettext(
        "Too many wrong passwords from here. Try again in {} min, or where you logged in before."
    ).format(minutes)


login = declared(ANYBODY)(Login.as_view())
logout = declared(ANYBODY)(views.LogoutView.as_view(next_page="/"))


@require_GET
@declared(ANYBODY)
def admin_login(request: HttpRequest) -> HttpResponseBase:
    """The administration has no door of its own: one place checks passwords. Raises PermissionDenied for somebody who
    is logged in and may not administer."""
    if request.user.is_authenticated and not site.has_permission(request):
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next", "/admin/"))


@require_POST
@declared(ANYBODY)
def language(request: HttpRequest) -> HttpResponseBase:
    """Keeps the chosen language in a cookie, and with the person."""
    response = set_language(request)
    chosen = request.POST.get("language", "")
    if isinstance(request.user, Person) and chosen in dict(settings.LANGUAGES):
        Person.objects.filter(pk=request.user.pk).update(language=chosen)
    return response

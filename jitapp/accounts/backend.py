"""The one door for passwords, whichever page asks: guesses wait longer and longer, and a shop is never locked out.

Tries are counted by whoever tries and for which name. Whoever tries is the browser in which somebody has logged in
before (a signed cookie names that person), else the network address. So a guesser shuts the door for the own address
or browser; people who have logged in before go on, and so does everybody at another address.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from jitapp.accounts.hashing import Busy, one_at_a_time
from jitapp.accounts.models import Person, login_name
from jitapp.accounts.tries import Gate

NAME = Gate("login as", 5, timedelta(seconds=30), timedelta(minutes=15), timedelta(hours=1))
CLIENT = Gate("login from", 30, timedelta(seconds=10), timedelta(minutes=5), timedelta(minutes=15))
PATIENCE_S = 0.2  # a page waits so long at most while another password is checked
BUSY_FOR = timedelta(seconds=1)
COOKIE = "known"
SALT = "jitapp.known"
COOKIE_AGE = timedelta(days=365)


class GuardedBackend(ModelBackend):
    """Django's own check of a password, behind the two gates and one at a time."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **more: Any,
    ) -> Person | None:
        """The person; None for a wrong password. Raises PermissionDenied for a try that must wait: until when stands in
        the request (`waits_until`)."""
        if username is None or password is None:
            return None
        username = login_name(username)
        now, client = timezone.now(), client_of(request)
        name = f"{client} {username}"
        until = CLIENT.enter(client, now)
        if until is None and (until := NAME.enter(name, now)) is not None:
            CLIENT.right(client, all_of=False)
        if until is not None:
            _wait(request, until)
        try:
            with one_at_a_time(PATIENCE_S):
                person = super().authenticate(request, username=username, password=password, **more)
        except Busy:
            NAME.right(name, all_of=False)
            CLIENT.right(client, all_of=False)
            _wait(request, now + BUSY_FOR)
        if person is not None:
            NAME.right(name, all_of=True)
            CLIENT.right(client, all_of=False)
        return person


def _wait(request: HttpRequest | None, until: datetime) -> NoReturn:
    if request is not None:
        request.waits_until = until  # type: ignore[attr-defined]
    raise PermissionDenied


def waits_until(request: HttpRequest) -> datetime | None:
    """From when the next try counts; None if the last one was looked at."""
    found: datetime | None = getattr(request, "waits_until", None)
    return found


def client_of(request: HttpRequest | None) -> str:
    """Who tries: a browser that is known by the person who logged in there before, else an address."""
    if request is None:
        return "nobody"
    known = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=COOKIE_AGE)
    return f"person {known}" if known else f"address {address_of(request)}"


def remember(response: HttpResponseBase, person_id: int) -> None:
    """The browser is known from now on."""
    response.set_signed_cookie(
        COOKIE,
        str(person_id),
        salt=SALT,
        max_age=COOKIE_AGE,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def address_of(request: HttpRequest) -> str:
    """The address that the request came from, the nearest one that a proxy of ours tells; of IPv6 the network."""
    text = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER is not None:
        text = request.META.get("HTTP_X_FORWARDED_FOR", text).rsplit(",", 1)[-1].strip()
    try:
        found = ip_address(text)
    except ValueError:
        return "unknown"
    return str(ip_network(f"{found}/64", strict=False)) if isinstance(found, IPv6Address) else str(found)

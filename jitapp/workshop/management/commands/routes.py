"""Prints every address of the installation, its methods, and who may use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from django.urls import URLPattern, URLResolver, get_resolver

from jitapp.api.operations import ANYBODY, BASE
from jitapp.api.urls import ADDRESSES
from jitapp.live.stream import PATH_END
from jitapp.web.visit import WHO

STAFF = "staff, each table by its own permissions"
TICKET = "whoever may read the board, by a ticket from its page"


def routes() -> Iterator[tuple[str, str, str]]:
    """(address, methods, who may use it); the admin's many pages are one line. Raises LookupError for a page that does
    not say who may use it."""
    yield from _walk(get_resolver().url_patterns, "/")
    yield "/admin/...", "GET, POST", STAFF
    yield PATH_END, "GET", TICKET


def _walk(patterns: list[URLPattern | URLResolver], base: str) -> Iterator[tuple[str, str, str]]:
    declared = {f"{BASE}/{address.path}": address.operations for address in ADDRESSES}
    for pattern in patterns:
        address = base + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from _walk(pattern.url_patterns, address)
        elif operations := declared.get(address):
            for operation in operations:
                yield BASE + operation.path, operation.method.upper(), operation.who
        else:
            yield address, _methods(pattern.callback), _who(pattern, address)


def _who(pattern: URLPattern, address: str) -> str:
    if address.startswith(f"{BASE}/"):  # the API's pages about itself
        return ANYBODY
    who = getattr(pattern.callback, WHO, None)
    if who is None:
        raise LookupError(f"{address} does not say who may use it (jitapp/web/visit.py).")
    return str(who)


def _methods(view: Any) -> str:
    """The methods of a page for people: what its class has, or what its decorators let through."""
    kind = getattr(view, "view_class", None)
    if kind is not None:
        has = [name for name in ("get", "post") if name in kind.http_method_names and hasattr(kind, name)]
        return ", ".join(name.upper() for name in has)
    closure = getattr(view, "__closure__", None) or ()
    for cell in closure:
        allowed = cell.cell_contents
        if isinstance(allowed, list) and allowed and all(isinstance(name, str) for name in allowed):
            return ", ".join(name for name in allowed if name != "HEAD")
    return "GET, POST"


class Command(BaseCommand):
    """One line an address, sorted."""

    help = "Prints every URL with its methods and who may use it."

    def handle(self, *_args: Any, **_options: Any) -> None:
        rows = sorted(set(routes()))
        width = max(len(address) for address, _, _ in rows)
        for address, methods, who in rows:
            self.stdout.write(f"{address:<{width}}  {methods:<9}  {who}")

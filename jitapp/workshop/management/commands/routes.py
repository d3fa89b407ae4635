"""Prints every address of the installation, its methods, and who may use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from django.urls import URLPattern, URLResolver, get_resolver

from jitapp.api.operations import ANYBODY, BASE
from jitapp.api.urls import ADDRESSES
from jitapp.web.visit import PEOPLE, READERS, WHO

STAFF = "staff, each table by its own permissions"
# Parts of pages, and the scan page with its script: they ask who it is themselves and answer 401.
ASK_THEMSELVES = {"board-rows": READERS, "calls-number": READERS, "scan": PEOPLE, "tray-number": PEOPLE}


def routes() -> Iterator[tuple[str, str, str]]:
    """(address, methods, who may use it); the admin's many pages are one line."""
    yield from _walk(get_resolver().url_patterns, "/")
    yield "/admin/...", "GET, POST", STAFF


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
            who = ASK_THEMSELVES.get(pattern.name or "", getattr(pattern.callback, WHO, ANYBODY))
            yield address, _methods(pattern.callback), who


def _methods(view: Any) -> str:
    """What a page for people answers: what its decorators let through is its own business, GET is the rule."""
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

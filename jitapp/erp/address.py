"""Which addresses may be called, and with which keys calls are signed: only what the environment names.

Whoever may edit a connection in the administration must not be able to make this server call other machines of its
network: only hosts that the environment names are called.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from jitapp.env import bad_address
from jitapp.erp.adapters import ADAPTERS


def problem_of(url: str) -> str:
    """Why an address may not be called, as a sentence; empty if it may."""
    if problem := bad_address(url):
        return f"This address {problem}."
    allowed = {*settings.ERP_HOSTS, urlsplit(settings.ERP_URL).netloc} - {""}
    host = urlsplit(url).netloc
    if host not in allowed:
        return f"{host} is not a host that may be called. Name it in JITAPP_ERP_HOSTS, then restart."
    return ""


def default_url() -> str:
    """The address for plants that name none of their own; empty if there is none."""
    return str(settings.ERP_URL)


def keys_for(plant: str) -> tuple[bytes, ...]:
    """The secrets that calls for a plant are signed with: its own, else those of all plants; the newest first."""
    found: dict[str, tuple[bytes, ...]] = settings.ERP_SECRETS
    return found.get(plant) or found.get("", ())


@dataclass(frozen=True, slots=True)
class Reach:
    """Address and keys of a plant's ERP, the newest key first. `problem` says why it cannot be called: a code, empty
    if it can."""

    url: str
    keys: tuple[bytes, ...]
    problem: str


def reach(url: str, plant: str, adapter: str) -> Reach:
    """`url`: what the plant's connection names, empty for the default; `adapter`: the name of its adapter."""
    url = url or default_url()
    keys = keys_for(plant)
    if not url:
        problem = "no_address"
    elif not keys:
        problem = "no_secret"
    elif adapter not in ADAPTERS:
        problem = "adapter_unknown"
    else:
        problem = "address_refused" if problem_of(url) else ""
    return Reach(url, keys, problem)

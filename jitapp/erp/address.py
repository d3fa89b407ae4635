"""Which addresses may be called, and with which keys they are signed for: what the environment says, no more.

Whoever may edit a connection in the administration must not be able to make this server call what stands beside it
in its network: only hosts that the environment names are called.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from jitapp.env import bad_address


def problem_of(url: str) -> str:
    """Why an address may not be called, as a sentence; empty if it may."""
    if problem := bad_address(url):
        return f"This address {problem}."
    allowed = {*settings.ERP_HOSTS, urlsplit(settings.ERP_URL).netloc} - {""}
    host = urlsplit(url).netloc
    if host not in allowed:
        return f"{host} is no host that may be called. Name it in JITAPP_ERP_HOSTS, and start again."
    return ""


def default_url() -> str:
    """The address for plants that name none of their own; empty if there is none."""
    return str(settings.ERP_URL)


def keys_for(plant: str) -> tuple[bytes, ...]:
    """The secrets that calls for a plant are signed with: its own, else those of all plants; the newest first."""
    found: dict[str, tuple[bytes, ...]] = settings.ERP_SECRETS
    return found.get(plant) or found.get("", ())


def reach(url: str, plant: str) -> tuple[str, tuple[bytes, ...], str]:
    """Address and keys of a plant's ERP, and why it cannot be called: a code, empty if it can.

    `url`: what the plant's connection names, empty for the default.
    """
    url = url or default_url()
    keys = keys_for(plant)
    if not url:
        return "", (), "no_address"
    if not keys:
        return url, (), "no_secret"
    return url, keys, "address_refused" if problem_of(url) else ""

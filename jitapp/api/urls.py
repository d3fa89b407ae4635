"""The API's site map, from the addresses that the resources declare."""

from django.urls import URLPattern, URLResolver

from jitapp.api import about, resources
from jitapp.api.operations import Address

# Words before places, so that turns/ID/document is not taken for an act named document.
ADDRESSES: list[Address] = sorted(
    (*resources.ADDRESSES, *about.ADDRESSES), key=lambda address: address.places
)
urlpatterns: list[URLPattern | URLResolver] = [address.pattern() for address in ADDRESSES]

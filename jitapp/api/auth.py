"""Who calls: a device by its bearer token, what it may do, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from jitapp.api.operations import ERP_ONLY, Operation
from jitapp.api.throttle import Buckets
from jitapp.pull.scan_request import Source
from jitapp.pull.sources import source_of_token

if TYPE_CHECKING:
    from rest_framework.views import APIView

LONGEST_TOKEN = 200
# Per token and web process; scans have a bound of their own (throttle.py), they are an operator's work.
REQUESTS_A_SECOND = 50.0
BURST = 200.0


class DeviceToken(BaseAuthentication):
    """`Authorization: Bearer TOKEN`; the source of what follows is the device behind the token."""

    def authenticate(self, request: Request) -> tuple[Source, Source] | None:
        """The device, None without a token. Raises AuthenticationFailed for one that is not known."""
        header = request.META.get("HTTP_AUTHORIZATION", "")
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            return None
        source = source_of_token(token) if len(token) <= LONGEST_TOKEN else None
        if source is None:
            raise AuthenticationFailed
        return source, source

    def authenticate_header(self, _request: Request) -> str:
        """Makes REST framework answer 401 instead of 403."""
        return 'Bearer realm="jitapp"'


class HasDevice(BasePermission):
    """A known device, and an ERP client where the operation's declaration says so.

    Beyond that, who may do what to a turn is for the rules to say, and their answer is kept.
    """

    message = "This needs the token of an ERP client. Make one with `manage.py api_token NAME --kind erp`."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the token is known and enough. What is served but not declared is allowed to nobody; a method that
        the view does not have is left to REST framework, which answers 405."""
        source, method = request.auth, (request.method or "").lower()
        if not isinstance(source, Source):
            return False
        declared: Mapping[str, Operation] = getattr(view, "declared", {})
        operation = declared.get("get" if method == "head" else method)
        if operation is None:
            return method == "options" or not hasattr(view, method)
        return operation.who != ERP_ONLY or source.placeless


class Throttle(BaseThrottle):
    """A bucket per token: REQUESTS_A_SECOND flow in, BURST fit into it."""

    buckets = Buckets(REQUESTS_A_SECOND, BURST)

    def allow_request(self, request: Request, _view: APIView) -> bool:
        """Takes one out of the bucket if there is one."""
        source = request.auth
        return not isinstance(source, Source) or self.buckets.allows(source.device_id)

    def wait(self) -> float:
        """Seconds until the bucket holds one again, rounded up by the caller."""
        return 1.0

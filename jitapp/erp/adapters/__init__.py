"""The kinds of ERP that can be called: one package and one line of ADAPTERS for each.

A package holds a constant ADAPTER of the shape in `jitapp.erp.adapter`, and is imported when it is first used.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from jitapp.erp.adapter import Adapter

# The name of the package, and what the administration calls it.
ADAPTERS = {
    "generic": "generic: JSON, signed by Standard Webhooks",
}
DEFAULT = "generic"


def choices() -> list[tuple[str, str]]:
    """For the administration. Given to Django as a function, so that a new adapter needs no migration."""
    return list(ADAPTERS.items())


@cache
def adapter_of(name: str) -> Adapter:
    """The adapter of that name. Raises LookupError for a name that is not in ADAPTERS."""
    if name not in ADAPTERS:
        raise LookupError(f"There is no ERP adapter {name!r}.")
    adapter: Adapter = import_module(f"{__name__}.{name}").ADAPTER
    return adapter

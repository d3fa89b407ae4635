"""The database side of the rules: one locking read, one writing statement, inside a transaction of two round trips."""

from jitapp.pull.store.session import PREPARED, begin, cursor, execute, is_short, run, short_transaction
from jitapp.pull.store.unit_of_work import (
    Target,
    UnitOfWork,
    decode,
    encode,
    load,
    nothing,
    resolve,
    stored_answers,
)

__all__ = [
    "PREPARED",
    "Target",
    "UnitOfWork",
    "begin",
    "cursor",
    "decode",
    "encode",
    "execute",
    "is_short",
    "load",
    "nothing",
    "resolve",
    "run",
    "short_transaction",
    "stored_answers",
]

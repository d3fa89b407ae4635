"""The database side of the rules: one locking read, one writing statement, inside a transaction of two round trips."""

from jitapp.pull.store.codec import decode, encode
from jitapp.pull.store.messages import LoopChanged, by_the_clock_of_a_log, clock_of, decode_message
from jitapp.pull.store.past import last_entries
from jitapp.pull.store.session import after_commit, cursor, execute, run, short_transaction
from jitapp.pull.store.statements import PREPARED
from jitapp.pull.store.unit_of_work import Target, UnitOfWork, load, nothing, resolve, stored_answers

__all__ = [
    "PREPARED",
    "LoopChanged",
    "Target",
    "UnitOfWork",
    "after_commit",
    "by_the_clock_of_a_log",
    "clock_of",
    "cursor",
    "decode",
    "decode_message",
    "encode",
    "execute",
    "last_entries",
    "load",
    "nothing",
    "resolve",
    "run",
    "short_transaction",
    "stored_answers",
]

"""Several people at the same instant: threads with connections of their own, let go by one barrier."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import connection

T = TypeVar("T")
PATIENCE_S = 30.0


def at_once(*deeds: Callable[[], T]) -> list[T | Exception]:
    """Every deed in a thread of its own, all released at the same moment; what each gave or raised, in order."""
    return rounds(deeds, 1)[0]


def rounds(deeds: Sequence[Callable[[], T]], number: int) -> list[list[T | Exception]]:
    """The same again and again, on the same connections: per round what each deed gave or raised."""
    barrier = threading.Barrier(len(deeds))
    results: list[list[T | Exception]] = [[Nothing("never ran")] * len(deeds) for _ in range(number)]

    def run(place: int) -> None:
        try:
            for done in results:
                barrier.wait(PATIENCE_S)
                try:
                    done[place] = deeds[place]()
                except Exception as error:
                    done[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S + number)
    assert not any(thread.is_alive() for thread in threads), "somebody is still waiting: a deadlock"
    return results


class Nothing(Exception):
    """The thread did not come to its deed."""

"""The book of steps, whole: a line per intent. A step that is not imported here does not exist."""

from __future__ import annotations

from jitapp.kanban.step import STEPS
from jitapp.kanban.steps import (
    abort,
    acknowledge,
    activate,
    block,
    cancel,
    complete,
    correct,
    count,
    dock,
    empty,
    found,
    hold,
    load,
    lost,
    open_,
    promise,
    recall,
    receive,
    reject,
    release,
    remove,
    retry,
    ship,
    start,
    unblock,
    undo,
)

__all__ = ["STEPS"]

BOOK = (
    activate.STEP,
    open_.STEP,
    empty.STEP,
    start.STEP,
    complete.STEP,
    abort.STEP,
    load.STEP,
    ship.STEP,
    receive.STEP,
    hold.STEP,
    release.STEP,
    recall.STEP,
    block.STEP,
    unblock.STEP,
    undo.STEP,
    lost.STEP,
    found.STEP,
    remove.STEP,
    count.STEP,
    correct.STEP,
    acknowledge.STEP,
    promise.STEP,
    reject.STEP,
    dock.STEP,
    cancel.STEP,
    retry.STEP,
)

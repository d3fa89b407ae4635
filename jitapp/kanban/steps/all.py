"""All steps, whole: an import per intent. A step that is not imported here does not exist: importing its module adds
it to `STEPS`."""

from __future__ import annotations

from jitapp.kanban.step import STEPS
from jitapp.kanban.steps import (  # noqa: F401
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

"""What a run has shown: each acknowledged scan held against what is stored, and the figures."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TypedDict

from django.db import connection
from django.db.backends.utils import CursorWrapper

from jitapp.pull.models import Receipt
from jitapp.pull.proof.verify import verify
from jitapp.workshop.chaos.accidents import Killer
from jitapp.workshop.chaos.clients import Tally
from jitapp.workshop.chaos.plan import Course, Plan, Result
from jitapp.workshop.soundness import troubles

SIGNALS = """
    SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY took),
        percentile_cont(0.99) WITHIN GROUP (ORDER BY took), max(took)
    FROM (SELECT extract(epoch FROM done_at - created_at) AS took FROM outbox_message
        WHERE done_at IS NOT NULL AND (%(begin)s::timestamptz IS NULL OR created_at BETWEEN %(begin)s AND %(end)s)) s
"""


class Seconds(TypedDict):
    """How long signals took, from the beginning of the transaction that caused them to their effect upstream."""

    count: int
    p50_s: float
    p99_s: float
    longest_s: float


def examine(plan: Plan, tally: Tally, killer: Killer, course: Course) -> Result:
    """Reads the database of the run; `wrong` holds a sentence for everything that must not be."""
    lost, wrong = _scans(plan, tally)
    with connection.cursor() as cursor:
        wrong += troubles(cursor)
        all_signals = _signals(cursor, None)
        without_redis = _signals(cursor, course.away) if course.away else None
    report = verify()
    wrong += [str(difference) for difference in report.differences[:10]]
    if without_redis and without_redis["longest_s"] > plan.signal_goal:
        wrong.append(
            f"Without Redis a signal took {without_redis['longest_s']} s; {plan.signal_goal:g} s are allowed."
        )
    figures = {
        "scans": plan.scans,
        "clients": plan.clients,
        "seed": plan.seed,
        "lasted_s": round(course.lasted, 1),
        "acknowledged": len(tally.answers),
        "lost": lost,
        "doubled": sum("(C3)" in sentence or "(C2, C8)" in sentence for sentence in wrong),
        "sent_twice": tally.repeats,
        "attempts": tally.attempts,
        "failed_attempts": dict(tally.failures.most_common()),
        "answer_ms": _spread(tally.seconds, 1000),
        "kept_s_when_the_first_attempt_failed": _spread(tally.kept, 1),
        "outcomes": dict(Counter(answer["outcome"] for answer in tally.answers.values()).most_common()),
        "kills": dict(sorted(killer.killed.items())),
        "killed": sum(killer.killed.values()),
        "redis_away_s": plan.redis_stop,
        "redis_how": plan.redis_how if plan.redis_stop else "",
        "signals": {"all": all_signals, "while_redis_was_away": without_redis},
        "drained_s_after_the_last_scan": round(course.waited, 1),
        "verified_events": report.events,
        "differences": report.total,
    }
    return Result(figures, wrong)


def _scans(plan: Plan, tally: Tally) -> tuple[int, list[str]]:
    """How many acknowledged scans are lost, and what is wrong with the scans."""
    wrong: list[str] = []
    stored = {
        str(id): {name: value for name, value in answer.items() if name != "replayed"}
        for id, answer in Receipt.objects.values_list("scan_id", "answer").iterator()
    }
    lost = [id for id in tally.answers if id not in stored]
    other = [id for id, said in tally.answers.items() if id in stored and stored[id] != said]
    unsent = [id for id in stored if id not in tally.answers]
    if len(tally.answers) != plan.scans:
        wrong.append(f"{plan.scans - len(tally.answers)} scans were never answered with 200.")
    if lost:
        wrong.append(f"{len(lost)} acknowledged scans are lost, the first {lost[0]}.")
    if other or tally.changed_answers:
        wrong.append(f"{len(other) + len(tally.changed_answers)} scans have two different answers.")
    if unsent:
        wrong.append(
            f"{len(unsent)} scans are stored that no client got an answer to, the first {unsent[0]}."
        )
    refused = {
        kind: count
        for kind, count in tally.failures.items()
        if kind.startswith("HTTP ") and kind != "HTTP 503"
    }
    if refused:
        wrong.append(f"The API refused good scans: {refused}.")
    return len(lost), wrong


def _spread(values: list[float], factor: float) -> dict[str, float]:
    """count, p50, p99 and the longest."""
    if not values:
        return {"count": 0}
    ordered = sorted(values)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] * factor for share in (0.5, 0.99)]
    return {
        "count": len(ordered),
        "p50": round(at[0], 2),
        "p99": round(at[1], 2),
        "longest": round(ordered[-1] * factor, 2),
    }


def _signals(cursor: CursorWrapper, between: tuple[datetime, datetime] | None) -> Seconds | None:
    """Of all signals, or of those whose transaction began between two instants; None if there was none."""
    begin, end = between or (None, None)
    cursor.execute(SIGNALS, {"begin": begin, "end": end})
    count, *seconds = cursor.fetchone()
    if not count:
        return None
    p50, p99, longest = (round(float(value), 3) for value in seconds)
    return Seconds(count=count, p50_s=p50, p99_s=p99, longest_s=longest)

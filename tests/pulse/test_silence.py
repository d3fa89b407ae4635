"""Who is called silent, and who is not: the machine may sleep, Redis may be away, the observer may be starved."""

from __future__ import annotations

from jitapp.pulse.beats import Work
from jitapp.pulse.deafness import END_AFTER_S, SAY_AFTER_S, Deafness
from jitapp.pulse.silence import Observer


def test_s11_silence_adds_up_look_by_look_and_a_beat_ends_it() -> None:
    observer = Observer()
    for now in range(0, 12, 2):
        observer.look({"relay.1": 5, "web.1": now}, float(now))
    assert observer.silent() == {"relay.1": 10.0, "web.1": 0.0}
    observer.look({"relay.1": 6, "web.1": 99}, 12.0)
    assert observer.silent() == {"relay.1": 0.0, "web.1": 0.0}


def test_s11_nobody_is_silent_because_the_machine_slept_or_the_beats_could_not_be_read() -> None:
    observer = Observer(most=4.0)
    observer.look({"relay.1": 5}, 0.0)
    observer.look({"relay.1": 5}, 3600.0)
    assert observer.silent() == {"relay.1": 4.0}
    observer.away()
    observer.look({"relay.1": 5}, 3700.0)
    assert observer.silent() == {"relay.1": 4.0}


def test_who_has_gone_is_forgotten_and_who_is_new_has_given_a_sign() -> None:
    observer = Observer()
    observer.look({"web.1": 1}, 0.0)
    observer.look({"web.2": 1}, 2.0)
    assert observer.silent() == {"web.2": 0.0}


def test_work_that_does_not_come_round_is_no_longer_fresh() -> None:
    now = [100.0]
    work = Work(4.0, lambda: now[0])
    now[0] += 3
    assert work.fresh()
    now[0] += 2
    assert not work.fresh()
    work.done()
    assert work.fresh()


def _deaf_for(*looks: tuple[int | None, int, bool], every: float = 2.0) -> float:
    deafness, seconds = Deafness(), 0.0
    for number, (waiting, begun, at_work) in enumerate(looks):
        seconds = deafness.look(number * every, waiting=waiting, begun=begun, at_work=at_work)
    return seconds


def test_s06_messages_that_wait_while_no_task_begins_make_a_worker_deaf() -> None:
    looks = [(3, 7, False)] * 17
    assert _deaf_for(*looks[:4]) >= SAY_AFTER_S
    assert _deaf_for(*looks) >= END_AFTER_S


def test_s06_a_worker_with_nothing_to_do_with_a_task_at_hand_or_without_a_broker_is_not_deaf() -> None:
    deaf = [(3, 7, False)] * 10
    assert _deaf_for(*deaf, (0, 7, False)) == 0
    assert _deaf_for(*deaf, (3, 8, False)) == 0
    assert _deaf_for(*deaf, (3, 7, True)) == 0
    assert _deaf_for(*deaf, (None, 7, False)) == 0
    assert _deaf_for((3, 7, False), (3, 7, False), every=3600.0) <= 4.0

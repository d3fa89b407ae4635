"""`manage.py chaos`: an installation of its own, scanned at while its processes are killed, then examined."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jitapp.workshop.chaos.plan import Plan, Result
from jitapp.workshop.chaos.run import Failed, run


class Command(BaseCommand):
    help = (
        "Starts an installation of its own, scans while web, worker and relay are killed at random (and Redis is"
        " away), and proves that nothing is lost and nothing doubled. Touches no other installation."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--scans", type=int, default=10_000)
        parser.add_argument("--clients", type=int, default=16)
        parser.add_argument(
            "--kills", type=int, default=100, help="kill -9 of a web, worker or relay process"
        )
        parser.add_argument("--repeat", type=float, default=0.2, help="share of scans that are sent twice")
        parser.add_argument("--seconds", type=float, default=240, help="time over which the scans are spread")
        parser.add_argument(
            "--signal-goal", type=float, default=2.0, help="seconds a signal may take without Redis"
        )
        parser.add_argument("--redis-stop", type=float, default=60, help="seconds without Redis; 0: none")
        parser.add_argument("--redis-how", choices=("gone", "frozen"), default="gone")
        parser.add_argument("--seed", type=int, default=None, help="repeats the random choices of that run")
        parser.add_argument(
            "--folder", type=Path, default=None, help="keep the installation and its log here"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout, words on stderr")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit code 1 if anything was lost, doubled or differs."""
        plan = Plan(
            scans=options["scans"],
            clients=options["clients"],
            kills=options["kills"],
            repeat=options["repeat"],
            seed=secrets.randbelow(1_000_000) if options["seed"] is None else options["seed"],
            seconds=options["seconds"],
            redis_stop=options["redis_stop"],
            signal_goal=options["signal_goal"],
            redis_how=options["redis_how"],
        )
        tell = self.stderr if options["json"] else self.stdout
        try:
            result = run(plan, say=tell.write, keep=options["folder"])
        except Failed as error:
            raise CommandError(str(error)) from None
        for line in in_words(result):
            tell.write(line)
        if options["json"]:
            self.stdout.write(
                json.dumps({"passed": not result.wrong, "wrong": result.wrong} | result.figures)
            )
        if result.wrong:
            sys.exit(1)


def in_words(result: Result) -> list[str]:
    """The figures as sentences, the wrong ones last."""
    said = result.figures
    signals, away = said["signals"]["all"], said["signals"]["while_redis_was_away"]
    answer, kept = said["answer_ms"], said["kept_s_when_the_first_attempt_failed"]
    lines = [
        f"{said['acknowledged']} scans acknowledged in {said['lasted_s']} s (seed {said['seed']}),"
        f" {said['sent_twice']} of them sent twice, {said['attempts']} attempts in all.",
        f"{said['killed']} processes killed: "
        + ", ".join(f"{count} {kind}" for kind, count in said["kills"].items())
        + ".",
        f"Lost: {said['lost']}. Doubled: {said['doubled']}.",
        f"An answer took {answer.get('p50', 0)} ms (p50), {answer.get('p99', 0)} ms (p99).",
        f"{kept['count']} scans had to be sent again; the longest was kept {kept.get('longest', 0)} s.",
        f"Signals went upstream in {signals['p50_s']} s (p50), {signals['p99_s']} s (p99),"
        f" {signals['longest_s']} s at most."
        if signals
        else "No signal went upstream.",
    ]
    if away:
        lines.append(
            f"While Redis was {said['redis_how']} for {said['redis_away_s']:g} s, {away['count']} signals went"
            f" upstream in {away['p50_s']} s (p50), {away['longest_s']} s at most."
        )
    lines.append(f"verified {said['verified_events']} events, {said['differences']} differences")
    return [*lines, *(f"WRONG: {sentence}" for sentence in result.wrong)]

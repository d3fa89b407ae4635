"""The lessons of the page "Learn": what each role learns in two minutes, where, and how it shows that it was learned.

A lesson is marked as done by what happened (`happened` reads it), or by the person's own tick; either is kept.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_noop as mark

from jitapp.accounts.models import LessonDone
from jitapp.kanban.vocabulary import Role
from jitapp.plant.history import MasterChange
from jitapp.plant.models import Enrolment
from jitapp.printing.models import PrintJob
from jitapp.pull.reading.firsts import done_by
from jitapp.rounds.models import ReadLabel, Walk

# The roles that have lessons, in the order of the page.
TAUGHT = (Role.OPERATOR, Role.HANDLER, Role.LEADER, Role.PLANNER, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Lesson:
    """One thing to learn: three steps, three pictures (templates/first/pictures.html), the page where it is done."""

    name: str
    role: Role
    title: str
    steps: tuple[str, str, str]
    pictures: tuple[str, str, str]
    page: str  # the name of a URL without arguments
    word: str  # what that page is called


LESSONS = (
    Lesson(
        "scan",
        Role.OPERATOR,
        mark("Scan an empty bin"),
        (
            mark("Stand at your station: choose it once on the scan page."),
            mark("Scan the card of the bin that you have emptied. Nothing else is to be pressed."),
            mark("Read the large words: what was recorded, and what happens next."),
        ),
        ("place", "scan", "tick"),
        "scan",
        mark("Scan"),
    ),
    Lesson(
        "undo",
        Role.OPERATOR,
        mark("Take a wrong scan back"),
        (
            mark("Press “Undo” beside the scan, or scan the command card UNDO."),
            mark("That works as long as the button is there. After that, ask your leader."),
            mark("The card is as it was before, and both scans stay in its history."),
        ),
        ("scan", "back", "tick"),
        "scan",
        mark("Scan"),
    ),
    Lesson(
        "call",
        Role.OPERATOR,
        mark("Call for help"),
        (
            mark("Choose what is the matter: material, quality, machine, or just help."),
            mark("Your leader sees the call at once, with your station and since when it waits."),
            mark("Go on if you can. The page says who comes."),
        ),
        ("place", "call", "person"),
        "calls",
        mark("Calls"),
    ),
    Lesson(
        "receive",
        Role.HANDLER,
        mark("Bring a full bin"),
        (
            mark("Fetch the full bin where it was filled, and scan its card there."),
            mark("Put it where it is used, and scan it again."),
            mark("The board counts it as full from that moment on."),
        ),
        ("bin", "cart", "scan"),
        "routes",
        mark("Rounds"),
    ),
    Lesson(
        "label",
        Role.HANDLER,
        mark("Take a delivery in"),
        (
            mark("Scan the supplier's label or the card that came with the goods."),
            mark("Compare the quantity. A part delivery stays open for the rest."),
            mark("What nobody expects is kept, with a question for the leader."),
        ),
        ("cart", "scan", "tick"),
        "receiving",
        mark("Receiving"),
    ),
    Lesson(
        "walk",
        Role.HANDLER,
        mark("Walk the line"),
        (
            mark("Choose a place and scan every card that you see there."),
            mark("The page shows what the system expected and what the floor has."),
            mark("Settle each difference on the spot: found, lost, or standing elsewhere."),
        ),
        ("place", "scan", "board"),
        "walks",
        mark("Line walk"),
    ),
    Lesson(
        "take",
        Role.LEADER,
        mark("Take a call"),
        (
            mark("Open the calls: the oldest stands first, and red has nobody yet."),
            mark("Press “I have it”. The caller reads your name."),
            mark("When it is solved, say why it happened: the reasons are counted."),
        ),
        ("call", "person", "tick"),
        "calls",
        mark("Calls"),
    ),
    Lesson(
        "board",
        Role.LEADER,
        mark("Read the board in five seconds"),
        (
            mark("The worst loop stands first: what runs dry, and in how many minutes."),
            mark("The last column names who must act, since when, and why."),
            mark("When nothing is red, nobody has to do anything."),
        ),
        ("board", "person", "tick"),
        "home",
        mark("Boards"),
    ),
    Lesson(
        "handover",
        Role.LEADER,
        mark("Hand a shift over"),
        (
            mark("Open your area: calls, empty loops and unsent scans are listed already."),
            mark("Write what the next leader must know, and sign."),
            mark("The leader who arrives reads it and signs beside you."),
        ),
        ("board", "person", "person"),
        "shifts",
        mark("Shift"),
    ),
    Lesson(
        "loop",
        Role.PLANNER,
        mark("Make a loop"),
        (
            mark("Say which part goes from which station to which, and in which bins."),
            mark("Say how many are used a day and how long a refill takes."),
            mark("The number of cards is computed, and the formula stands beside it."),
        ),
        ("place", "bin", "card"),
        "loop-new",
        mark("New loop"),
    ),
    Lesson(
        "print",
        Role.PLANNER,
        mark("Print the cards"),
        (
            mark("Choose the cards and the paper. The preview has the true size."),
            mark("Print at 100 %, and scan the test code: so the printer is known to be right."),
            mark("Hang each card on its bin."),
        ),
        ("card", "printer", "bin"),
        "print",
        mark("Cards and labels"),
    ),
    Lesson(
        "map",
        Role.PLANNER,
        mark("See the whole flow"),
        (
            mark("The map draws itself from the loops: stations, stocks, and the ladder of times."),
            mark("The times are measured, not planned. The longest wait is where to begin."),
            mark("Print it on A3 for the wall."),
        ),
        ("place", "board", "printer"),
        "map",
        mark("Flow map"),
    ),
    Lesson(
        "device",
        Role.ADMIN,
        mark("Enrol a tablet"),
        (
            mark("Give it a name and a station. A code appears for ten minutes."),
            mark("Open the code with the tablet. From then on it needs no login."),
            mark("The list says when each device was last heard, and what waits on it."),
        ),
        ("tablet", "scan", "tick"),
        "devices",
        mark("Devices"),
    ),
    Lesson(
        "people",
        Role.ADMIN,
        mark("Add people"),
        (
            mark("Give each person a user name, a language and what they may do."),
            mark("Scan their badge into the field: from then on the badge signs them in."),
            mark("Leaders give PINs, for what a badge alone may not do."),
        ),
        ("person", "card", "tick"),
        "people",
        mark("People and badges"),
    ),
    Lesson(
        "status",
        Role.ADMIN,
        mark("Is it us, or the network?"),
        (
            mark("The status page says how old the newest news is, and what waits where."),
            mark("Its report can be copied for whoever helps you."),
            mark("A board that is too old says so itself, across its full width."),
        ),
        ("tablet", "board", "tick"),
        "status",
        mark("Status"),
    ),
)
BY_NAME = {lesson.name: lesson for lesson in LESSONS}


def happened(person_id: int) -> frozenset[str]:
    """The lessons that what the person did shows as learned."""
    found = set(done_by(person_id)) & BY_NAME.keys()
    changes = MasterChange.objects.filter(person_id=person_id, kind="loops", what=MasterChange.What.CREATED)
    if changes.exists():
        found.add("loop")
    if PrintJob.objects.filter(person_id=person_id, what=PrintJob.What.CARDS).exists():
        found.add("print")
    if ReadLabel.objects.filter(person_id=person_id).exists():
        found.add("label")
    if Walk.objects.filter(person_id=person_id).exists():
        found.add("walk")
    if Enrolment.objects.filter(made_by_id=person_id, used_at__isnull=False).exists():
        found.add("device")
    return frozenset(found)


def keep(person_id: int, lessons: Collection[str], *, now: datetime, by_hand: bool) -> None:
    """Marks lessons as done; what is marked already stays as it is."""
    LessonDone.objects.bulk_create(
        [
            LessonDone(person_id=person_id, lesson=name, done_at=now, by_hand=by_hand)
            for name in sorted(lessons)
        ],
        ignore_conflicts=True,
    )


def done_lessons(person_id: int, *, now: datetime) -> dict[str, LessonDone]:
    """What a person has done, by lesson; what happened since the last look is kept first."""
    rows = {row.lesson: row for row in LessonDone.objects.filter(person_id=person_id)}
    if fresh := happened(person_id) - rows.keys():
        keep(person_id, fresh, now=now, by_hand=False)
        rows = {row.lesson: row for row in LessonDone.objects.filter(person_id=person_id)}
    return rows

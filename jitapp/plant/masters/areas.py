"""Areas: parts of a plant with a leader and a board."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from jitapp.accounts.models import Person
from jitapp.kanban import andon
from jitapp.kanban.stated import stated
from jitapp.plant.belonging import foreigners
from jitapp.plant.masters.calendars import CALENDARS
from jitapp.plant.masters.master import Load, Master, Rows, Values
from jitapp.plant.masters.people import PEOPLE
from jitapp.plant.masters.words import WordsRow, as_spoken, kept_words
from jitapp.plant.masters.wrong import Wrong
from jitapp.plant.models import Area, Plant
from jitapp.plant.rows import Code, Name, Row


class StepRow(Row):
    """After so many minutes of working time a call that nobody took asks for `who`: team_leader, area_leader,
    plant_leader or a user name."""

    after: Annotated[int, Meta(ge=0, le=1_440)]
    who: Annotated[str, Meta(min_length=1, max_length=150)]


class AreaRow(Row):
    """A part of a plant with a leader and a board. `receiving`: the calendar in which deliveries are taken in here.
    `idle_minutes`: nobody is signed in at a tablet after so long without a touch; null: until they sign out. `words`:
    what a bin, a station, a part and a card are called here, by language."""

    code: Code
    name: Name | UnsetType = UNSET
    leader: str | UnsetType | None = UNSET
    receiving: str | UnsetType | None = UNSET
    idle_minutes: Annotated[int, Meta(ge=1, le=720)] | UnsetType | None = UNSET
    escalation: Annotated[list[StepRow], Meta(max_length=10)] | UnsetType = UNSET
    words: WordsRow | UnsetType = UNSET


class Areas(Master[AreaRow, Area]):
    """The steps of an area climb, to people who exist."""

    kind, word, row, model = "areas", "area", AreaRow, Area
    refers = {"leader": PEOPLE, "receiving": CALENDARS}

    def reader(
        self, load: Load, plant: Plant, rows: Rows[AreaRow]
    ) -> Callable[[AreaRow, Area | None], Values]:
        """Everybody whom a step names is looked up at once."""
        steps = [step for _, row in rows if isinstance(row.escalation, list) for step in row.escalation]
        people = load.find(PEOPLE, {step.who for step in steps} - {*andon.ROLES}, plant)
        read = super().reader(load, plant, rows)

        def values(row: AreaRow, before: Area | None) -> Values:
            wanted = read(row, before)
            if isinstance(row.escalation, list):
                kept = [{"after": step.after, "who": step.who} for step in row.escalation]
                check_steps(kept, people)
                wanted["escalation"] = kept
            return wanted

        return values

    def values(self, load: Load, plant: Plant, row: AreaRow, before: Area | None) -> Values:
        """Words are kept as they are spoken."""
        wanted = super().values(load, plant, row, before)
        if "words" in wanted:
            wanted["words"] = kept_words(wanted["words"])
        return wanted

    def check(self, after: Area, before: Area | None) -> None:
        """One word is a page's; people of other plants are nobody here, whoever was named before stays."""
        if after.code == "supply":
            raise Wrong(
                "malformed", stated("An area cannot be called supply: /b/supply/ is a page of its own.")
            )
        new = _named(after) - (_named(before) if before else set())
        for username in sorted(foreigners(new, after.plant_id) if new else ()):
            raise Wrong("unknown_reference", PEOPLE.unknown(username, after.plant))

    def mend(self, entry: Area) -> list[str]:
        """Steps that cannot be read count as none: calls climb by the usual ones. Who is named may have left since.
        Words that cannot be spoken are the house's."""
        entry.words = as_spoken(entry.words)
        written = entry.escalation if isinstance(entry.escalation, list) else []
        try:
            check_steps(
                entry.escalation, {str(step.get("who")) for step in written if isinstance(step, dict)}
            )
        except Wrong as wrong:
            entry.escalation = []
            return [str(wrong)]
        return []

    def normalise(self, entry: Area) -> None:
        """Raises Wrong for steps that cannot be read, in words about steps."""
        entry.escalation = entry.escalation or []
        written = entry.escalation if isinstance(entry.escalation, list) else []
        names = [str(step.get("who")) for step in written if isinstance(step, dict)]
        people = Person.objects.filter(username__in=names).values_list("username", flat=True)
        check_steps(entry.escalation, set(people))
        entry.words = kept_words(entry.words or {})
        super().normalise(entry)


def _named(area: Area) -> set[str]:
    """Its leader and whoever its steps name, by user name."""
    written = area.escalation if isinstance(area.escalation, list) else []
    names = {str(step.get("who")) for step in written if isinstance(step, dict)} - {*andon.ROLES}
    return names | ({area.leader.username} if area.leader else set())


def check_steps(steps: list[dict[str, object]], people: Container[str]) -> None:
    """Raises Wrong unless the steps climb in time, each to a role or one of `people`."""
    try:
        for who in [str(step["who"]) for step in steps]:
            if who not in andon.ROLES and who not in people:
                raise Wrong(
                    "unknown_reference",
                    stated(
                        "There is no person {who}. Name a user, or one of {roles}.",
                        who=repr(who),
                        roles=tuple(andon.ROLES),
                    ),
                )
        andon.steps_of(steps)
    except (Wrong, andon.BadSteps) as error:
        said = error.said if isinstance(error, Wrong) else error.args[0]
        raise Wrong(getattr(error, "code", "malformed"), said, ("escalation",)) from None
    except (
        KeyError,
        TypeError,
        ValueError,
        OverflowError,
    ):  # what may stand in a column that is typed by hand
        example = '[{"after": 5, "who": "area_leader"}]'
        said = stated("Write the steps like {example}.", example=example)
        raise Wrong("malformed", said, ("escalation",)) from None


AREAS = Areas()

"""People with a badge, and what they may do in a plant; passwords never stand in a file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Annotated, Literal

from django.contrib.auth.hashers import make_password
from django.db import models
from msgspec import UNSET, Meta, UnsetType

from jitapp.accounts.models import Person
from jitapp.kanban.names import folded, tidy
from jitapp.kanban.stated import Stated, stated
from jitapp.kanban.vocabulary import Role
from jitapp.plant.masters.master import Load, Master, Rows, Values
from jitapp.plant.masters.wrong import Wrong
from jitapp.plant.models import Membership, Plant
from jitapp.plant.rows import Name, Row
from jitapp.plant.spelling import alike


class PersonRow(Row):
    """Somebody with a badge; passwords never stand in a file."""

    username: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9.@+_-]{0,59}\Z")]
    name: Name | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    roles: list[Role] | UnsetType = UNSET
    badge: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType | None = UNSET
    language: Literal["en", "de", "es", "fr", "pl"] | UnsetType = UNSET


class People(Master[PersonRow, Person]):
    """A person may work in several plants; the roles that a row names are all there are in its plant."""

    kind, word, key, row, model = "people", "person", "username", PersonRow, Person
    in_several_plants = True

    def reader(
        self, load: Load, plant: Plant, rows: Rows[PersonRow]
    ) -> Callable[[PersonRow, Person | None], Values]:
        """A badge belongs to one person; who works elsewhere is not changed from here."""
        badges = {tidy(row.badge) for _, row in rows if isinstance(row.badge, str)}
        holders = _holders(badges | {row.username for _, row in rows})
        colleagues = self._colleagues(plant) if load.plant_ids is not None else None

        def values(row: PersonRow, before: Person | None) -> Values:
            wanted = self.values(load, plant, row, before)
            if before is not None and colleagues is not None and row.username not in colleagues:
                raise Wrong("taken", stated("{name} is a person of another plant.", name=row.username))
            for what, name in (
                ("Badge {name} belongs to {holder}.", wanted.get("badge")),
                ("The name {name} belongs to {holder}.", row.username if before is None else None),
            ):
                holder = (
                    holders.setdefault(folded(name), row.username) if isinstance(name, str) else row.username
                )
                if holder != row.username:
                    raise Wrong("taken", stated(what, name=name, holder=holder))
            return {"password": make_password(None)} | wanted if before is None else wanted

        return values

    def values(self, load: Load, plant: Plant, row: PersonRow, before: Person | None) -> Values:
        """Roles stand in another table."""
        wanted = super().values(load, plant, row, before)
        if isinstance(row.badge, str):
            wanted["badge"] = tidy(row.badge) or None
        return {name: value for name, value in wanted.items() if name not in ("role", "roles")}

    def make(self, plant: Plant, values: Values) -> Person:
        """People belong to no plant but by their roles."""
        return Person(**values)

    def unknown(self, key: str, plant: Plant) -> Stated:
        """The sentence for somebody who does not exist."""
        return stated("There is no person {key}.", key=repr(key))

    def finish(self, load: Load, plant: Plant, written: Sequence[tuple[PersonRow, Person]]) -> None:
        """Roles that are missing are given, those that the row no longer names are taken away."""
        wanted: dict[int, set[str]] = {}
        for row, person in written:
            if isinstance(row.roles, list):
                wanted[person.pk] = {str(role) for role in row.roles}
            elif isinstance(row.role, str):
                wanted[person.pk] = {str(row.role)}
        have: dict[int, set[str]] = {person_id: set() for person_id in wanted}
        for person_id, role in Membership.objects.filter(plant=plant, person__in=wanted).values_list(
            "person_id", "role"
        ):
            have[person_id].add(role)
        Membership.objects.bulk_create(
            Membership(person_id=person_id, plant=plant, role=role)
            for person_id, roles in wanted.items()
            for role in sorted(roles - have[person_id])
        )
        gone = models.Q(pk__in=[])
        for person_id, roles in wanted.items():
            if have[person_id] - roles:
                gone |= models.Q(person_id=person_id, role__in=have[person_id] - roles)
        Membership.objects.filter(gone, plant=plant).delete()

    def _colleagues(self, plant: Plant) -> set[str]:
        return set(Person.objects.filter(memberships__plant=plant).values_list("username", flat=True))


def _holders(names: Collection[str]) -> dict[str, str]:
    """The user names of those who are found by one of these badges or user names, by the folded name."""
    found: dict[str, str] = {}
    for column in ("username", "badge"):
        for name, people in alike(Person.objects.all(), column, names).items():
            found[name] = people[0].username
    return found


PEOPLE = People()

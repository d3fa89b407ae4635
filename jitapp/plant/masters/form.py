"""Master data by hand: what a shop file could not load cannot be saved in the administration either."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction
from django.forms import ModelForm
from django.forms.models import BaseInlineFormSet

from jitapp.kanban.stated import Stated, stated
from jitapp.plant.holdings import the_floor
from jitapp.plant.masters.change import Change
from jitapp.plant.masters.master import Master
from jitapp.plant.masters.wrong import Wrong, twins
from jitapp.plant.models import Placement, Plant, StandardWork
from jitapp.plant.routes import Route, RouteStop
from jitapp.plant.rows import Unreadable
from jitapp.plant.structure import check_structure, lock_master_data

M = TypeVar("M", bound=models.Model)


class MasterForm(ModelForm[M]):
    """Runs the checks of a kind on what was typed; `notes` are sentences about what is saved all the same."""

    master: ClassVar[Master[Any, Any]]
    notes: tuple[str, ...] = ()

    def _post_clean(self) -> None:
        """After Django has put the fields into the instance and held it against the constraints of its table.

        What those say by a constraint's name the checks of the kind say in a sentence.
        """
        super()._post_clean()  # type: ignore[misc]
        if not self.changed_data or set(self.errors) - {NON_FIELD_ERRORS}:
            return
        try:
            with transaction.atomic():
                lock_master_data()
                self._check(self.master.model._default_manager.filter(pk=self.instance.pk).first())
        except (Wrong, Unreadable) as error:
            self.errors.pop(NON_FIELD_ERRORS, None)
            self.add_error(None, str(error))

    def _check(self, before: M | None) -> None:
        entry, master = self.instance, self.master
        names = frozenset(self.changed_data)
        if master.key in names:
            self._check_twin(before)
        master.check_references(entry, names)
        master.check(entry, before)
        master.normalise(entry)
        if before is None:
            return
        if "plant" in names:
            said = stated(
                "{entry} belongs to its plant and stays there. Make a new one in the other.", entry=before
            )
            raise Wrong("identity", said)
        findings = master.against(the_floor(), [Change(before, entry, names)])
        if refusal := findings.wrong.get(entry.pk):
            raise refusal
        if master.shapes_structure and not self.errors and (circles := _circles_with(entry)):
            raise Wrong("circle", circles[0])
        self.notes = tuple(str(note) for note in findings.notes)

    def _check_twin(self, before: M | None) -> None:
        key = str(getattr(self.instance, self.master.key))
        others = self.master.others_by_case([key], getattr(self.instance, "plant", None))
        other = others.get(key.lower(), key)
        if other not in (key, getattr(before, self.master.key, key)):
            raise Wrong("twice", twins(key, other))


def _circles_with(entry: Any) -> list[Stated]:
    """What would go in a circle if it were saved; it is not."""
    with transaction.atomic():
        entry.save()
        circles = check_structure([entry.plant_id])
        transaction.set_rollback(True)
    return circles


def form_of(master: Master[Any, M]) -> type[MasterForm[M]]:
    """The form of a kind."""
    return type(f"{master.word.title()}Form", (MasterForm,), {"master": master})


class PlacementForm(ModelForm[Placement]):
    """Where a device stands: the station is one of its plant."""

    def clean(self) -> dict[str, Any]:
        """The form's values. Raises ValidationError in a sentence."""
        return _of_one_plant(super().clean() or {}, "plant", lambda plant: plant)


class StopsForms(BaseInlineFormSet[RouteStop, Route, ModelForm[RouteStop]]):
    """The stops of a route: stations of its plant, none reached earlier than the one before."""

    def clean(self) -> None:
        """Raises ValidationError in a sentence."""
        super().clean()
        rows = [form.cleaned_data for form in self.forms if form.is_valid() and form.has_changed()]
        kept = [form.cleaned_data for form in self.forms if form.is_valid()]
        stops = sorted(
            (row for row in kept if not row.get("DELETE") and row.get("station")),
            key=lambda row: row["position"],
        )
        for row in rows:
            station = row.get("station")
            if station is not None and self.instance.plant_id not in (None, station.plant_id):
                raise ValidationError(
                    f"{station.code} is a station of another plant. Choose a station of the route's plant."
                )
        for one, other in pairwise(stops):
            if other["minutes"] < one["minutes"]:
                raise ValidationError(
                    f"{other['station'].code} comes after {one['station'].code} and cannot be reached earlier."
                    " Write the minutes since the departure."
                )


class StandardWorkForm(ModelForm[StandardWork]):
    """Where work is described: part and station are of one plant."""

    def clean(self) -> dict[str, Any]:
        """The form's values. Raises ValidationError in a sentence."""
        return _of_one_plant(super().clean() or {}, "part", lambda part: part.plant)


def _of_one_plant(values: dict[str, Any], other: str, plant_of: Callable[[Any], Plant]) -> dict[str, Any]:
    station, found = values.get("station"), values.get(other)
    if station is not None and found is not None and station.plant_id != plant_of(found).pk:
        raise ValidationError(
            f"{station.code} is a station of plant {station.plant.code}, not of {plant_of(found).code}."
            " Choose a station of the same plant."
        )
    return values

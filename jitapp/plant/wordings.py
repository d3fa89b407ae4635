"""Whose words are spoken where: an area's, else its plant's; kept in memory until the epoch is raised."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from threading import Lock

from jitapp.plant.configs import current_epoch
from jitapp.plant.models import Area, Plant, Station
from jitapp.plant.wording.kept import HOUSE_WORDS, Wording, sound


@dataclass(frozen=True, slots=True)
class Wordings:
    """The wordings of all plants and areas; those that have no words of their own are left out."""

    plants: Mapping[int, Wording] = field(default_factory=dict)
    areas: Mapping[str, Wording] = field(default_factory=dict)  # by code
    stations: Mapping[int, Wording] = field(default_factory=dict)
    plant_of: Mapping[str, int] = field(default_factory=dict)  # area -> plant

    def __bool__(self) -> bool:
        return bool(self.plants or self.areas)

    def of_area(self, code: str | None) -> Wording:
        """The words of an area's board and pages."""
        return self.areas.get(code or "", HOUSE_WORDS)

    def of_plants(self, plant_ids: Collection[int]) -> Wording:
        """The words for pages of several areas: those of the plant, if all these plants speak alike."""
        found = {self.plants.get(plant, HOUSE_WORDS) for plant in plant_ids}
        return found.pop() if len(found) == 1 else HOUSE_WORDS

    def of_place(self, station_id: int | None, plant_ids: Collection[int]) -> Wording:
        """The words at a station, or where nobody stands at one, of the plants."""
        if station_id is not None:
            return self.stations.get(station_id, HOUSE_WORDS)
        return self.of_plants(plant_ids) if self.plants else HOUSE_WORDS


class _Kept:
    """What this process read last, and at which epoch."""

    epoch: int | None = None
    current = Wordings()
    reading = Lock()


def wordings(epoch: int | None = None) -> Wordings:
    """The wordings at `epoch` (as a locking read brought it), or at the epoch of now, which is one short question."""
    wanted = (current_epoch() or 0) if epoch is None else epoch
    if _Kept.epoch != wanted:
        with _Kept.reading:
            if _Kept.epoch != wanted:
                _Kept.current = _load()
                _Kept.epoch = wanted
    return _Kept.current


def known_wordings() -> Wordings:
    """The wordings as they were last read, without asking: for what is drawn after somebody asked."""
    return _Kept.current


def forget() -> None:
    """The next question reads them again."""
    _Kept.epoch, _Kept.current = None, Wordings()


def _load() -> Wordings:
    plants = {pk: found for pk, words in Plant.objects.values_list("pk", "words") if (found := sound(words))}
    rows = list(Area.objects.values_list("code", "plant_id", "words"))
    areas = {
        code: found
        for code, plant, words in rows
        if (found := sound(words).over(plants.get(plant, HOUSE_WORDS)))
    }
    stations: dict[int, Wording] = {}
    if plants or areas:
        for pk, code, plant in Station.objects.values_list("pk", "area__code", "plant_id"):
            found = areas.get(code or "", HOUSE_WORDS) if code else plants.get(plant, HOUSE_WORDS)
            if found:
                stations[pk] = found
    return Wordings(plants, areas, stations, {code: plant for code, plant, _ in rows if code in areas})

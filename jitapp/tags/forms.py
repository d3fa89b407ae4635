"""The settings of readers and zones by hand: the same checks in the administration and on the page of tags."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from jitapp.kanban.vocabulary import Intent
from jitapp.tags.models import Reader, ReadPoint
from jitapp.tags.words import Purpose

MOST_ANTENNAS = 64
HIGHEST_ANTENNA = 65_535

# What may be wrong, beside what each field says of itself.
PROBLEMS = {
    "antennas_unreadable": "Write the antennas’ numbers with commas: 1, 2. Empty: all that no other zone names.",
    "antennas_taken": "Another zone of this reader has one of these antennas. An antenna belongs to one zone.",
    "rest_taken": "Another zone of this reader has all other antennas. Name the antennas of this one.",
    "station_missing": "A zone that signals or binds stands at a station. Choose it, or let the zone only watch.",
    "station_elsewhere": "That station belongs to another plant than the reader.",
    "intent_unknown": "That step is not known.",
    "language_unknown": "That language is not known.",
    "topic_unreadable": "That is no topic: + stands alone between slashes, # alone at the end.",
    "topic_taken": "Another reader publishes at that topic.",
}


def problem(code: str) -> ValidationError:
    """One of PROBLEMS."""
    return ValidationError(PROBLEMS[code], code=code)


class AntennasField(forms.CharField):
    """Numbers with commas, kept as a list."""

    def prepare_value(self, value: Any) -> Any:
        """As people write it."""
        return ", ".join(str(each) for each in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Raises ValidationError."""
        words = [word.strip() for word in str(value or "").replace(";", ",").split(",") if word.strip()]
        if len(words) > MOST_ANTENNAS or not all(
            word.isascii() and word.isdigit() and len(word) < 6 for word in words
        ):
            raise problem("antennas_unreadable")
        numbers = sorted({int(word) for word in words})
        if numbers and numbers[-1] > HIGHEST_ANTENNA:
            raise problem("antennas_unreadable")
        return numbers

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compares what is kept."""
        try:
            return bool(self.to_python(data) != (initial or []))
        except ValidationError:
            return True


class PointForm(forms.ModelForm[ReadPoint]):
    """A read zone. Its reader is given by the instance, or by the field where the administration shows it."""

    antennas = AntennasField(required=False)

    class Meta:
        model = ReadPoint
        fields = (
            *("name", "antennas", "station", "intent", "purpose", "moment", "refire_minutes", "silence_ms"),
            *("enter_reads", "enter_rssi", "floor_rssi", "margin_db", "active"),
        )

    def clean(self) -> dict[str, Any]:
        """What the fields say together. Raises ValidationError."""
        given = super().clean() or self.cleaned_data
        reader = given.get("reader") or (self.instance.reader if self.instance.reader_id else None)
        station, intent = given.get("station"), given.get("intent")
        if intent and intent not in set(Intent):
            self.add_error("intent", problem("intent_unknown"))
        if station is None and given.get("purpose") != Purpose.WATCH:
            self.add_error("station", problem("station_missing"))
        if reader is None:
            return given
        if station is not None and station.plant_id != reader.plant_id:
            self.add_error("station", problem("station_elsewhere"))
        if given.get("active") and "antennas" in given:
            self._check_antennas(reader, given["antennas"])
        return given

    def _check_antennas(self, reader: Reader, antennas: list[int]) -> None:
        others = ReadPoint.objects.filter(reader=reader, active=True).exclude(pk=self.instance.pk)
        named = list(others.values_list("antennas", flat=True))
        if not antennas and [] in named:
            self.add_error("antennas", problem("rest_taken"))
        if any(set(antennas) & set(other) for other in named):
            self.add_error("antennas", problem("antennas_taken"))


class ReaderForm(forms.ModelForm[Reader]):
    """How a reader is read."""

    class Meta:
        model = Reader
        fields = ("adapter", "mqtt_topic", "silent_minutes", "language")

    def clean_language(self) -> str:
        """Raises ValidationError."""
        language = str(self.cleaned_data["language"])
        if language and language not in dict(settings.LANGUAGES):
            raise problem("language_unknown")
        return language

    def clean_mqtt_topic(self) -> str:
        """Raises ValidationError."""
        topic = str(self.cleaned_data["mqtt_topic"]).strip()
        if not topic:
            return ""
        levels = topic.split("/")
        bad_plus = any("+" in level and level != "+" for level in levels)
        bad_hash = any("#" in level and level != "#" for level in levels) or "#" in levels[:-1]
        if bad_plus or bad_hash or not topic.isprintable():
            raise problem("topic_unreadable")
        if Reader.objects.filter(mqtt_topic=topic).exclude(pk=self.instance.pk).exists():
            raise problem("topic_taken")
        return topic

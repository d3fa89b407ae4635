"""Which processes run is said by the environment, and nonsense in it by name."""

from __future__ import annotations

import pytest

from jitapp.env import Nonsense, env_readers
from jitapp.workshop.installation import read_wishes, services


@pytest.mark.parametrize(
    ("text", "readers"),
    [
        ("", []),
        ("DOCK-1=192.0.2.10", [("DOCK-1", "192.0.2.10", 5084)]),
        (
            "Dock 1=reader.example:5085, B=[2001:db8::1],",
            [("Dock 1", "reader.example", 5085), ("B", "2001:db8::1", 5084)],
        ),
    ],
)
def test_readers_that_are_called(
    monkeypatch: pytest.MonkeyPatch, text: str, readers: list[tuple[str, str, int]]
) -> None:
    monkeypatch.setenv("JITAPP_LLRP", text)
    assert env_readers("JITAPP_LLRP") == readers


@pytest.mark.parametrize("text", ["DOCK-1", "=192.0.2.10", "A=b:0", "A=b:70000", "A=b c", "A=http://b"])
def test_nonsense_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("JITAPP_LLRP", text)
    with pytest.raises(Nonsense, match="JITAPP_LLRP holds"):
        env_readers("JITAPP_LLRP")


def test_make_run_starts_them_where_they_are_configured_and_goes_on_without_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def names() -> dict[str, bool]:
        return {each.name: each.optional for each in services(read_wishes(), {})}

    assert not {"mqtt", "llrp"} & names().keys()
    monkeypatch.setenv("JITAPP_MQTT_URL", "mqtt://127.0.0.1:1883")
    monkeypatch.setenv("JITAPP_LLRP", "DOCK-1=127.0.0.1")
    assert (names()["mqtt"], names()["llrp"]) == (True, True)
    monkeypatch.setenv("JITAPP_MQTT_URL", "http://127.0.0.1")
    with pytest.raises(Nonsense, match="JITAPP_MQTT_URL must begin with"):
        names()

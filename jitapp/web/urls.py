"""The room's site map."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from jitapp.web import boards, machines, people, scan, things

urlpatterns: list[URLPattern | URLResolver] = [
    path("", boards.home, name="home"),
    path("login/", people.login, name="login"),
    path("logout/", people.logout, name="logout"),
    path("language/", people.language, name="language"),
    path("s/", scan.scan_page, name="scan"),
    path("s/station/", scan.choose_station, name="choose-station"),
    path("b/supply/<str:station>", things.supply_page, name="supply"),
    path("b/<str:area>", boards.board_page, name="board"),
    path("b/<str:area>/rows", boards.rows, name="board-rows"),
    path("l/<int:loop_id>", things.loop_page, name="loop"),
    path("k/<str:code>", things.card_page, name="card"),
    path("status", machines.status, name="status"),
    path("healthz", machines.healthz, name="healthz"),
    path("readyz", machines.readyz, name="readyz"),
    path("metrics", machines.metrics, name="metrics"),
]

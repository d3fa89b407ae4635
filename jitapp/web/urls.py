"""The room's site map."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from jitapp.web import boards, calls, changeovers, demo, health, people, scan, sheets, shell, tablet, tray

urlpatterns: list[URLPattern | URLResolver] = [
    path("", boards.home, name="home"),
    path("login/", people.login, name="login"),
    path("admin/login/", people.admin_login, name="admin-login"),
    path("logout/", people.logout, name="logout"),
    path("language/", people.language, name="language"),
    path("s/", scan.scan_page, name="scan"),
    path("s/scans", tablet.scans, name="tablet-scans"),
    path("s/beat", tablet.beat, name="tablet-beat"),
    path("s/cards", tablet.cards, name="tablet-cards"),
    path("s/last", tablet.last, name="tablet-last"),
    path("s/words/<str:language>", tablet.words, name="tablet-words"),
    path("s/sw.js", shell.worker, name="worker"),
    path("s/manifest.webmanifest", shell.manifest, name="manifest"),
    path("s/station/", scan.choose_station, name="choose-station"),
    path("s/tray", tray.tray_page, name="tray"),
    path("s/tray/list", tray.tray_list, name="tray-list"),
    path("s/tray/number", tray.number, name="tray-number"),
    path("s/tray/<uuid:scan>", tray.settle, name="tray-settle"),
    path("b/supply/<str:station>", sheets.supply_page, name="supply"),
    path("b/<str:area>", boards.board_page, name="board"),
    path("b/<str:area>/rows", boards.rows, name="board-rows"),
    path("l/<int:loop_id>", sheets.loop_page, name="loop"),
    path("k/<str:code>", sheets.card_page, name="card"),
    path("calls", calls.calls_page, name="calls"),
    path("calls/list", calls.calls_list, name="calls-list"),
    path("calls/new", calls.new_call, name="call-new"),
    path("calls/at/<str:station>", calls.calls_here, name="calls-here"),
    path("calls/number/<str:area>", calls.number, name="calls-number"),
    path("calls/<uuid:call>/take", calls.take, name="call-take"),
    path("calls/<uuid:call>/solve", calls.solve, name="call-solve"),
    path("holds/<str:code>", calls.hold, name="hold"),
    path("holds/<str:code>/decide", calls.decide, name="hold-decide"),
    path("changeovers/<str:station>", changeovers.changeover, name="changeover"),
    path("demo", demo.switch, name="demo-switch"),
    path("status", health.status, name="status"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
]

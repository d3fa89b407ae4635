"""The room's site map."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from jitapp.web import boards

urlpatterns: list[URLPattern | URLResolver] = [
    path("", boards.home, name="home"),
    path("b/<str:area>", boards.board_page, name="board"),
    path("b/<str:area>/rows", boards.rows, name="board-rows"),
]

"""A demonstration with one loop, and somebody who may do everything in it."""

from __future__ import annotations

from django.conf import LazySettings
from django.utils import timezone

from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Membership
from tests.floor import Floor


def showroom(settings: LazySettings) -> Floor:
    """The plant SHOW with the loop L from CELL to LINE, shown as a demonstration at rest; mia administers it."""
    settings.DEMO, settings.DEMO_PLANT, settings.SITE_URL = "1", "SHOW", ""
    floor = Floor("SHOW", now=timezone.now())
    floor.station("CELL")
    floor.station("LINE")
    floor.loop("L", part="PART", supply="CELL", demand="LINE", cards=2, quantity=4)
    mia = floor.person("mia")
    mia.set_password("scan-the-card")
    mia.save()
    Membership.objects.create(person=mia, plant=floor.plant, role=Role.ADMIN)
    return floor

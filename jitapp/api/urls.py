"""The API's site map; jitapp/api/openapi.py describes the same addresses, and a test keeps the two equal."""

from django.urls import URLPattern, URLResolver, path

from jitapp.api.about import docs, openapi_json
from jitapp.api.acts import ActOnLoop, ActOnTurn, RetryDocument, TurnDocument, TurnFailed
from jitapp.api.attempts import Attempts
from jitapp.api.calls import (
    BeginChangeover,
    Calls,
    Changeovers,
    FinishChangeover,
    OneCall,
    SolveCall,
    TakeCall,
)
from jitapp.api.events import Events
from jitapp.api.master_data import (
    Areas,
    Loops,
    OneArea,
    OneBill,
    OneLoop,
    OnePart,
    OneStation,
    OneSupplier,
    Parts,
    Stations,
    Suppliers,
    Upserts,
)
from jitapp.api.parked import ParkedScans, SettleScan
from jitapp.api.scans import scans, scans_batch
from jitapp.api.turns import Cards, OneCard, OneTurn, Runouts, StationBoard, TurnChain, Turns
from jitapp.api.waits import EndState, StationStates, Waits, WaitsSummary

urlpatterns: list[URLPattern | URLResolver] = [
    path("scans", scans, name="scans"),
    path("scans/batch", scans_batch, name="scans-batch"),
    path("scans/parked", ParkedScans.as_view(), name="scans-parked"),
    path("scans/<uuid:scan>/settle", SettleScan.as_view(), name="scan-settle"),
    path("parts", Parts.as_view(), name="parts"),
    path("parts/<str:key>", OnePart.as_view(), name="part"),
    path("areas", Areas.as_view(), name="areas"),
    path("areas/<str:key>", OneArea.as_view(), name="area"),
    path("stations", Stations.as_view(), name="stations"),
    path("stations/<str:key>", OneStation.as_view(), name="station"),
    path("loops", Loops.as_view(), name="loops"),
    path("loops/<str:key>", OneLoop.as_view(), name="loop"),
    path("suppliers", Suppliers.as_view(), name="suppliers"),
    path("suppliers/<str:key>", OneSupplier.as_view(), name="supplier"),
    path("bills/<str:key>", OneBill.as_view(), name="bill"),
    path("upserts", Upserts.as_view(), name="upserts"),
    path("cards", Cards.as_view(), name="cards"),
    path("cards/<str:code>", OneCard.as_view(), name="card"),
    path("turns", Turns.as_view(), name="turns"),
    path("turns/<uuid:turn>", OneTurn.as_view(), name="turn"),
    path("turns/<uuid:turn>/chain", TurnChain.as_view(), name="turn-chain"),
    path("turns/<uuid:turn>/document", TurnDocument.as_view(), name="turn-document"),
    path("turns/<uuid:turn>/retry-document", RetryDocument.as_view(), name="turn-retry-document"),
    path("turns/<uuid:turn>/fail", TurnFailed.as_view(), name="turn-fail"),
    path("turns/<uuid:turn>/<str:verb>", ActOnTurn.as_view(), name="turn-act"),
    path("loops/<str:code>/<str:verb>", ActOnLoop.as_view(), name="loop-act"),
    path("runouts", Runouts.as_view(), name="runouts"),
    path("attempts", Attempts.as_view(), name="attempts"),
    path("calls", Calls.as_view(), name="api-calls"),
    path("calls/<uuid:call>", OneCall.as_view(), name="api-call"),
    path("calls/<uuid:call>/take", TakeCall.as_view(), name="api-call-take"),
    path("calls/<uuid:call>/solve", SolveCall.as_view(), name="api-call-solve"),
    path("stations/<str:station>/changeovers", Changeovers.as_view(), name="api-changeovers"),
    path("stations/<str:station>/changeover", BeginChangeover.as_view(), name="api-changeover"),
    path("stations/<str:station>/changeover/finish", FinishChangeover.as_view(), name="api-changeover-end"),
    path("stations/<str:station>/states", StationStates.as_view(), name="api-states"),
    path("stations/<str:station>/states/<str:kind>/end", EndState.as_view(), name="api-state-end"),
    path("waits", Waits.as_view(), name="waits"),
    path("waits/summary", WaitsSummary.as_view(), name="waits-summary"),
    path("boards/<str:station>", StationBoard.as_view(), name="station-board"),
    path("events", Events.as_view(), name="events"),
    path("openapi.json", openapi_json, name="openapi"),
    path("docs", docs, name="api-docs"),
]

"""Labels over HTTP: a label to look at, print jobs by which cards count as printed, and who may do which."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import uuid4

import pypdfium2
import pytest
import zxingcpp
from django.conf import LazySettings
from django.test import Client

from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.devices import place_device
from jitapp.plant.models import Loop, Part
from jitapp.printing import actions as printing
from jitapp.printing.models import PrintedCard, PrintJob
from jitapp.printing.proof import raster
from jitapp.printing.queries import cards_to_print
from jitapp.pull import sources
from jitapp.pull.models import Card
from tests.floor import Floor
from tests.stories.shops import two_bins

pytestmark = pytest.mark.django_db
SITE = "https://kanban.example.com"
POINTS_PER_MM = 72 / 25.4


@pytest.fixture
def floor(settings: LazySettings) -> Floor:
    settings.SITE_URL = SITE
    sources._sources.clear()
    return two_bins()


def client_of(floor: Floor, kind: DeviceKind, plant: str = "") -> Client:
    token = place_device(f"{kind} {plant}", kind, plant=plant or floor.plant.code)
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def erp(floor: Floor) -> Client:
    return client_of(floor, DeviceKind.ERP)


def codes(loop: str = "L") -> list[str]:
    return list(Card.objects.filter(loop__code=loop).order_by("number").values_list("code", flat=True))


def due() -> set[str]:
    plants = set(Loop.objects.values_list("plant_id", flat=True))
    return {one.facts.code for one in cards_to_print(plants, loop_id=Loop.objects.get(code="L").pk, due=True)}


def label(client: Client, code: str, question: str = "", accept: str = "") -> Any:
    headers = {"Accept": accept} if accept else {}
    return client.get(f"/api/v1/cards/{code}/label{question}", headers=headers)


def print_job(client: Client, key: str = "", **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/api/v1/print-jobs", body, content_type="application/json", headers=headers)


def read(file: bytes) -> set[str]:
    document = pypdfium2.PdfDocument(BytesIO(file))
    found = {
        bytes(one.bytes).decode() for page in document for one in zxingcpp.read_barcodes(raster(page, 200))
    }
    document.close()
    return found


# -- a label to look at ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("question", "size"),
    [("", (100.0, 50.0)), ("?paper=85x54", (85.6, 54.0)), ("?paper=a6&format=pdf", (105.0, 148.0))],
)
def test_a_label_is_a_pdf_of_its_true_size_that_is_read_back(
    erp: Client, question: str, size: tuple[float, float]
) -> None:
    code = codes()[0]
    answer = label(erp, code, question)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/pdf"
    (page,) = pypdfium2.PdfDocument(BytesIO(answer.content))
    assert [side / POINTS_PER_MM for side in page.get_size()] == pytest.approx(size, abs=0.05)
    assert {code, f"{SITE}/k/{code}"} <= read(answer.content)
    assert int(answer["X-Codes-Read-Back"]) >= 2


@pytest.mark.parametrize(
    ("question", "accept", "dots"),
    [("?format=zpl", "", 800), ("", "application/zpl", 800), ("?dpi=300", "application/zpl", 1181)],
)
def test_a_label_is_zpl_by_the_query_or_by_accept(erp: Client, question: str, accept: str, dots: int) -> None:
    code = codes()[0]
    answer = label(erp, code, question, accept)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zpl")
    said = answer.content.decode()
    assert said.startswith("^XA")
    assert f"^PW{dots}" in said
    assert f"{SITE}/k/{code}" in said


def test_looking_at_a_label_changes_nothing(erp: Client) -> None:
    before = due()
    assert set(codes()) <= before
    for _ in range(2):
        assert label(erp, codes()[0]).status_code == 200
    assert due() == before
    assert not PrintJob.objects.exists()


def test_a_label_speaks_the_language_and_has_the_codes_that_are_asked_for(erp: Client) -> None:
    code = codes()[0]
    said = label(erp, code, "?format=zpl&language=de").content.decode()
    assert "SCANNEN" in said.upper()
    assert any("15K" in each for each in read(label(erp, code, "?codes=15k").content))


@pytest.mark.parametrize(
    ("question", "accept", "status", "code"),
    [
        ("?format=docx", "", 400, "malformed"),
        ("?paper=a4-4", "", 400, "malformed"),
        ("?paper=", "", 400, "malformed"),
        ("?dpi=600", "", 400, "malformed"),
        ("?codes=aztec", "", 400, "malformed"),
        ("?language=xx", "", 400, "malformed"),
        ("", "application/json", 406, "not_acceptable"),
    ],
)
def test_what_cannot_be_a_label_is_refused_by_name(
    erp: Client, question: str, accept: str, status: int, code: str
) -> None:
    answer = label(erp, codes()[0], question, accept)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["code"] == code


def test_a_card_of_nobody_or_of_another_plant_has_no_label(floor: Floor, erp: Client) -> None:
    assert label(erp, "KB00000000").status_code == 404
    Floor(plant_code="OTHER")
    stranger = client_of(floor, DeviceKind.ERP, "OTHER")
    assert label(stranger, codes()[0]).status_code == 404
    assert label(Client(), codes()[0]).status_code == 401


def test_every_token_of_the_plant_may_look_and_only_an_erp_prints(floor: Floor) -> None:
    for kind in (DeviceKind.SCANNER, DeviceKind.TABLET):
        client = client_of(floor, kind)
        assert label(client, codes()[0]).status_code == 200
        assert print_job(client, cards=codes()).json()["code"] == "not_allowed"
    assert not PrintJob.objects.exists()


# -- print jobs -------------------------------------------------------------------------------------------------
def test_a_job_marks_its_cards_as_printed_and_its_file_can_be_fetched_again(erp: Client) -> None:
    mine = codes()
    answer = print_job(erp, cards=mine, paper="100x50", key="job-1")
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert [each["card"] for each in told["cards"]] == mine
    assert {each["revision"] for each in told["cards"]} == {1}
    assert told["by"].startswith("erp")
    assert not set(mine) & due()
    assert erp.get(f"/api/v1/print-jobs/{told['id']}").json() == told
    files = [erp.get(told["file"]) for _ in range(2)]
    assert {each.status_code for each in files} == {200}
    assert set(mine) <= read(files[0].content)
    again = print_job(erp, cards=mine, paper="100x50", key="job-1")
    assert (again.json(), again["Idempotent-Replayed"]) == (told, "true")
    assert PrintJob.objects.count() == 1


def test_the_file_of_a_job_says_what_was_true_when_it_was_printed(erp: Client) -> None:
    told = print_job(erp, cards=codes(), paper="100x50", form="zpl203").json()
    before = erp.get(told["file"]).content
    Part.objects.update(description="something else")
    assert set(codes()) <= due()
    assert erp.get(told["file"]).content == before
    assert b"something else" not in before
    assert print_job(erp, cards=codes(), paper="100x50").json()["cards"][0]["revision"] == 2


def test_jobs_of_another_plant_are_not_there(floor: Floor, erp: Client) -> None:
    told = print_job(erp, cards=codes(), paper="100x50").json()
    Floor(plant_code="OTHER")
    stranger = client_of(floor, DeviceKind.ERP, "OTHER")
    assert stranger.get(f"/api/v1/print-jobs/{told['id']}").status_code == 404
    assert stranger.get(told["file"]).status_code == 404
    assert print_job(stranger, cards=codes()).json()["code"] == "unknown_reference"
    assert erp.get(f"/api/v1/print-jobs/{uuid4()}").status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"cards": []}, 422, "field_unreadable"),
        ({"cards": ["KB1"]}, 422, "unknown_reference"),
        ({"cards": ["KB1"] * 101}, 422, "field_unreadable"),
        ({"paper": "a3"}, 422, "field_unreadable"),
        ({"form": "docx"}, 422, "field_unreadable"),
        ({"paper": "a4-4", "form": "zpl203"}, 422, "field_unreadable"),
        ({"codes": "aztec"}, 422, "field_unreadable"),
        ({"language": "xx"}, 422, "field_unreadable"),
        ({"cups": 1}, 422, "field_unreadable"),
    ],
)
def test_what_cannot_be_printed_is_refused_by_name(
    erp: Client, body: dict[str, Any], status: int, code: str
) -> None:
    answer = print_job(erp, **({"cards": codes()} | body))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not PrintedCard.objects.exists()


def test_a_file_that_is_being_made_asks_for_patience(erp: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "PATIENCE_S", 0.01)
    with printing._alone():
        for answer in (label(erp, codes()[0]), print_job(erp, cards=codes())):
            assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
            assert answer["Retry-After"]
    assert label(erp, codes()[0]).status_code == 200

"""Labels of cards: one to look at or to send to a printer, and print jobs, by which cards count as printed.

A GET changes nothing. A job is made with POST and keeps what stands on each card in ink; its file can be fetched as
often as it is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from jitapp.api.endpoint import Endpoint, addresses, operation, or_404, parameter
from jitapp.api.errors import CODES, Problem
from jitapp.api.naming import card_code
from jitapp.api.operations import ERP_ONLY, Parameter
from jitapp.printing import actions
from jitapp.printing.actions import FORMS, Order, Printout, PrintRefused
from jitapp.printing.carriers import Carrier
from jitapp.printing.layouts.sheets import PAPERS
from jitapp.printing.models import PrintJob
from jitapp.printing.queries import job_of
from jitapp.printing.zpl import DOTS_PER_MM
from jitapp.pull.reading import lists

GROUP = "Labels"
MOST = 100  # cards of a job: it is made while the client waits
LONGEST_CODE = 128
PDF, ZPL = "application/pdf", "application/zpl"
SINGLE = [paper.name for paper in PAPERS.values() if paper.sheet is None]
_encode = msgspec.json.Encoder(decimal_format="string").encode

# What printing refuses: status, the API's code, and what to do.
_REFUSED = {
    "nothing_chosen": (422, "field_unreadable", "`cards` is empty. Name the cards to print."),
    "unknown_card": (422, "unknown_reference", "There is no such card in your plant that could be printed"),
    "card_lost": (409, "refused", "The card is reported lost. Print the card that takes its place"),
    "unknown_paper": (422, "field_unreadable", "There is no such paper or form"),
    "label_printer_needs_label": (
        422,
        "field_unreadable",
        "A label printer has no sheets. Choose the paper of a single card or label, or PDF",
    ),
    "no_symbol": (409, "refused", "What stands on the card is too long for the chosen codes. Choose others"),
    "unreadable": (
        409,
        "refused",
        "A code could not be read back from the finished page, so it is not handed out. Choose another paper",
    ),
    "busy": (429, "too_many_requests", "Another file is being made at this moment. Send the same again"),
}


class LabelPdf(BaseRenderer):
    """The bytes of a file as they are; a problem in its place is JSON."""

    media_type = PDF
    format = "pdf"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The bytes of the answer."""
        return data if isinstance(data, bytes) else _encode(data)


class LabelZpl(LabelPdf):
    """For label printers."""

    media_type = ZPL
    format = "zpl"


class PdfOrZpl(DefaultContentNegotiation):
    """By `?format=`, else by `Accept`."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """Raises Problem for what is neither."""
        renderers, wanted = list(renderers), request.query_params.get("format")
        if wanted is not None and wanted not in [each.format for each in renderers]:
            raise Problem(400, "malformed", "`format` is pdf or zpl.")
        try:
            found: tuple[Any, str] = super().select_renderer(request, renderers, format_suffix)
        except (NotAcceptable, Http404):
            raise Problem(
                406, "not_acceptable", f"This is a file: send `Accept: {PDF}` or `Accept: {ZPL}`."
            ) from None
        return found


class PrintJobBody(msgspec.Struct, forbid_unknown_fields=True):
    """Cards, in the order in which they come out of the printer, and how. `paper` and `form` as on the page Print;
    `codes`: what stands on the card beside its Code 128."""

    cards: list[str]
    paper: str = "a4-4"
    form: str = "pdf"
    codes: str = Carrier.OWN.value
    language: str = "en"


class PrintedLabel(msgspec.Struct):
    """A card as it was printed; `revision` is another one whenever what stands on it is."""

    card: str
    revision: int
    verified_at: datetime | None


class PrintJobAnswer(msgspec.Struct):
    """What was printed. `by` is the person or the device, `shortened` are texts that did not fit, `lacking` letters
    that no font has, `file` is the address of the file."""

    id: UUID
    at: datetime
    by: str
    paper: str
    form: str
    codes: str
    language: str
    cards: list[PrintedLabel]
    shortened: list[str]
    lacking: str
    file: str


class Files(Endpoint):
    """What answers with a file."""

    group = GROUP
    renderer_classes = (LabelPdf, LabelZpl)
    content_negotiation_class = PdfOrZpl


class Label(Files):
    """GET /cards/{code}/label"""

    path, url_name = "cards/<str:code>/label", "card-label"

    @operation(
        "The label of a card at its true size, as PDF or ZPL; the card counts as printed no more than before",
        answer=bytes,
        parameters=(
            Parameter(
                "format",
                "pdf or zpl, where `Accept` does not say so",
                {"type": "string", "enum": ["pdf", "zpl"]},
            ),
            Parameter("dpi", "of the label printer, for ZPL", {"type": "integer", "enum": list(DOTS_PER_MM)}),
            Parameter("paper", "100x50 if not given", {"type": "string", "enum": SINGLE}),
            Parameter(
                "codes", "own if not given", {"type": "string", "enum": [str(each) for each in Carrier]}
            ),
            Parameter(
                "language",
                "en if not given",
                {"type": "string", "enum": [code for code, _ in settings.LANGUAGES]},
            ),
        ),
        problems=(404, 409),
        media=(PDF, ZPL),
    )
    def get(self, request: Request, code: str) -> Response:
        """Every code on it was read back before it is handed out."""
        now = timezone.now()
        card = or_404(lists.card(code[:LONGEST_CODE], plant_ids=self.plants(), now=now))
        is_zpl = request.accepted_renderer.format == LabelZpl.format
        dpi = _chosen(request, "dpi", [str(each) for each in DOTS_PER_MM])
        order = _order(
            request,
            paper=_chosen(request, "paper", SINGLE, "100x50"),
            form=f"zpl{dpi}" if is_zpl else "pdf",
            codes=_chosen(request, "codes", [str(each) for each in Carrier]),
            language=_chosen(request, "language", [each for each, _ in settings.LANGUAGES]),
        )
        with refusals():
            return _file(actions.label(card.code, order, plant_ids=self.plants(), now=now))


class PrintJobs(Endpoint):
    """POST /print-jobs"""

    path, url_name, group = "print-jobs", "print-jobs", GROUP

    @operation(
        f"Print labels, up to {MOST} at once: the cards count as printed, and the file can be fetched",
        answer=PrintJobAnswer,
        body=PrintJobBody,
        problems=(409, 422),
        also={201: "Made."},
        who=ERP_ONLY,
    )
    def post(self, request: Request, body: PrintJobBody) -> Response:
        """Marks what is printed; whoever loses the answer sends the same Idempotency-Key again."""
        if len(body.cards) > MOST:
            raise Problem(
                422, "field_unreadable", f"`cards` holds more than {MOST} cards. Make several jobs."
            )
        for name, given, known in (
            ("codes", body.codes, [str(each) for each in Carrier]),
            ("language", body.language, [each for each, _ in settings.LANGUAGES]),
        ):
            if given not in known:
                raise Problem(422, "field_unreadable", f"`{name}` is one of {', '.join(known)}.")
        order = _order(request, paper=body.paper, form=body.form, codes=body.codes, language=body.language)
        with refusals():
            made = actions.print_cards(
                [card_code(each[:LONGEST_CODE]) for each in body.cards],
                order,
                plant_ids=self.plants(),
                now=timezone.now(),
                source=self.source(),
            )
        return Response(_told(request, or_404(job_of(made.jobs[0], self.plants()))), status=201)


class OneJob(Endpoint):
    """GET /print-jobs/{id}"""

    path, url_name, group = "print-jobs/<uuid:id>", "print-job", GROUP

    @operation("What was printed by a job", answer=PrintJobAnswer, problems=(404,))
    def get(self, request: Request, id: UUID) -> PrintJobAnswer:
        """Also of a job that somebody made on the page Print."""
        return _told(request, or_404(job_of(id, self.plants())))


class JobFile(Files):
    """GET /print-jobs/{id}/file"""

    path, url_name = "print-jobs/<uuid:id>/file", "print-job-file"

    @operation(
        "The file of a job, with what was true when it was printed",
        answer=bytes,
        problems=(404, 409),
        media=(PDF, ZPL),
    )
    def get(self, request: Request, id: UUID) -> Response:
        """In the form in which it was printed, whatever `Accept` prefers of the two."""
        job = or_404(job_of(id, self.plants()))
        with refusals():
            return _file(actions.file_of(job, site=_site(request), gs1_prefix=str(settings.GS1_PREFIX)))


def _chosen(request: Request, name: str, known: Sequence[str], usual: str = "") -> str:
    """One of the words that are known, the first of them if nothing is said. Raises Problem."""
    text = parameter(request, name)
    if text is None:
        return usual or known[0]
    if text not in known:
        raise Problem(400, "malformed", f"`{name}` is one of {', '.join(known)}.")
    return text


def _site(request: Request) -> str:
    return str(settings.SITE_URL) or request.build_absolute_uri("/").rstrip("/")


def _order(request: Request, *, paper: str, form: str, codes: str, language: str) -> Order:
    if form not in FORMS:
        raise Problem(422, "field_unreadable", f"`form` is one of {', '.join(FORMS)}.")
    return Order(_site(request), paper, form, Carrier(codes), language, str(settings.GS1_PREFIX))


def _file(made: Printout) -> Response:
    return Response(
        made.data,
        content_type=made.media_type,
        headers={
            "Content-Disposition": f'inline; filename="{made.name}"',
            "X-Codes-Read-Back": str(made.codes),
        },
    )


def _told(request: Request, job: PrintJob) -> PrintJobAnswer:
    rows = job.cards.order_by("id").values_list("card__code", "revision", "verified_at")
    return PrintJobAnswer(
        job.uuid,
        job.at,
        job.by,
        job.paper,
        job.form,
        job.carrier,
        job.language,
        [PrintedLabel(*row) for row in rows],
        list(job.notes.get("shortened", [])),
        str(job.notes.get("lacking", "")),
        request.build_absolute_uri(f"/api/v1/print-jobs/{job.uuid}/file"),
    )


@contextmanager
def refusals() -> Iterator[None]:
    """Turns what printing refuses into a Problem."""
    try:
        yield
    except PrintRefused as refused:
        status, code, detail = _REFUSED[refused.code]
        assert code in CODES
        said = f"{detail}: {refused.named}." if refused.named else detail.rstrip(".") + "."
        raise Problem(status, code, said) from None


ADDRESSES = addresses(Label, PrintJobs, OneJob, JobFile)

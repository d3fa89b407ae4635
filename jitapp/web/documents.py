"""The words for documents of the ERP, as people read them on a card's page."""

from __future__ import annotations

from django.utils.translation import gettext_noop as mark

ORDER_WORDS = {
    "WAITING": mark("the ERP is asked for it"),
    "DONE": mark("is there"),
    "FAILED": mark("the ERP refused it"),
    "WITHDRAWING": mark("is being taken back"),
    "WITHDRAWN": mark("was taken back"),
}
# The problems of jitapp/erp, in words; the page adds what the ERP itself said.
PROBLEM_WORDS = {
    "no_answer": mark("the ERP did not answer"),
    "busy": mark("the ERP has too much to do"),
    "broken": mark("the ERP has an error of its own"),
    "not_understood": mark("the ERP did not understand the call"),
    "redirected": mark("the ERP sends us to another address"),
    "answer_unreadable": mark("the answer of the ERP cannot be read"),
    "number_later": mark("the ERP gives the number later"),
    "number_unusable": mark("the number of the ERP cannot be used"),
    "number_refused": mark("the number does not fit the card"),
    "refused": mark("the ERP refused it"),
    "no_address": mark("no ERP is named for this plant"),
    "no_secret": mark("the secret of the ERP is missing"),
    "address_refused": mark("the address of the ERP is not allowed"),
    "adapter_unknown": mark("the kind of this ERP is not known here"),
    "adapter_failed": mark("the adapter of this ERP has an error"),
    "switched_off": mark("calls to the ERP are switched off"),
}

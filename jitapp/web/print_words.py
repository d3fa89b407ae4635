"""The words of the page of cards to print: papers, codes, reasons, and why nothing was printed."""

from __future__ import annotations

from django.utils.translation import gettext_noop as mark

from jitapp.printing.carriers import Carrier
from jitapp.printing.models import PrintJob
from jitapp.printing.queries import Why

PAPER_WORDS = {
    "a4-4": mark("A4 sheet, 4 cards (A6)"),
    "a4-8": mark("A4 sheet, 8 cards (A7)"),
    "a4-16": mark("A4 sheet, 16 labels (99.1 × 33.9 mm)"),
    "letter-4": mark("Letter sheet, 4 cards"),
    "letter-8": mark("Letter sheet, 8 cards"),
    "a6": mark("Card A6 (105 × 148 mm)"),
    "a7": mark("Card A7 (74 × 105 mm)"),
    "100x50": mark("Label 100 × 50 mm"),
    "85x54": mark("Bank card 85.6 × 54 mm"),
    "100x150": mark("Label 100 × 150 mm"),
}
FORM_WORDS = {
    "pdf": mark("PDF"),
    "zpl203": mark("ZPL for a label printer, 203 dpi"),
    "zpl300": mark("ZPL for a label printer, 300 dpi"),
}
CARRIER_WORDS = {
    Carrier.OWN: mark("QR for phones, Code 128"),
    Carrier.GS1: mark("also a GS1 Data Matrix"),
    Carrier.GS1_QR: mark("GS1 QR instead of the QR for phones"),
    Carrier.ISO15434: mark("also a Data Matrix with part, quantity and 15K"),
}
WHY_WORDS = {
    Why.LOST: mark("In place of lost card {}"),
    Why.STALE: mark("Its label is out of date"),
    Why.CHANGED: mark("Its label is out of date"),
    Why.NEVER: mark("Never printed"),
}
FACT_WORDS = {
    "code": mark("Code"),
    "part": mark("Part"),
    "description": mark("Description"),
    "quantity": mark("Quantity"),
    "unit": mark("Unit"),
    "supply": mark("From"),
    "demand": mark("To"),
    "loop": mark("Loop"),
    "number": mark("Card"),
    "of": mark("Cards in the loop"),
    "supplier": mark("Supplier"),
    "lead_time": mark("Lead time"),
    "container": mark("Container"),
    "route": mark("Route"),
    "standard_work": mark("Standard work"),
}
WHAT_WORDS = {
    PrintJob.What.CARDS: mark("Cards"),
    PrintJob.What.COMMANDS: mark("Command cards"),
    PrintJob.What.BADGES: mark("Badges"),
    PrintJob.What.STATIONS: mark("Station signs"),
    PrintJob.What.TEST: mark("Test page"),
}
REFUSAL_TEXT = {
    "busy": mark("Somebody else is printing at this moment. Wait a few seconds and press again."),
    "nothing_chosen": mark("No card is chosen. Tick the cards that you want to print."),
    "too_many": mark(
        "A file holds at most {} cards. Choose an area or a loop, and print the others after them."
    ),
    "unknown_card": mark("There is no card {} in your plant that could be printed. Load the list again."),
    "card_lost": mark("Card {} is reported lost. Print the card that takes its place."),
    "unknown_paper": mark("That cannot be printed like this: {}. Choose one of the papers."),
    "label_printer_needs_label": mark(
        "A label printer has no sheets: {} is for PDF. Choose a single card or label, or PDF."
    ),
    "no_symbol": mark("What stands on card {} is too long for the chosen code. Choose other codes."),
    "unreadable": mark(
        "The code {} could not be read back from the finished page, so the file is not handed out. Choose another"
        " paper, and tell your administrator."
    ),
    "nothing_there": mark("There is nothing to print there yet. Choose another area, or add badges first."),
    "no_badge": mark("That person has no badge yet, or does not work in your plant. Give the badge first."),
    "unknown_test": mark("No test page of your plant has the code {}. Print one and scan that."),
    "never_printed": mark("No print of card {} is known. Print it first."),
    "code_unreadable": mark("{} is neither the code of a test page nor of a card. Scan it again."),
    "not_millimetres": mark(
        "{} is no length in millimetres. Write what the ruler of 100 mm measures, such as 99.5."
    ),
    "not_yours": mark("Leaders, planners and administrators print. Ask yours."),
    "unknown_job": mark("That print is not known in your plant. Load the page again."),
}

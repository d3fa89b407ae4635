"""Cards to be printed, without a database: real part numbers, every choice of codes."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw

from jitapp.printing.carriers import Carrier, codes_of, work_code
from jitapp.printing.facts import Printed
from jitapp.printing.layouts.parts import Copy, Shown
from jitapp.printing.words import captions
from jitapp.symbology.cardcode import make_code

SITE = "https://kanban.example.com"
WORK = "https://wiki.example.com/work/pcb-100"
REAL_PARTS = [
    "PCB-100",
    "RN2483A-I/RM105",
    "KXT 321 LHS",
    "SSM3J338R,LF",
    "TMK#0815/4711+Ä(3)",
    "Gehäuseoberteil_grün-RAL6018/links+Dichtung#2024.11-Größe_XXL",  # 60 characters
    "W" * 60,
    "Płyta-sterująca/Žďár",
    "Плата-100",
    "לוח-100",
    "لوحة 100",
    "^XA~_1|!@&%=;\\&",
]


def photograph(width: int = 800, height: int = 600) -> Shown:
    """A picture of a part."""
    image = Image.new("RGB", (width, height), "#cfd8dc")
    ImageDraw.Draw(image).rectangle(
        (width // 5, height // 5, width * 4 // 5, height * 4 // 5), fill="#2e7d32"
    )
    made = BytesIO()
    image.save(made, "JPEG")
    return Shown(made.getvalue(), width, height)


def copy_of(
    number: int,
    *,
    part: str = "PCB-100",
    description: str = "Control board, soldered and tested",
    carrier: Carrier = Carrier.OWN,
    language: str = "en",
    work: str = WORK,
    picture: Shown | None = None,
    prefix: str = "",
) -> Copy:
    """Card `number` of six."""
    facts = Printed(
        code=make_code(900_000_000_000 + number * 7_919),
        part=part,
        description=description,
        quantity="12",
        unit="pcs",
        supply="Solder paste",
        demand="Final test",
        loop="PCB100-TEST",
        number=number,
        of=6,
        supplier="Acme Components GmbH",
        lead_time="4 h",
        container="BIN-0417",
        standard_work=work,
    )
    main, linear, second = codes_of(facts, carrier, site=SITE, gs1_prefix=prefix, supplier_code="ACME")
    return Copy(facts, captions(language), 2, "2026-11-28", main, linear, second, work_code(work), picture)

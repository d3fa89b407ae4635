"""Photographs of card posts, made from real card codes: turned, in perspective, unevenly lit, blurred, as JPEG."""

from __future__ import annotations

import io
import math
import random
from dataclasses import dataclass

import segno
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from jitapp.symbology.cardcode import COMBINATIONS, make_code

WIDTH, HEIGHT = 4000, 3000  # twelve megapixels
COLUMNS, ROWS = 8, 5
ADDRESS = "https://kanban.example/k/"


@dataclass(frozen=True)
class Post:
    """A photograph as a JPEG, and the codes of the cards on it."""

    codes: list[str]
    jpeg: bytes


def card_post(pixels: int, seed: int, *, blur: float = 1.2, strange: int = 0) -> Post:
    """40 cards whose QR codes are `pixels` wide on average; the first `strange` of them carry no card code."""
    chance = random.Random(seed)
    codes = [make_code(chance.randrange(COMBINATIONS)) for _ in range(COLUMNS * ROWS)]
    picture = Image.new("RGB", (WIDTH, HEIGHT), (96, 104, 112))
    step = (WIDTH // COLUMNS, HEIGHT // ROWS)
    for number, code in enumerate(codes):
        text = f"https://maker.example/p/{number}" if number < strange else ADDRESS + code
        card = _in_perspective(_card(text, code, pixels, step), chance)
        x = (number % COLUMNS) * step[0] + (step[0] - card.width) // 2 + chance.randrange(-8, 9)
        y = (number // COLUMNS) * step[1] + (step[1] - card.height) // 2 + chance.randrange(-8, 9)
        picture.paste(card, (x, y), card)
    picture = picture.filter(ImageFilter.GaussianBlur(blur))
    picture = ImageChops.multiply(picture, _light())
    noise = Image.effect_noise((WIDTH, HEIGHT), 14).convert("RGB")
    picture = Image.blend(picture, noise, 0.06)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return Post(codes[strange:], out.getvalue())


def _card(text: str, name: str, pixels: int, room: tuple[int, int]) -> Image.Image:
    """A card with its code and lines of print, as large as its place allows when it is turned."""
    # segno.make alone would choose a Micro QR for a short text.
    matrix = [list(row) for row in segno.make_qr(text, error="m").matrix]
    modules = len(matrix)
    small = Image.new("L", (modules + 8, modules + 8), 255)
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            if dark:
                small.putpixel((x + 4, y + 4), 0)
    side = round(pixels * (modules + 8) / modules)
    width, height = min(room[0] - 30, side + 60), min(room[1] - 60, side + 130)
    card = Image.new("RGBA", (max(width, side), max(height, side)), (250, 250, 246, 255))
    card.paste(small.resize((side, side), Image.Resampling.BOX), ((card.width - side) // 2, 10))
    draw = ImageDraw.Draw(card)
    for line in range(3):
        draw.text((20, side + 20 + 24 * line), f"{name} part {line}", fill=(20, 20, 20))
    return card


def _in_perspective(card: Image.Image, chance: random.Random) -> Image.Image:
    """Turned by up to twelve degrees, one in eight upside down, two corners nearer than the others."""
    turn = chance.uniform(-12, 12) + (180 if chance.random() < 0.125 else 0)
    turned = card.rotate(turn, expand=True, resample=Image.Resampling.BICUBIC)
    w, h = turned.size
    near = [(chance.uniform(0, 0.06) * w, chance.uniform(0, 0.06) * h) for _ in range(4)]
    corners = [
        (-near[0][0], -near[0][1]),
        (-near[1][0], h + near[1][1]),
        (w + near[2][0], h + near[2][1]),
        (w + near[3][0], -near[3][1]),
    ]
    quad = tuple(value for corner in corners for value in corner)
    return turned.transform((w, h), Image.Transform.QUAD, quad, Image.Resampling.BICUBIC)


def _light() -> Image.Image:
    """Darker towards one corner."""
    small = Image.new("L", (40, 30))
    for y in range(30):
        for x in range(40):
            small.putpixel((x, y), 255 - round(90 * math.hypot(x / 40, y / 30) / 1.42))
    return small.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).convert("RGB")

"""JSON as the store writes and reads it: quantities are decimal strings."""

from __future__ import annotations

from typing import Any

import msgspec

encode = msgspec.json.Encoder(decimal_format="string").encode
decode = msgspec.json.Decoder(dict[str, Any]).decode

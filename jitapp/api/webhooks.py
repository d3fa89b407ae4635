"""What this side calls: the outbound half of the contract with an ERP (docs/api.md), for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from jitapp.api.operations import Schema, ref


class DocumentOrder(msgspec.Struct):
    """What the ERP is asked for: a document for one turn. `waits`: the signal goes out when its number is there."""

    turn: UUID
    plant: str
    loop: str
    card: str
    part: str
    quantity: str
    unit: str
    supplier: str
    deliver_to: str
    due: datetime
    opened_at: datetime
    waits: bool


class DocumentNumber(msgspec.Struct):
    """The number of the document that the ERP made, or made before for the same key."""

    number: str


TYPES: tuple[type, ...] = (DocumentOrder, DocumentNumber)


def calls_to_the_erp() -> Schema:
    """The `webhooks` of the document."""
    text: Schema = {"type": "string"}
    headers: list[Schema] = [
        {"name": name, "in": "header", "required": True, "description": meaning, "schema": text}
        for name, meaning in (
            ("Idempotency-Key", "the turn's id: the same key is the same document, however often it is sent"),
            ("webhook-id", "names the message; a repeat has the same"),
            ("webhook-timestamp", "seconds since 1970, of this attempt"),
            ("webhook-signature", "Standard Webhooks: `v1,` and the base64 HMAC-SHA256 of id.timestamp.body"),
        )
    ]
    refused = {
        "400": {"description": "The data is wrong; so do 409 and 422 say. `detail` is shown to the buyer."},
        "default": {"description": "Asked again: after Retry-After, or after a pause that grows."},
    }
    return {
        "documentWanted": {
            "post": {
                "operationId": "document_wanted",
                "summary": "A turn needs a document; sent to the address of the plant's ERP",
                "tags": ["ERP"],
                "security": [],
                "parameters": headers,
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": ref("DocumentOrder")}},
                },
                "responses": {
                    "201": {
                        "description": "Made now, or before under the same key.",
                        "content": {"application/json": {"schema": ref("DocumentNumber")}},
                    },
                    "202": {"description": "Taken; asked again in a minute, or POST /turns/{id}/document."},
                    **refused,
                },
            }
        },
        "documentCancelled": {
            "delete": {
                "operationId": "document_cancelled",
                "summary": "The turn was cancelled: its document must go; sent to the address with /{turn} behind it",
                "tags": ["ERP"],
                "security": [],
                "parameters": headers,
                "responses": {
                    "204": {"description": "Gone; 404 and 410 mean the same."},
                    **refused,
                },
            }
        },
    }

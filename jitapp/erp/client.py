"""The calls themselves: several at once, each bounded in time and size. No database here.

No redirect is followed, no proxy of the environment is used, and no reply is read beyond ANSWER_BYTES.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from functools import cache

import httpx

from jitapp.erp.adapter import Call, Reply

CONNECT_S = 5.0
CALL_S = 10.0  # a whole call, however slowly the reply arrives
ANSWER_BYTES = 65_536
AGENT = "jitapp"


def call_all(calls: Sequence[Call]) -> list[Reply]:
    """Makes the calls side by side; returns a reply for each, in their order. Takes CALL_S at most, raises nothing."""
    return asyncio.run(_all(calls))


@cache
def _trusted() -> ssl.SSLContext:
    """The public authorities and those of this machine: the ERP of a factory may have a certificate of its own."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


async def _all(calls: Sequence[Call]) -> list[Reply]:
    timeout = httpx.Timeout(CALL_S, connect=CONNECT_S)
    async with httpx.AsyncClient(
        verify=_trusted(), timeout=timeout, follow_redirects=False, trust_env=False
    ) as client:
        return list(await asyncio.gather(*(_one(client, call) for call in calls)))


async def _one(client: httpx.AsyncClient, call: Call) -> Reply:
    begun = time.monotonic()
    try:
        async with asyncio.timeout(CALL_S):
            return await _answer(client, call, begun)
    except TimeoutError:
        return Reply(error=f"no answer within {CALL_S:.0f} s", took_ms=_ms(begun))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return Reply(error=str(error) or type(error).__name__, took_ms=_ms(begun))


async def _answer(client: httpx.AsyncClient, call: Call, begun: float) -> Reply:
    headers = {
        "User-Agent": AGENT,
        "Accept-Encoding": "identity",  # ANSWER_BYTES bounds what is kept, not what it was compressed to
        **call.headers,
    }
    async with client.stream(call.method, call.url, content=call.body or None, headers=headers) as answer:
        body = b""
        async for piece in answer.aiter_raw(8_192):
            body += piece
            if len(body) > ANSWER_BYTES:
                return Reply(error=f"the answer is longer than {ANSWER_BYTES} bytes", took_ms=_ms(begun))
        return Reply(answer.status_code, body, answer.headers.get("Retry-After", ""), "", _ms(begun))


def _ms(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)

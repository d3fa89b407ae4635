"""What stands still, for the boards of this process: as a web process says it, and that none of those lives."""

from __future__ import annotations

import json
from contextlib import suppress

import redis.asyncio
from redis.exceptions import RedisError, ResponseError

from jitapp.pulse.beats import HASH, LOOKED, STANDS, STANDS_SECONDS, beats_of
from jitapp.pulse.silence import SAY_AFTER_S, Observer


class Stands:
    """`said` is for the browser: a word, and since when (ms) or how many. `blind`: Redis takes nothing new, so that
    boards must ask a web process. `era`: the database's (jitapp/pull/history.py), 0 until a web process has told it."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client
        self._observer = Observer()
        self.said: dict[str, int] = {}
        self.blind = False
        self.era = 0

    async def look(self, now: float) -> bool:
        """At the monotonic second `now`; whether there is something new to say. While Redis does not answer, boards ask
        a web process (`X-Stands`)."""
        try:
            await self._client.set(LOOKED, "", ex=STANDS_SECONDS)
            beats = beats_of(await self._client.hgetall(HASH))
            told = await self._client.get(STANDS)
        except ResponseError:
            self._observer.away()
            news, self.blind = not self.blind, True
            return news
        except (RedisError, OSError, TimeoutError):
            self._observer.away()
            return False
        self._observer.look({key: beat.sign for key, beat in beats.items()}, now)
        said: dict[str, int] = {}
        with suppress(ValueError):
            said = dict(json.loads(told or "{}"))
        era = said.pop("era", self.era)
        silent = self._observer.silent()
        web = [beat for beat in beats.values() if beat.role == "web"]
        if web and all(silent[f"{beat.name}@{beat.host}"] >= SAY_AFTER_S for beat in web):
            said["web"] = int(max(beat.at for beat in web).timestamp() * 1000)
        news = self.blind or said != self.said or era != self.era
        self.said, self.blind, self.era = said, False, era
        return news

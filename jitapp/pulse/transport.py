"""Kombu's Redis transport, whose lost acknowledgements leave no worker deaf.

A message takes a place of the prefetch count until it is acknowledged. Kombu frees the place after it has told Redis;
when Redis goes away between delivery and acknowledgement, the error is logged and the place is taken for good. With
one place, as here, the worker never asks for a message again, and so never notices that its connection is gone. What
was not acknowledged is delivered again after the visibility timeout, as after any loss.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis, virtual

LOST: tuple[type[Exception], ...] = redis.get_redis_error_classes().connection_errors


class QoS(redis.QoS):
    """The places of the prefetch count."""

    def ack(self, delivery_tag: Any) -> None:
        """Tells Redis and frees the place. Raises what Redis raises; the place is free all the same."""
        try:
            super().ack(delivery_tag)
        except LOST:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        """Like `ack`."""
        try:
            super().reject(delivery_tag, requeue=requeue)
        except LOST:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    """A channel with our places."""

    QoS = QoS


class Transport(redis.Transport):
    """The transport of the application (`broker_transport` in jitapp/celery.py)."""

    Channel = Channel

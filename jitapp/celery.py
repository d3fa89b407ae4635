"""The Celery application: a fast hint. What must be done stands in outbox rows (outbox.relay).

Task modules are named as strings: importing them here would close a ring of imports.
"""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jitapp.settings")

from django.conf import settings

SIGNS_OF_LIFE = "jitapp.pulse.workers"  # loaded by worker and scheduler only
TRANSPORT = "jitapp.pulse.transport:Transport"  # Redis, whatever the address says
VISIBILITY_TIMEOUT_S = 120  # longer than the hard task limit of 30 s plus one prefetched task

# What the scheduler's sending has in common with the application's.
SENDING = (
    "broker_url",
    "broker_transport_options",
    "broker_connection_retry_on_startup",
    "result_backend",
    "task_ignore_result",
    "task_serializer",
    "accept_content",
    "enable_utc",
    "timezone",
    "worker_hijack_root_logger",
)

app = Celery("jitapp")
app.conf.update(
    broker_url=settings.REDIS_URL,
    broker_transport=TRANSPORT,
    result_backend=None,
    imports=("jitapp.switchboard", SIGNS_OF_LIFE),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_channel_error_retry=True,
    # A publisher must never wait for a broken broker: no retries, half a second on the socket.
    # The worker's own BRPOP lasts 1 s, so it reads with a longer patience (see worker_options below).
    broker_transport_options={
        "max_retries": 0,
        "visibility_timeout": VISIBILITY_TIMEOUT_S,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 0.5,
        "socket_keepalive": True,
        "health_check_interval": 10,
    },
    visibility_timeout=VISIBILITY_TIMEOUT_S,
    broker_pool_limit=4,
    task_publish_retry=False,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_time_limit=30,
    task_soft_time_limit=20,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    enable_utc=True,
    timezone="UTC",
    worker_max_memory_per_child=300_000,
    worker_soft_shutdown_timeout=10,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    # Django's fixup closes the database connection after each task, and opening one costs more than most tasks; tasks
    # begin with `close_old_connections`, as requests do, and that decides.
    CELERY_DB_REUSE_MAX=1_000_000,
)

# The scheduler only sends names by the clock: without Django's fixup it loads no tables, no pages and no rules.
clock = Celery("jitapp-clock", fixups=[])
clock.conf.update(
    {name: app.conf[name] for name in SENDING}
    | {
        "imports": (SIGNS_OF_LIFE,),
        # Level-triggered sweeps only: a double or a missed run changes nothing (switchboard.py).
        "beat_schedule": {
            "sweep": {"task": "jitapp.sweep", "schedule": 10.0, "options": {"expires": 10}},
            "erp": {"task": "jitapp.erp", "schedule": 10.0, "options": {"expires": 10}},
        },
        "beat_scheduler": f"{SIGNS_OF_LIFE}:CountingScheduler",
        "beat_max_loop_interval": 5,
    }
)

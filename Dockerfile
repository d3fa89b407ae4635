# syntax=docker/dockerfile:1
# One image for every process of ours; docker-compose.yml says which one a container runs.

FROM python:3.11-slim-trixie AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev libpq-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements-production.lock ./
# The driver is built against Debian's libpq; everything else comes as a wheel, each with its hash.
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --no-binary psycopg2 -r requirements-production.lock

FROM python:3.11-slim-trixie
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpq5 postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin jitapp
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY manage.py ./
COPY jitapp jitapp
COPY templates templates
COPY static static
COPY deploy/alive.py deploy/alive.py
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=jitapp.settings \
    JITAPP_DATA=/tmp/jitapp \
    JITAPP_STATIC_ROOT=/app/staticfiles
RUN python manage.py collectstatic --noinput --verbosity 0
USER 10001:10001
EXPOSE 8000 8001
# Of this process alone: /readyz also tells of the others, and a proxy must not turn from a web process for them.
HEALTHCHECK --interval=15s --timeout=15s --start-period=30s --retries=3 \
    CMD ["python", "deploy/alive.py", "http://127.0.0.1:8000/healthz", "/tmp/jitapp/pulse"]
CMD ["granian", "--interface", "rsgi", "--http", "1", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--backpressure", "4096", "--http1-header-read-timeout", "20000", "--no-ws", "--log-level", "warning", "--workers-kill-timeout", "10", "--respawn-failed-workers", "jitapp.rsgi:application"]

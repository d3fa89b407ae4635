"""Asks a Redis whether it answers, in a process of its own.

The supervisor lives as long as the installation, and the client library would hold 23 MB in it for a question that is
asked when things start.
"""

from __future__ import annotations

import subprocess
import sys

from jitapp.env import BASE_DIR

PATIENCE_S = 2.0


def trouble_with(url: str) -> str:
    """Empty once the Redis at `url` takes commands (it refuses them while it loads its file); else why not."""
    try:
        # On stdin, because everybody on the machine can read a process's arguments and the URL holds a password.
        done = subprocess.run(
            [sys.executable, "-m", "jitapp.workshop.ask_redis"],
            cwd=BASE_DIR,
            input=url,
            capture_output=True,
            text=True,
            timeout=5 * PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "no answer in time"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return "" if done.returncode == 0 else (lines[-1] if lines else "no answer")


def main() -> int:
    """The URL comes on stdin; the exit code says whether it answers, stdout why not."""
    import redis  # noqa: PLC0415  (only the asking process pays for it)

    try:
        url = sys.stdin.read().strip()
        with redis.Redis.from_url(
            url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S
        ) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        sys.stdout.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

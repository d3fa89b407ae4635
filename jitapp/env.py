"""The only reader of environment variables besides the supervisor; refuses nonsense at start.

Every helper raises `Nonsense` with one sentence that names the variable. A secret may also stand in a file named
by `NAME_FILE`, as container platforms hand it over.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent
RUNNING = "services.env"  # in the data folder while an installation runs (jitapp/workshop/supervisor.py)
TRUE = {"1", "true", "yes", "on"}
LEAST_KEY, LEAST_SIGNS = 50, 10  # characters of a signing key, and different ones among them
FALSE = {"0", "false", "no", "off"}


class Nonsense(SystemExit):
    """A variable that cannot be used; ends the process with the sentence and exit code 1."""


def env_str(name: str, default: str = "") -> str:
    """The variable's text without blanks around it."""
    return os.environ.get(name, default).strip()


def env_bool(name: str, default: bool) -> bool:
    """1/true/yes/on or 0/false/no/off."""
    text = env_str(name).lower()
    if not text:
        return default
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise Nonsense(f"{name}={text!r} is neither yes nor no. Set it to 1 or 0.")


def env_int(name: str, default: int, *, least: int, most: int) -> int:
    """A whole number within [least, most]."""
    text = env_str(name)
    if not text:
        return default
    try:
        number = int(text)
    except ValueError:
        raise Nonsense(f"{name}={text!r} is not a whole number. Set it to {least} to {most}.") from None
    if not least <= number <= most:
        raise Nonsense(f"{name}={number} is out of range. Set it to {least} to {most}.")
    return number


def env_digits(name: str, *, least: int, most: int) -> str:
    """Digits whose leading zeros count, such as a GS1 company prefix; empty if not set."""
    text = env_str(name)
    if text and not (text.isascii() and text.isdigit() and least <= len(text) <= most):
        raise Nonsense(f"{name}={text!r} is none: it has {least} to {most} digits.")
    return text


def env_choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """One of the named words."""
    text = env_str(name) or default
    if text not in choices:
        raise Nonsense(f"{name}={text!r} is not known. Set it to one of: {', '.join(choices)}.")
    return text


def env_list(name: str, default: list[str]) -> list[str]:
    """Words separated by commas."""
    text = env_str(name)
    return [word.strip() for word in text.split(",") if word.strip()] if text else default


def env_secret(name: str) -> str:
    """The variable, or the content of the file that NAME_FILE names, or what the installation that runs on this
    machine's data folder uses (so that `manage.py verify` beside `make run` needs no settings); else empty."""
    file_name = env_str(f"{name}_FILE")
    if not file_name:
        return env_str(name) or _of_the_running_installation(name)
    try:
        return Path(file_name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Nonsense(f"{name}_FILE={file_name!r} cannot be read: {error.strerror}.") from None


def env_signing_secret(name: str) -> str:
    """A key that signs sessions and tickets, hard to guess; empty if not set."""
    key = env_secret(name)
    if key and (len(key) < LEAST_KEY or len(set(key)) < LEAST_SIGNS):
        raise Nonsense(
            f"{name} is too easy to guess: set it to at least {LEAST_KEY} random characters, such as"
            " `openssl rand -base64 48` prints."
        )
    return key


def env_url(name: str, schemes: tuple[str, ...]) -> str:
    """A URL with one of the schemes (also from NAME_FILE); empty if not set."""
    text = env_secret(name)
    if text and urlsplit(text).scheme not in schemes:
        raise Nonsense(f"{name} must begin with {' or '.join(s + '://' for s in schemes)}.")
    return text


def env_owner_url(name: str) -> str:
    """The database URL of the owner's role; empty if not set. Of the installation that runs here only if DATABASE_URL
    is its own as well: an owner goes with the database that is named."""
    named = any(env_str(each) for each in ("DATABASE_URL", "DATABASE_URL_FILE"))
    if named and not (env_str(name) or env_str(f"{name}_FILE")):
        return ""
    return env_url(name, ("postgres", "postgresql"))


def bad_address(url: str) -> str:
    """What is wrong with an address that is to be called, to be said after its name; empty if nothing is."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "cannot be read: write https://host/path"
    if parts.scheme not in ("http", "https") or not host:
        return "is none: it must begin with https:// (or http:// inside the factory) and name a host"
    if parts.username or parts.password or parts.query or parts.fragment or not url.isprintable():
        return "must hold no user, no password, no ? and no #: write https://host/path"
    return ""


def env_address(name: str) -> str:
    """An address that is to be called (also from NAME_FILE); empty if not set."""
    url = env_secret(name)
    if url and (problem := bad_address(url)):
        raise Nonsense(f"{name} {problem}.")
    return url


LLRP_PORT = 5084
_READER = re.compile(
    r"(?P<name>[^=,]{1,80})=(?P<host>\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+)(:(?P<port>\d{1,5}))?"
)


def env_readers(name: str) -> list[tuple[str, str, int]]:
    """Readers that are called: `NAME=host` or `NAME=host:port`, separated by commas; (name, host, port) of each."""
    found: list[tuple[str, str, int]] = []
    for word in filter(None, (word.strip() for word in env_str(name).split(","))):
        read = _READER.fullmatch(word)
        port = int(read["port"] or LLRP_PORT) if read else 0
        if read is None or not 0 < port < 65_536:
            raise Nonsense(
                f"{name} holds {word!r}. Write DOCK-1=192.0.2.10 or DOCK-1=192.0.2.10:5084, with commas."
            )
        found.append((read["name"].strip(), read["host"].strip("[]"), port))
    return found


_RECIPIENT = re.compile(r"(?:[^=,\s]{1,60}=)?[^=,\s@]+@[^=,\s@]+")


def env_recipients(name: str) -> list[str]:
    """Mail addresses, separated by commas: `ina@example.com` for everything, `HALL-1=ina@example.com` for one area or
    plant."""
    found = env_list(name, [])
    for word in found:
        if not _RECIPIENT.fullmatch(word):
            raise Nonsense(
                f"{name} holds {word!r}. Write ina@example.com or HALL-1=ina@example.com, with commas."
            )
    return found


_SIGNING_KEY = re.compile(r"(?:(?P<plant>[A-Za-z0-9._-]+)=)?whsec_(?P<key>[A-Za-z0-9+/]+={0,2})")


def env_signing_keys(name: str) -> dict[str, tuple[bytes, ...]]:
    """Secrets of the Standard Webhooks scheme (also from NAME_FILE) by plant code, "" for all plants.

    Words separated by blanks or commas: `whsec_...`, or `PLANT=whsec_...`; the newest first, the one that is to
    replace it behind it.
    """
    found: dict[str, tuple[bytes, ...]] = {}
    for word in re.split(r"[\s,]+", env_secret(name)):
        if not word:
            continue
        read = _SIGNING_KEY.fullmatch(word)
        try:
            key = base64.b64decode(read["key"], validate=True) if read else b""
        except binascii.Error:
            key = b""
        if read is None or not 24 <= len(key) <= 64:
            raise Nonsense(
                f"{name} holds a word that is no secret. Write whsec_ and the base64 of 24 to 64 random bytes, such as"
                ' echo "whsec_$(openssl rand -base64 32)" prints.'
            )
        plant = read["plant"] or ""
        found[plant] = (*found.get(plant, ()), key)
    return found


def data_folder() -> Path:
    """Where the embedded servers keep their files, absolute."""
    return Path(env_str("JITAPP_DATA") or BASE_DIR / ".data").absolute()


def _of_the_running_installation(name: str) -> str:
    """What the supervisor wrote down for commands in other terminals; empty where none runs or we may not look."""
    try:
        lines = (data_folder() / RUNNING).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return dict(line.split("=", 1) for line in lines).get(name, "")

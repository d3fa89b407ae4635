"""The small parts: signatures, verdicts, pauses, and what the environment may say."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from jitapp.env import BASE_DIR, Nonsense, env_signing_keys
from jitapp.erp.adapter import DocumentTask, Kind, Reply, Verdict
from jitapp.erp.adapters.generic import ADAPTER
from jitapp.erp.signing import headers, signature
from jitapp.erp.verdicts import pause
from tests.erp.stub import KEY, SECRET

MAKE = DocumentTask("turn", "https://erp.example/documents", {})
WITHDRAW = replace(MAKE, withdraw=True)


def judge(reply: Reply, task: DocumentTask = MAKE, *, now: float = 0) -> Verdict:
    return ADAPTER.verdict(task, reply, now=now)


def test_a_signature_is_the_one_of_the_standard() -> None:
    """The example of the Standard Webhooks specification's reference libraries."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    made = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


VECTORS = Path(os.environ.get("JITAPP_VECTORS", "")) / "standard_webhooks.json"


@pytest.mark.skipif(
    not VECTORS.is_file(), reason="JITAPP_VECTORS names no folder with standard_webhooks.json."
)
def test_signatures_are_those_of_the_public_vectors() -> None:
    signed = [each for each in json.loads(VECTORS.read_text()) if each["operation"] == "sign"]
    assert signed
    for each in signed:
        given = each["input"]
        key = base64.b64decode(given["secret"].removeprefix("whsec_"))
        made = signature(key, given["id"], given["timestamp"], given["payload"].encode())
        assert made == each["expect"]["signature"], each["id"]


def test_while_a_secret_is_changed_there_are_two_signatures() -> None:
    made = headers([KEY, b"x" * 32], "id", 1, b"{}")["webhook-signature"].split()
    assert made == [signature(KEY, "id", 1, b"{}"), signature(b"x" * 32, "id", 1, b"{}")]


@pytest.mark.parametrize(
    ("body", "number"),
    [(b'{"number": "4500017"}', "4500017"), (b'{"number": 17}', "17"), (b'{"number": " 9 "}', "9")],
)
def test_a_number_is_read(body: bytes, number: str) -> None:
    assert judge(Reply(201, body)).number == number


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"number": null}', b'{"number": true}', b"\xff\xfe", b"[" * 60_000]
)
def test_what_holds_no_number_is_asked_for_again(body: bytes) -> None:
    assert judge(Reply(200, body)).kind is Kind.AGAIN


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120.0),
        ("999999", 3_600.0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 50.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date_and_at_most_an_hour(said: str, seconds: float | None) -> None:
    assert judge(Reply(503, retry_after=said), now=10.0).wait_s == seconds


def test_what_the_other_side_says_is_kept_short_and_printable() -> None:
    told = judge(Reply(422, b'{"detail": "a\\u0000b\\r\\nc' + b"x" * 1_000 + b'"}')).detail
    assert told.startswith("a b cx")
    assert len(told) == 300


def test_a_document_that_is_not_known_is_gone() -> None:
    assert [judge(Reply(status), WITHDRAW).kind for status in (200, 204, 404, 410)] == [Kind.DONE] * 4
    assert judge(Reply(409), WITHDRAW).kind is Kind.REFUSED
    assert judge(Reply(500), WITHDRAW).kind is Kind.AGAIN


def test_pauses_double_up_to_their_cap_give_or_take_a_fifth() -> None:
    assert [pause(failures, 120, 0.5) for failures in (1, 2, 3, 7, 8, 1_000)] == [1, 2, 4, 64, 120, 120]
    assert (pause(8, 120, 0.0), round(pause(8, 120, 1.0))) == (96, 144)


def test_secrets_are_read_by_plant_the_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "whsec_" + base64.b64encode(b"o" * 24).decode()
    monkeypatch.setenv("JITAPP_ERP_SECRET", f"{SECRET} {other},\nMUC={other}")
    assert env_signing_keys("JITAPP_ERP_SECRET") == {"": (KEY, b"o" * 24), "MUC": (b"o" * 24,)}


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    monkeypatch.delenv("JITAPP_ERP_SECRET", raising=False)
    monkeypatch.setenv("JITAPP_ERP_SECRET_FILE", str(tmp_path / "secret"))
    assert env_signing_keys("JITAPP_ERP_SECRET") == {"": (KEY,)}


@pytest.mark.parametrize("secret", ["password", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!", "=whsec_x"])
def test_what_is_no_secret_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("JITAPP_ERP_SECRET", secret)
    with pytest.raises(Nonsense, match="JITAPP_ERP_SECRET holds a word that is no secret") as said:
        env_signing_keys("JITAPP_ERP_SECRET")
    assert secret not in str(said.value) or secret == "whsec_"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"JITAPP_ERP_URL": "erp.example"}, "JITAPP_ERP_URL is none"),
        ({"JITAPP_ERP_URL": "https://erp.example/"}, "JITAPP_ERP_SECRET is not"),
        ({"JITAPP_ERP_URL": "https://erp.example/", "JITAPP_ERP_SECRET": "x"}, "JITAPP_ERP_SECRET holds"),
    ],
)
def test_nonsense_stops_the_start_with_a_sentence(variables: dict[str, str], said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=BASE_DIR,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr

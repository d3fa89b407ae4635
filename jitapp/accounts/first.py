"""The first person of an installation, and the code by which whoever started it proves to be there."""

from __future__ import annotations

from django.utils.crypto import salted_hmac

from jitapp.accounts.models import Person

# Without letters and digits that are taken for others; 12 of 32 symbols are 60 bits.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH, GROUP = 12, 4


def knows_nobody() -> bool:
    """Whether there is no person yet: then the site asks who administers it."""
    return not Person.objects.exists()


def first_code() -> str:
    """The code, in groups of four. It follows from the secret key, so that nothing has to be kept."""
    digest = salted_hmac("jitapp.first-start", "code", algorithm="sha256").digest()
    signs = "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:LENGTH])
    return "-".join(signs[at : at + GROUP] for at in range(0, LENGTH, GROUP))

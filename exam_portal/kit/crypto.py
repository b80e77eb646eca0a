"""Encryption at rest, keyed look-up digests and signatures.

Keys come from the settings. Encryption keys rotate by putting the new one first (`PORTAL_ENCRYPTION_KEYS`), the look-up
key by a second one beside it (`PORTAL_LOOKUP_KEY_NEXT`); docs/operations.md has the order.
"""

import base64
import hashlib
import hmac

from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings


def _fernets() -> list[Fernet]:
    # A setting may be any passphrase: its SHA-256 is the 32-byte key that Fernet wants.
    return [
        Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
        for key in settings.PORTAL_ENCRYPTION_KEYS
    ]


def encrypt(text: str) -> str:
    """Encrypt `text` with the first of the encryption keys; the result is ASCII."""
    return MultiFernet(_fernets()).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text behind a token of `encrypt`.

    Raises:
        cryptography.fernet.InvalidToken: no configured key fits.
    """
    return MultiFernet(_fernets()).decrypt(token.encode()).decode()


def is_current(token: str) -> bool:
    """Whether the first of the encryption keys made this token; false for what is no token at all."""
    try:
        _fernets()[0].decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def lookup_keys() -> tuple[str, str | None]:
    """The look-up key, and the one that will follow it while a rotation is under way."""
    return settings.PORTAL_LOOKUP_KEY, settings.PORTAL_LOOKUP_KEY_NEXT or None


def keyed_digest(purpose: str, *parts: str, key: str | None = None) -> str:
    """64 hex digits that stand for `parts` and can be looked up, but not guessed without the look-up key.

    `purpose` keeps digests of different uses apart; the parts are joined by a separator that none may contain. `key` is
    the look-up key unless another one is given.
    """
    if any("\x1f" in part for part in (purpose, *parts)):
        raise ValueError("a part contains the separator")
    message = "\x1f".join((purpose, *parts)).encode()
    return hmac.new((key or lookup_keys()[0]).encode(), message, hashlib.sha256).hexdigest()


def sign(message: bytes) -> str:
    """The Ed25519 signature of `message` by the portal's signing key, base64."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings.PORTAL_SIGNING_KEY))
    return base64.b64encode(key.sign(message)).decode()


def verify(message: bytes, signature: str) -> bool:
    """Whether `signature` is the portal's own over `message`; false also for what is no base64 at all."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings.PORTAL_SIGNING_KEY)).public_key()
    try:
        key.verify(base64.b64decode(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True

"""Encryption at rest, keyed look-up digests and signatures.

Keys come from the settings; encryption keys rotate by putting the new one first (`PORTAL_ENCRYPTION_KEYS`).
"""

import base64
import hashlib
import hmac

from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings


def _fernet() -> MultiFernet:
    # A setting may be any passphrase: its SHA-256 is the 32-byte key that Fernet wants.
    return MultiFernet(
        Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
        for key in settings.PORTAL_ENCRYPTION_KEYS
    )


def encrypt(text: str) -> str:
    """Encrypt `text` with the first of the encryption keys; the result is ASCII."""
    return _fernet().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text behind a token of `encrypt`.

    Raises:
        cryptography.fernet.InvalidToken: no configured key fits.
    """
    return _fernet().decrypt(token.encode()).decode()


def keyed_digest(purpose: str, *parts: str) -> str:
    """64 hex digits that stand for `parts` and can be looked up, but not guessed without the look-up key.

    `purpose` keeps digests of different uses apart; the parts are joined by a separator that none may contain.
    """
    if any("\x1f" in part for part in (purpose, *parts)):
        raise ValueError("a part contains the separator")
    message = "\x1f".join((purpose, *parts)).encode()
    return hmac.new(settings.PORTAL_LOOKUP_KEY.encode(), message, hashlib.sha256).hexdigest()


def sign(message: bytes) -> str:
    """The Ed25519 signature of `message` by the portal's signing key, base64."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings.PORTAL_SIGNING_KEY))
    return base64.b64encode(key.sign(message)).decode()


def verify(message: bytes, signature: str) -> bool:
    """Whether `signature` is the portal's own over `message`."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings.PORTAL_SIGNING_KEY)).public_key()
    try:
        key.verify(base64.b64decode(signature), message)
    except InvalidSignature:
        return False
    return True

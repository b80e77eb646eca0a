"""How WeChat signs and encrypts what it pushes to a server ("safe mode" of an official account).

Public documentation: developers.weixin.qq.com, 消息加解密说明. In safe mode the signature covers the encrypted body, in
plain mode it would cover a time and a random number only; so the portal takes nothing in plain mode.
"""

import base64
import binascii
import hashlib
import os
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32


class Forged(ValueError):
    """What came is not from WeChat, or not for this app."""


@dataclass(frozen=True)
class Envelope:
    """Opens and closes what is pushed for one app.

    Attributes:
        token: of the signature; agreed with WeChat.
        aes_key: the 43 characters of EncodingAESKey.
        app_id: of the official account; the last of what is encrypted.
    """

    token: str
    aes_key: str
    app_id: str

    def signature(self, *signed: str) -> str:
        """SHA-1, in hex, over the token and what is signed, sorted."""
        return hashlib.sha1("".join(sorted([self.token, *signed])).encode(), usedforsecurity=False).hexdigest()

    def seal(self, text: str) -> str:
        """Encrypt a message: base64 over AES-256-CBC of random bytes, its length, itself and the app's id."""
        body = text.encode()
        plain = os.urandom(16) + struct.pack(">I", len(body)) + body + self.app_id.encode()
        padding = BLOCK - len(plain) % BLOCK
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()).decode()

    def open(self, sealed: str) -> str:
        """The message in it.

        Raises:
            Forged: it cannot be decrypted, or is for another app.
        """
        try:
            decryptor = self._cipher().decryptor()
            plain = decryptor.update(base64.b64decode(sealed, validate=True)) + decryptor.finalize()
            plain = plain[: -plain[-1]]
            (length,) = struct.unpack(">I", plain[16:20])
            body, app_id = plain[20 : 20 + length].decode(), plain[20 + length :].decode()
        except (binascii.Error, ValueError, IndexError, struct.error) as error:
            raise Forged("cannot be decrypted") from error
        if app_id != self.app_id:
            raise Forged("for another app")
        return body

    def _cipher(self) -> Cipher[modes.CBC]:
        key = base64.b64decode(self.aes_key + "=")
        return Cipher(algorithms.AES(key), modes.CBC(key[:16]))

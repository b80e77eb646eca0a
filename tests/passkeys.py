"""A passkey in software: what a browser and its security key answer, without either."""

import hashlib
import html
import json
import os
import re
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

FLAG = AuthenticatorData.FLAG


def options_on(page: Any) -> dict[str, Any]:
    """What the script of a page hands to the browser."""
    found = re.search(r'data-options="([^"]+)"', page.content.decode())
    assert found
    return json.loads(html.unescape(found[1]))["publicKey"]


class Passkey:
    """One key pair, bound to the host that it was made for."""

    def __init__(self, origin: str = "http://localhost:8000") -> None:
        self.origin = origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(32)

    def create(self, options: dict[str, Any]) -> str:
        """The answer to a page that sets one up, as its form sends it."""
        public = ES256.from_cryptography_key(self.key.public_key())
        credential = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        data = AuthenticatorData.create(_digest(options["rp"]["id"]), FLAG.UP | FLAG.UV | FLAG.AT, 0, credential)
        attestation = AttestationObject.create("none", data, {})
        return self._answer("webauthn.create", options, attestationObject=bytes(attestation))

    def get(self, options: dict[str, Any]) -> str:
        """The answer to a page that asks for one."""
        data = AuthenticatorData.create(_digest(options["rpId"]), FLAG.UP | FLAG.UV, 0)
        signed = bytes(data) + self._client_data("webauthn.get", options).hash
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return self._answer("webauthn.get", options, authenticatorData=bytes(data), signature=signature)

    def _client_data(self, type_: str, options: dict[str, Any]) -> CollectedClientData:
        return CollectedClientData.create(type=type_, challenge=options["challenge"], origin=self.origin)

    def _answer(self, type_: str, options: dict[str, Any], **response: bytes) -> str:
        response["clientDataJSON"] = bytes(self._client_data(type_, options))
        return json.dumps(
            {
                "id": websafe_encode(self.id),
                "rawId": websafe_encode(self.id),
                "type": "public-key",
                "response": {name: websafe_encode(value) for name, value in response.items()},
                "clientExtensionResults": {},
            }
        )


def _digest(host: str) -> bytes:
    return hashlib.sha256(host.encode()).digest()

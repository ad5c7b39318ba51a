"""A submission server as a next hop: aiosmtpd with TLS and people who must sign in."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from .certificate import Certificate

PASSWORD = "correct horse battery"


@dataclass
class Taken:
    """One message, with the name its sender had signed in by and whether TLS was on."""

    user: str
    is_tls: bool
    content: bytes


@dataclass
class Submission:
    """The handler and what it took."""

    taken: list[Taken] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.attempts.append(mechanism)
        is_known = data.password.decode() == PASSWORD
        return AuthResult(success=is_known, handled=False, auth_data=data.login.decode())

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        self.taken.append(Taken(str(session.auth_data or ""), session.ssl is not None, content))
        return "250 2.0.0 submitted"


def submission_server(handler: Submission, port: int, certificate: Certificate | None) -> Controller:
    """Return the server, not yet started; without a certificate it offers no TLS and asks nobody to sign in."""
    options: dict[str, Any] = {}
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate.chain, certificate.key)
        options = {"tls_context": context, "auth_required": True, "authenticator": handler.authenticate}
    return Controller(handler, hostname="127.0.0.1", port=port, **options)

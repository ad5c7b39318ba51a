"""A sign-in service that speaks OpenID Connect, on loopback: it vouches for whoever the test says."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.serve.ports import free_port

CLIENT, SECRET = "muniment", "a-secret-between-the-two"


@dataclass
class Service:
    """What the service says of whoever comes, and what it was asked."""

    port: int
    email: str = "tomas@training.example"
    is_verified: bool = True
    is_refused: bool = False
    key: Any = field(default_factory=lambda: rsa.generate_private_key(65_537, 2048))
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def claims(self) -> dict[str, Any]:
        now = int(time.time())
        who = {"sub": self.email, "email": self.email, "email_verified": self.is_verified}
        return who | {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60}


@contextmanager
def openid_service() -> Iterator[Service]:
    """Run the service while the block does."""
    service = Service(free_port())

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/.well-known/openid-configuration":
                self._say(_configuration(service))
            elif parts.path == "/authorize":
                service.asked.append(asked)
                code = {"error": "access_denied"} if service.is_refused else {"code": "a-code"}
                place = f"{asked['redirect_uri']}?{urlencode(code | {'state': asked['state']})}"
                self.send_response(302)
                self.send_header("Location", place)
                self.end_headers()
            else:
                self._say(service.claims())

        def do_POST(self) -> None:
            body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            verifier = body["code_verifier"][0].encode()
            challenge = base64.urlsafe_b64encode(sha256(verifier).digest()).rstrip(b"=").decode()
            assert self.headers["Authorization"] == f"Basic {expected}"
            assert service.asked[-1]["code_challenge"] == challenge
            token = jwt.encode(service.claims(), service.key, algorithm="RS256", headers={"kid": "1"})
            self._say({"access_token": "x", "token_type": "Bearer", "id_token": token})

        def _say(self, value: dict[str, Any]) -> None:
            data = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", service.port), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _configuration(service: Service) -> dict[str, Any]:
    return {
        "issuer": service.issuer,
        "authorization_endpoint": f"{service.issuer}/authorize",
        "token_endpoint": f"{service.issuer}/token",
        "userinfo_endpoint": f"{service.issuer}/userinfo",
        "jwks_uri": f"{service.issuer}/keys",
        "response_types_supported": ["code"],
    }

"""The organisation's own sign-in service, from the policy file, as django-allauth wants it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from muniment.policy.errors import Missing
from muniment.policy.policyfile import PolicyFile

PROVIDER = "organisation"


def openid_providers(policy: PolicyFile | None) -> dict[str, Any]:
    """Return the settings of the sign-in service; empty when the policy file names none.

    Raises: Missing when the file with its secret cannot be read.
    """
    openid = policy.console.openid if policy else None
    if openid is None:
        return {}
    app = {
        "provider_id": PROVIDER,
        "name": openid.name,
        "client_id": openid.client_id,
        "secret": _secret(Path(openid.client_secret_file)),
        "settings": {"server_url": openid.issuer, "token_auth_method": "client_secret_basic"},
    }
    return {"openid_connect": {"APPS": [app], "OAUTH_PKCE_ENABLED": True}}


def _secret(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Missing(
            f"{path} cannot be read; expected the secret the sign-in service gave this console. "
            "Write it there, readable by its owner only, or take [console.openid] out of the policy file"
        ) from error

"""Names and networks that can belong to nobody, the only ones an example organisation may use.

Source: RFC 2606, RFC 6761.
"""

from __future__ import annotations

import ipaddress
import re

SUFFIXES = ("example", "test", "invalid", "localhost", "example.com", "example.org", "example.net")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def is_domain(name: str) -> bool:
    """Tell whether `name` is a domain name in lower-case ASCII (an `xn--` label stands for other scripts)."""
    labels = name.split(".")
    return len(name) <= 253 and all(_LABEL.fullmatch(label) for label in labels) and not labels[-1].isdigit()


def is_reserved(name: str) -> bool:
    """Tell whether `name` can never be somebody's real domain."""
    return any(name == suffix or name.endswith(f".{suffix}") for suffix in SUFFIXES)


def is_harmless_host(host: str) -> bool:
    """Tell whether mail handed to `host` stays on this machine or a private network."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return is_reserved(host)
